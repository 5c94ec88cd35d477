/* What a partner's answer says of single rows. */
#include "crumb/partners/format.h"

static void cell(struct buf *out, struct str s, size_t most, const char *behind)
{
	for (size_t i = 0; i < s.n && i < most; i++)
		buf_add(out, (uint8_t)s.p[i] < ' ' ? " " : &s.p[i], 1);
	buf_add(out, behind, 1);
}

void push_refused(
    struct push_answer *out, struct str id, struct str segment, struct str code, struct str message)
{
	out->refused_n++;
	cell(&out->refused, id, 256, "\t");
	cell(&out->refused, segment.n ? segment : STR("*"), 256, "\t");
	cell(&out->refused, code, 64, "\t");
	cell(&out->refused, message, 200, "\n");
}

void push_answer_done(struct push_answer *a)
{
	buf_done(&a->refused);
}

/* What a partner's answer says of single rows, as lines that go to the file `refused` of a delivery
 * (src/delivery/pending.h). The text is somebody else's: control characters would end a cell or a
 * row and become blanks, and what is long is cut. */
#include "crumb/partners/format.h"

#define ID_MOST 256 /* bytes of a cell */
#define CODE_MOST 64
#define MESSAGE_MOST 200

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
	cell(&out->refused, id, ID_MOST, "\t");
	cell(&out->refused, segment.n ? segment : STR("*"), ID_MOST, "\t");
	cell(&out->refused, code, CODE_MOST, "\t");
	cell(&out->refused, message, MESSAGE_MOST, "\n");
}

void push_answer_done(struct push_answer *a)
{
	buf_done(&a->refused);
}

/* The csv format: a header line, and one row a change.
 *
 *     id,segment,expires,action
 *     3f…9a,coats,2026-08-01,add
 *     3f…9a,boots,,remove */
#include "formats.h"

#include "crumb/base/clock.h"
#include "crumb/base/csv.h"

#define HEADER "id,segment,expires,action\n"

static void csv_begin(struct encoder *e, struct buf *out)
{
	(void)e;
	buf_c(out, HEADER);
}

static bool csv_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	char day[DAY_TEXT];
	(void)e;
	for (unsigned i = 0; i < item->n; i++) {
		const struct out_row *r = &item->rows[i];
		if (r->change == ROW_KEEP)
			continue;
		bool add = r->change == ROW_ADD;
		day_text(r->until, day);
		csv_exact(out, item->id);
		buf_add(out, ",", 1);
		csv_exact(out, r->segment->theirs);
		buf_add(out, ",", 1);
		buf_c(out, add ? day : "");
		buf_c(out, add ? ",add\n" : ",remove\n");
	}
	return true;
}

/* Past the first cell, which is in quotes where it must be; NULL: it has no end. */
static const char *behind_cell(const char *p, const char *end)
{
	if (p == end || *p != '"')
		return memchr(p, ',', (size_t)(end - p));
	for (p++; p < end; p++)
		if (*p == '"' && (p + 1 == end || *++p != '"'))
			return p < end && *p == ',' ? p : NULL;
	return NULL;
}

/* ",SEGMENT,DAY,add" or ",SEGMENT,,remove": what stands behind the id. */
static bool is_change(struct str rest)
{
	char day[DAY_TEXT];
	uint16_t until;
	struct str end = STR(",,remove");
	if (rest.n > end.n && str_eq(str_skip(rest, rest.n - end.n), end))
		return true;
	end = STR(",add");
	if (rest.n <= end.n + DAY_TEXT || !str_eq(str_skip(rest, rest.n - end.n), end))
		return false;
	memcpy(day, rest.p + rest.n - end.n - (DAY_TEXT - 1), DAY_TEXT - 1);
	return day_parse(day, DAY_TEXT - 1, &until) && rest.p[rest.n - end.n - DAY_TEXT] == ',';
}

static void csv_masked(const struct destination *d, struct str bytes, struct masked *out)
{
	(void)d;
	if (!str_starts(bytes, STR(HEADER)))
		return;
	buf_c(&out->head, HEADER);
	const char *p = bytes.p + sizeof HEADER - 1, *end = bytes.p + bytes.n;
	while (p < end) {
		const char *rest = behind_cell(p, end), *line = NULL;
		if (rest)
			line = memchr(rest, '\n', (size_t)(end - rest));
		if (!line)
			return;
		if (is_change(str_make(rest, (size_t)(line - rest)))) {
			buf_c(&out->lines, MASK);
			buf_add(&out->lines, rest, (size_t)(line + 1 - rest));
		}
		p = line + 1;
	}
}

const struct format format_csv = {
    .name = "csv",
    .says = "`id,segment,expires,action`, quoted as RFC 4180 says; another crumb imports it. Ids "
	    "and names are written as the partner has them, also when they begin with `-` or `=`: "
	    "they are for programs, so do not open such a file with a spreadsheet",
    .ending = "csv",
    .content_type = "text/csv",
    .ways = {&way_directory, &way_https},
    .compressions = COMPRESS_ANY,
    .life = LIFE_IN_ROW,
    .removal = REMOVAL_ROW,
    .begin = csv_begin,
    .item = csv_item,
    .masked = csv_masked,
};

/* The csv format: a header line, and one row a change.
 *
 *     id,segment,expires,action
 *     3f…9a,coats,2026-08-01,add
 *     3f…9a,boots,,remove */
#include "formats.h"

#include "crumb/base/clock.h"
#include "crumb/base/csv.h"

static void csv_begin(struct encoder *e, struct buf *out)
{
	(void)e;
	buf_c(out, "id,segment,expires,action\n");
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
};

/* The liveramp format: files as LiveRamp delivers them, identifier TAB seg,seg (docs.liveramp.com, data delivery guide). */
#include "formats.h"

static bool liveramp_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	bool first = true;
	(void)e;
	buf_str(out, item->id);
	buf_c(out, "\t");
	for (unsigned i = 0; i < item->n; i++)
		if (item->rows[i].change != ROW_REMOVE) {
			buf_c(out, first ? "" : ",");
			buf_str(out, item->rows[i].segment->theirs);
			first = false;
		}
	buf_c(out, "\n");
	return true;
}

const struct format format_liveramp = {"tsv", LIFE_AT_PARTNER, REMOVAL_ITEM, NULL, NULL, format_nothing, liveramp_item, format_nothing};

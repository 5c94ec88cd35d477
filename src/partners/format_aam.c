/* The aam format: Adobe Audience Manager, inbound (AdobeDocs/audience-manager.en, inbound-file-contents.md). */
#include "formats.h"

#include <string.h>

#define AAM_LINE 102400

static bool aam_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	size_t line = 0;
	if (memchr(item->id.p, ':', item->id.n))
		return false;
	for (unsigned i = 0; i < item->n; i++) {
		const struct out_row *r = &item->rows[i];
		if (e->full ? r->change == ROW_REMOVE : r->change == ROW_KEEP)
			continue;
		if (line + r->segment->theirs.n + 12 > AAM_LINE) {
			buf_c(out, "\n");
			line = 0;
		}
		size_t from = out->n;
		if (line == 0)
			buf_str(out, item->id);
		buf_c(out, line == 0 ? "\t" : ",");
		buf_c(out, r->change == ROW_REMOVE ? "d_unsid=" : "d_sid=");
		buf_str(out, r->segment->theirs);
		line += out->n - from;
	}
	if (line)
		buf_c(out, "\n");
	return true;
}

const struct format format_aam = {"sync", LIFE_AT_PARTNER, REMOVAL_CHANGES, NULL, NULL, format_nothing, aam_item, format_nothing};

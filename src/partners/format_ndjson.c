/* The ndjson format: one JSON object a line, one line a change, with the TCF purposes where a TC
 * string came.
 *
 *     {"id":"3f…9a","segment":"coats","expires":"2026-08-01","action":"add","purposes":[1,3]} */
#include "formats.h"

#include "crumb/base/clock.h"

#include <jansson.h>

static void purposes(const struct out_item *item, struct buf *out)
{
	bool first = true;
	if (!item->consent)
		return;
	buf_c(out, ",\"purposes\":[");
	for (int i = 0; i < 16; i++)
		if (item->purposes >> i & 1) {
			buf_addf(out, "%s%d", first ? "" : ",", i + 1);
			first = false;
		}
	buf_c(out, "]");
}

static bool ndjson_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	char day[DAY_TEXT];
	(void)e;
	for (unsigned i = 0; i < item->n; i++) {
		const struct out_row *r = &item->rows[i];
		if (r->change == ROW_KEEP)
			continue;
		bool add = r->change == ROW_ADD;
		day_text(r->until, day);
		buf_c(out, "{\"id\":");
		format_json(out, item->id);
		buf_c(out, ",\"segment\":");
		format_json(out, r->segment->theirs);
		if (add)
			buf_addf(out, ",\"expires\":\"%s\"", day);
		buf_addf(out, ",\"action\":\"%s\"", add ? "add" : "remove");
		purposes(item, out);
		buf_c(out, "}\n");
	}
	return true;
}

static bool ndjson_mask(json_t *line)
{
	return masked_only(line, "id|segment|expires|action|purposes") && masked_text(line, "id");
}

static void ndjson_masked(const struct destination *d, struct str bytes, struct masked *out)
{
	(void)d;
	masked_objects(bytes, ndjson_mask, out);
}

const struct format format_ndjson = {
    .name = "ndjson",
    .says = "the same as `csv` in objects, one a line, with `purposes` where a TC string came",
    .ending = "ndjson",
    .content_type = "application/x-ndjson",
    .ways = {&way_directory, &way_https},
    .compressions = COMPRESS_ANY,
    .life = LIFE_IN_ROW,
    .removal = REMOVAL_ROW,
    .item = ndjson_item,
    .masked = ndjson_masked,
};

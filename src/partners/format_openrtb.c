/* The ortb-user-data format: OpenRTB 2.6 user.data
 * (github.com/InteractiveAdvertisingBureau/openrtb2.x). One object a visitor with all that holds,
 * as one or two data objects: segments that are rows of IAB's taxonomy, and the others. Nothing
 * left is an empty list.
 *
 *     {"user":{"id":"3f…9a","data":[
 *       {"name":"crumb","ext":{"segtax":4},"segment":[{"id":"243","ext":{"expires":1785542400}}]},
 *       {"name":"crumb","segment":[{"id":"coats","ext":{"expires":1785542400}}]}]}} */
#include "formats.h"

#include "crumb/base/clock.h"

#include <jansson.h>

/* One data object, of the segments that are rows of the taxonomy or of those that are not. */
static void ortb_data(const struct encoder *e, const struct out_item *item, bool taxonomy,
    bool *first, struct buf *out)
{
	struct str name = setting_of(e, "name");
	bool any = false;
	for (unsigned i = 0; i < item->n; i++) {
		const struct out_row *r = &item->rows[i];
		if (r->change == ROW_REMOVE || (r->segment->iab != 0) != taxonomy)
			continue;
		if (!any) {
			buf_c(out, *first ? "{\"name\":" : ",{\"name\":");
			format_json(out, name.n ? name : STR("crumb"));
			buf_c(out,
			    taxonomy ? ",\"ext\":{\"segtax\":4},\"segment\":[" : ",\"segment\":[");
		}
		if (taxonomy)
			buf_addf(out, "%s{\"id\":\"%ld\"", any ? "," : "", r->segment->iab);
		else {
			buf_c(out, any ? ",{\"id\":" : "{\"id\":");
			format_json(out, r->segment->theirs);
		}
		buf_addf(out, ",\"ext\":{\"expires\":%lu}}", (unsigned long)r->until * DAY_S);
		any = true;
	}
	if (any) {
		buf_c(out, "]}");
		*first = false;
	}
}

static bool ortb_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	bool first = true;
	buf_c(out, "{\"user\":{\"id\":");
	format_json(out, item->id);
	buf_c(out, ",\"data\":[");
	ortb_data(e, item, true, &first, out);
	ortb_data(e, item, false, &first, out);
	buf_c(out, "]}}\n");
	return true;
}

static bool ortb_data_only(const json_t *list)
{
	const json_t *data, *segment;
	size_t i, k;
	json_array_foreach(list, i, data)
	{
		if (!masked_only(data, "name|ext|segment"))
			return false;
		json_array_foreach(json_object_get(data, "segment"), k, segment)
		{
			if (!masked_only(segment, "id|ext"))
				return false;
		}
	}
	return true;
}

static bool ortb_mask(json_t *line)
{
	json_t *user = json_object_get(line, "user");
	return masked_only(line, "user") && masked_only(user, "id|data") &&
	       ortb_data_only(json_object_get(user, "data")) && masked_text(user, "id");
}

static void ortb_masked(const struct destination *d, struct str bytes, struct masked *out)
{
	(void)d;
	masked_objects(bytes, ortb_mask, out);
}

const struct format format_ortb = {
    .name = "ortb-user-data",
    .says = "OpenRTB 2.6 `user.data`, one object a visitor with all that holds: rows of IAB's "
	    "Audience Taxonomy with `segtax` 4, the others without; nothing left is an empty list",
    .source = "github.com/InteractiveAdvertisingBureau/openrtb2.x, 2.6.md sections 3.2.20 to "
	      "3.2.22; segtax.md of its community extensions",
    .ending = "ndjson",
    .content_type = "application/x-ndjson",
    .ways = {&way_directory, &way_https},
    .settings = {{.name = "name", .says = "`name` of the data's provider", .initial = "crumb"}},
    .compressions = COMPRESS_ANY,
    .life = LIFE_IN_ROW,
    .removal = REMOVAL_ITEM,
    .item = ortb_item,
    .masked = ortb_masked,
};

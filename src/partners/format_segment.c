/* The segment-audience format: audience events of Segment, as its own Engage sends them
 * (segmentio/segment-docs, using-engage-data.md): a batch of `track` calls, "Audience Entered" and
 * "Audience Exited".
 *
 * Segment counts an event once by its messageId. Ours is a hash of delivery, id, segment and
 * direction: the same event has the same id however often its file is sent. */
#include "formats.h"

#include "crumb/base/code.h"

#include <jansson.h>

static void segment_begin(struct encoder *e, struct buf *out)
{
	(void)e;
	buf_c(out, "{\"batch\":[");
}

static bool segment_item(struct encoder *e, const struct out_item *item, struct buf *out)
{
	struct str space = setting_of(e, "space_id");
	bool first = e->items == 0;
	for (unsigned i = 0; i < item->n; i++) {
		const struct out_row *r = &item->rows[i];
		bool in = r->change == ROW_ADD;
		struct buf name = {0};
		if (r->change == ROW_KEEP)
			continue;
		buf_str(&name, e->delivery);
		buf_addf(&name, " " STR_FMT " " STR_FMT " %d", STR_ARG(item->id),
		    STR_ARG(r->segment->id), in);
		buf_addf(out,
		    "%s{\"type\":\"track\",\"messageId\":\"crumb-%016llx\",\"anonymousId\":",
		    first ? "" : ",", (unsigned long long)hash_plain64(name.p, name.n));
		buf_done(&name);
		format_json(out, item->id);
		buf_addf(
		    out, ",\"event\":\"Audience %s\",\"timestamp\":", in ? "Entered" : "Exited");
		format_time(out, e->now);
		buf_c(out, ",\"properties\":{\"audience_key\":");
		format_json(out, r->segment->theirs);
		buf_c(out, ",");
		format_json(out, r->segment->theirs);
		buf_addf(out,
		    ":%s},\"context\":{\"personas\":{\"computation_class\":\"audience\","
		    "\"computation_id\":",
		    in ? "true" : "false");
		format_json(out, r->segment->id);
		buf_c(out, ",\"computation_key\":");
		format_json(out, r->segment->theirs);
		buf_c(out, ",\"namespace\":\"crumb\",\"space_id\":");
		format_json(out, space);
		buf_c(out, "}}}");
		first = false;
	}
	return true;
}

static void segment_end(struct encoder *e, struct buf *out)
{
	buf_c(out, "],\"sentAt\":");
	format_time(out, e->now);
	buf_c(out, "}");
}

#define SEGMENT_KEYS "type|messageId|anonymousId|event|timestamp|properties|context"

static void segment_masked(const struct destination *d, struct str bytes, struct masked *out)
{
	json_error_t error;
	json_t *root = json_loadb(bytes.n ? bytes.p : "", bytes.n, 0, &error), *row;
	size_t i;
	(void)d;
	json_array_foreach(json_object_get(root, "batch"), i, row)
	{
		if (masked_only(row, SEGMENT_KEYS) && masked_text(row, "anonymousId") &&
		    masked_text(row, "messageId"))
			masked_json(json_incref(row), out);
	}
	json_decref(root);
}

const struct format format_segment = {
    .name = "segment-audience",
    .says = "Segment's Audience Entered and Exited",
    .source = "github.com/segmentio/segment-docs, engage/using-engage-data",
    .ending = "json",
    .content_type = "application/json",
    .ways = {&way_directory, &way_https},
    .settings = {{.name = "space_id", .says = "the space that the events name"}},
    .rows = 1000,
    .bytes = 500 * 1000,
    .compressions = COMPRESS_ANY,
    .life = LIFE_AT_PARTNER,
    .removal = REMOVAL_ROW,
    .begin = segment_begin,
    .item = segment_item,
    .end = segment_end,
    .masked = segment_masked,
};

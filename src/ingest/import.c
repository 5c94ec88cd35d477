/* NDJSON files: one event a line, {"id" or "cookie", "t", "e", "u", …}. The same wall as for hits. */
#include "crumb/ingest/ingest.h"

#include "crumb/base/clock.h"

#include <jansson.h>
#include <math.h>

#define FUTURE_S 300

static bool time_of(json_t *v, int64_t *out)
{
	if (json_is_integer(v)) {
		*out = json_integer_value(v);
		return true;
	}
	if (json_is_real(v) && fabs(json_real_value(v)) < 1e12) {
		*out = (int64_t)json_real_value(v);
		return true;
	}
	uint64_t seconds;
	if (!json_is_string(v))
		return false;
	struct str s = str_make(json_string_value(v), json_string_length(v));
	if (str_u64(s, &seconds) && seconds < INT64_MAX) {
		*out = (int64_t)seconds;
		return true;
	}
	return time_parse_rfc3339(s.p, s.n, out);
}

static bool visitor_of(struct ingest *in, json_t *o, uint32_t now, struct vkey *out)
{
	json_t *id = json_object_get(o, "id"), *cookie = json_object_get(o, "cookie");
	if (json_is_string(cookie))
		return ingest_known(in, str_make(json_string_value(cookie), json_string_length(cookie)), now, out);
	if (json_is_string(id) && json_string_length(id) > 0 && json_string_length(id) <= 1024) {
		*out = imported_visitor(&in->keys, str_make(json_string_value(id), json_string_length(id)));
		return true;
	}
	if (json_is_integer(id)) {
		char text[32];
		int n = snprintf(text, sizeof text, "%lld", (long long)json_integer_value(id));
		*out = imported_visitor(&in->keys, str_make(text, (size_t)n));
		return true;
	}
	return false;
}

/* One line: the counter of what became of it. */
static uint64_t *import_line(struct ingest *in, struct str line, uint32_t now, struct batch *b, struct buf *numbers, struct import_totals *t)
{
	json_error_t error;
	json_t *o = json_loadb(line.p, line.n, 0, &error);
	struct hit h = {.gpc = false};
	struct ingest_who who = {.write = true, .flags = EVENT_IMPORTED};
	uint64_t *outcome = &t->accepted;
	int64_t when = now;
	enum metric why;
	buf_clear(numbers);
	json_t *time = json_object_get(o, "t");
	if (!o || !ingest_json(o, "title", &h, numbers) || (time && !time_of(time, &when))) {
		outcome = &t->refused_json;
	} else if (!visitor_of(in, o, now, &who.visitor)) {
		outcome = &t->refused_id;
	} else if (when > (int64_t)now + FUTURE_S) {
		outcome = &t->refused_future;
		metric_inc(M_REFUSED_FUTURE);
	} else if (when < 0 || day_of((uint32_t)when) + in->config->retention_days <= day_of(now)) {
		outcome = &t->refused_old;
		metric_inc(M_REFUSED_OLD);
	} else if (h.anon || h.gdpr || h.us_privacy.n || h.gpp.n ? consent_judge(in->config, &h, &why) != CONSENT_YES : false) {
		outcome = &t->refused_consent;
	} else if (!ingest_event(in, &who, &h, when > now ? now : (uint32_t)when, b)) {
		outcome = &t->refused_site;
	}
	json_decref(o);
	return outcome;
}

void import_lines(struct ingest *in, struct str lines, uint32_t now, struct batch *b, struct import_totals *totals)
{
	struct buf numbers = {0};
	struct str line;
	ingest_known(in, STR(""), now, &(struct vkey){{0}}); /* today's keys */
	while (lines.n && str_cut(&lines, '\n', &line)) {
		if (str_trim(line).n == 0)
			continue;
		totals->read++;
		(*import_line(in, line, now, b, &numbers, totals))++;
	}
	buf_done(&numbers);
}

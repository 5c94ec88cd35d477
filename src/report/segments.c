/* All segments by day, as JSON. What is withheld, and why, is decided in views/days.c. */
#include "crumb/report/segments.h"

#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "crumb/report/days.h"

#include <jansson.h>

struct listing {
	const struct rules *rules;
	unsigned days;
	json_t *list;
};

static json_t *number(const struct day_sizes *d, struct shown n)
{
	return d->recorded ? report_shown(n) : json_null();
}

static void add_segment(void *arg, uint16_t segment, const struct day_sizes *d)
{
	struct listing *l = arg;
	json_t *size = json_array(), *entered = json_array(), *left = json_array();
	for (unsigned i = 0; i < l->days; i++) {
		json_array_append_new(size, number(&d[i], d[i].size));
		json_array_append_new(entered, number(&d[i], d[i].entered));
		json_array_append_new(left, number(&d[i], d[i].left));
	}
	json_array_append_new(
	    l->list, json_pack("{s:s,s:n,s:o,s:o,s:o}", "id", l->rules->segments[segment].id,
			 "recorded_since", "size", size, "entered", entered, "left", left));
}

enum err segments_report(
    struct generation *g, const struct kgate *gate, uint32_t now, unsigned days, json_t **out)
{
	struct listing l = {g->rules, days, json_array()};
	uint16_t since;
	size_t i;
	json_t *row;
	enum err e = view_all_days(g, gate, now, days, add_segment, &l, &since);
	if (!e)
		e = memory_check();
	if (e) {
		json_decref(l.list);
		return e;
	}
	json_array_foreach(l.list, i, row)
	    json_object_set_new(row, "recorded_since", report_day(since));
	*out = json_pack("{s:o,s:o}", "days", report_days(day_of(now), days), "segments", l.list);
	return OK;
}

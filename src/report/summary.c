/* The summary of today. Three parts: numbers of today; what needs attention, the worst first; and
 * which segments moved. All of it is made of what others tell, so that it tells no more:
 *
 *     today       report/tally, the sizes of lists
 *     attention   lists of segments and deliveries, partial histories, notes of damage, and the
 *                 sentences that /readyz has
 *     movers      sizes by day as they are told; where one of the two is withheld there is no row
 *
 * A list of attention that is too long to read helps nobody: it ends with SUMMARY_ATTENTION rows,
 * and says that there are more. */
#include "crumb/report/summary.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/json.h"
#include "crumb/base/memory.h"
#include "crumb/delivery/deliver.h"
#include "crumb/delivery/lists.h"
#include "crumb/disk/damage.h"
#include "crumb/report/days.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SAYS_MOST 600 /* bytes of a sentence, with the zero */

struct summary {
	const struct summary_of *of;
	json_t *attention;
	bool more;
	struct mover *movers; /* by segment */
};

static const char *row_text(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));
	return s ? s : "";
}

/* --- what needs attention */

__attribute__((format(printf, 5, 6))) static void attend(
    struct summary *s, const char *what, const char *id, const char *link, const char *fmt, ...)
{
	char says[SAYS_MOST], full[300];
	va_list args;
	if (json_array_size(s->attention) == SUMMARY_ATTENTION) {
		s->more = true;
		return;
	}
	va_start(args, fmt);
	vsnprintf(says, sizeof says, fmt, args);
	va_end(args);
	snprintf(full, sizeof full, "%s%s", link, link[strlen(link) - 1] == '/' ? id : "");
	json_array_append_new(
	    s->attention, json_pack("{s:s,s:s,s:o,s:s}", "what", what, "id", id, "says",
			      json_stringn(says, utf8_valid(str_c(says))), "link", full));
}

static void note_damage(void *arg, const char *text)
{
	attend(arg, "damage", "", "#/health", "%s", text);
}

static void attend_server(struct summary *s)
{
	const struct summary_of *of = s->of;
	if (of->trouble && *of->trouble)
		attend(s, "trouble", "", "#/health", "%s", of->trouble);
	if (of->clock && *of->clock)
		attend(s, "clock", "", "#/health", "%s", of->clock);
	damage_each(of->g->store->damage, note_damage, s);
}

static void attend_alerts(struct summary *s, const json_t *segments)
{
	size_t i;
	json_t *row;
	json_array_foreach(segments, i, row)
	{
		const json_t *alert = json_object_get(row, "alert");
		if (json_is_true(json_object_get(alert, "firing")))
			attend(s, "alert", row_text(row, "id"), "#/segments/",
			    "'%s' has fewer than the %lld members of its alert",
			    row_text(row, "id"),
			    (long long)json_integer_value(json_object_get(alert, "below")));
	}
}

/* The latest delivery of each destination is the last row of its list. */
static enum err attend_deliveries(struct summary *s)
{
	const struct summary_of *of = s->of;
	json_t *list, *row;
	size_t i;
	enum err e = deliveries_list(of->g->store->path, of->all, NULL, of->gate, of->now, &list);
	if (e)
		return e;
	json_array_foreach(list, i, row)
	{
		const char *id = row_text(row, "destination"), *state = row_text(row, "state"),
			   *why = row_text(row, "why");
		const json_t *next = json_array_get(list, i + 1);
		bool latest = !next || strcmp(row_text(next, "destination"), id) != 0;
		bool waits = strcmp(state, "waiting") == 0 &&
			     json_integer_value(json_object_get(row, "attempts")) > 0;
		if (!latest)
			continue;
		if (strcmp(state, "failed") == 0)
			attend(s, "delivery", id, "#/destinations/",
			    "the latest delivery to '%s' was given up: %s", id, why);
		else if (waits)
			attend(s, "delivery", id, "#/destinations/",
			    "a delivery to '%s' was not taken, and is tried again", id);
		else if (strcmp(state, "not_configured") == 0)
			attend(s, "delivery", id, "#/destinations", "'%s': %s", id, why);
	}
	json_decref(list);
	return OK;
}

/* Rules that hardly anybody matches, once there are visitors at all: categories that the rules
 * name, and active segments that are not withheld for being new. */
static void attend_rules(struct summary *s, const struct group_sizes *sizes, const json_t *segments)
{
	const struct rules *r = s->of->g->rules;
	uint32_t k = kgate_k(s->of->gate);
	size_t i;
	json_t *row;
	if (!sizes->categories[0].told)
		return;
	for (size_t c = 1; c < r->categories_n; c++)
		if (r->categories[c].named && !sizes->categories[c].told)
			attend(s, "rule", r->categories[c].id, "#/categories",
			    "category '%s' is matched by nobody, or by fewer than %u visitors",
			    r->categories[c].id, k);
	json_array_foreach(segments, i, row)
	{
		bool asked = strcmp(row_text(row, "state"), "active") == 0 &&
			     json_is_true(json_object_get(row, "complete"));
		if (asked && json_is_null(json_object_get(row, "size")))
			attend(s, "rule", row_text(row, "id"), "#/segments/",
			    "nobody, or fewer than %u visitors, are in segment '%s'", k,
			    row_text(row, "id"));
	}
}

static enum err attend_history(struct summary *s)
{
	json_t *list, *row;
	size_t i;
	enum err e = list_partial(s->of->g, s->of->now, &list);
	if (e)
		return e;
	json_array_foreach(list, i, row)
	{
		bool segment = strcmp(row_text(row, "what"), "segment") == 0;
		attend(s, "history", row_text(row, "id"), segment ? "#/segments/" : "#/categories",
		    "%s '%s' is known since %s only: %s", row_text(row, "what"),
		    row_text(row, "id"), row_text(row, "from"), row_text(row, "why"));
	}
	json_decref(list);
	return OK;
}

/* --- movers */

#define WEEK 7 /* days */

struct mover {
	uint16_t segment;
	struct shown week_ago, yesterday, now;
};

static void take_days(void *arg, uint16_t segment, const struct day_sizes *days)
{
	struct summary *s = arg;
	const struct shown none = {false, 0};
	s->movers[segment] = (struct mover){segment, days[0].recorded ? days[0].size : none,
	    days[WEEK - 1].recorded ? days[WEEK - 1].size : none, days[WEEK].size};
}

struct moved {
	const struct segment *segment;
	uint64_t before, now;
	int64_t by;
};

static int by_change(const void *a, const void *b)
{
	const struct moved *x = a, *y = b;
	int64_t p = llabs(x->by), q = llabs(y->by);
	if (p != q)
		return p < q ? 1 : -1;
	return strcmp(x->segment->id, y->segment->id);
}

enum span { SPAN_DAY, SPAN_WEEK };

/* The largest changes from a day to today. */
static json_t *movers_json(const struct summary *s, enum span span, struct moved *changes)
{
	const struct rules *r = s->of->g->rules;
	json_t *list = json_array();
	size_t n = 0;
	for (size_t i = 0; i < r->segments_n; i++) {
		const struct mover *m = &s->movers[i];
		struct shown before = span == SPAN_WEEK ? m->week_ago : m->yesterday;
		if (before.told && m->now.told && before.n != m->now.n)
			changes[n++] = (struct moved){&r->segments[i], before.n, m->now.n,
			    (int64_t)m->now.n - (int64_t)before.n};
	}
	if (n)
		qsort(changes, n, sizeof *changes, by_change);
	for (size_t i = 0; i < n && i < SUMMARY_MOVERS; i++)
		json_array_append_new(list,
		    json_pack("{s:s,s:s,s:I,s:I,s:I}", "id", changes[i].segment->id, "name",
			changes[i].segment->name, "before", (json_int_t)changes[i].before, "size",
			(json_int_t)changes[i].now, "change", (json_int_t)changes[i].by));
	return list;
}

static enum err movers(struct summary *s, json_t **out)
{
	const struct summary_of *of = s->of;
	size_t n = of->g->rules->segments_n;
	uint16_t since;
	s->movers = calloc(n + 1, sizeof *s->movers);
	struct moved *changes = calloc(n + 1, sizeof *changes);
	enum err e = s->movers && changes ? OK : err_set(ERR_NOMEM, "no memory for this now");
	if (!e)
		e = view_all_days(of->g, of->gate, of->now, WEEK + 1, take_days, s, &since);
	if (!e)
		*out = json_pack("{s:o,s:o}", "day", movers_json(s, SPAN_DAY, changes), "week",
		    movers_json(s, SPAN_WEEK, changes));
	free(changes);
	free(s->movers);
	return e;
}

/* --- today */

/* What was counted today under a name, by reason; of those that have a reason without zeros. */
static json_t *reasons_of(const json_t *report, const char *what)
{
	json_t *list = json_array(), *row;
	size_t i;
	json_array_foreach(json_object_get(report, "rows"), i, row)
	{
		json_t *n = json_array_get(json_object_get(row, "by_day"), 0);
		bool none =
		    json_is_integer(n) && !json_integer_value(n) && *row_text(row, "reason");
		if (strcmp(row_text(row, "what"), what) == 0 && !none)
			json_array_append_new(list, json_pack("{s:O,s:O}", "reason",
							json_object_get(row, "reason"), "hits", n));
	}
	return list;
}

/* The same of a counter without reasons: its number. */
static json_t *counted_today(const json_t *report, const char *what)
{
	json_t *list = reasons_of(report, what);
	json_t *n = json_incref(json_object_get(json_array_get(list, 0), "hits"));
	json_decref(list);
	return n;
}

static enum err today(const struct summary *s, const struct group_sizes *sizes, json_t *out)
{
	const struct summary_of *of = s->of;
	json_t *counted;
	double share = store_free(of->g->store);
	enum err e = tally_report(of->tally, of->gate, 1, of->now, &counted);
	if (e)
		return e;
	json_object_set_new(out, "day", report_day(day_of(of->now)));
	json_object_set_new(out, "visitors", report_shown(sizes->categories[0]));
	json_object_set_new(out, "visitors_complete", json_boolean(!of->coming));
	json_object_set_new(out, "hits", counted_today(counted, "hits"));
	json_object_set_new(out, "events", counted_today(counted, "events"));
	json_object_set_new(out, "refused", reasons_of(counted, "refused"));
	json_object_set_new(out, "set_aside", reasons_of(counted, "set_aside"));
	json_object_set_new(out, "lag_s", json_real(of->lag_s));
	json_object_set_new(out, "disk_free", share < 0 ? json_null() : json_share(share, 1));
	json_decref(counted);
	return OK;
}

enum err summary_report(const struct summary_of *of, json_t **out)
{
	struct summary s = {.of = of, .attention = json_array()};
	struct group_sizes sizes = {.segments = NULL};
	json_t *segments = NULL, *moved = NULL, *j = json_object();
	enum err e = view_sizes(of->g, of->gate, of->now, &sizes);
	if (!e)
		e = list_segments(of->g, of->gate, of->now, of->coming, &segments);
	if (!e)
		e = today(&s, &sizes, j);
	if (!e) {
		attend_server(&s);
		attend_alerts(&s, segments);
		e = attend_deliveries(&s);
	}
	if (!e) {
		attend_rules(&s, &sizes, segments);
		e = attend_history(&s);
	}
	if (!e)
		e = movers(&s, &moved);
	if (!e)
		e = memory_check();
	view_sizes_done(&sizes);
	json_decref(segments);
	if (e) {
		json_decref(s.attention);
		json_decref(moved);
		json_decref(j);
		return e;
	}
	json_object_set_new(j, "attention", s.attention);
	json_object_set_new(j, "more", json_boolean(s.more));
	json_object_set_new(j, "movers", moved);
	*out = j;
	return OK;
}

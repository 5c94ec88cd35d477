/* GET /v1/report/…: numbers by day, made by functions below (report/), so that a command tells the
 * same without a server. None of them reads a profile: what is told was counted when it happened,
 * by the threads (report/tally.h), by the folds (views/days.c) or by deliveries, so that a page may
 * ask for all of it each time it is opened. */
#include "routes.h"

#include "crumb/base/clock.h"
#include "crumb/report/deliveries_by_day.h"
#include "crumb/report/segments.h"
#include "crumb/report/summary.h"

/* What the routes of this file are asked. */
struct report_asked {
	unsigned days;
};

static enum err ninety_days(struct admin *a, struct job *j, const struct asked *q)
{
	struct report_asked *asked = j->state;
	(void)a;
	return asked_days(q, DAYS_MOST, &asked->days);
}

/* By segment there is more to tell, so that fewer days are the usual. */
static enum err thirty_days(struct admin *a, struct job *j, const struct asked *q)
{
	struct report_asked *asked = j->state;
	(void)a;
	return asked_days(q, 30, &asked->days);
}

static void segments_by_day(struct admin *a, struct job *j)
{
	const struct report_asked *asked = j->state;
	struct generation *g = engine_serving(a->node->engine);
	j->result = segments_report(g, &a->gate, clock_now(), asked->days, &j->answer);
	generation_unref(g);
}

static void hits(struct admin *a, struct job *j)
{
	const struct report_asked *asked = j->state;
	j->result = tally_report(a->node->tally, &a->gate, asked->days, clock_now(), &j->answer);
}

/* --- deliveries */

struct destination_asked {
	unsigned days;
	struct buf id;
};

static enum err destination_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct destination_asked *asked = j->state;
	(void)a;
	enum err e = asked_days(q, DAYS_MOST, &asked->days);
	return e ? e : asked_copy(asked_text(q, "destination"), &asked->id);
}

static void deliveries_of_days(struct admin *a, struct job *j)
{
	struct destination_asked *asked = j->state;
	struct destinations *all = node_destinations(a->node);
	buf_add(&asked->id, "", 1);
	const char *only = asked->id.n > 1 ? asked->id.p : NULL;
	j->result = deliveries_report(
	    a->node->store->path, all, only, &a->gate, asked->days, clock_now(), &j->answer);
	destinations_unref(all);
}

static void destination_done(struct job *j)
{
	struct destination_asked *asked = j->state;
	buf_done(&asked->id);
}

/* --- the summary */

/* Trouble and doubt are the sentences of /readyz; the watch is the main thread's, so it is asked
 * before the job is handed on. */
struct summary_asked {
	char trouble[1300], clock[400];
};

static enum err summary_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct summary_asked *asked = j->state;
	(void)q;
	bool low = atomic_load(&a->shared->disk_low);
	if (!node_trouble(a->node, asked->trouble, sizeof asked->trouble) && low)
		snprintf(asked->trouble, sizeof asked->trouble,
		    "less than %ld %% of the disk is free: new visitors are refused",
		    a->config->disk_reserve_percent);
	(void)watch_tell(&a->node->watch, asked->clock, sizeof asked->clock);
	return OK;
}

static void summary(struct admin *a, struct job *j)
{
	const struct summary_asked *asked = j->state;
	struct engine_build build = {.rules = NULL};
	engine_progress(a->node->engine, &build);
	struct destinations *all = node_destinations(a->node);
	struct summary_of of = {.g = engine_serving(a->node->engine),
	    .coming = build.rules,
	    .tally = a->node->tally,
	    .all = all,
	    .gate = &a->gate,
	    .now = clock_now(),
	    .lag_s = engine_lag_s(a->node->engine),
	    .trouble = asked->trouble,
	    .clock = asked->clock};
	j->result = summary_report(&of, &j->answer);
	generation_unref(of.g);
	rules_unref(build.rules);
	destinations_unref(all);
}

/* --- shapes */

static const struct shape tally_fields[] = {
    {"what", SHAPE_TEXT,
	.help = "`hits`, `events`, `refused`, `set_aside`, `dropped`, `cookies` or `lookups`: the "
		"name of a counter of [METRICS.md](METRICS.md) without `_total`"},
    {"reason", SHAPE_TEXT, .help = "the value of its label; empty where it has none"},
    {"help", SHAPE_TEXT, .help = "what is counted, and what one does"},
    {"by_day", SHAPE_WHOLES,
	.help = "0 is told; null is 1 to `privacy.k` - 1, or a day before `recorded_since`; else "
		"the number rounded to ten"},
    {0},
};

static const struct shape hits_fields[] = {
    {"days", SHAPE_TEXTS, .help = "oldest first; the last is today"},
    {"recorded_since", SHAPE_DAY, .help = "the first day that was counted"},
    {"rows", SHAPE_LIST, .help = "a row for each counter that is kept by day", .of = tally_fields},
    {0},
};

static const struct shape segment_fields[] = {
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"recorded_since", SHAPE_DAY, SHAPE_OR_NULL, .help = "first day whose sizes were written down"},
    {"size", SHAPE_WHOLES, .help = "members at the end of each day"},
    {"entered", SHAPE_WHOLES,
	.help = "visitors who became members; on the first recorded day all members"},
    {"left", SHAPE_WHOLES, .help = "visitors who ceased to be members"},
    {0},
};

static const struct shape segments_fields[] = {
    {"days", SHAPE_TEXTS, .help = "oldest first; the last is today"},
    {"segments", SHAPE_LIST,
	.help = "a row for each; null is withheld, or a day before `recorded_since`",
	.of = segment_fields},
    {0},
};

static const struct shape destination_fields[] = {
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"members", SHAPE_WHOLES,
	.help = "visitors of segments that may go there; null: withheld, or not counted that day"},
    {"with_id", SHAPE_WHOLES, .help = "of whom the partner's id was known"},
    {"added", SHAPE_WHOLES,
	.help = "rows of deliveries that were taken; null is fewer than `privacy.k`, or none"},
    {"removed", SHAPE_WHOLES, .help = "rows"},
    {"refused", SHAPE_WHOLES, .help = "rows that the partner did not take"},
    {"failures", SHAPE_WHOLES, .help = "deliveries that were given up"},
    {0},
};

static const struct shape destinations_fields[] = {
    {"days", SHAPE_TEXTS, .help = "oldest first; the last is today"},
    {"destinations", SHAPE_LIST, .help = "a row for each of the file", .of = destination_fields},
    {0},
};

static const struct shape reason_fields[] = {
    {"reason", SHAPE_TEXT, .help = "as of `/v1/report/hits`"},
    {"hits", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "null: 1 to `privacy.k` - 1"},
    {0},
};

static const struct shape attention_fields[] = {
    {"what", SHAPE_TEXT,
	.help = "`trouble`, `clock`, `damage`, `alert`, `delivery`, `rule` (hardly matched) or "
		"`history` (incomplete), in this order"},
    {"id", SHAPE_TEXT, .help = "of a segment, category or destination; empty: of the server"},
    {"says", SHAPE_TEXT, .help = "a sentence"},
    {"link", SHAPE_TEXT, .help = "where the dashboard shows it: `#/…`"},
    {0},
};

static const struct shape mover_fields[] = {
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"name", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"before", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "its size then, as it is told"},
    {"size", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "its size today"},
    {"change", SHAPE_WHOLE, .help = "their difference"},
    {0},
};

static const struct shape movers_fields[] = {
    {"day", SHAPE_LIST, .help = "since yesterday: the ten largest changes", .of = mover_fields},
    {"week", SHAPE_LIST, .help = "since seven days ago", .of = mover_fields},
    {0},
};

static const struct shape summary_fields[] = {
    {"day", SHAPE_DAY, .help = "today, UTC"},
    {"visitors", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "all visitors; null is withheld"},
    {"visitors_complete", SHAPE_TRUTH,
	.help = "false: changed rules are on their way into the views"},
    {"hits", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "today; null: 1 to `privacy.k` - 1"},
    {"events", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "today"},
    {"refused", SHAPE_LIST, .help = "today, reasons without a hit left out", .of = reason_fields},
    {"set_aside", SHAPE_LIST, .help = "the same", .of = reason_fields},
    {"lag_s", SHAPE_REAL, .help = "seconds by which the views are behind the journal"},
    {"disk_free", SHAPE_REAL, SHAPE_OR_NULL, .help = "share of the store's disk, of 1"},
    {"attention", SHAPE_LIST, .help = "what needs attention; 100 rows at most",
	.of = attention_fields},
    {"more", SHAPE_TRUTH, .help = "more needs attention"},
    {"movers", SHAPE_OBJECT, .help = "segments that moved most", .of = movers_fields},
    {0},
};

const struct route routes_by_day[] = {
    {
	.method = HTTP_M_GET,
	.path = "/v1/report/hits",
	.help = "Hits, events, refusals, drops, cookies and look-ups by day, imported ones among "
		"them as in `/metrics`. A crash loses at most the counts of its last minute.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.params = {DAYS_PARAM("90")},
	.answers = {{200, "the counts", .shape = {.kind = SHAPE_OBJECT, .of = hits_fields}}},
	.state = sizeof(struct report_asked),
	.parse = ninety_days,
	.run = hits,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/report/segments",
	.help = "Sizes of all segments by day, and who entered and left, as `/v1/segment` tells "
		"them of one.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.params = {DAYS_PARAM("30")},
	.answers = {{200, "the numbers", .shape = {.kind = SHAPE_OBJECT, .of = segments_fields}}},
	.state = sizeof(struct report_asked),
	.parse = thirty_days,
	.run = segments_by_day,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/report/deliveries",
	.help = "Deliveries by day: rows that partners took, deliveries that were given up, and "
		"members with and without an id of the partner as deliveries and the night "
		"counted them.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.params = {DAYS_PARAM("90"),
	    {"destination", PARAM_TEXT, PARAM_MAY, .help = "Id of one; else all of the file."}},
	.answers = {{200, "the numbers",
			.shape = {.kind = SHAPE_OBJECT, .of = destinations_fields}},
	    {404, .when = "there is no destination of that id"}},
	.state = sizeof(struct destination_asked),
	.parse = destination_parse,
	.run = deliveries_of_days,
	.done = destination_done,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/report/summary",
	.help = "Today at a glance: hits and refusals, what needs attention, and the segments "
		"that moved most.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.answers = {{200, "the summary", .shape = {.kind = SHAPE_OBJECT, .of = summary_fields}}},
	.state = sizeof(struct summary_asked),
	.parse = summary_parse,
	.run = summary,
    },
    {0},
};

/* GET /v1/report/…: numbers by day, made by functions below (report/), so that a command tells the
 * same without a server. None of them reads a profile: what is told was counted when it happened,
 * by the threads (report/tally.h), by the folds (views/days.c) or by deliveries, so that a page may
 * ask for all of it each time it is opened. */
#include "routes.h"

#include "crumb/base/clock.h"
#include "crumb/report/segments.h"

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
    {0},
};

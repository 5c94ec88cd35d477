/* GET /v1/report/…: numbers by day, made by functions below (report/), so that a command tells the
 * same without a server. */
#include "routes.h"

#include "crumb/base/clock.h"

#define DAYS_MOST 90

/* What the routes of this file are asked. */
struct report_asked {
	unsigned days;
};

/* ?days=N, else `usual`. ERR_USAGE: 0, or more than are kept. */
static enum err read_days(const struct asked *q, unsigned usual, unsigned *out)
{
	uint64_t n = asked_came(q, "days") ? asked_number(q, "days") : usual;
	if (n < 1 || n > DAYS_MOST)
		return err_set(ERR_USAGE, "days is 1 to %d", DAYS_MOST);
	*out = (unsigned)n;
	return OK;
}

static enum err ninety_days(struct admin *a, struct job *j, const struct asked *q)
{
	struct report_asked *asked = j->state;
	(void)a;
	return read_days(q, DAYS_MOST, &asked->days);
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

#define DAYS_PARAM(usual)                                                                          \
	{                                                                                          \
		"days", PARAM_NUMBER, PARAM_MAY,                                                   \
		    .help = "How many days, today among them: 1 to 90; else " usual ".",           \
		    .wrong = "days is a number from 1 to 90"                                       \
	}

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
    {0},
};

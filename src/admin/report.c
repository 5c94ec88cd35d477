/* GET and POST /v1/report, GET /v1/report/segment, /v1/report/categories, /v1/report/journeys: the
 * report of the day (report/daily.h). It was made and gated once, and is told alike to all: reading
 * it is no question, and costs none. */
#include "routes.h"

#include "crumb/base/clock.h"
#include "crumb/report/dailies.h"

/* The report and the rules that serve, for one answer. */
struct look {
	struct generation *g;
	struct daily *kept; /* NULL: there is none */
};

static struct look look_begin(struct admin *a)
{
	return (struct look){engine_serving(a->node->engine), dailies_kept(a->node->dailies)};
}

static void look_end(struct look *l)
{
	generation_unref(l->g);
	daily_unref(l->kept);
}

static void tell_report(struct admin *a, struct job *j)
{
	struct look l = look_begin(a);
	j->result = daily_json(l.kept, l.g->rules, day_of(clock_now()), &j->answer);
	if (!j->result)
		json_object_set_new(
		    j->answer, "running", json_boolean(dailies_running(a->node->dailies)));
	look_end(&l);
}

static void make_report(struct admin *a, struct job *j)
{
	struct generation *g = engine_serving(a->node->engine);
	if (clock_jumped()) /* of which day would it be? */
		j->result = err_set(ERR_BUSY, "the clock is in doubt: GET /readyz says why");
	else
		j->result = dailies_make(a->node->dailies, g, &a->gate, clock_now(), &a->stop);
	generation_unref(g);
	if (!j->result)
		tell_report(a, j);
}

struct report_asked {
	struct buf id;
	unsigned days;
};

static enum err asked_report_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct report_asked *asked = j->state;
	(void)a;
	return asked_copy(asked_text(q, "id"), &asked->id);
}

static enum err asked_report_days_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct report_asked *asked = j->state;
	uint64_t days = asked_came(q, "days") ? asked_number(q, "days") : DAILY_DAYS;
	if (days < 1 || days > DAILY_DAYS)
		return err_set(ERR_USAGE, "days: 1 to %d", DAILY_DAYS);
	asked->days = (unsigned)days;
	return asked_report_parse(a, j, q);
}

static void asked_report_done(struct job *j)
{
	struct report_asked *asked = j->state;
	buf_done(&asked->id);
}

static void tell_segment(struct admin *a, struct job *j)
{
	const struct report_asked *asked = j->state;
	struct look l = look_begin(a);
	j->result = daily_segment_json(l.kept, l.g->rules, buf_view(&asked->id), &j->answer);
	look_end(&l);
}

static void tell_categories(struct admin *a, struct job *j)
{
	const struct report_asked *asked = j->state;
	struct look l = look_begin(a);
	j->result = daily_categories_json(
	    l.kept, l.g->rules, buf_view(&asked->id), asked->days, &j->answer);
	look_end(&l);
}

static void tell_journeys(struct admin *a, struct job *j)
{
	const struct report_asked *asked = j->state;
	struct look l = look_begin(a);
	j->result = daily_journeys_json(l.kept, l.g->rules, buf_view(&asked->id), &j->answer);
	look_end(&l);
}

/* --- shapes */

#define MADE "when the report was made, seconds since 1970; null: there is none yet"

static const struct shape report_fields[] = {
    {"made", SHAPE_WHOLE, SHAPE_OR_NULL, .help = MADE},
    {"day", SHAPE_DAY, SHAPE_OR_NULL, .help = "its day, UTC"},
    {"rules", SHAPE_TEXT, SHAPE_OR_NULL, .help = "hash of its rules"},
    {"current", SHAPE_TRUTH, .help = "made today, of the rules that serve"},
    {"running", SHAPE_TRUTH, .help = "one is being made"},
    {0},
};

static const struct shape group_fields[] = {
    {"id", SHAPE_TEXT, .help = "id of a category; `mobile`; `DE`; `unknown`"},
    {"name", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"visitors", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "members of the segment who have it"},
    {"share", SHAPE_REAL, SHAPE_OR_NULL,
	.help = "of the segment, of 1, by the numbers as they are told"},
    {"everybody", SHAPE_REAL, SHAPE_OR_NULL, .help = "share of all visitors who have it"},
    {"index", SHAPE_WHOLE, SHAPE_OR_NULL,
	.help = "share by everybody, times 100: 100 is as everybody"},
    {0},
};

static const struct shape near_fields[] = {
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"name", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"both", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "visitors in both"},
    {"of_this", SHAPE_REAL, SHAPE_OR_NULL, .help = "their share of this segment, of 1"},
    {"of_that", SHAPE_REAL, SHAPE_OR_NULL, .help = "their share of the other one, of 1"},
    {0},
};

static const struct shape clause_fields[] = {
    {"clause", SHAPE_TEXT, .help = "a part of the condition, as it is written"},
    {"words", SHAPE_TEXT, .help = "the same as a sentence"},
    {"size", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "visitors who meet it and those before it"},
    {0},
};

static const struct shape report_segment_fields[] = {
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"made", SHAPE_WHOLE, SHAPE_OR_NULL,
	.help = "when; null: the segment is not in the report that is kept, and lists are empty"},
    {"words", SHAPE_TEXT, .help = "its condition as a sentence"},
    {"size", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "members when the report was made"},
    {"visitors", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "all visitors then"},
    {"categories", SHAPE_LIST, .help = "up to 20 that say most about it", .of = group_fields},
    {"devices", SHAPE_LIST, .help = "kinds of device, largest first", .of = group_fields},
    {"countries", SHAPE_LIST, .help = "up to 20, largest first", .of = group_fields},
    {"nearest", SHAPE_LIST, .help = "up to 10 segments, by overlap", .of = near_fields},
    {"funnel", SHAPE_LIST, .help = "up to 12 clauses that `and` joins, in order",
	.of = clause_fields},
    {0},
};

static const struct shape report_category_fields[] = {
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"name", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"events", SHAPE_WHOLES, .help = "events by day; null where visitors are withheld"},
    {"visitors", SHAPE_WHOLES, .help = "visitors who had it, by day"},
    {0},
};

static const struct shape report_categories_fields[] = {
    {"made", SHAPE_WHOLE, SHAPE_OR_NULL, .help = MADE},
    {"days", SHAPE_TEXTS, .help = "complete days before the report's, oldest first"},
    {"categories", SHAPE_LIST, .help = "a row for each", .of = report_category_fields},
    {0},
};

static const struct shape path_fields[] = {
    {"steps", SHAPE_TEXTS, .help = "ids of categories, in order"},
    {"visitors", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "who went at least so far"},
    {"share", SHAPE_REAL, SHAPE_OR_NULL, .help = "of those who began, of 1"},
    {"median_days", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "days to the last of these steps"},
    {0},
};

static const struct shape journey_fields[] = {
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"name", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"from", SHAPE_TEXT, .help = "category that it begins with"},
    {"within_days", SHAPE_WHOLE, .help = "most days from one step to the next"},
    {"visitors", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "who began"},
    {"paths", SHAPE_LIST, .help = "by depth, then largest first", .of = path_fields},
    {0},
};

static const struct shape report_journeys_fields[] = {
    {"made", SHAPE_WHOLE, SHAPE_OR_NULL, .help = MADE},
    {"journeys", SHAPE_LIST, .help = "a row for each", .of = journey_fields},
    {0},
};

const struct route routes_report[] = {
    {
	.method = HTTP_M_GET,
	.path = "/v1/report",
	.help = "Which report is kept: one is made every day and after a change of rules, and told "
		"alike to all.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.answers = {{200, "the report", .shape = {.kind = SHAPE_OBJECT, .of = report_fields}}},
	.run = tell_report,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/report",
	.help = "Makes the report when the kept one is not of today and of the rules that serve, "
		"and answers when it is there. It is never made twice for the same day and rules, "
		"and not kept while there are fewer visitors than `privacy.k`.",
	.role = ROLE_MARKETER,
	.by = BY_LONG,
	.answers = {{200, "the report", .shape = {.kind = SHAPE_OBJECT, .of = report_fields}}},
	.run = make_report,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/report/segment",
	.help = "What the report says of a segment: who its members are, which segments are near, "
		"and how many visitors are left after each clause of its condition. A group that "
		"is withheld is missing from `categories`, `countries` and `nearest`.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.params = {{"id", PARAM_TEXT, PARAM_MUST, .help = "Id of the segment.",
	    .example = "coat-fans"}},
	.answers = {{200, "the segment",
			.shape = {.kind = SHAPE_OBJECT, .of = report_segment_fields}},
	    {404, .when = "there is no segment of that id"}},
	.state = sizeof(struct report_asked),
	.parse = asked_report_parse,
	.run = tell_segment,
	.done = asked_report_done,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/report/categories",
	.help = "Events and visitors of categories by day, up to the day before the report's.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.params = {{"days", PARAM_NUMBER, PARAM_MAY, .help = "How many days, 1 to 90.",
		       .wrong = "days: 1 to 90"},
	    {"id", PARAM_TEXT, PARAM_MAY, .help = "Only this category.",
		.example = "apparel.coats"}},
	.answers = {{200, "the days",
			.shape = {.kind = SHAPE_OBJECT, .of = report_categories_fields}},
	    {404, .when = "there is no category of that id"}},
	.state = sizeof(struct report_asked),
	.parse = asked_report_days_parse,
	.run = tell_categories,
	.done = asked_report_done,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/report/journeys",
	.help =
	    "How visitors went on from where a journey begins, up to three steps. The next step "
	    "is the category of the journey whose first day at or after that of the step "
	    "before, within its days, comes first; of two on one day, the one that the rules "
	    "list first, for days are all that is kept.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.params = {{"id", PARAM_TEXT, PARAM_MAY, .help = "Only this journey.",
	    .example = "coats-to-sale"}},
	.answers = {{200, "the journeys",
			.shape = {.kind = SHAPE_OBJECT, .of = report_journeys_fields}},
	    {404, .when = "the report has no journey of that id"}},
	.state = sizeof(struct report_asked),
	.parse = asked_report_parse,
	.run = tell_journeys,
	.done = asked_report_done,
    },
    {0},
};

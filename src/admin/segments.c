/* GET /v1/segments, /v1/segment, /v1/categories: the lists, through the server's k gate. A list is
 * of the views that serve. Rules on their way into the views are looked at, too: they say which
 * rows are not `complete`. */
#include "routes.h"

#include "crumb/base/clock.h"
#include "crumb/delivery/lists.h"
#include "crumb/yaml/yaml.h"

/* What a list is made from: the views that serve, and the rules on their way into them. */
struct sight {
	struct generation *g;
	struct engine_build build;
	uint32_t now;
};

static struct sight sight_begin(struct admin *a)
{
	struct sight s = {engine_serving(a->node->engine), {.rules = NULL}, clock_now()};
	engine_progress(a->node->engine, &s.build);
	return s;
}

static void sight_end(struct sight *s)
{
	generation_unref(s->g);
	rules_unref(s->build.rules);
}

static void segments(struct admin *a, struct job *j)
{
	struct sight s = sight_begin(a);
	j->result = list_segments(s.g, &a->gate, s.now, s.build.rules, &j->answer);
	sight_end(&s);
}

static void categories(struct admin *a, struct job *j)
{
	struct sight s = sight_begin(a);
	j->result = list_categories(s.g, &a->gate, s.now, s.build.rules, &j->answer);
	sight_end(&s);
}

struct segment_asked {
	char id[YAML_ID_MOST + 2]; /* a longer id is cut, and is then longer than any segment's */
	unsigned days;
};

static enum err segment_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct segment_asked *asked = j->state;
	struct str id = asked_text(q, "id");
	(void)a;
	snprintf(asked->id, sizeof asked->id, STR_FMT, STR_ARG(id));
	return asked_days(q, LIST_DAYS, &asked->days);
}

static void segment(struct admin *a, struct job *j)
{
	const struct segment_asked *asked = j->state;
	struct sight s = sight_begin(a);
	j->result =
	    list_segment(s.g, &a->gate, s.now, s.build.rules, asked->id, asked->days, &j->answer);
	sight_end(&s);
}

/* --- shapes */

static const struct shape alert_fields[] = {
    {"below", SHAPE_WHOLE, .help = "the size under which it fires"},
    {"firing", SHAPE_TRUTH, .help = "the size, as it is told, is below"},
    {0},
};

static const struct shape lookalike_fields[] = {
    {"seed", SHAPE_TEXT, .help = "the segment that it resembles"},
    {"reach", SHAPE_TEXT, .help = "how many members its rule asks for, in words"},
    {"refresh_days", SHAPE_WHOLE, .help = "days from one training to the next"},
    {"trained", SHAPE_DAY, SHAPE_OR_NULL, .help = "day of the latest training"},
    {"auc", SHAPE_REAL, SHAPE_OR_NULL,
	.help = "how well the model tells seed from others, 0.5 to 1"},
    {"activity_auc", SHAPE_REAL, SHAPE_OR_NULL, .help = "the same for activity alone"},
    {"lift_at_10", SHAPE_REAL, SHAPE_OR_NULL, .help = "lift in the likeliest tenth"},
    {"over", SHAPE_TRUTH, .help = "the data that the model learned from is past retention"},
    {0},
};

static const struct shape day_fields[] = {
    {"day", SHAPE_DAY, .when = SHAPE_ALWAYS},
    {"recorded", SHAPE_TRUTH, .help = "false: the store's views began later"},
    {"size", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "members at its end"},
    {"entered", SHAPE_WHOLE, SHAPE_OR_NULL,
	.help = "visitors who became members; on the first recorded day all members"},
    {"left", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "visitors who ceased to be members"},
    {0},
};

/* A row of the list; one segment has three fields more. */
#define ROW_FIELDS                                                                                 \
	{"id", SHAPE_TEXT, .when = SHAPE_ALWAYS}, {"name", SHAPE_TEXT, .when = SHAPE_ALWAYS},      \
	    {"kind", SHAPE_TEXT, .help = "`rule` or `lookalike`"},                                 \
	    {"state", SHAPE_TEXT, .help = "`active`, `paused` or `ended`"},                        \
	    {"complete", SHAPE_TRUTH,                                                              \
		.help = "false: rules that change it are on their way into the views"},            \
	    {"size", SHAPE_WHOLE, SHAPE_OR_NULL,                                                   \
		.help = "members; null is withheld, or not known yet"},                            \
	    {"below", SHAPE_WHOLE, SHAPE_SOMETIMES, .help = "with a size of null: `privacy.k`"},   \
	    {"share", SHAPE_REAL, SHAPE_SOMETIMES_NULL,                                            \
		.help = "of all visitors, of 1, by the two numbers as they are told"},             \
	    {"owner", SHAPE_TEXT, .when = SHAPE_SOMETIMES},                                        \
	    {"destinations", SHAPE_TEXTS, SHAPE_SOMETIMES, .help = "ids"},                         \
	    {"until", SHAPE_DAY, SHAPE_SOMETIMES, .help = "its last day"},                         \
	    {"history_from", SHAPE_DAY, SHAPE_SOMETIMES,                                           \
		.help = "day on which the history behind it begins"},                              \
	    {"split", SHAPE_TEXT, SHAPE_SOMETIMES,                                                 \
		.help = "percent that get it and that are held out: `90/10`"},                     \
	    {"sensitive", SHAPE_TRUTH, .when = SHAPE_SOMETIMES},                                   \
	    {"labels", SHAPE_TEXTS, .when = SHAPE_SOMETIMES},                                      \
	    {"alert", SHAPE_OBJECT, SHAPE_SOMETIMES, "where its rule has one", alert_fields},      \
	{                                                                                          \
		"lookalike", SHAPE_OBJECT, SHAPE_SOMETIMES, "of a lookalike", lookalike_fields     \
	}

const struct shape shape_segment_row[] = {ROW_FIELDS, {0}};

static const struct shape segment_fields[] = {
    {"when", SHAPE_TEXT, .help = "its condition"},
    {"words", SHAPE_TEXT, SHAPE_OR_NULL, .help = "the same as a sentence"},
    {"recorded_since", SHAPE_DAY, SHAPE_SOMETIMES,
	.help = "first day whose sizes were written down"},
    {"days", SHAPE_LIST, .help = "the last days, oldest first; empty while it is new",
	.of = day_fields},
    ROW_FIELDS,
    {0},
};

static const struct shape category_fields[] = {
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"name", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"complete", SHAPE_TRUTH,
	.help = "false: rules that change it are on their way into the views"},
    {"visitors", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "null is withheld, or not known yet"},
    {"below", SHAPE_WHOLE, SHAPE_SOMETIMES, .help = "with visitors of null: `privacy.k`"},
    {"share", SHAPE_REAL, SHAPE_SOMETIMES_NULL,
	.help = "of all visitors, of 1, by the two numbers as they are told"},
    {"history_from", SHAPE_DAY, SHAPE_SOMETIMES, .help = "day on which its history begins"},
    {"iab", SHAPE_WHOLE, SHAPE_SOMETIMES, .help = "row of the IAB's Audience Taxonomy"},
    {"sensitive", SHAPE_TRUTH, .when = SHAPE_SOMETIMES},
    {"labels", SHAPE_TEXTS, .when = SHAPE_SOMETIMES},
    {0},
};

const struct route routes_segments[] = {
    {
	.method = HTTP_M_GET,
	.path = "/v1/segments",
	.help = "All segments, as `crumb segments list --json`.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.answers = {{200, "a row for each segment",
	    .shape = {.kind = SHAPE_LIST, .of = shape_segment_row}}},
	.run = segments,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/segment",
	.help = "One segment, as `crumb segments show ID --json`: its row of the list, its "
		"condition and its last days. Sizes are recorded from the day on which the store's "
		"views began; before that day `recorded` is false and the numbers are null. "
		"Visitors who were members by then count as entered on that first day.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.params = {{"id", PARAM_TEXT, PARAM_MUST, .help = "Id of the segment.",
		       .example = "coat-fans"},
	    DAYS_PARAM("30")},
	.answers = {{200, "the segment", .shape = {.kind = SHAPE_OBJECT, .of = segment_fields}},
	    {404, .when = "there is no segment of that id"}},
	.state = sizeof(struct segment_asked),
	.parse = segment_parse,
	.run = segment,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/categories",
	.help = "All categories, as `crumb categories list --json`; parents that exist only "
		"through their children are among them.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.answers = {{200, "a row for each category",
	    .shape = {.kind = SHAPE_LIST, .of = category_fields}}},
	.run = categories,
    },
    {0},
};

/* POST /v1/ask/explain; GET /v1/lookalikes, /v1/lookalike/curve, /v1/signals: what an analyst asks.
 * The answers are those of the commands, by the functions below (answers/).
 *
 *     route              about             costs
 *     /v1/ask/explain    one visitor       a look-up; the operator's alone
 *     /v1/lookalikes     groups            as the list of segments
 *     …/curve            a model           its file, which is among the rules in memory
 *     /v1/signals        the journal       what is kept of it
 *
 * Signals are read from the journal, which takes seconds. So the keeper reads them once a day
 * (answers/signals_kept.h), and they are told alike to all. */
#include "routes.h"

#include "crumb/answers/explain_answer.h"
#include "crumb/answers/model_answer.h"
#include "crumb/answers/who.h"
#include "crumb/base/clock.h"
#include "crumb/delivery/lists.h"

/* --- one visitor */

static struct str member_of(const json_t *j, const char *key)
{
	const json_t *v = json_object_get(j, key);
	return json_is_string(v) ? str_make(json_string_value(v), json_string_length(v)) : STR("");
}

/* {"segment","key"}, or "cookie" or "id" instead of the key. */
static enum err read_explain(
    struct admin *a, const json_t *body, struct vkey *who, struct str *segment)
{
	const struct who w = {
	    member_of(body, "cookie"), member_of(body, "id"), member_of(body, "key")};
	*segment = member_of(body, "segment");
	if (!segment->n || (w.cookie.n > 0) + (w.id.n > 0) + (w.key.n > 0) != 1)
		return err_set(ERR_USAGE, "the body is {\"segment\":ID,\"key\":HEX}, or "
					  "\"cookie\" or \"id\" instead of the key");
	return who_is(&w, a->node->store->keys, clock_now(), who);
}

/* The tree has as many levels as the condition. What is not JSON has no members, and is refused for
 * that. */
static void explain_visitor(struct admin *a, struct job *j)
{
	struct str text = job_body(j), segment;
	json_t *body = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
	struct generation *g = engine_serving(a->node->engine);
	struct vkey who;
	j->result = read_explain(a, body, &who, &segment);
	if (!j->result)
		j->result = answer_explain(
		    g, (unsigned)a->config->retention_days, &who, segment, clock_now(), &j->answer);
	generation_unref(g);
	json_decref(body);
}

/* --- lookalikes */

/* The rows of the list of segments that are lookalikes. */
static void lookalikes(struct admin *a, struct job *j)
{
	struct engine_build build = {.rules = NULL};
	struct generation *g = engine_serving(a->node->engine);
	json_t *all = NULL, *row;
	size_t i;
	engine_progress(a->node->engine, &build);
	j->result = list_segments(g, &a->gate, clock_now(), build.rules, &all);
	j->answer = j->result ? NULL : json_array();
	json_array_foreach(all, i,
	    row) if (strcmp(json_string_value(json_object_get(row, "kind")), "lookalike") == 0)
	    json_array_append(j->answer, row);
	json_decref(all);
	generation_unref(g);
	rules_unref(build.rules);
}

struct curve_asked {
	struct buf id;
};

static enum err curve_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct curve_asked *asked = j->state;
	(void)a;
	return asked_copy(asked_text(q, "id"), &asked->id);
}

/* The curve, and what speaks for and against: the two documents of a model in one. */
static void curve(struct admin *a, struct job *j)
{
	const struct curve_asked *asked = j->state;
	struct generation *g = engine_serving(a->node->engine);
	struct str id = buf_view(&asked->id);
	json_t *file;
	uint16_t segment;
	j->result = model_file(g->rules, id, &segment, &file);
	if (!j->result) {
		json_t *features = model_features(g->rules, id, file);
		j->answer = model_curve(id, file);
		json_object_update_missing(j->answer, features);
		json_decref(features);
		json_decref(file);
	}
	generation_unref(g);
}

static void curve_done(struct job *j)
{
	struct curve_asked *asked = j->state;
	buf_done(&asked->id);
}

/* --- signals */

/* The rules are a part of what is asked: what no rule uses changes with them. */
static void signals(struct admin *a, struct job *j)
{
	struct generation *g = engine_serving(a->node->engine);
	uint16_t today = day_of(clock_now());
	if (!signals_kept_current(a->node->signals, g->rules, today) && !clock_jumped())
		keeper_signals(a->keeper);
	j->result = signals_kept_told(a->node->signals, g->rules, today, &j->answer);
	generation_unref(g);
}

/* --- shapes */

/* A part of a condition; parts have parts, and a shape has an end: it tells one level. */
static const struct shape counted_day_fields[] = {
    {"day", SHAPE_DAY, .when = SHAPE_ALWAYS},
    {"count", SHAPE_WHOLE, .help = "events"},
    {"value", SHAPE_REAL, SHAPE_SOMETIMES, .help = "of sums"},
    {0},
};

static const struct shape step_fields[] = {
    {"action", SHAPE_TEXT, .help = "`events`, `days`, `value`, `wait` or `fact`"},
    {"words", SHAPE_TEXT, .help = "the step as a sentence"},
    {"category", SHAPE_TEXT, .when = SHAPE_SOMETIMES},
    {"name", SHAPE_TEXT, SHAPE_SOMETIMES, .help = "of the category"},
    {"count", SHAPE_WHOLE, SHAPE_SOMETIMES, .help = "of `events` and `days`"},
    {"value", SHAPE_REAL, SHAPE_SOMETIMES, .help = "of `value`"},
    {"until", SHAPE_DAY, SHAPE_SOMETIMES, .help = "of `wait`"},
    {"fact", SHAPE_TEXT, SHAPE_SOMETIMES, .help = "of `fact`: what would have to be so, or not"},
    {"wanted", SHAPE_TRUTH, SHAPE_SOMETIMES, .help = "of `fact`"},
    {0},
};

static const struct shape change_fields[] = {
    {"possible", SHAPE_TRUTH, .help = "false: nothing leads into it"},
    {"sure", SHAPE_TRUTH, .help = "false: the steps are needed, and may not be enough"},
    {"steps", SHAPE_LIST, .help = "the smallest change", .of = step_fields},
    {0},
};

#define PART_FIELDS                                                                                \
	{"text", SHAPE_TEXT, .help = "the part as it is written"},                                 \
	    {"words", SHAPE_TEXT, SHAPE_SOMETIMES, .help = "in words; not of `and`, `or`"},        \
	    {"kind", SHAPE_TEXT, .help = "`and`, `or`, `not`, `count`, `days`, `sum`, …"},         \
	    {"true", SHAPE_TRUTH, .help = "does it hold today?"},                                  \
	    {"flips", SHAPE_DAY, SHAPE_OR_NULL, .help = "when time alone changes it"},             \
	    {"count", SHAPE_REAL, SHAPE_SOMETIMES, .help = "what was counted"},                    \
	    {"days", SHAPE_LIST, SHAPE_SOMETIMES, "what it counted on", counted_day_fields},       \
	    {"first", SHAPE_LIST, SHAPE_SOMETIMES, "of `then`: the one before",                    \
		counted_day_fields},                                                               \
	    {"then", SHAPE_LIST, SHAPE_SOMETIMES, "of `then`: the one behind",                     \
		counted_day_fields},                                                               \
	    {"value", SHAPE_TEXT, SHAPE_SOMETIMES_NULL, .help = "of a fact or an attribute"},      \
	    {"since", SHAPE_DAY, SHAPE_SOMETIMES_NULL, .help = "of an attribute"},                 \
	{                                                                                          \
		"segment", SHAPE_TEXT, SHAPE_SOMETIMES, .help = "the segment that is referred to"  \
	}

static const struct shape fourth_fields[] = {PART_FIELDS, {0}};
static const struct shape third_fields[] = {
    PART_FIELDS, {"parts", SHAPE_LIST, SHAPE_SOMETIMES, "and so on", fourth_fields}, {0}};
static const struct shape part_fields[] = {
    PART_FIELDS, {"parts", SHAPE_LIST, SHAPE_SOMETIMES, "and so on", third_fields}, {0}};
static const struct shape tree_fields[] = {
    PART_FIELDS,
    {"parts", SHAPE_LIST, SHAPE_SOMETIMES, "what it is made of", part_fields},
    {0},
};

static const struct shape explain_fields[] = {
    {"segment", SHAPE_TEXT, .help = "id"},
    {"in", SHAPE_TRUTH, .when = SHAPE_ALWAYS},
    {"state", SHAPE_TEXT, .help = "of the segment"},
    {"until", SHAPE_DAY, SHAPE_OR_NULL, .help = "if nothing more is seen"},
    {"tree", SHAPE_OBJECT, .help = "its condition, part by part", .of = tree_fields},
    {"change", SHAPE_OBJECT, SHAPE_SOMETIMES, "what would bring the visitor in", change_fields},
    {0},
};

static const struct shape point_fields[] = {
    {"reach", SHAPE_REAL, .help = "share of the population"},
    {"recall", SHAPE_REAL, .help = "share of held-out seed members"},
    {"low", SHAPE_REAL, .help = "19 times of 20 the recall lies above"},
    {"high", SHAPE_REAL, .help = "and below"},
    {"precision", SHAPE_REAL, .help = "share of those reached who are of the seed's kind"},
    {"lift", SHAPE_REAL, .help = "recall by reach"},
    {"activity_recall", SHAPE_REAL, .help = "by activity alone"},
    {0},
};

static const struct shape feature_fields[] = {
    {"f", SHAPE_TEXT, .help = "its name"},
    {"w", SHAPE_REAL, .help = "weight, in millionths; above 0 it speaks for"},
    {"square", SHAPE_WHOLE, SHAPE_SOMETIMES,
	.help = "its part of a row's length, in 10^-12, where rows are divided by it"},
    {"seed", SHAPE_REAL, SHAPE_SOMETIMES_NULL, .help = "share of the seed that has it"},
    {"others", SHAPE_REAL, SHAPE_SOMETIMES_NULL, .help = "share of others"},
    {"words", SHAPE_TEXT, .help = "what they did"},
    {0},
};

static const struct shape curve_fields[] = {
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"trained", SHAPE_DAY, .help = "day of the latest training"},
    {"auc", SHAPE_REAL, .help = "how well the model tells seed from others, 0.5 to 1"},
    {"activity_auc", SHAPE_REAL, .help = "the same for activity alone"},
    {"lift_at_10", SHAPE_REAL, .help = "lift in the likeliest tenth"},
    {"curve", SHAPE_LIST, .help = "points, by reach", .of = point_fields},
    {"warnings", SHAPE_TEXTS, .help = "sentences"},
    {"features", SHAPE_LIST, .help = "heaviest first", .of = feature_fields},
    {0},
};

static const struct shape unused_fields[] = {
    {"kind", SHAPE_TEXT, .help = "`event`, `path` or `attribute`"},
    {"value", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"events", SHAPE_WHOLE, .when = SHAPE_ALWAYS},
    {"visitors", SHAPE_WHOLE, .when = SHAPE_ALWAYS},
    {0},
};

static const struct shape signals_fields[] = {
    {"made", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "when they were read, in seconds; null: not yet"},
    {"current", SHAPE_TRUTH, .help = "are they of today and of the rules that serve?"},
    {"running", SHAPE_TRUTH, .help = "are they being read now?"},
    {"days", SHAPE_WHOLE, .help = "of the journal that were read"},
    {"unused", SHAPE_LIST, .help = "seen often and used by no rule, most frequent first",
	.of = unused_fields},
    {"idle_categories", SHAPE_TEXTS, .help = "ids that fewer than `privacy.k` matched"},
    {"idle_segments", SHAPE_TEXTS, .help = "ids that fewer than `privacy.k` are in"},
    {0},
};

const struct route routes_analysis[] = {
    {
	.method = HTTP_M_POST,
	.path = "/v1/ask/explain",
	.help = "Why a visitor is in a segment or not, as `crumb rules explain --json`. It is a "
		"look-up of one visitor.",
	.role = ROLE_OPERATOR,
	.by = BY_ASK,
	.history = "explain",
	.body = {"`{\"segment\":ID,\"key\":HEX}`; `cookie` or `id`, of an import, may stand "
		 "instead of the key.",
	    "application/json", HTTP_STRANGER_BODY},
	.answers = {{200, "the condition, part by part",
			.shape = {.kind = SHAPE_OBJECT, .of = explain_fields}},
	    {400, .when = "the body is another, the cookie names nobody, or the segment is a "
			  "lookalike"},
	    {404, .when = "there is no segment of that id, or nothing is known of the visitor"}},
	.run = explain_visitor,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/lookalikes",
	.help = "All lookalikes: their rows of `/v1/segments`.",
	.role = ROLE_MARKETER,
	.by = BY_TELL,
	.answers = {{200, "a row for each",
	    .shape = {.kind = SHAPE_LIST, .of = shape_segment_row}}},
	.run = lookalikes,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/lookalike/curve",
	.help = "How many of the seed's kind are found at which reach, and what speaks for and "
		"against: what `crumb lookalike curve ID --json` and `lookalike explain ID "
		"--json` tell.",
	.role = ROLE_MARKETER,
	.by = BY_TELL,
	.params = {{"id", PARAM_TEXT, PARAM_MUST, .help = "Id of a lookalike.",
	    .example = "like-buyers"}},
	.answers = {{200, "the curve", .shape = {.kind = SHAPE_OBJECT, .of = curve_fields}},
	    {404, .when = "there is no lookalike of that id, or it was not trained yet"}},
	.state = sizeof(struct curve_asked),
	.parse = curve_parse,
	.run = curve,
	.done = curve_done,
    },
    {
	.method = HTTP_M_GET,
	.path = "/v1/signals",
	.help = "What pages send often and no rule uses, and rules that nobody matches, as `crumb "
		"rules signals --json`. They are read from the journal once a day, and after a "
		"change of rules; until then the answer has those of before, and `current` is "
		"false.",
	.role = ROLE_MARKETER,
	.by = BY_TELL,
	.answers = {{200, "the signals", .shape = {.kind = SHAPE_OBJECT, .of = signals_fields}}},
	.run = signals,
    },
    {0},
};

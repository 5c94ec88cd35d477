/* POST /v1/ask/preview, /v1/ask/words, /v1/ask/overlap: questions about groups that no rule
 * defines. Two nearly equal groups would tell about the few visitors between them; so a->asked
 * remembers the groups of a day (ask/ask.h), and when it is full, the answer to a different
 * question is 429. */
#include "routes.h"

#include "crumb/answers/answers.h"
#include "crumb/base/clock.h"

#define CONDITION_MOST (1u << 20)

static struct asker asker_of(struct admin *a)
{
	return (struct asker){engine_serving(a->node->engine), &a->gate, a->asked, clock_now(),
	    engine_building(a->node->engine)};
}

/* With `mistakes` an unfinished condition is nothing that failed: a browser writes every 400 on its
 * console, and whoever types has mistakes at every second key. */
struct typed {
	bool mistakes;
};

static enum err typed_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct typed *t = j->state;
	(void)a;
	t->mistakes = asked_came(q, "mistakes");
	return OK;
}

/* Are there mistakes to be told as an answer? Then they are the answer from here on. */
static bool only_mistaken(struct job *j)
{
	const struct typed *t = j->state;
	if (j->result != ERR_SYNTAX || !j->answer || !t->mistakes)
		return false;
	json_object_del(j->answer, "text");
	j->result = OK;
	return true;
}

static void preview(struct admin *a, struct job *j)
{
	struct asker asker = asker_of(a);
	j->result = answer_preview(&asker, job_body(j), &j->answer);
	if (only_mistaken(j)) {
		json_object_set_new(j->answer, "size", json_null());
		json_object_set_new(j->answer, "visitors", json_null());
		json_object_set_new(j->answer, "ms", json_real(0));
		json_object_set_new(j->answer, "pending", json_boolean(asker.pending));
	}
	generation_unref(asker.generation);
}

/* "A B" */
static void overlap(struct admin *a, struct job *j)
{
	struct asker asker = asker_of(a);
	struct str first = job_body(j), second;
	size_t blank = str_find(first, ' ');
	second = str_trim(str_skip(first, blank));
	first.n = blank;
	j->result = answer_overlap(&asker, first, second, &j->answer);
	generation_unref(asker.generation);
}

static void words(struct admin *a, struct job *j)
{
	struct generation *g = engine_serving(a->node->engine);
	j->result = answer_words(g->rules, job_body(j), &j->answer);
	generation_unref(g);
	if (only_mistaken(j)) {
		json_object_set_new(j->answer, "words", json_string(""));
		json_object_set_new(j->answer, "clauses", json_array());
	}
}

/* Here ERR_BUSY is the asker's limit, 429; everywhere else the server is busy, 503. */
static bool told(struct admin *a, struct job *j)
{
	if (j->result != ERR_BUSY || j->answer)
		return job_told(a, j);
	admin_refuse(j->ticket, 429, j->why);
	return true;
}

/* --- shapes */

static const struct shape preview_fields[] = {
    {"size", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "visitors who fulfil it; null is withheld"},
    {"visitors", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "all visitors"},
    {"ms", SHAPE_REAL, .help = "how long the answer took"},
    {"pending", SHAPE_TRUTH, .help = "changed rules are on their way into the views"},
    {"below", SHAPE_WHOLE, SHAPE_SOMETIMES, .help = "with a size of null: `privacy.k`"},
    {"left", SHAPE_WHOLE, SHAPE_SOMETIMES,
	.help = "different questions that may be asked yet today"},
    {"problems", SHAPE_LIST, SHAPE_SOMETIMES,
	"with `mistakes`, where it cannot be counted: as of `crumb rules check --json`; size is "
	"null "
	"then",
	finding_shape},
    {0},
};

static const struct shape problem_fields[] = {
    {"problems", SHAPE_LIST, .help = "as of `crumb rules check --json`", .of = finding_shape},
    {"text", SHAPE_TEXT, .help = "the same for people, with carets"},
    {0},
};

static const struct shape clause_fields[] = {
    {"clause", SHAPE_TEXT, .help = "as it is written; `model` is what a lookalike's model says"},
    {"words", SHAPE_TEXT, .help = "what it asks"},
    {0},
};

static const struct shape words_fields[] = {
    {"words", SHAPE_TEXT, .help = "a sentence: `Visitors who had an event of “Bought” today.`"},
    {"clauses", SHAPE_LIST, .help = "its parts, 12 at most: those of the uppermost `and`",
	.of = clause_fields},
    {"problems", SHAPE_LIST, SHAPE_SOMETIMES,
	"with `mistakes`, where it is no condition: as of `crumb rules check --json`",
	finding_shape},
    {0},
};

static const struct shape side_fields[] = {
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"size", SHAPE_WHOLE, .when = SHAPE_OR_NULL},
    {0},
};

static const struct shape overlap_fields[] = {
    {"a", SHAPE_OBJECT, .help = "the first", .of = side_fields},
    {"b", SHAPE_OBJECT, .help = "the second", .of = side_fields},
    {"both", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "visitors in both; null is withheld"},
    {"of_a", SHAPE_REAL, SHAPE_OR_NULL, .help = "their share of the first, of 1"},
    {"of_b", SHAPE_REAL, SHAPE_OR_NULL, .help = "their share of the second, of 1"},
    {"pending", SHAPE_TRUTH, .help = "changed rules are on their way into the views"},
    {"left", SHAPE_WHOLE, SHAPE_SOMETIMES,
	.help = "different questions that may be asked yet today"},
    {0},
};

#define MISTAKES                                                                                   \
	{                                                                                          \
		"mistakes", PARAM_FLAG, PARAM_MAY,                                                 \
		    .help = "Answers 200 with `problems`, and without what was asked, where it "   \
			    "is no condition, as whoever types it is not through."                 \
	}

const struct route routes_ask[] = {
    {
	.method = HTTP_M_POST,
	.path = "/v1/ask/preview",
	.help = "How many visitors fulfil a condition, as `crumb rules preview --json`.",
	.role = ROLE_MARKETER,
	.by = BY_ASK,
	.params = {MISTAKES},
	.body = {"A condition.", "text/plain", CONDITION_MOST},
	.answers = {{200, "the number", .shape = {.kind = SHAPE_OBJECT, .of = preview_fields}},
	    {400, "it is no condition", .shape = {.kind = SHAPE_OBJECT, .of = problem_fields}},
	    {429, .when = "too many different groups were asked about in a day"}},
	.state = sizeof(struct typed),
	.parse = typed_parse,
	.run = preview,
	.answer = told,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/ask/words",
	.help = "What a condition asks, in words. No visitor is counted.",
	.role = ROLE_VIEWER,
	.by = BY_ASK,
	.params = {MISTAKES},
	.body = {"A condition.", "text/plain", CONDITION_MOST},
	.answers = {{200, "the words", .shape = {.kind = SHAPE_OBJECT, .of = words_fields}},
	    {400, "it is no condition", .shape = {.kind = SHAPE_OBJECT, .of = problem_fields}}},
	.state = sizeof(struct typed),
	.parse = typed_parse,
	.run = words,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/ask/overlap",
	.help = "How many visitors two segments share, as `crumb segments overlap --json`.",
	.role = ROLE_VIEWER,
	.by = BY_ASK,
	.body = {"Two ids of segments, a blank between them.", "text/plain", HTTP_STRANGER_BODY},
	.answers = {{200, "the numbers", .shape = {.kind = SHAPE_OBJECT, .of = overlap_fields}},
	    {404, .when = "there is no segment of one of the ids"},
	    {429, .when = "too many different groups were asked about in a day"}},
	.run = overlap,
	.answer = told,
    },
    {0},
};

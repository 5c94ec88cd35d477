/* GET /v1/rules/status says which rules serve, and how far newer ones are; POST /v1/reload reads
 * rules and all else again. Reading is the affair of app/reload.c: the route asks for a round and
 * waits until that round is over. */
#include "routes.h"

#include "crumb/base/clock.h"
#include "crumb/delivery/lists.h"

#include <stdlib.h>

/* --- state of the rules */

static json_t *backfill(const struct engine_build *b)
{
	return json_pack("{s:s,s:f,s:s}", "hash", b->rules->hash_text, "done", b->share, "from",
	    b->from_profiles ? "profiles" : "journal");
}

/* Three sets of rules may be about: those whose views serve, those whose views are being made
 * (`backfill`), and the newest that were read (`newest`). They are one when all is quiet. */
static void status(struct admin *a, struct job *j)
{
	struct generation *g = engine_serving(a->node->engine);
	struct rules *newest = node_rules(a->node);
	struct engine_build build = {.rules = NULL};
	json_t *partial = NULL;
	bool building = engine_progress(a->node->engine, &build);
	if (list_partial(g, clock_now(), &partial) != OK)
		partial = json_array();
	bool complete = !building && memcmp(g->rules->hash, newest->hash, sizeof newest->hash) == 0;
	json_t *told = json_pack("{s:s,s:I,s:b,s:i,s:s,s:o}", "hash", g->rules->hash_text,
	    "serving_since", (json_int_t)g->since, "complete", complete, "generation",
	    (int)g->number, "newest", newest->hash_text, "partial", partial);
	json_object_set_new(told, "backfill", building ? backfill(&build) : json_null());
	rules_unref(build.rules);
	rules_unref(newest);
	generation_unref(g);
	/* An absolute path: whoever asks may stand in another folder. */
	char *path = realpath(a->shared->config->rules_path, NULL);
	json_object_set_new(told, "path", json_string(path ? path : a->shared->config->rules_path));
	free(path);
	char why[400];
	bool trouble = building && engine_build_trouble(a->node->engine, why, sizeof why);
	json_object_set_new(told, "trouble", trouble ? json_string(why) : json_null());
	unsigned comparing = atomic_load(&a->comparing);
	json_object_set_new(
	    told, "comparing", comparing ? json_real((comparing - 1) / 1e3) : json_null());
	j->answer = told;
}

/* --- reading again */

struct reloading {
	uint64_t round;
};

static enum err reload(struct admin *a, struct job *j, const struct asked *q)
{
	struct reloading *r = j->state;
	(void)q;
	r->round = a->reload(a->reload_arg);
	return OK;
}

static bool reloaded(struct admin *a, struct job *j)
{
	const struct reloading *r = j->state;
	json_t *told;
	if (a->reloaded(a->reload_arg, r->round, &told))
		admin_json(j->ticket, json_object_get(told, "error") ? 400 : 200, told);
	else if (job_late(j))
		admin_refuse(j->ticket, 503,
		    "not finished yet; it goes on, and the log says what became of it");
	else
		return false;
	return true;
}

/* --- shapes */

static const struct shape backfill_fields[] = {
    {"hash", SHAPE_TEXT, .help = "of the rules that come"},
    {"done", SHAPE_REAL, .help = "how far the work is, of 1"},
    {"from", SHAPE_TEXT, .help = "what the views are made from: `profiles` or `journal`"},
    {0},
};

static const struct shape partial_fields[] = {
    {"what", SHAPE_TEXT, .help = "`category` or `segment`"},
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"from", SHAPE_DAY, .help = "day on which its history begins"},
    {"why", SHAPE_TEXT, .help = "a sentence"},
    {0},
};

static const struct shape status_fields[] = {
    {"hash", SHAPE_TEXT, .help = "of the rules whose views serve"},
    {"serving_since", SHAPE_WHOLE, .help = "Unix time"},
    {"complete", SHAPE_TRUTH, .help = "the newest rules serve"},
    {"generation", SHAPE_WHOLE, .help = "number of the views"},
    {"newest", SHAPE_TEXT, .help = "hash of the newest rules that were read"},
    {"path", SHAPE_TEXT, .help = "the folder of the rules, on the server's machine"},
    {"trouble", SHAPE_TEXT, SHAPE_OR_NULL, .help = "why the views of new rules cannot be made now"},
    {"comparing", SHAPE_REAL, SHAPE_OR_NULL,
	.help = "how far a `/v1/rules/diff` is that replays the journal, of 1"},
    {"backfill", SHAPE_OBJECT, SHAPE_OR_NULL, "the views of new rules on their way",
	backfill_fields},
    {"partial", SHAPE_LIST, .help = "what has less history than the store", .of = partial_fields},
    {0},
};

static const struct shape reload_fields[] = {
    {"rules", SHAPE_TEXT, .help = "hash of the newest rules"},
    {"taken", SHAPE_TEXTS, .help = "what is in force from now on"},
    {"waiting", SHAPE_TEXTS, .help = "what waits for the next start"},
    {"refused", SHAPE_TEXTS, .help = "what was refused, where the old stays"},
    {"error", SHAPE_TEXT, SHAPE_SOMETIMES, .help = "the first refusal"},
    {0},
};

const struct route routes_rules[] = {
    {
	.method = HTTP_M_GET,
	.path = "/v1/rules/status",
	.help = "Which rules serve, and how far the views of newer ones are.",
	.role = ROLE_VIEWER,
	.by = BY_TELL,
	.answers = {{200, "the state", .shape = {.kind = SHAPE_OBJECT, .of = status_fields}}},
	.run = status,
    },
    {
	.method = HTTP_M_POST,
	.path = "/v1/reload",
	.help = "Reads rules, destinations, lists and the configuration again, as SIGHUP does, and "
		"answers when that is done, with three lists of sentences, those of the log. The "
		"views follow: `/v1/rules/status` says when they are `complete`.",
	.role = ROLE_OPERATOR,
	.by = BY_MAIN_LATER,
	.history = "reload",
	.answers = {{200, "what was taken and refused",
			.shape = {.kind = SHAPE_OBJECT, .of = reload_fields}},
	    {400, "something was refused; the rest may be taken all the same",
		.shape = {.kind = SHAPE_OBJECT, .of = reload_fields}},
	    {503, .when = "it is not finished within two minutes; it goes on"}},
	.state = sizeof(struct reloading),
	.parse = reload,
	.answer = reloaded,
    },
    {0},
};

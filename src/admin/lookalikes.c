/* POST /v1/lookalikes/train: trains, and waits until the members are in the views. Training is on
 * the thread of BY_LONG (it reads profiles of every shard); waiting is on the main thread. */
#include "routes.h"

#include "crumb/base/clock.h"
#include "crumb/node/lookalike.h"

struct training {
	bool trained; /* main thread: the deadline runs from here, not from the request */
};

/* Rules are read again here, so that whoever asks next finds the model. */
static void train(struct admin *a, struct job *j)
{
	struct generation *g = engine_serving(a->node->engine);
	j->result = lookalike_train(g, a->config, job_body(j), clock_now(), &a->stop, &j->answer);
	generation_unref(g);
	if (!j->result)
		j->result = a->models_changed(a->models_arg);
	if (j->result) {
		json_decref(j->answer);
		j->answer = NULL;
	}
}

/* Waits until the views are made by the rules with the new model. When that takes too long, the
 * answer is 202: the model is there, its members are not yet. */
static bool trained(struct admin *a, struct job *j)
{
	struct training *t = j->state;
	if (j->result)
		return job_told(a, j);
	if (!t->trained) {
		t->trained = true;
		j->deadline_us = clock_mono_us() + ADMIN_WAIT_US;
	}
	bool serves = node_serves(a->node);
	if (!serves && !job_late(j))
		return false;
	if (j->answer)
		json_object_set_new(j->answer, "serving", json_boolean(serves));
	admin_json(j->ticket, serves ? 200 : 202, j->answer);
	j->answer = NULL;
	return true;
}

/* --- shapes */

static const struct shape trained_fields[] = {
    {"id", SHAPE_TEXT, .when = SHAPE_ALWAYS},
    {"seed", SHAPE_WHOLE, .help = "members of the seed that were learned from"},
    {"population", SHAPE_WHOLE, .help = "visitors without the seed"},
    {"auc", SHAPE_REAL, .help = "how well the model tells seed from others, 0.5 to 1"},
    {"activity_auc", SHAPE_REAL, .help = "the same for activity alone"},
    {"lift_at_10", SHAPE_REAL, .help = "lift in the likeliest tenth"},
    {"size", SHAPE_WHOLE, SHAPE_OR_NULL, .help = "members; null is withheld"},
    {"below", SHAPE_WHOLE, SHAPE_SOMETIMES, .help = "with a size of null: `privacy.k`"},
    {"warnings", SHAPE_TEXTS, .help = "sentences"},
    {"serving", SHAPE_TRUTH, .help = "its members are in the views"},
    {0},
};

const struct route routes_lookalikes[] = {
    {
	.method = HTTP_M_POST,
	.path = "/v1/lookalikes/train",
	.help = "Trains a lookalike, as `crumb lookalike train --json`, and answers when its "
		"members are in the views.",
	.role = ROLE_MARKETER,
	.by = BY_LONG,
	.history = "lookalikes.train",
	.body = {"Id of the lookalike.", "text/plain", HTTP_STRANGER_BODY},
	.answers = {{200, "how good it is", .shape = {.kind = SHAPE_OBJECT, .of = trained_fields}},
	    {202,
		"the same, with `\"serving\":false`: the views take longer than two minutes, and "
		"`/v1/rules/status` tells how far they are",
		.shape = {.kind = SHAPE_OBJECT, .of = trained_fields}},
	    {400, .when = "it cannot be learned; the reason is said"},
	    {404, .when = "there is no lookalike of that id"}},
	.state = sizeof(struct training),
	.run = train,
	.answer = trained,
    },
    {0},
};

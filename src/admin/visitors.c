/* POST /v1/visitors/erase: one visitor is forgotten. The erasure is a record of the journal. The
 * answer waits until the visitor's shard has folded it, so that no later answer shows the
 * visitor. */
#include "routes.h"

#include "crumb/core/metric.h"

struct erasing {
	struct vkey visitor;
};

static enum err erase_parse(struct admin *a, struct job *j, const struct asked *q)
{
	struct erasing *e = j->state;
	(void)a;
	asked_hash(q, "key", e->visitor.b);
	return OK;
}

static void erase_run(struct admin *a, struct job *j)
{
	struct erasing *e = j->state;
	batch_erase(&a->batch, &e->visitor, clock_now());
	metric_inc(M_ERASED);
	j->result = writing_commit(a);
}

/* Waits until the views are without the visitor. When that takes too long, the answer is given all
 * the same: the erasure is on disk. */
static bool erase_answer(struct admin *a, struct job *j)
{
	const struct erasing *e = j->state;
	struct store *s = a->node->store;
	unsigned shard = vkey_shard(&e->visitor, s->shards);
	if (j->result) {
		admin_refuse(j->ticket, 503, "the store cannot write; nothing was erased");
		return true;
	}
	struct journal_pos there = journal_committed(s->journal, shard);
	if (!engine_folded(a->node->engine, shard, &there) && !job_late(j)) {
		node_hurry(a->node);
		return false;
	}
	admin_say(j->ticket, 200, "erased\n");
	return true;
}

const struct route routes_visitors[] = {
    {
	.method = HTTP_M_POST,
	.path = "/v1/visitors/erase",
	.help = "Erases a visitor. It answers when the visitor is gone from the views.",
	.role = ROLE_OPERATOR,
	.by = BY_WRITE,
	.history = "visitors.erase",
	.params = {{"key", PARAM_HASH, PARAM_MUST, "The visitor's key.",
	    .wrong = "say ?key= and the 32 hex digits of a visitor's key",
	    .example = "0e5751c026e543b2e8ab2eb06099daa1"}},
	.answers = {{200, "`erased`", .type = "text/plain"},
	    {503, .when = "the store cannot write, and nothing was erased; or the clock is in "
			  "doubt"}},
	.records = true,
	.small = true,
	.state = sizeof(struct erasing),
	.parse = erase_parse,
	.run = erase_run,
	.answer = erase_answer,
    },
    {0},
};

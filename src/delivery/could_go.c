/* Members of a segment who could be sent, counted until there are enough. The members of each shard
 * are walked by ordinal, in a transaction of their own. A member whose membership has run out, and
 * whom the sweep has not come by yet, does not count. */
#include "could_go.h"

#include "crumb/base/memory.h"
#include "crumb/privacy/split.h"
#include "crumb/views/members.h"

struct counting {
	const struct plan_wish *w;
	const struct identity_keys *keys;
	uint16_t segment;
	uint64_t most, n, looked;
	/* of the shard at hand */
	struct fold *fold;
	struct db_txn t;
	struct profile p;
};

static bool goes(struct counting *c, const struct vkey *k)
{
	const struct generation *g = c->w->g;
	const struct segment *s = &g->rules->segments[c->segment];
	if (split_held_out(c->keys, str_c(s->id), s->target, k) ||
	    !fold_profile(c->fold, &c->t, k, &c->p))
		return false;
	view_freshen(g, c->fold, &c->p, c->w->now);
	return profile_in_segment(&c->p, c->segment) && plan_may_go(c->w->d, &c->p);
}

static bool count_one(void *arg, uint32_t ordinal)
{
	struct counting *c = arg;
	struct vkey k;
	c->looked++;
	if (shard_ordinal_key(&c->fold->shard, &c->t, ordinal, &k))
		c->n += goes(c, &k);
	return c->n < c->most && c->looked < LOOKED_MOST;
}

static enum err count_shard(struct counting *c)
{
	struct shard *s = &c->fold->shard;
	enum err e = db_begin(&s->db, DB_READ, &c->t);
	if (e)
		return e;
	e = members_each(s, &c->t, c->segment, count_one, c);
	if (!e)
		e = c->t.err;
	db_abort(&c->t);
	return e;
}

enum err could_go(const struct plan_wish *w, const struct identity_keys *keys, uint16_t segment,
    uint64_t most, uint64_t *out)
{
	struct counting c = {.w = w, .keys = keys, .segment = segment, .most = most};
	enum err e = OK;
	for (unsigned i = 0; i < w->g->shards && !e && c.n < most && c.looked < LOOKED_MOST; i++) {
		c.fold = &w->g->fold[i];
		e = count_shard(&c);
	}
	profile_done(&c.p);
	if (!e)
		e = memory_check();
	if (!e)
		*out = c.n;
	return e;
}

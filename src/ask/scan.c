/* Members of some segments, one after the other, in pieces of any size. A piece ends with a place
 * (shard and key), and the next one begins behind it in a transaction of its own. So a long export
 * holds no old view of the disk, and a visitor who changes in between is told as of the piece that
 * meets him: once, for keys are visited in order. */
#include "crumb/ask/scan.h"

#include "crumb/base/clock.h"
#include "crumb/condition/eval.h"
#include "crumb/views/each_visitor.h"

#include <stdlib.h>

struct scanning {
	const struct scan *s;
	struct generation *g;
	uint64_t *wanted; /* categories */
	struct scan_place place;
	size_t left; /* visitors that may still be handed out */
};

static bool any_wanted(const struct scan *s, const struct profile *p)
{
	for (size_t i = 0; i < p->segments_n; i++)
		if (s->segments[p->segments[i] / 64] >> p->segments[i] % 64 & 1)
			return true;
	return false;
}

/* Hands out one member, with the partner's id where one is wanted and known. */
static enum err hand_out(struct scanning *x, struct each_visitor *v)
{
	struct match_row match;
	uint32_t oldest = oldest_day(day_of(x->s->now), v->fold->retention) * (uint32_t)DAY_S;
	x->place.last = v->stored.key;
	x->place.begun = true;
	x->left--;
	bool matched = x->s->partner.n && shard_match(&v->fold->shard, &v->t, &v->stored.key,
					      x->s->partner, oldest, &match);
	return x->s->each(x->s->arg, &v->stored.key, v->profile, matched ? &match : NULL);
}

static enum err scan_shard(struct scanning *x)
{
	struct each_visitor v;
	const struct vkey *after = x->place.begun ? &x->place.last : NULL;
	enum err e = each_visitor_begin(&v, x->g, x->place.shard, x->s->now, x->wanted, after);
	if (e)
		return e;
	while (!e && x->left > 0 && each_visitor(&v))
		if (any_wanted(x->s, v.profile))
			e = hand_out(x, &v);
	return each_visitor_end(&v, e);
}

enum err scan_members(struct generation *g, const struct scan *s)
{
	struct scan_place place = {.begun = false};
	bool more;
	return scan_piece(g, s, SIZE_MAX, &place, &more);
}

enum err scan_piece(
    struct generation *g, const struct scan *s, size_t most, struct scan_place *place, bool *more)
{
	struct scanning x = {.s = s,
	    .g = g,
	    .wanted = calloc(PROFILE_NUMBERS / 64, sizeof *x.wanted),
	    .place = *place,
	    .left = most};
	if (!x.wanted)
		return err_set(ERR_NOMEM, "no memory for this now");
	x.wanted[0] = 1; /* CATEGORY_ALL: a visitor is there as long as any event is */
	for (size_t i = 0; i < g->rules->segments_n; i++)
		if (s->segments[i / 64] >> i % 64 & 1)
			rules_asks(g->rules, g->rules->segments[i].root, x.wanted);
	enum err e = OK;
	while (x.place.shard < g->shards && !e && x.left > 0) {
		e = scan_shard(&x);
		if (x.left > 0)
			x.place = (struct scan_place){.shard = x.place.shard + 1};
	}
	*place = x.place;
	*more = x.place.shard < g->shards;
	free(x.wanted);
	return e;
}

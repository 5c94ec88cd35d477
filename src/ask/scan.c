#include "crumb/ask/scan.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/memory.h"
#include "crumb/core/metric.h"
#include "crumb/condition/eval.h"

#include <stdlib.h>

struct scanning {
	const struct scan *s;
	struct generation *g;
	uint64_t *wanted; /* categories */
	struct profile view, fresh;
	uint16_t *segments; /* of the view */
	struct scan_place place;
	size_t left; /* visitors that may still be handed out */
};

static bool any_wanted(const struct scanning *x, const uint16_t *segments, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (segments[i] < x->g->rules->segments_n && (x->s->segments[segments[i] / 64] >> segments[i] % 64 & 1))
			return true;
	return false;
}

/* The profile as it is now; NULL: nobody who is asked for. */
static const struct profile *look(struct scanning *x, struct fold *f, struct str bytes)
{
	struct str memberships;
	if (!profile_view(&x->view, bytes, x->wanted, &memberships)) {
		shard_bad_profile(&f->shard);
		return NULL;
	}
	if (x->view.due_hour > hour_of(x->s->now)) {
		size_t n = memberships.n / 2 < x->g->rules->segments_n ? memberships.n / 2 : x->g->rules->segments_n;
		if (n)
			memcpy(x->segments, memberships.p, n * 2);
		x->view.segments = x->segments;
		x->view.segments_n = n;
		return any_wanted(x, x->segments, n) ? &x->view : NULL;
	}
	if (!profile_load(&x->fresh, bytes)) {
		shard_bad_profile(&f->shard);
		return NULL;
	}
	view_freshen(x->g, f, &x->fresh, x->s->now);
	return x->fresh.rows_n && any_wanted(x, x->fresh.segments, x->fresh.segments_n) ? &x->fresh : NULL;
}

static enum err scan_shard(struct scanning *x, struct fold *f)
{
	struct db_txn t;
	struct db_cursor c;
	struct str key, value;
	struct match_row match;
	uint32_t oldest = oldest_day(day_of(x->s->now), f->retention) * (uint32_t)DAY_S;
	enum err e = db_begin(&f->shard.db, false, &t);
	if (e)
		return e;
	db_walk(&t, f->shard.visitors, &c);
	bool more = x->place.begun ? db_seek(&c, vkey_str(&x->place.last), &key, &value) : db_next(&c, &key, &value);
	if (more && x->place.begun && str_eq(key, vkey_str(&x->place.last)))
		more = db_next(&c, &key, &value);
	for (; !e && more && x->left > 0 && !memory_short(); more = db_next(&c, &key, &value)) {
		struct vkey k;
		const struct profile *p = look(x, f, value);
		if (!p || key.n != sizeof k.b)
			continue;
		memcpy(k.b, key.p, sizeof k.b);
		x->place.last = k;
		x->place.begun = true;
		x->left--;
		bool matched = x->s->partner.n && shard_match(&f->shard, &t, &k, x->s->partner, oldest, &match);
		e = x->s->each(x->s->arg, &k, p, matched ? &match : NULL);
	}
	db_walk_end(&c);
	if (!e)
		e = t.err ? t.err : memory_check();
	db_abort(&t);
	return e;
}

enum err scan_members(struct generation *g, const struct scan *s)
{
	struct scan_place place = {.begun = false};
	bool more;
	return scan_piece(g, s, SIZE_MAX, &place, &more);
}

enum err scan_piece(struct generation *g, const struct scan *s, size_t most, struct scan_place *place, bool *more)
{
	struct scanning x = {.s = s, .g = g, .wanted = calloc(1024, sizeof *x.wanted), .segments = calloc(g->rules->segments_n + 1, 2)};
	if (!x.wanted || !x.segments) {
		free(x.wanted);
		free(x.segments);
		return err_set(ERR_NOMEM, "no memory for this now");
	}
	x.wanted[0] = 1; /* a visitor is there as long as any event is */
	for (size_t i = 0; i < g->rules->segments_n; i++)
		if (s->segments[i / 64] >> i % 64 & 1)
			rules_asks(g->rules, g->rules->segments[i].root, x.wanted);
	enum err e = OK;
	x.place = *place;
	x.left = most;
	while (x.place.shard < g->shards && !e && x.left > 0) {
		e = scan_shard(&x, &g->fold[x.place.shard]);
		if (x.left > 0)
			x.place = (struct scan_place){.shard = x.place.shard + 1};
	}
	*place = x.place;
	*more = x.place.shard < g->shards;
	x.view.segments = NULL;
	profile_done(&x.view);
	profile_done(&x.fresh);
	free(x.wanted);
	free(x.segments);
	return e;
}

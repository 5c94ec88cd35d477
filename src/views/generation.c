/* A generation of views: its rules, its folds, who holds it; and the steps of work on one shard,
 * which the engine's fold threads and its builders have in common.
 *
 * References: the engine has one for what serves, is built or is retired, and each reader one of
 * its own. The last one closes the files, and removes them if the generation was dropped. */
#include "generations.h"
#include "crumb/load/load.h"
#include "crumb/base/lock.h"
#include "crumb/base/memory.h"
#include "crumb/base/clock.h"
#include "crumb/core/metric.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REMAKE_FIRST_S 60
#define REMAKE_MOST_S 3600
#define REMAKE_FORGET_S 86400

struct generation *generation_new(struct store *s, uint32_t number, struct rules *rules)
{
	struct generation *g = calloc(1, sizeof *g + s->shards * sizeof g->fold[0]);
	CHECK(g);
	g->refs = 1;
	g->number = g->lineage = number;
	g->shards = s->shards;
	g->store = s;
	g->rules = rules_ref(rules);
	g->filled = calloc(s->shards, sizeof *g->filled);
	g->sealed = calloc(s->shards, sizeof *g->sealed);
	g->ready = calloc(s->shards, sizeof *g->ready);
	CHECK(g->filled && g->sealed && g->ready);
	return g;
}

void generation_unref(struct generation *g)
{
	if (!g || atomic_fetch_sub(&g->refs, 1) != 1)
		return;
	for (unsigned i = 0; i < g->shards; i++)
		fold_close(&g->fold[i]);
	if (atomic_load(&g->dropped))
		store_drop_generation(g->store, g->number);
	rules_unref(g->rules);
	free(g->filled);
	free(g->sealed);
	free(g->ready);
	free(g);
}

struct generation *generation_ref(struct generation *g)
{
	atomic_fetch_add(&g->refs, 1);
	return g;
}

bool generation_damaged(const struct generation *g)
{
	for (unsigned i = 0; i < g->shards; i++)
		if (db_damaged(&g->fold[i].shard.db))
			return true;
	return false;
}

bool generation_replaced(const struct generation *g)
{
	for (unsigned i = 0; i < g->shards; i++)
		if (db_replaced(&g->fold[i].shard.db))
			return true;
	return false;
}

enum err generation_open_folds(struct generation *g, struct store *s, const struct config *c)
{
	enum err e = OK;
	for (unsigned i = 0; i < g->shards && !e; i++)
		e = fold_open(&g->fold[i], s, g->number, i, g->rules, c);
	return e;
}

enum err generation_stored_rules(struct store *s, uint32_t number, struct rules **out)
{
	struct shard sh;
	struct db_txn t;
	struct str bundle;
	enum err e = store_shard(s, number, 0, &sh);
	if (e)
		return e;
	if (!(e = db_begin(&sh.db, DB_READ, &t))) {
		e = db_get(&t, sh.meta, STR("rules"), &bundle)
			? rules_load(bundle, NULL, out)
			: err_set(
			      ERR_CORRUPT, "the views do not say which rules they were made for");
		db_abort(&t);
	}
	shard_close(&sh);
	return e;
}

enum err generation_open(struct store *s, const struct config *c, struct generation **out)
{
	struct rules *rules;
	/* a running server may remove the generation between our reading its name and opening it */
	for (int tries = 0;; tries++) {
		uint32_t number = store_current(s);
		if (!number)
			return err_set(
			    ERR_NOT_FOUND, "%s: no views yet; crumbd makes them", s->path);
		/* the server that has the store's lock has looked at them */
		enum err e = store_locked(c) ? OK : store_check_views(s, number);
		if (!e)
			e = generation_stored_rules(s, number, &rules);
		struct generation *g = NULL;
		if (!e) {
			g = generation_new(s, number, rules);
			rules_unref(rules);
			e = generation_open_folds(g, s, c);
		}
		if (!e) {
			*out = g;
			return OK;
		}
		generation_unref(g);
		if (tries == 4 || store_current(s) == number)
			return e;
	}
}

bool same_rules(const struct rules *a, const struct rules *b)
{
	return memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}

void engine_wait(pthread_cond_t *on, pthread_mutex_t *lock, long ms)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms % 1000 * 1000000;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(on, lock, &until);
}

void engine_rest(struct engine *e, pthread_cond_t *on, long ms)
{
	uint64_t until = clock_mono_us() + (uint64_t)ms * 1000, now;
	while (!e->stop && (now = clock_mono_us()) < until)
		engine_wait(on, &e->lock, (long)((until - now) / 1000) + 1);
}

/* Time is swept only when the journal is folded: a sweep of what a fold is about to change would be
 * done twice. A clock that is in doubt ends nothing (base/clock.h). */
void engine_step(struct engine *e, struct generation *g, unsigned shard, size_t most, uint32_t now,
    struct progress *p)
{
	struct fold *f = &g->fold[shard];
	size_t done;
	bool more = false, sweep_more = false;
	uint64_t from = clock_mono_us();
	memory_begin();
	pthread_mutex_lock(&f->busy);
	enum err err = fold_some(f, e->store->journal, now, most, &done, &more);
	if (!err && !more && !clock_jumped())
		err = fold_sweep(f, now, SWEEP_MOST, &sweep_more);
	pthread_mutex_unlock(&f->busy);
	if (err) {
		p->failed = true;
		p->full |= err == ERR_FULL;
		snprintf(p->why, sizeof p->why, "%s", err_text());
	}
	p->damaged |= db_damaged(&f->shard.db);
	if (!err && !more)
		atomic_store(&f->fresh_us, from);
	p->worked |= !err && done > 0;
	p->pending |= !err && (more || sweep_more);
}

bool engine_caught_up(
    const struct engine *e, const struct generation *g, unsigned shard, uint32_t hour)
{
	return fold_reached(&g->fold[shard], journal_last(e->store->journal, shard)) &&
	       (atomic_load(&g->fold[shard].swept_hour) >= hour || clock_jumped());
}

/* The first time it is made again at once. When that was in vain, or happens again within a day,
 * with pauses: 1 minute, 2, 4, … up to an hour. */
void engine_damaged(struct engine *e, struct generation *g)
{
	uint64_t now = clock_mono_us(), since_s = (now - e->remade_us) / 1000000;
	CHECK_HELD(&e->lock);
	if (g != e->serving || e->remake_wanted)
		return;
	if (since_s > REMAKE_FORGET_S)
		e->remakes = 0;
	uint64_t pause_s =
	    e->remakes > 6 ? REMAKE_MOST_S : (uint64_t)REMAKE_FIRST_S << e->remakes >> 1;
	if (e->remakes && since_s < pause_s)
		return;
	e->remakes++;
	e->remade_us = now;
	e->remake_wanted = true;
	/* what is being built from these profiles takes the damage over */
	e->giving_up |= e->building && e->building->adopts;
	metric_inc(M_VIEWS_REMADE);
	damage_note(e->store->damage, "state", 0,
	    "generation %u was damaged while it was in use; it is made again from the journal",
	    g->number);
	pthread_cond_broadcast(&e->build);
}

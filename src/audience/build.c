/* Building the next generation beside the serving one. */
#include "crumb/audience/adopt.h"
#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sched.h>
#include <unistd.h>

#define BUILD_WAIT_MS 5 /* while other shards catch up */
#define IDLE_WAIT_MS 1000

/* --- beginning, or going on */

/* The machine's run since it was last switched on: what was not synced in it is still there. */
static struct str boot_id(char out[64])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");
	size_t n = f ? fread(out, 1, 63, f) : 0;
	if (f)
		fclose(f);
	return str_make(out, n);
}

/* Marks each shard with this boot; forgets that it need not wait for the disk once it is done. */
static enum err mark_built(struct generation *g)
{
	char id[64];
	struct str boot = boot_id(id);
	enum err e = OK;
	for (unsigned i = 0; i < g->shards && !e; i++) {
		struct db_txn t;
		if ((e = db_unsynced(&g->fold[i].shard.db, true)) || (e = db_begin(&g->fold[i].shard.db, true, &t)))
			return e;
		db_put(&t, g->fold[i].shard.meta, STR("boot"), boot);
		e = db_end(&t);
	}
	return e;
}

/* Can what is on disk be gone on with? It was begun since the machine was switched on, for these rules, and no shard is half adopted. */
static bool resumable(struct engine *e, uint32_t number, const struct rules *rules)
{
	char path[4200], id[64];
	struct rules *stored = NULL;
	struct str boot = boot_id(id), was;
	bool fine = boot.n > 0;
	for (unsigned i = 0; i < e->store->shards; i++) {
		snprintf(path, sizeof path, "%s/state/%u/%u/data.mdb", e->store->path, number, i);
		if (access(path, F_OK) != 0)
			return false;
	}
	if (generation_stored_rules(e->store, number, &stored) != OK)
		return false;
	fine = fine && memcmp(stored->hash, rules->hash, sizeof rules->hash) == 0;
	rules_unref(stored);
	for (unsigned i = 0; i < e->store->shards && fine; i++) {
		struct shard sh;
		struct db_txn t;
		uint64_t adopting;
		if (store_shard(e->store, number, i, &sh) != OK)
			return false;
		fine = db_begin(&sh.db, false, &t) == OK;
		if (fine) {
			fine = db_get(&t, sh.meta, STR("boot"), &was) && str_eq(was, boot) && !shard_meta_u64(&sh, &t, "adopting", &adopting);
			db_abort(&t);
		}
		shard_close(&sh);
	}
	return fine;
}

static enum err make(struct engine *e, struct rules *rules, struct generation **out, bool *resumed)
{
	uint32_t number = e->serving->number + 1;
	*resumed = resumable(e, number, rules);
	if (!*resumed)
		store_drop_generation(e->store, number);
	struct generation *g = generation_new(e->store, number, rules);
	enum err err = generation_open_folds(g, e->store, e->config);
	if (!err)
		err = mark_built(g);
	if (err) {
		atomic_store(&g->dropped, true);
		generation_unref(g);
	} else {
		*out = g;
	}
	return err;
}

void build_start(struct engine *e, struct rules *rules)
{
	struct generation *g;
	bool resumed;
	enum err err = make(e, rules, &g, &resumed);
	if (err) {
		log_error("rules", "the history cannot be recomputed, the old rules stay why=\"%s\"", err_text());
		return;
	}
	g->adopts = adopt_possible(e->serving->rules, rules);
	if (g->adopts)
		g->lineage = e->serving->lineage;
	for (unsigned i = 0; g->adopts && i < g->shards; i++) {
		struct db_txn t;
		if (db_begin(&e->serving->fold[i].shard.db, false, &t) != OK)
			continue;
		atomic_fetch_add(&g->to_adopt, db_count(&t, e->serving->fold[i].shard.visitors));
		db_abort(&t);
	}
	e->building = g;
	log_info("rules", "%s generation=%u rules=%s from=%s%s", build_is_change(e) ? "recomputing the history" : "compacting", g->number,
	    rules->hash_text, g->adopts ? "profiles" : "journal", resumed ? " resumed=yes" : "");
}

bool build_is_change(const struct engine *e)
{
	return memcmp(e->building->rules->hash, e->serving->rules->hash, sizeof e->serving->rules->hash) != 0;
}

/* --- ending */

/* Serves the generation that has caught up. The lock is held. */
static void switch_over(struct engine *e)
{
	struct generation *fresh = e->building, *old = e->serving;
	enum err err = store_set_current(e->store, fresh->number);
	if (err) {
		log_error("rules", "the new generation cannot be named, will be tried again why=\"%s\"", err_text());
		return;
	}
	fresh->since = clock_now();
	e->serving = fresh;
	e->building = NULL;
	atomic_store(&old->dropped, true);
	old->next = e->retired;
	e->retired = old;
	log_info("rules", "serving generation=%u rules=%s", fresh->number, fresh->rules->hash_text);
	if (e->queued) {
		struct rules *next = e->queued;
		e->queued = NULL;
		if (memcmp(next->hash, fresh->rules->hash, sizeof next->hash) != 0)
			build_start(e, next);
		rules_unref(next);
	}
	pthread_cond_broadcast(&e->wake);
}

static void mark_ready(struct engine *e, struct generation *b, unsigned number, uint32_t hour)
{
	if (e->building != b)
		return;
	bool all = true;
	for (unsigned s = 0; s < b->shards; s++) {
		if (s % e->threads_n == number)
			b->ready[s] = b->sealed[s] && engine_caught_up(e, b, s, hour);
		all &= b->ready[s];
	}
	if (all)
		switch_over(e);
}

/* --- one shard */

/* It has caught up for the first time: brings it to disk, and takes over what only the old views know. */
static enum err seal(struct generation *b, struct generation *g, unsigned shard, uint32_t now)
{
	struct fold *f = &b->fold[shard], *old = &g->fold[shard];
	pthread_mutex_lock(&f->busy);
	pthread_mutex_lock(&old->busy);
	enum err err = fold_carry_daily(f, &old->shard, g->rules, day_of(now));
	pthread_mutex_unlock(&old->busy);
	if (!err)
		err = db_unsynced(&f->shard.db, false);
	pthread_mutex_unlock(&f->busy);
	return err;
}

/* What the shard has of its own so far: nothing, or a part of what filling makes. */
static bool unfilled(struct fold *f, enum err *err)
{
	struct db_txn t;
	struct str v;
	if (atomic_load(&f->watermark) != 0 || (*err = db_begin(&f->shard.db, false, &t)))
		return false;
	bool begun = db_get(&t, f->shard.meta, STR("fill"), &v), empty = db_count(&t, f->shard.visitors) == 0;
	db_abort(&t);
	return begun || empty;
}

/* The bulk of the work, by whichever way there is. Then the shard goes on like any other. */
static enum err fill(struct engine *e, struct generation *b, struct generation *g, unsigned shard, uint32_t now)
{
	struct fold *f = &b->fold[shard];
	enum err err = OK;
	if (!unfilled(f, &err) || journal_last(e->store->journal, shard) == 0)
		return err;
	pthread_mutex_lock(&f->busy);
	err = b->adopts ? fold_adopt(f, &g->fold[shard].shard, g->rules, now, &b->adopted, &e->stop)
			: fold_fill(f, e->store->journal, now, &b->filled[shard], &e->stop);
	pthread_mutex_unlock(&f->busy);
	return err;
}

static void build_step(struct engine *e, struct generation *b, struct generation *g, unsigned shard, uint32_t now, struct progress *p)
{
	enum err err = fill(e, b, g, shard, now);
	if (!err) {
		struct progress own = {false, false, false};
		engine_step(e, b, shard, FOLD_MOST, now, &own);
		p->worked |= own.worked;
		p->pending |= own.pending;
		p->failed |= own.failed;
		if (!own.pending && !own.failed && !b->sealed[shard] && engine_caught_up(e, b, shard, hour_of(now))) {
			err = seal(b, g, shard, now);
			b->sealed[shard] = !err;
			p->worked = true;
		}
	}
	if (err && !atomic_load(&e->stop)) {
		log_error("build", "not possible now, will be tried again shard=%u why=\"%s\"", shard, err_text());
		p->failed = true;
	}
}

void *build_run(void *arg)
{
	struct engine_thread *me = arg;
	struct engine *e = me->e;
	char name[16];
	snprintf(name, sizeof name, "build-%u", me->number);
	pthread_setname_np(pthread_self(), name);
	sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0});
	pthread_mutex_lock(&e->lock);
	while (!atomic_load(&e->stop)) {
		if (!e->building) {
			engine_wait(&e->build, &e->lock, IDLE_WAIT_MS);
			continue;
		}
		struct generation *b = generation_ref(e->building), *g = generation_ref(e->serving);
		struct progress p = {false, false, false};
		pthread_mutex_unlock(&e->lock);
		uint32_t now = clock_now();
		for (unsigned s = me->number; s < b->shards && !atomic_load(&e->stop); s += e->threads_n)
			build_step(e, b, g, s, now, &p);
		pthread_mutex_lock(&e->lock);
		mark_ready(e, b, me->number, hour_of(now));
		generation_unref(g);
		generation_unref(b);
		if (p.failed && !atomic_load(&e->stop))
			engine_wait(&e->build, &e->lock, IDLE_WAIT_MS);
		else if (!p.pending && e->building)
			engine_wait(&e->build, &e->lock, BUILD_WAIT_MS);
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

/* --- for whoever asks */

bool engine_progress(struct engine *e, struct engine_build *out)
{
	double share = 0;
	pthread_mutex_lock(&e->lock);
	struct generation *b = e->building && build_is_change(e) ? e->building : NULL;
	for (unsigned i = 0; b && i < b->shards; i++)
		share += atomic_load(&b->fold[i].watermark) ? 1 : (double)atomic_load(&b->filled[i]) / (double)UINT64_MAX;
	if (b) {
		uint64_t all = atomic_load(&b->to_adopt), adopted = atomic_load(&b->adopted);
		share = b->adopts && all ? (adopted < all ? (double)adopted / (double)all : 1) : share / b->shards;
		*out = (struct engine_build){rules_ref(b->rules), share, b->adopts};
	}
	pthread_mutex_unlock(&e->lock);
	return b != NULL;
}

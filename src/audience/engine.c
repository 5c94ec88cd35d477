#include "crumb/audience/engine.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLD_MOST 200000 /* records in one transaction */
#define SWEEP_MOST 20000 /* visitors in one slice */
#define IDLE_WAIT_MS 500 /* looks at the clock this often when nothing happens */
#define BUILD_WAIT_MS 5	 /* while other shards of a new generation catch up */
#define RETRY_WAIT_MS 1000
#define LISTENERS 64

struct engine {
	const struct config *config;
	struct store *store;
	pthread_mutex_t lock; /* everything below */
	pthread_cond_t wake;
	struct generation *serving, *building, *retired;
	struct rules *queued; /* rules that came while building */
	bool *ready;	      /* per shard of the building generation */
	bool stop;
	uint64_t hurried; /* counts calls */
	struct {
		void (*heard)(void *);
		void *arg;
	} listeners[LISTENERS];
	unsigned listeners_n, threads_n, idle;
	struct fold_thread {
		struct engine *e;
		unsigned number;
		pthread_t thread;
	} * threads;
	_Atomic uint64_t behind_since_us; /* 0: caught up */
};

/* --- generations */

static struct generation *generation_new(struct store *s, uint32_t number, struct rules *rules)
{
	struct generation *g = calloc(1, sizeof *g + s->shards * sizeof g->fold[0]);
	CHECK(g);
	g->refs = 1;
	g->number = number;
	g->shards = s->shards;
	g->store = s;
	g->rules = rules_ref(rules);
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
	free(g);
}

static struct generation *generation_ref(struct generation *g)
{
	atomic_fetch_add(&g->refs, 1);
	return g;
}

static enum err open_folds(struct generation *g, struct store *s, const struct config *c)
{
	enum err e = OK;
	for (unsigned i = 0; i < g->shards && !e; i++)
		e = fold_open(&g->fold[i], s, g->number, i, g->rules, c);
	return e;
}

/* The rules a generation was built for, from its first shard. */
static enum err stored_rules(struct store *s, uint32_t number, struct rules **out)
{
	struct shard sh;
	struct db_txn t;
	struct str bundle;
	enum err e = store_shard(s, number, 0, &sh);
	if (e)
		return e;
	if (!(e = db_begin(&sh.db, false, &t))) {
		e = db_get(&t, sh.meta, STR("rules"), &bundle) ? rules_load(bundle, out) : err_set(ERR_CORRUPT, "the views name no rules");
		db_abort(&t);
	}
	shard_close(&sh);
	return e;
}

enum err generation_open(struct store *s, const struct config *c, struct generation **out)
{
	struct rules *rules;
	/* a switch may remove the generation between our reading its name and opening it */
	for (int tries = 0;; tries++) {
		uint32_t number = store_current(s);
		if (!number)
			return err_set(ERR_NOT_FOUND, "%s: no views yet; crumbd makes them", s->path);
		enum err e = stored_rules(s, number, &rules);
		struct generation *g = NULL;
		if (!e) {
			g = generation_new(s, number, rules);
			rules_unref(rules);
			e = open_folds(g, s, c);
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

static enum err begin_generation(struct engine *e, uint32_t number, struct rules *rules, struct generation **out)
{
	store_drop_generation(e->store, number);
	struct generation *g = generation_new(e->store, number, rules);
	enum err err = open_folds(g, e->store, e->config);
	if (err)
		generation_unref(g);
	else
		*out = g;
	return err;
}

/* --- threads */

static void wait_ms(struct engine *e, long ms)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms % 1000 * 1000000;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&e->wake, &e->lock, &until);
}

struct progress {
	bool worked;  /* something was folded or swept */
	bool pending; /* and there is more to do at once */
	bool failed;
};

/* One step for one shard of one generation. */
static void step(struct engine *e, struct generation *g, unsigned shard, uint32_t now, struct progress *p)
{
	struct fold *f = &g->fold[shard];
	size_t done;
	bool more = false, sweep_more = false;
	enum err err = fold_some(f, e->store->journal, now, FOLD_MOST, &done, &more);
	if (!err && !more && !clock_jumped())
		err = fold_sweep(f, now, SWEEP_MOST, &sweep_more);
	if (err) {
		log_error("fold", "not possible now, will be tried again shard=%u why=\"%s\"", shard, err_text());
		p->failed = true;
	}
	p->worked |= !err && done > 0;
	p->pending |= !err && (more || sweep_more);
}

static bool caught_up(const struct engine *e, const struct generation *g, unsigned shard, uint32_t hour)
{
	return atomic_load(&g->fold[shard].watermark) >= journal_last(e->store->journal, shard) &&
	       (atomic_load(&g->fold[shard].swept_hour) >= hour || clock_jumped());
}

static void start_build(struct engine *e, struct rules *rules)
{
	struct generation *g;
	enum err err = begin_generation(e, e->serving->number + 1, rules, &g);
	if (err) {
		log_error("rules", "the history cannot be recomputed, the old rules stay why=\"%s\"", err_text());
		return;
	}
	memset(e->ready, 0, e->store->shards * sizeof *e->ready);
	e->building = g;
	log_info("rules", "recomputing the history generation=%u rules=%s", g->number, rules->hash_text);
}

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
			start_build(e, next);
		rules_unref(next);
	}
}

static void mark_ready(struct engine *e, const struct generation *g, unsigned number, uint32_t hour)
{
	if (e->building != g)
		return;
	bool all = true;
	for (unsigned s = 0; s < g->shards; s++) {
		if (s % e->threads_n == number)
			e->ready[s] = caught_up(e, g, s, hour);
		all &= e->ready[s];
	}
	if (all)
		switch_over(e);
}

/* A retired generation that nobody reads any more, or NULL. It is closed and removed by a fold thread without the lock, so that
 * neither a look-up nor anybody who wants the lock waits for the disk. The lock is held. */
static struct generation *take_retired(struct engine *e)
{
	for (struct generation **at = &e->retired; *at; at = &(*at)->next) {
		struct generation *g = *at;
		if (atomic_load(&g->refs) != 1)
			continue;
		*at = g->next;
		return g;
	}
	return NULL;
}

static void *run(void *arg)
{
	struct fold_thread *me = arg;
	struct engine *e = me->e;
	uint64_t seen = 0;
	char name[16];
	snprintf(name, sizeof name, "fold-%u", me->number);
	pthread_setname_np(pthread_self(), name);
	pthread_mutex_lock(&e->lock);
	while (!e->stop) {
		struct generation *g = generation_ref(e->serving), *b = e->building ? generation_ref(e->building) : NULL;
		struct generation *gone = take_retired(e);
		uint64_t hurry = e->hurried;
		pthread_mutex_unlock(&e->lock);
		generation_unref(gone);
		struct progress p = {false, false, false};
		uint32_t now = clock_now();
		for (unsigned s = me->number; s < g->shards; s += e->threads_n) {
			step(e, g, s, now, &p);
			if (b)
				step(e, b, s, now, &p);
		}
		bool tell = hurry != seen;
		seen = hurry;
		pthread_mutex_lock(&e->lock);
		if (b)
			mark_ready(e, b, me->number, hour_of(now));
		generation_unref(g);
		generation_unref(b);
		for (unsigned i = 0; i < e->listeners_n && (tell || p.pending); i++)
			e->listeners[i].heard(e->listeners[i].arg);
		if (e->stop || p.pending || e->hurried != hurry)
			continue;
		if (p.failed) {
			wait_ms(e, RETRY_WAIT_MS);
		} else if (p.worked && e->config->fold_pace_ms) {
			/* gather for a while, unless somebody asks */
			wait_ms(e, e->config->fold_pace_ms);
		} else if (!p.worked) {
			e->idle++;
			wait_ms(e, e->building ? BUILD_WAIT_MS : IDLE_WAIT_MS);
			e->idle--;
		}
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

/* --- the outside */

static enum err open_serving(struct engine *e, struct rules *rules)
{
	uint32_t number = store_current(e->store);
	struct rules *old = NULL;
	enum err err;
	if (number && (err = stored_rules(e->store, number, &old)) == OK) {
		e->serving = generation_new(e->store, number, old);
		rules_unref(old);
		if (!(err = open_folds(e->serving, e->store, e->config)))
			return store_seq_floor(e->store, number);
		generation_unref(e->serving);
		e->serving = NULL;
	}
	if (number)
		log_warn("engine", "the views cannot be used and are made again from the journal why=\"%s\"", err_text());
	if ((err = begin_generation(e, number + 1, rules, &e->serving)))
		return err;
	return store_set_current(e->store, number + 1);
}

enum err engine_start(const struct config *c, struct store *s, struct rules *rules, struct engine **out)
{
	struct engine *e = calloc(1, sizeof *e);
	CHECK(e);
	e->config = c;
	e->store = s;
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->wake, &attr);
	pthread_condattr_destroy(&attr);
	e->ready = calloc(s->shards, sizeof *e->ready);
	CHECK(e->ready);
	clock_jumped(); /* remembers how the clocks stand now */
	enum err err = open_serving(e, rules);
	if (err) {
		engine_stop(e);
		return err;
	}
	store_drop_others(s, e->serving->number);
	e->serving->since = clock_now();
	if (memcmp(e->serving->rules->hash, rules->hash, sizeof rules->hash) != 0)
		start_build(e, rules);
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	e->threads_n = cores > 0 && (unsigned)cores < s->shards ? (unsigned)cores : s->shards;
	e->threads = calloc(e->threads_n, sizeof *e->threads);
	CHECK(e->threads);
	for (unsigned i = 0; i < e->threads_n; i++) {
		e->threads[i] = (struct fold_thread){.e = e, .number = i};
		CHECK(pthread_create(&e->threads[i].thread, NULL, run, &e->threads[i]) == 0);
	}
	*out = e;
	return OK;
}

void engine_stop(struct engine *e)
{
	if (!e)
		return;
	pthread_mutex_lock(&e->lock);
	e->stop = true;
	pthread_cond_broadcast(&e->wake);
	pthread_mutex_unlock(&e->lock);
	for (unsigned i = 0; i < e->threads_n; i++)
		pthread_join(e->threads[i].thread, NULL);
	if (e->building)
		atomic_store(&e->building->dropped, true);
	while (e->retired) {
		struct generation *next = e->retired->next;
		generation_unref(e->retired);
		e->retired = next;
	}
	generation_unref(e->building);
	generation_unref(e->serving);
	rules_unref(e->queued);
	pthread_mutex_destroy(&e->lock);
	pthread_cond_destroy(&e->wake);
	free(e->threads);
	free(e->ready);
	free(e);
}

void engine_poke(void *engine)
{
	struct engine *e = engine;
	pthread_mutex_lock(&e->lock);
	if (e->idle)
		pthread_cond_broadcast(&e->wake);
	pthread_mutex_unlock(&e->lock);
}

void engine_listen(struct engine *e, void (*heard)(void *), void *arg)
{
	pthread_mutex_lock(&e->lock);
	CHECK(e->listeners_n < LISTENERS);
	e->listeners[e->listeners_n].heard = heard;
	e->listeners[e->listeners_n++].arg = arg;
	pthread_mutex_unlock(&e->lock);
}

struct generation *engine_serving(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	struct generation *g = generation_ref(e->serving);
	pthread_mutex_unlock(&e->lock);
	return g;
}

enum err engine_reload(struct engine *e, struct rules *rules)
{
	pthread_mutex_lock(&e->lock);
	if (e->building) {
		rules_unref(e->queued);
		e->queued = rules_ref(rules);
	} else if (memcmp(e->serving->rules->hash, rules->hash, sizeof rules->hash) != 0) {
		start_build(e, rules);
	}
	pthread_cond_broadcast(&e->wake);
	pthread_mutex_unlock(&e->lock);
	return OK;
}

bool engine_building(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	bool b = e->building != NULL;
	pthread_mutex_unlock(&e->lock);
	return b;
}

void engine_hurry(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	e->hurried++;
	pthread_cond_broadcast(&e->wake);
	pthread_mutex_unlock(&e->lock);
}

bool engine_folded(struct engine *e, unsigned shard, uint64_t seq)
{
	struct generation *g = engine_serving(e);
	bool folded = atomic_load(&g->fold[shard].watermark) >= seq;
	generation_unref(g);
	return folded;
}

bool engine_settled(struct engine *e, uint32_t hour)
{
	struct generation *g = engine_serving(e);
	bool all = true;
	for (unsigned s = 0; s < g->shards; s++)
		all &= caught_up(e, g, s, hour);
	generation_unref(g);
	return all;
}

double engine_lag_s(struct engine *e)
{
	struct generation *g = engine_serving(e);
	bool behind = false;
	for (unsigned s = 0; s < g->shards; s++)
		behind |= atomic_load(&g->fold[s].watermark) < journal_last(e->store->journal, s);
	generation_unref(g);
	uint64_t now = clock_mono_us(), since = atomic_load(&e->behind_since_us);
	if (!behind)
		atomic_store(&e->behind_since_us, 0);
	else if (!since)
		atomic_store(&e->behind_since_us, now);
	return behind && since ? (double)(now - since) / 1e6 : 0;
}

uint32_t engine_hours_behind(struct engine *e)
{
	struct generation *g = engine_serving(e);
	uint32_t now = hour_of(clock_now()), least = now;
	for (unsigned s = 0; s < g->shards; s++) {
		uint32_t h = atomic_load(&g->fold[s].swept_hour);
		if (h < least)
			least = h;
	}
	generation_unref(g);
	return now - least;
}

/* The engine from outside, and its fold threads. What becomes of a generation is drawn in
 * views/engine.h; who makes the next one is build.c.
 *
 * A fold thread passes over its shards again and again: fold what is new, else sweep what is due.
 * After a pass that folded something it gathers for fold.pace_ms, so that a busy visitor's
 * profile is written once and not for every hit, unless somebody waits (engine_hurry()). When there
 * is nothing it waits to be poked, and looks at the clock twice a second. Failures are tried again
 * each second, and are told once (base/trouble.h). */
#include "generations.h"

#include "crumb/base/lock.h"
#include "crumb/base/memory.h"
#include "crumb/base/clock.h"
#include "crumb/base/thread.h"
#include "crumb/core/metric.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define IDLE_WAIT_MS 500 /* looks at the clock this often when nothing happens */
#define RETRY_WAIT_MS 1000

/* --- generations */

static enum err begin_generation(
    struct engine *e, uint32_t number, struct rules *rules, struct generation **out)
{
	store_drop_generation(e->store, number);
	struct generation *g = generation_new(e->store, number, rules);
	enum err err = generation_open_folds(g, e->store, e->config);
	if (err)
		generation_unref(g);
	else
		*out = g;
	return err;
}

/* --- threads */

/* Takes a retired generation that nobody reads any more out of the list, or NULL. A fold thread
 * closes and removes it without the lock, so that neither a look-up nor anybody who wants the lock
 * waits for the disk. */
static struct generation *take_retired(struct engine *e)
{
	CHECK_HELD(&e->lock);
	for (struct generation **at = &e->retired; *at; at = &(*at)->next) {
		struct generation *g = *at;
		if (atomic_load(&g->refs) != 1)
			continue;
		*at = g->next;
		return g;
	}
	return NULL;
}

/* Tells what failed in this pass, or that it is over. */
static void note_trouble(struct engine_thread *me, const struct progress *p)
{
	if (p->failed) {
		err_set(ERR_IO, "%s", p->why);
		trouble_note(&me->trouble, 1, "fold", "bringing the views up to date");
	} else {
		trouble_over(&me->trouble, "fold", "bringing the views up to date");
	}
}

/* One pass over the thread's shards. It is called with the lock, and frees it while it folds. */
static void fold_pass(struct engine_thread *me, struct progress *p)
{
	struct engine *e = me->e;
	CHECK_HELD(&e->lock);
	struct generation *g = generation_ref(e->serving);
	struct generation *gone = take_retired(e);
	uint64_t hurry = e->hurried;
	e->removing += gone != NULL;
	pthread_mutex_unlock(&e->lock);
	generation_unref(gone);
	uint32_t now = clock_views();
	for (unsigned s = me->number; s < g->shards; s += e->threads_n)
		engine_step(e, g, s, FOLD_MOST, now, p);
	bool tell = hurry != me->seen;
	me->seen = hurry;
	pthread_mutex_lock(&e->lock);
	e->removing -= gone != NULL;
	if (p->damaged)
		engine_damaged(e, g);
	generation_unref(g); /* never the last: it serves, or waits among the retired */
	note_trouble(me, p);
	for (unsigned i = 0; i < e->listeners_n && (tell || p->pending); i++)
		e->listeners[i].heard(e->listeners[i].arg);
}

bool engine_turn(struct engine *e)
{
	struct progress folded = {.worked = false}, built = {.worked = false};
	pthread_mutex_lock(&e->lock);
	fold_pass(&e->folds[0], &folded);
	bool building = build_pass(&e->builders[0], &built);
	bool more = folded.worked || folded.pending || building || e->building || e->retired;
	pthread_mutex_unlock(&e->lock);
	return more && !folded.failed && !built.failed;
}

static void *fold_thread(void *arg)
{
	struct engine_thread *me = arg;
	struct engine *e = me->e;
	pthread_mutex_lock(&e->lock);
	while (!e->stop) {
		struct progress p = {.worked = false};
		fold_pass(me, &p);
		if (p.failed) {
			engine_rest(e, &e->wake, RETRY_WAIT_MS);
			continue;
		}
		if (e->stop || p.pending || e->hurried != me->seen)
			continue;
		if (p.worked && e->config->fold_pace_ms) {
			/* gather for a while, unless somebody asks */
			engine_wait(&e->wake, &e->lock, e->config->fold_pace_ms);
		} else if (!p.worked) {
			e->idle++;
			engine_wait(&e->wake, &e->lock, IDLE_WAIT_MS);
			e->idle--;
		}
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

/* --- the outside */

/* The journal goes on behind everything that the views have read. A journal that lost its end in a
 * crash would else give new blocks the positions of old ones, and the views would skip them. */
static enum err journal_behind_views(struct engine *e)
{
	for (unsigned i = 0; i < e->serving->shards; i++) {
		struct shard *sh = &e->serving->fold[i].shard;
		struct db_txn t;
		struct journal_pos seen, target;
		uint64_t next;
		enum err err = db_begin(&sh->db, DB_READ, &t);
		if (err)
			return err;
		shard_watermark(sh, &t, &seen);
		if (shard_unfinished(sh, &t, &target, &next) && journal_pos_before(seen, target))
			seen = target;
		db_abort(&t);
		journal_floor(e->store->journal, i, seen);
	}
	return OK;
}

/* Opens the generation that CURRENT names. Where there is none, or it is damaged, the next number
 * begins empty, and folding the journal fills it. */
static enum err open_serving(struct engine *e, struct rules *rules)
{
	uint32_t number = store_current(e->store), newest = store_newest_views(e->store);
	struct rules *old = NULL;
	enum err err = OK;
	if (!number && newest)
		err = err_set(
		    ERR_CORRUPT, "%s/state/CURRENT does not say which views serve", e->store->path);
	if (number && (err = store_check_views(e->store, number)) == OK &&
	    (err = generation_stored_rules(e->store, number, &old)) == OK) {
		e->serving = generation_new(e->store, number, old);
		rules_unref(old);
		if (!(err = generation_open_folds(e->serving, e->store, e->config)))
			return journal_behind_views(e);
		generation_unref(e->serving);
		e->serving = NULL;
	}
	/* no memory, no descriptors: nothing is wrong with the views */
	if (err && err != ERR_CORRUPT && err != ERR_NOT_FOUND && err != ERR_SYNTAX)
		return err;
	if (err) {
		metric_inc(M_VIEWS_REMADE);
		damage_note(
		    e->store->damage, "state", 0, "made again from the journal: %s", err_text());
	}
	if ((err = begin_generation(e, newest + 1, rules, &e->serving)))
		return err;
	return store_set_current(e->store, newest + 1);
}

/* All of engine_start() but the threads; `threads` says how many there will be. */
static enum err open_with(const struct config *c, struct store *s, struct rules *rules,
    unsigned threads, struct engine **out)
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
	pthread_cond_init(&e->build, &attr);
	pthread_condattr_destroy(&attr);
	clock_jumped(); /* remembers how the clocks stand now */
	enum err err = open_serving(e, rules);
	if (err) {
		engine_stop(e);
		return err;
	}
	bool changed = !same_rules(e->serving->rules, rules);
	store_drop_others(s, e->serving->number, changed ? e->serving->number + 1 : 0);
	e->serving->since = clock_now();
	if (changed)
		e->queued = rules_ref(rules);
	e->threads_n = threads;
	e->folds = calloc(e->threads_n, sizeof *e->folds);
	e->builders = calloc(e->threads_n, sizeof *e->builders);
	CHECK(e->folds && e->builders);
	for (unsigned i = 0; i < e->threads_n; i++)
		e->folds[i] = e->builders[i] = (struct engine_thread){.e = e, .number = i};
	e->started = true;
	*out = e;
	return OK;
}

enum err engine_open(
    const struct config *c, struct store *s, struct rules *rules, struct engine **out)
{
	return open_with(c, s, rules, 1, out);
}

static bool started(struct engine_thread *t, const char *kind, void *(*run_it)(void *))
{
	char name[THREAD_NAME_MOST + 1];
	snprintf(name, sizeof name, "%.5s-%u", kind, t->number % 1000);
	return thread_start(&t->thread, name, run_it, t) == OK;
}

enum err engine_start(
    const struct config *c, struct store *s, struct rules *rules, struct engine **out)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct engine *e;
	enum err err = open_with(c, s, rules,
	    cores > 0 && (unsigned)cores < s->shards ? (unsigned)cores : s->shards, &e);
	if (err)
		return err;
	e->started = false;
	while (e->folds_n < e->threads_n && started(&e->folds[e->folds_n], "fold", fold_thread))
		e->folds_n++;
	while (e->builders_n < e->threads_n &&
	       started(&e->builders[e->builders_n], "build", build_run))
		e->builders_n++;
	if (e->folds_n < e->threads_n || e->builders_n < e->threads_n) {
		engine_stop(e);
		return err_set(ERR_IO,
		    "no thread for folding: raise the limit of threads (ulimit -u, TasksMax=)");
	}
	e->started = true;
	*out = e;
	return OK;
}

void engine_stop(struct engine *e)
{
	if (!e)
		return;
	pthread_mutex_lock(&e->lock);
	atomic_store(&e->stop, true);
	pthread_cond_broadcast(&e->wake);
	pthread_cond_broadcast(&e->build);
	pthread_mutex_unlock(&e->lock);
	for (unsigned i = 0; i < e->folds_n; i++)
		pthread_join(e->folds[i].thread, NULL);
	for (unsigned i = 0; i < e->builders_n; i++)
		pthread_join(e->builders[i].thread, NULL);
	while (e->retired) {
		struct generation *next = e->retired->next;
		generation_unref(e->retired);
		e->retired = next;
	}
	generation_unref(e->building);
	if (e->serving && e->started)
		e->store->views = generation_damaged(e->serving) || generation_replaced(e->serving)
				      ? STORE_VIEWS_DAMAGED
				      : STORE_VIEWS_FINE;
	generation_unref(e->serving);
	rules_unref(e->queued);
	pthread_mutex_destroy(&e->lock);
	pthread_cond_destroy(&e->wake);
	pthread_cond_destroy(&e->build);
	free(e->folds);
	free(e->builders);
	free(e);
}

void engine_poke(struct engine *e)
{
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

void engine_reload(struct engine *e, struct rules *rules)
{
	pthread_mutex_lock(&e->lock);
	const struct rules *newest = e->serving->rules;
	if (e->queued)
		newest = e->queued;
	else if (e->preparing)
		newest = e->preparing;
	else if (e->building)
		newest = e->building->rules;
	if (!same_rules(newest, rules)) {
		/* Rules that serve already are queued, too: other ones may be in the making, and
		 * would serve after them. take_next() drops them when there is nothing to do. */
		rules_unref(e->queued);
		e->queued = rules_ref(rules);
		e->building_trouble.again_us = 0; /* other rules may have less to do: try now */
	}
	pthread_cond_broadcast(&e->build);
	pthread_mutex_unlock(&e->lock);
}

bool engine_building(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	bool b = build_is_change(e);
	pthread_mutex_unlock(&e->lock);
	return b;
}

bool engine_compact(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	bool begun = !e->building && !e->preparing && !e->queued;
	if (begun) {
		e->compact_wanted = true;
		e->building_trouble.again_us = 0;
		pthread_cond_broadcast(&e->build);
	}
	pthread_mutex_unlock(&e->lock);
	return begun;
}

bool engine_compacting(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	bool b = build_is_compaction(e);
	pthread_mutex_unlock(&e->lock);
	return b;
}

bool engine_removing(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	bool b = e->retired || e->removing;
	if (e->retired)
		pthread_cond_broadcast(&e->wake);
	pthread_mutex_unlock(&e->lock);
	return b;
}

bool engine_trouble(struct engine *e, char *out, size_t cap)
{
	*out = 0;
	pthread_mutex_lock(&e->lock);
	for (unsigned i = 0; i < e->threads_n && !*out; i++)
		if (e->folds[i].trouble.times)
			snprintf(out, cap, "the views cannot be brought up to date (%s)",
			    e->folds[i].trouble.why);
	pthread_mutex_unlock(&e->lock);
	return *out != 0;
}

bool engine_build_trouble(struct engine *e, char *out, size_t cap)
{
	pthread_mutex_lock(&e->lock);
	snprintf(out, cap, "%s", e->building_trouble.times ? e->building_trouble.why : "");
	pthread_mutex_unlock(&e->lock);
	return *out != 0;
}

void engine_hurry(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	e->hurried++;
	pthread_cond_broadcast(&e->wake);
	if (e->building)
		pthread_cond_broadcast(&e->build);
	pthread_mutex_unlock(&e->lock);
}

/* --- what was folded
 *
 * Whoever is told that something is folded reads it in the views that serve from then on, and in
 * another process in those that state/CURRENT names. Views that are built come into both places
 * at a moment that nobody waits for. So they are asked, too, from the moment on when they may:
 *
 *     sealed            asked as well                   before: the pass that seals a shard, or a
 *     ready             caught up while it was sealed   later one, finds it caught up with all
 *     named, serving    has all that was told           that was told until then
 *
 * A builder that fails is not waited for. Its shards are not ready before a pass went well, and
 * such a pass begins when they are asked again. */

/* A reference to the views that are built, where this shard of them is sealed, so that they may
 * serve at any time; NULL: there are none. */
static struct generation *may_serve(struct engine *e, unsigned shard)
{
	CHECK_HELD(&e->lock);
	struct generation *b = e->building;
	if (!b || e->giving_up || !atomic_load(&b->sealed[shard]))
		return NULL;
	return e->builders[shard % e->threads_n].trouble.times ? NULL : generation_ref(b);
}

/* Behind all that is durable by now. */
static struct journal_pos durable(const struct engine *e, unsigned shard)
{
	const struct journal *j = e->store->journal;
	return journal_resolve(j, shard, journal_committed(j, shard));
}

static bool settled(struct engine *e, struct generation *g, unsigned shard, uint32_t hour)
{
	return fold_reached(&g->fold[shard], durable(e, shard)) &&
	       engine_caught_up(e, g, shard, hour);
}

/* References to the views that serve and to those that may serve next, which may be NULL. */
static void refer_to_both(
    struct engine *e, unsigned shard, struct generation **g, struct generation **next)
{
	pthread_mutex_lock(&e->lock);
	*g = generation_ref(e->serving);
	*next = may_serve(e, shard);
	pthread_mutex_unlock(&e->lock);
}

bool engine_folded(struct engine *e, unsigned shard, struct journal_pos *at)
{
	struct generation *g, *next;
	*at = journal_resolve(e->store->journal, shard, *at);
	refer_to_both(e, shard, &g, &next);
	bool folded =
	    fold_reached(&g->fold[shard], *at) && (!next || fold_reached(&next->fold[shard], *at));
	generation_unref(next);
	generation_unref(g);
	return folded;
}

bool engine_settled(struct engine *e, uint32_t hour)
{
	struct generation *g, *next;
	bool all = true;
	for (unsigned s = 0; s < e->store->shards && all; s++) {
		refer_to_both(e, s, &g, &next);
		all = settled(e, g, s, hour) && (!next || settled(e, next, s, hour));
		generation_unref(next);
		generation_unref(g);
	}
	return all;
}

double engine_lag_s(struct engine *e)
{
	struct generation *g = engine_serving(e);
	uint64_t now = clock_mono_us(), since = now;
	for (unsigned s = 0; s < g->shards; s++) {
		uint64_t fresh = atomic_load(&g->fold[s].fresh_us);
		if (!fold_reached(&g->fold[s], durable(e, s)) && fresh < since)
			since = fresh;
	}
	generation_unref(g);
	return (double)(now - since) / 1e6;
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

/* --- what an operator reads */

static double gauge_lag(void *engine)
{
	return engine_lag_s(engine);
}

static double gauge_behind(void *engine)
{
	return engine_hours_behind(engine);
}

static double gauge_building(void *engine)
{
	return engine_building(engine);
}

const struct gauge engine_gauges[] = {
    {METRICS_views, "fold_lag_seconds", NULL, "seconds",
	"Age of the newest hit that is not in the views. "
	"Over a minute: the disk or the processor is too slow for so many hits.",
	.read = gauge_lag},
    {METRICS_views, "sweep_hours_behind", NULL, "hours",
	"Hours whose expiry has not been swept. What has ended is not told meanwhile; see the log.",
	.read = gauge_behind},
    {METRICS_views, "rules_building", NULL, "0 or 1",
	"1 while changed rules are applied to the history. "
	"'crumb rules status' says how far it is.",
	.read = gauge_building},
    {0},
};

/* Starting, reloading and stopping a node. Threads are started in the order in which records flow
 * back: the engine, which waits for records, then the writer, which wakes it. They end the other
 * way round.
 *
 * Reloading: the new rules are checked and loaded first, then swapped in under the lock, then
 * handed to the writer, which records them, and to the engine, which builds a generation for them.
 * Nobody waits: the old generation serves until the new one has caught up. */
#include "crumb/node/node.h"

#include "crumb/base/clock.h"
#include "crumb/base/lock.h"
#include "crumb/ingest/deploy.h"
#include "crumb/privacy/consent.h"
#include "log_place.h"

#include <time.h>

#define TROUBLE_US 5000000 /* node_wait() gives up on trouble that lasts longer */

enum err node_prepare(struct node *n, const struct config *c)
{
	*n = (struct node){.ambient = ambient_mine, .config = c};
	pthread_mutex_init(&n->lock, NULL);
	pthread_mutex_init(&n->reload, NULL);
	store_load_clock(c);
	enum err e = consent_check(c);
	if (!e)
		e = deploy_rules(c, c->rules_path, NULL, &n->rules);
	if (!e)
		e = destinations_load(c->destinations_path, NULL, &n->destinations);
	if (e)
		node_stop(n);
	return e;
}

enum err node_start(struct node *n, const struct config *c, enum node_clock clock)
{
	enum err e = node_prepare(n, c);
	return e ? e : node_open(n, clock);
}

static void fold_soon(void *engine)
{
	engine_poke(engine);
}

static void fold_now(void *engine)
{
	engine_hurry(engine);
}

static enum err open_store(struct node *n, const struct config *c)
{
	struct log_place log;
	enum err e = log_place_init(&log, c);
	if (!e)
		e = store_open_on(c, STORE_WRITE, n->memory, log.place, &n->store);
	log_place_done(&log);
	return e;
}

enum err node_open(struct node *n, enum node_clock clock)
{
	const struct config *c = n->config;
	enum err e;
	CHECK(n->ambient == ambient_mine);
	store_load_clock(c); /* whoever had the store until now may have moved the clock */
	e = open_store(n, c);
	if (!e)
		watch_start(&n->watch, n->store, clock); /* before anything could expire */
	if (!e)
		e = n->alone ? engine_open(c, n->store, n->rules, &n->engine)
			     : engine_start(c, n->store, n->rules, &n->engine);
	struct kgate gate = kgate_of(c);
	if (!e)
		n->dailies = dailies_new(n->store->path, kgate_k(&gate));
	if (!e)
		n->signals = signals_kept_new();
	if (!e && !(n->asides = asides_new(n->store)))
		e = err_set(ERR_NOMEM, "no memory");
	struct writer_told told = {fold_soon, fold_now, n->engine};
	if (!e)
		e = n->alone ? writer_open(n->store, &told, &n->writer)
			     : writer_start(n->store, &told, &n->writer);
	if (!e)
		e = tally_open(n->store->path, n->store->damage, clock_now(),
		    n->alone ? TALLY_ALONE : TALLY_THREAD, &n->tally);
	if (e) {
		node_stop(n);
		return e;
	}
	writer_rules(n->writer, n->rules->hash, buf_view(&n->rules->bundle));
	node_tick(n);
	return OK;
}

bool node_turn(struct node *n)
{
	writer_turn(n->writer);
	return engine_turn(n->engine);
}

void node_rest(struct node *n, long ms)
{
	if (n->alone)
		(void)node_turn(n);
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

void node_stop(struct node *n)
{
	writer_stop(n->writer);
	engine_stop(n->engine);
	dailies_free(n->dailies);
	signals_kept_free(n->signals);
	asides_free(n->asides);
	rules_unref(n->rules);
	destinations_unref(n->destinations);
	tally_close(n->tally); /* the threads that count are gone */
	store_close(n->store);
	*n = (struct node){.ambient = n->ambient, .config = n->config};
}

/* The first day that has not ended. */
static uint16_t wanted_oldest(const struct node *n, uint16_t today)
{
	return oldest_day(today, (unsigned)n->config->retention_days);
}

void node_tick(struct node *n)
{
	CHECK(n->ambient == ambient_mine); /* another node's clock would let go of the wrong days */
	uint16_t today = day_of(clock_now());
	watch_look(&n->watch);
	tally_tick(n->tally, clock_now(), clock_jumped() ? 0 : (unsigned)n->config->retention_days);
	if (clock_jumped())
		return;
	if (writer_expired(n->writer) != wanted_oldest(n, today))
		writer_expire(n->writer, wanted_oldest(n, today), today);
}

/* Rules and destinations change together, or neither does. The caller holds n->reload. */
static enum err reload_rules(struct node *n)
{
	struct rules *fresh, *before;
	struct destinations *destinations;
	CHECK_HELD(&n->reload);
	enum err e = deploy_rules(n->config, n->config->rules_path, NULL, &fresh);
	if (!e && (e = destinations_load(n->config->destinations_path, NULL, &destinations)))
		rules_unref(fresh);
	if (e)
		return e;
	pthread_mutex_lock(&n->lock);
	struct destinations *old = n->destinations;
	n->destinations = destinations;
	before = n->rules;
	n->rules = fresh;
	pthread_mutex_unlock(&n->lock);
	destinations_unref(old);
	rules_unref(before);
	writer_rules(n->writer, fresh->hash, buf_view(&fresh->bundle));
	engine_reload(n->engine, fresh);
	return OK;
}

enum err node_reload(struct node *n)
{
	pthread_mutex_lock(&n->reload);
	enum err e = reload_rules(n);
	pthread_mutex_unlock(&n->reload);
	return e;
}

void node_config(struct node *n, const struct config *c)
{
	atomic_store(&n->config, c);
}

struct destinations *node_destinations(struct node *n)
{
	pthread_mutex_lock(&n->lock);
	struct destinations *d = destinations_ref(n->destinations);
	pthread_mutex_unlock(&n->lock);
	return d;
}

struct rules *node_rules(struct node *n)
{
	pthread_mutex_lock(&n->lock);
	struct rules *r = rules_ref(n->rules);
	pthread_mutex_unlock(&n->lock);
	return r;
}

bool node_serves(struct node *n)
{
	struct rules *newest = node_rules(n);
	struct generation *g = engine_serving(n->engine);
	bool same = memcmp(g->rules->hash, newest->hash, sizeof newest->hash) == 0;
	generation_unref(g);
	rules_unref(newest);
	return same;
}

bool node_trouble(struct node *n, char *out, size_t cap)
{
	char views[400];
	bool writer = writer_trouble(n->writer, out, cap);
	bool engine = engine_trouble(n->engine, views, sizeof views);
	size_t used = strlen(out);
	if (engine)
		snprintf(out + used, cap - used, "%s%s", writer ? "; " : "", views);
	return writer || engine;
}

bool node_settled(struct node *n)
{
	uint32_t now = clock_now();
	return engine_settled(n->engine, hour_of(now)) &&
	       (clock_jumped() || writer_expired(n->writer) == wanted_oldest(n, day_of(now)));
}

void node_hurry(struct node *n)
{
	writer_publish(n->writer);
	engine_hurry(n->engine);
}

/* Trouble that passes is waited for; what is told when time is up is the last trouble. */
bool node_wait(struct node *n, long seconds, enum node_until what)
{
	const bool rules_too = what == NODE_SERVES;
	uint64_t now = clock_mono_us(), until = now + (uint64_t)seconds * 1000000, well = now;
	char why[400];
	for (;;) {
		if (node_settled(n) && !(rules_too && engine_building(n->engine)))
			return true;
		now = clock_mono_us();
		if (!node_trouble(n, why, sizeof why) &&
		    !(rules_too && engine_build_trouble(n->engine, why, sizeof why)))
			well = now;
		if (now >= until || now - well >= TROUBLE_US) {
			err_set(ERR_BUSY, "%s", *why ? why : "it takes longer");
			return false;
		}
		node_hurry(n);
		node_tick(n);
		if (n->meanwhile)
			n->meanwhile(n->meanwhile_arg);
		node_rest(n, 5);
	}
}

/* --- what an operator reads */

static double trouble(void *node)
{
	char why[1200];
	return node_trouble(node, why, sizeof why);
}

static double doubted(void *node)
{
	(void)node; /* it is the ambient's clock */
	return clock_jumped();
}

const struct gauge node_gauges[] = {
    {METRICS_store, "trouble", NULL, "0 or 1",
	"1 while hits cannot be recorded or the views cannot follow; GET /readyz says why.",
	.read = trouble},
    {METRICS_store, "clock_jumped", NULL, "0 or 1",
	"1 while deletion is suspended because the clock jumped; GET /readyz says what to do.",
	.read = doubted},
    {0},
};

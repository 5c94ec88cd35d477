/* Inside views: the engine's own state, shared by its fold threads (engine.c) and its builders
 * (build.c). */
#ifndef CRUMB_SRC_VIEWS_GENERATIONS_H
#define CRUMB_SRC_VIEWS_GENERATIONS_H

#include "crumb/views/engine.h"
#include "crumb/base/trouble.h"

#include <pthread.h>

#define FOLD_MOST 1000000 /* records gathered at once: 32 bytes of each stay in memory */
#define SWEEP_MOST 20000  /* visitors in one slice */
#define LISTENERS COLLECT_THREADS_MAX

struct engine_thread {
	struct engine *e;
	unsigned number;
	uint64_t seen; /* calls of engine_hurry() that its listeners have heard of; a fold thread's
			  own */
	pthread_t thread;
	struct trouble trouble; /* under the lock */
};

struct engine {
	const struct config *config;
	struct store *store;
	pthread_mutex_t lock; /* everything below. Look-ups and the journal thread take it: nobody
				 waits for the disk with it */
	pthread_cond_t wake;  /* fold threads */
	pthread_cond_t build; /* builders */
	struct generation *serving, *building, *retired;
	struct rules *queued; /* what is to be built next */
	bool compact_wanted;  /* or what serves, anew */
	bool remake_wanted;   /* from the journal, because what serves is damaged: until such a
				 generation serves */
	uint64_t remade_us;   /* when that was wanted last (clock_mono_us) */
	unsigned remakes;     /* how often lately */
	/* the first builder's: it prepares what is to be built, names what is to serve, and removes
	 * what is given up, each without the lock */
	struct rules *preparing;
	bool naming, giving_up;
	struct trouble building_trouble;
	_Atomic bool stop;
	bool started;
	uint64_t hurried; /* counts calls */
	struct {
		void (*heard)(void *);
		void *arg;
	} listeners[LISTENERS];
	unsigned listeners_n, threads_n, idle, removing;
	struct engine_thread *folds, *builders; /* threads_n of each */
	unsigned folds_n, builders_n;		/* that run */
};

struct progress {
	bool worked;  /* something was folded or swept */
	bool pending; /* and there is more to do at once */
	bool failed, full;
	bool damaged; /* somebody has met what cannot be in these views */
	char why[200];
};

struct generation *generation_new(struct store *s, uint32_t number, struct rules *rules);
struct generation *generation_ref(struct generation *g);
enum err generation_open_folds(
    struct generation *g, struct store *s, const struct config *c) MUST_CHECK;
bool generation_replaced(
    const struct generation *g); /* somebody put another file in the place of one of its own */
bool generation_damaged(const struct generation *g); /* as far as anybody has met it */
void engine_step(struct engine *e, struct generation *g, unsigned shard, size_t most, uint32_t now,
    struct progress *p);
bool engine_caught_up(
    const struct engine *e, const struct generation *g, unsigned shard, uint32_t hour);
void engine_wait(pthread_cond_t *on, pthread_mutex_t *lock, long ms);
void engine_rest(struct engine *e, pthread_cond_t *on,
    long ms); /* for so long, however often somebody wakes it; the lock is held */
void engine_damaged(
    struct engine *e, struct generation *g); /* what serves is to be made again; the lock is held */
bool same_rules(const struct rules *a, const struct rules *b);

/* --- build.c; the lock is held */
bool build_is_change(const struct engine
	*e); /* is something built, or about to be, that has other rules than what serves? */
bool build_is_compaction(const struct engine *e);
/* One pass of a builder over its shards, which unlocks meanwhile; false: there is nothing that it
 * can do now. */
bool build_pass(struct engine_thread *me, struct progress *p);
void *build_run(void *thread); /* takes the lock itself */

#endif

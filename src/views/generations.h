/* Inside views: the engine's own state, shared by its fold threads (engine.c) and its builders
 * (build.c), and the steps that both take on a generation (generation.c).
 *
 * Two kinds of locks. The engine's `lock` is over which generation is what; nobody waits for the
 * disk with it, for look-ups and the journal thread take it. Each shard's `busy` (views/fold.h) is
 * over its writing, and is held during a whole fold. Whoever has `busy` does not take `lock`. */
#ifndef CRUMB_SRC_VIEWS_GENERATIONS_H
#define CRUMB_SRC_VIEWS_GENERATIONS_H

#include "crumb/views/engine.h"
#include "crumb/base/trouble.h"

#include <pthread.h>

#define FOLD_MOST 1000000 /* records gathered at once: 32 bytes of each stay in memory */
#define SWEEP_MOST 20000  /* visitors in one transaction of a sweep */
#define LISTENERS COLLECT_THREADS_MAX

struct engine_thread {
	struct engine *e;	/* constant */
	unsigned number;	/* constant: it has the shards number, number + threads_n … */
	pthread_t thread;	/* whoever starts and stops the engine */
	uint64_t seen;		/* fold thread: the value of `hurried` at its last pass */
	struct trouble trouble; /* under the lock */
};

struct engine {
	/* constant from engine_start() to engine_stop() */
	const struct config *config;
	struct store *store;
	struct engine_thread *folds, *builders; /* threads_n of each */
	unsigned threads_n;
	unsigned folds_n, builders_n; /* that run; 0: engine_turn() does their work */
	bool started;
	_Atomic bool stop;

	pthread_mutex_t lock;				 /* over everything below */
	pthread_cond_t wake;				 /* fold threads */
	pthread_cond_t build;				 /* builders */
	struct generation *serving, *building, *retired; /* retired: a list */
	/* what is to be built next, the first that is wanted */
	struct rules *queued; /* other rules */
	bool remake_wanted;   /* the same from the journal, for what serves is damaged; stays until
				 such a generation serves */
	bool compact_wanted;  /* the same in fresh files */
	uint64_t remade_us;   /* clock_mono_us() when remake_wanted was set last */
	unsigned remakes;     /* how often lately */
	/* what the first builder is doing without the lock */
	struct rules *preparing; /* making files for these */
	bool naming;		 /* writing CURRENT */
	bool giving_up;		 /* removing what was built; waits until no builder is at it */
	struct trouble building_trouble;
	uint64_t hurried; /* calls of engine_hurry() */
	struct {
		void (*heard)(void *);
		void *arg;
	} listeners[LISTENERS];
	unsigned listeners_n;
	unsigned idle;	   /* fold threads that wait because nothing happens */
	unsigned removing; /* fold threads that close a retired generation */
};

/* What a pass came to; a thread's own. */
struct progress {
	bool worked;  /* something was folded or swept */
	bool pending; /* and there is more to do at once */
	bool failed;  /* `why` says it */
	bool full;    /* for lack of room on the disk */
	bool damaged; /* these views have what cannot be in them */
	char why[200];
};

/* --- generation.c */

struct generation *generation_new(struct store *s, uint32_t number, struct rules *rules);
struct generation *generation_ref(struct generation *g);
enum err generation_open_folds(
    struct generation *g, struct store *s, const struct config *c) MUST_CHECK;
/* Somebody put another file in the place of one of its own. */
bool generation_replaced(const struct generation *g);
/* Damage was met in one of its shards. */
bool generation_damaged(const struct generation *g);
bool same_rules(const struct rules *a, const struct rules *b);

/* One pass over one shard: folds up to `most` records, and sweeps when nothing is left to fold. */
void engine_step(struct engine *e, struct generation *g, unsigned shard, size_t most, uint32_t now,
    struct progress *p);
/* Does the shard have the whole journal, and is all swept that was due up to this hour? */
bool engine_caught_up(
    const struct engine *e, const struct generation *g, unsigned shard, uint32_t hour);
/* Waits for the condition, at most so long. */
void engine_wait(pthread_cond_t *on, pthread_mutex_t *lock, long ms);
/* Waits so long, however often somebody wakes the thread; less when the engine stops. With the
 * lock. */
void engine_rest(struct engine *e, pthread_cond_t *on, long ms);
/* What serves is damaged and is to be made again. With the lock. */
void engine_damaged(struct engine *e, struct generation *g);

/* --- build.c; all with the lock */

/* Is something built, or about to be, that has other rules than what serves? */
bool build_is_change(const struct engine *e);
/* Or the same rules, in fresh files? */
bool build_is_compaction(const struct engine *e);
/* One pass of a builder over its shards; the lock is free meanwhile. False: there is nothing that
 * it can do now. */
bool build_pass(struct engine_thread *me, struct progress *p);
/* A builder's thread; takes the lock itself. */
void *build_run(void *thread);

#endif

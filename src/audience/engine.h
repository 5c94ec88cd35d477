/* Inside the audience layer: the engine's own state, shared by its fold threads (engine.c) and its builders (build.c). */
#ifndef CRUMB_AUDIENCE_ENGINE_INSIDE_H
#define CRUMB_AUDIENCE_ENGINE_INSIDE_H

#include "crumb/audience/engine.h"

#include <pthread.h>

#define FOLD_MOST 1000000 /* records gathered at once: 32 bytes of each stay in memory */
#define SWEEP_MOST 20000  /* visitors in one slice */
#define LISTENERS COLLECT_THREADS_MAX

struct engine_thread {
	struct engine *e;
	unsigned number;
	pthread_t thread;
};

struct engine {
	const struct config *config;
	struct store *store;
	pthread_mutex_t lock; /* everything below */
	pthread_cond_t wake;  /* fold threads */
	pthread_cond_t build; /* builders */
	struct generation *serving, *building, *retired;
	struct rules *queued; /* rules that came while building */
	_Atomic bool stop;
	uint64_t hurried; /* counts calls */
	struct {
		void (*heard)(void *);
		void *arg;
	} listeners[LISTENERS];
	unsigned listeners_n, threads_n, idle;
	struct engine_thread *folds, *builders; /* threads_n of each */
};

struct progress {
	bool worked;  /* something was folded or swept */
	bool pending; /* and there is more to do at once */
	bool failed;
};

struct generation *generation_new(struct store *s, uint32_t number, struct rules *rules);
struct generation *generation_ref(struct generation *g);
enum err generation_open_folds(struct generation *g, struct store *s, const struct config *c) MUST_CHECK;
void engine_step(struct engine *e, struct generation *g, unsigned shard, size_t most, uint32_t now, struct progress *p);
bool engine_caught_up(const struct engine *e, const struct generation *g, unsigned shard, uint32_t hour);
void engine_wait(pthread_cond_t *on, pthread_mutex_t *lock, long ms);

/* --- build.c; the lock is held */
void build_start(struct engine *e, struct rules *rules);
bool build_is_change(const struct engine *e); /* does what is being built have other rules than what serves? */
void *build_run(void *thread);

#endif

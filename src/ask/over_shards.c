/* A walk over all shards at once. The thread that asks is one of those that walk: with one core, or
 * when no thread can be started, it does all of it. Threads take the next shard when they are done
 * with one, so a large shard does not make the others wait. */
#include "crumb/ask/over_shards.h"

#include "crumb/base/memory.h"
#include "crumb/base/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ASK_THREADS_MAX 16

struct work {
	unsigned shards;
	_Atomic unsigned taken; /* shards that some thread has begun */
	enum err (*shard)(void *arg, unsigned shard, void *own);
	void *arg;
};

struct worker {
	struct work *w;
	void *own; /* this thread's part of the result */
	enum err err;
	char why[200];
	pthread_t thread;
};

/* Takes shard after shard, until none is left or something fails. */
static void *work_on_shards(void *arg)
{
	struct worker *me = arg;
	if (!me->own) {
		me->err = ERR_NOMEM;
		snprintf(me->why, sizeof me->why, "no memory for this now");
		return NULL;
	}
	for (unsigned s; !me->err && (s = atomic_fetch_add(&me->w->taken, 1)) < me->w->shards;)
		if ((me->err = me->w->shard(me->w->arg, s, me->own)) || (me->err = memory_check()))
			snprintf(me->why, sizeof me->why, "%s", err_text());
	return NULL;
}

/* One for each core, and no more than there are shards. */
unsigned over_shards_threads(unsigned shards)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = cores < 1 ? 1 : (unsigned)cores;
	if (n > ASK_THREADS_MAX)
		n = ASK_THREADS_MAX;
	return n < shards ? n : shards;
}

enum err over_shards(unsigned shards, enum err (*shard)(void *, unsigned, void *), void *arg,
    size_t size, void (*add)(void *arg, void *own))
{
	struct work w = {shards, 0, shard, arg};
	struct worker workers[ASK_THREADS_MAX];
	unsigned n = over_shards_threads(shards);
	enum err e = OK;
	for (unsigned i = 0; i < n; i++) {
		workers[i] = (struct worker){.w = &w, .own = calloc(1, size)};
		if (i && !workers[i].own) {
			n = i; /* fewer threads come to the same */
			break;
		}
		if (i &&
		    thread_start(&workers[i].thread, "ask", work_on_shards, &workers[i]) != OK) {
			free(workers[i].own);
			n = i;
		}
	}
	work_on_shards(&workers[0]);
	for (unsigned i = 0; i < n; i++) {
		if (i)
			pthread_join(workers[i].thread, NULL);
		if (workers[i].err && !e)
			e = err_set(workers[i].err, "%s", workers[i].why);
		if (!e)
			add(arg, workers[i].own);
		free(workers[i].own);
	}
	return e;
}

/* The threads take the next number from one counter until none is left, so a thread with long jobs
 * takes fewer. After a failure no job is begun any more. Numbers are taken in order, so whatever is
 * lower than a job that failed was begun, and the lowest failure of all is among those that are
 * known: the error does not depend on which thread was faster. */
#include "crumb/base/spread.h"

#include "crumb/base/thread.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

struct work {
	unsigned n;
	enum err (*job)(void *arg, unsigned number);
	void *arg;
	_Atomic unsigned next; /* shared: the first job that nobody has taken */
	_Atomic bool failed;   /* shared: some job failed */
};

struct worker { /* its thread's; the caller's once that has ended */
	struct work *w;
	pthread_t thread;
	enum err err;
	unsigned number; /* of the job that failed */
	char why[400];	 /* its words, which err_text() keeps per thread */
};

static void *spread_run(void *arg)
{
	struct worker *me = arg;
	for (unsigned i;
	     !atomic_load(&me->w->failed) && (i = atomic_fetch_add(&me->w->next, 1)) < me->w->n;)
		if ((me->err = me->w->job(me->w->arg, i))) {
			me->number = i;
			snprintf(me->why, sizeof me->why, "%s", err_text());
			atomic_store(&me->w->failed, true);
		}
	return NULL;
}

/* Those that this process may use: a container or taskset may have given it fewer than the machine
 * has. */
static unsigned cores(void)
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return 1;
	int n = CPU_COUNT(&set);
	if (n < 1)
		return 1;
	return n > SPREAD_THREADS_MAX ? SPREAD_THREADS_MAX : (unsigned)n;
}

enum err spread(unsigned n, enum err (*job)(void *arg, unsigned number), void *arg)
{
	struct work w = {n, job, arg, 0, false};
	struct worker workers[SPREAD_THREADS_MAX] = {{.w = &w}};
	unsigned want = cores() < n ? cores() : n, got = 1, first = UINT_MAX;
	for (; got < want; got++) {
		workers[got] = (struct worker){.w = &w};
		if (thread_start(&workers[got].thread, "spread", spread_run, &workers[got]) != OK)
			break;
	}
	spread_run(&workers[0]);
	enum err e = OK;
	for (unsigned i = 0; i < got; i++) {
		if (i)
			pthread_join(workers[i].thread, NULL);
		if (workers[i].err && workers[i].number < first) {
			first = workers[i].number;
			e = err_set(workers[i].err, "%s", workers[i].why);
		}
	}
	return e;
}

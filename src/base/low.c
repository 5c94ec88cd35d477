/* A low thread has the policy SCHED_IDLE, which the kernel runs when no other thread wants a core.
 *
 * low_begin() first tries on a thread that is thrown away whether the way back is open: a thread
 * that went down and may not come back would keep its locks for as long as the machine is busy.
 * Where the way is closed the thread is nice instead.
 *
 * Every low thread is listed, so that low_over() can lift them from outside. A thread may be going
 * down at that moment, so go_down() looks at `over` once more afterwards. */
#include "crumb/base/low.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

#define NICE 10
#define LOW_MOST 512 /* threads that low_over() knows of; any beyond that stay as they are */

static _Thread_local bool low;	    /* this thread called low_begin(), or whoever started it */
static _Thread_local bool idle;	    /* this thread is SCHED_IDLE, unless it holds something */
static _Thread_local unsigned held; /* low_hold() calls that are not released */
static _Atomic bool over;	    /* shared: low_over() was called */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t threads[LOW_MOST]; /* shared, under lock: every low thread, also those that ended */
static unsigned threads_n;	/* shared, under lock */

static bool policy(pid_t thread, int to)
{
	return sched_setscheduler(thread, to, &(struct sched_param){0}) == 0;
}

/* On a thread of its own, which may end up stuck. */
static void *try_it(void *back)
{
	*(bool *)back = policy(0, SCHED_IDLE) && policy(0, SCHED_OTHER);
	return NULL;
}

static void go_down(void)
{
	if (!atomic_load(&over))
		policy(0, SCHED_IDLE);
	if (atomic_load(&over)) /* said meanwhile */
		policy(0, SCHED_OTHER);
}

/* In the place of one that has ended, if there is one. */
static void list_thread(pid_t thread)
{
	pthread_mutex_lock(&lock);
	unsigned at = 0;
	while (at < threads_n && tgkill(getpid(), threads[at], 0) == 0)
		at++;
	if (at < LOW_MOST)
		threads[at] = thread;
	if (at == threads_n && at < LOW_MOST)
		threads_n++;
	pthread_mutex_unlock(&lock);
}

void low_begin(void)
{
	pthread_t thread;
	bool back = false;
	if (pthread_create(&thread, NULL, try_it, &back) == 0) /* thread_start() calls this file */
		pthread_join(thread, NULL);
	list_thread(gettid());
	low = true;
	idle = back;
	if (idle)
		go_down();
	else if (!atomic_load(&over))
		setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
}

struct low low_mine(void)
{
	return (struct low){.low = low, .idle = idle, .held = held > 0};
}

void low_enter(struct low of)
{
	if (!of.low)
		return;
	low = true;
	idle = of.idle;
	held = idle && of.held;
	list_thread(gettid());
	if (idle && !held)
		go_down();
	else if (!idle && !atomic_load(&over))
		setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
}

void low_hold(void)
{
	if (idle && held++ == 0)
		policy(0, SCHED_OTHER);
}

void low_release(void)
{
	if (idle && --held == 0)
		go_down();
}

void low_over(void)
{
	atomic_store(&over, true);
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < threads_n; i++) {
		/* a thread that has ended is passed over: another process may have its number */
		if (tgkill(getpid(), threads[i], 0) != 0)
			continue;
		policy(threads[i], SCHED_OTHER);
		/* takes a right; without the right a nice thread stays nice */
		setpriority(PRIO_PROCESS, (id_t)threads[i], getpriority(PRIO_PROCESS, 0));
	}
	pthread_mutex_unlock(&lock);
}

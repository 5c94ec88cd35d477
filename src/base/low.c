#include "crumb/base/low.h"

#include "crumb/base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

#define NICE 10
#define LOW_MOST 512 /* threads that low_over() knows of; any beyond that stay as they are */

static _Thread_local bool idle; /* is, unless it holds something */
static _Thread_local unsigned held;
static _Atomic bool over;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t threads[LOW_MOST];
static unsigned threads_n;

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

void low_begin(void)
{
	pthread_t thread;
	bool back = false;
	if (thread_start(&thread, "low", try_it, &back) == OK)
		pthread_join(thread, NULL);
	pthread_mutex_lock(&lock);
	if (threads_n < LOW_MOST)
		threads[threads_n++] = gettid();
	pthread_mutex_unlock(&lock);
	idle = back;
	if (idle)
		go_down();
	else if (!atomic_load(&over))
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
		if (tgkill(getpid(), threads[i], 0) !=
		    0) /* it has ended, and another process may have its number */
			continue;
		policy(threads[i], SCHED_OTHER);
		setpriority(PRIO_PROCESS, (id_t)threads[i],
		    getpriority(
			PRIO_PROCESS, 0)); /* takes a right; without it a nice thread stays one */
	}
	pthread_mutex_unlock(&lock);
}

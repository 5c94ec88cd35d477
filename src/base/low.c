#include "crumb/base/low.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

#define NICE 10

static _Thread_local bool idle; /* is, unless it holds something */
static _Thread_local unsigned held;

static bool policy(int to)
{
	return sched_setscheduler(0, to, &(struct sched_param){0}) == 0;
}

/* On a thread of its own, which may end up stuck. */
static void *try_it(void *back)
{
	*(bool *)back = policy(SCHED_IDLE) && policy(SCHED_OTHER);
	return NULL;
}

void low_begin(void)
{
	pthread_t thread;
	bool back = false;
	if (pthread_create(&thread, NULL, try_it, &back) == 0)
		pthread_join(thread, NULL);
	idle = back && policy(SCHED_IDLE);
	if (!idle)
		setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
}

void low_hold(void)
{
	if (idle && held++ == 0)
		policy(SCHED_OTHER);
}

void low_release(void)
{
	if (idle && --held == 0)
		policy(SCHED_IDLE);
}

/* Threads that run when nobody else wants to. */
#include "unit.h"

#include "crumb/base/low.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <unistd.h>

static sem_t is_low, is_over;
static _Atomic pid_t low_thread;

static void *be_low(void *arg)
{
	low_begin();
	low_thread = gettid();
	sem_post(&is_low);
	while (sem_wait(&is_over) != 0)
		;
	*(bool *)arg = sched_getscheduler(0) == SCHED_OTHER;
	low_hold();
	low_release();
	*(bool *)arg &= sched_getscheduler(0) == SCHED_OTHER;
	return NULL;
}

/* The last test of this program: nobody is low after it. */
TEST(who_ends_waits_for_no_low_thread)
{
	pthread_t thread;
	bool ordinary = false;
	(void)state;
	sem_init(&is_low, 0, 0);
	sem_init(&is_over, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, be_low, &ordinary), 0);
	while (sem_wait(&is_low) != 0)
		;
	low_over();
	assert_int_equal(sched_getscheduler(low_thread), SCHED_OTHER);
	sem_post(&is_over);
	pthread_join(thread, NULL);
	assert_true(ordinary);
	sem_destroy(&is_low);
	sem_destroy(&is_over);
}

UNIT_TESTS(cmocka_unit_test(who_ends_waits_for_no_low_thread))

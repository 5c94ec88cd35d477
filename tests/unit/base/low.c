/* Threads that run when nobody else wants to. */
#include "unit.h"

#include "crumb/base/low.h"
#include "crumb/base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <sys/resource.h>
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

/* How a thread is: as it began, while it holds something, and after that. */
struct seen {
	int policy[3], nice;
};

static void *look(void *arg)
{
	struct seen *s = arg;
	s->policy[0] = sched_getscheduler(0);
	low_hold();
	s->policy[1] = sched_getscheduler(0);
	low_release();
	s->policy[2] = sched_getscheduler(0);
	s->nice = getpriority(PRIO_PROCESS, (id_t)gettid());
	return NULL;
}

/* What a low thread sees of itself, of a thread that it starts, and of one that it starts while it
 * holds something. */
static void *start_others(void *arg)
{
	struct seen *all = arg;
	pthread_t thread;
	low_begin();
	look(&all[0]);
	if (thread_start(&thread, "free", look, &all[1]) == OK)
		pthread_join(thread, NULL);
	low_hold();
	if (thread_start(&thread, "held", look, &all[2]) == OK)
		pthread_join(thread, NULL);
	low_release();
	return NULL;
}

/* A thread that had only the policy of whoever starts it would keep its locks at that policy. */
TEST(a_thread_that_a_low_one_starts_is_low)
{
	struct seen all[3] = {{.nice = -1}, {.nice = -2}, {.nice = -3}};
	pthread_t thread;
	(void)state;
	assert_int_equal(thread_start(&thread, "low", start_others, all), OK);
	pthread_join(thread, NULL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(all[1].policy[i], all[0].policy[i]);
	assert_int_equal(all[1].policy[1], SCHED_OTHER);
	assert_int_equal(all[1].nice, all[0].nice);
	for (int i = 0; i < 3; i++)
		assert_int_equal(all[2].policy[i], SCHED_OTHER);
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

UNIT_TESTS(cmocka_unit_test(a_thread_that_a_low_one_starts_is_low),
    cmocka_unit_test(who_ends_waits_for_no_low_thread))

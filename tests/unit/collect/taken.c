/* collect/taken: threads are woken when something was swapped, and waited for. */
#include "unit.h"

#include "crumb/collect/collecting.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A thread that takes what is new when it was woken so many times: before, it had no memory. */
struct taker {
	struct collect c;
	unsigned tries;
	pthread_t thread;
};

static void *take(void *arg)
{
	struct taker *t = arg;
	struct collect_shared *s = t->c.shared;
	for (uint64_t n; t->tries; t->tries--)
		assert_int_equal(read(t->c.wake_fd, &n, sizeof n), sizeof n);
	pthread_mutex_lock(&s->lock);
	t->c.version = atomic_load(&s->version);
	pthread_cond_broadcast(&s->taken);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void begin(struct taker *t, struct collect_shared *s, unsigned tries)
{
	*t = (struct taker){.c = {.shared = s, .wake_fd = eventfd(0, EFD_CLOEXEC)}, .tries = tries};
	assert_true(t->c.wake_fd >= 0);
	collect_begins(&t->c);
	if (tries)
		assert_int_equal(pthread_create(&t->thread, NULL, take, t), 0);
}

static void end(struct taker *t)
{
	collect_ends(&t->c);
	close(t->c.wake_fd);
}

TEST(who_waits_knows_that_all_threads_have_taken_it)
{
	struct collect_shared s = {.version = 1};
	struct taker t[3];
	collect_shared_init(&s);
	collect_taken(&s, collect_swapped(&s)); /* no thread runs: there is nobody to wait for */
	for (unsigned i = 0; i < 3; i++)
		begin(&t[i], &s, 1 + i);
	uint64_t version = collect_swapped(&s);
	assert_int_equal(version, 3);
	collect_taken(&s, version);
	pthread_mutex_lock(&s.lock);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(t[i].c.version, version);
	pthread_mutex_unlock(&s.lock);
	for (unsigned i = 0; i < 3; i++) {
		pthread_join(t[i].thread, NULL);
		end(&t[i]);
	}
	assert_null(s.running);
}

static void *wait_for(void *shared)
{
	struct collect_shared *s = shared;
	collect_taken(s, atomic_load(&s->version));
	return NULL;
}

TEST(nobody_waits_for_a_thread_that_has_ended)
{
	struct collect_shared s = {.version = 1};
	struct taker t[2];
	pthread_t waits;
	collect_shared_init(&s);
	begin(&t[0], &s, 0);
	begin(&t[1], &s, 0);
	assert_int_equal(pthread_create(&waits, NULL, wait_for, &s), 0);
	end(&t[0]);
	end(&t[1]);
	pthread_join(waits, NULL);
	assert_null(s.running);
}

TEST(nobody_waits_when_the_server_ends)
{
	struct collect_shared s = {.version = 1};
	struct taker t;
	pthread_t waits;
	collect_shared_init(&s);
	begin(&t, &s, 0);
	assert_int_equal(pthread_create(&waits, NULL, wait_for, &s), 0);
	collect_shared_end(&s);
	pthread_join(waits, NULL);
	collect_taken(&s, 1);
	assert_int_equal(t.c.version, 0);
	end(&t);
}

UNIT_TESTS(cmocka_unit_test(who_waits_knows_that_all_threads_have_taken_it),
    cmocka_unit_test(nobody_waits_for_a_thread_that_has_ended),
    cmocka_unit_test(nobody_waits_when_the_server_ends))

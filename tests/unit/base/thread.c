/* base/thread: what each thread begins with. */
#include "unit.h"

#include "crumb/base/thread.h"

#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>

/* What a thread found about itself. */
struct found {
	sigset_t blocked;
	size_t stack;
	sem_t go;
};

static void *look(void *arg)
{
	struct found *f = arg;
	pthread_attr_t attr;
	pthread_sigmask(SIG_BLOCK, NULL, &f->blocked);
	assert_int_equal(pthread_getattr_np(pthread_self(), &attr), 0);
	pthread_attr_getstacksize(&attr, &f->stack);
	pthread_attr_destroy(&attr);
	sem_wait(&f->go);
	return f;
}

TEST(a_thread_has_a_name_a_stack_and_no_signals_but_those_of_faults)
{
	struct found f = {.stack = 0};
	sigset_t before, after;
	pthread_t thread;
	char name[32];
	void *end = NULL;
	sem_init(&f.go, 0, 0);
	pthread_sigmask(SIG_BLOCK, NULL, &before);
	assert_int_equal(thread_start(&thread, "a name of twenty byte", look, &f), OK);
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	assert_int_equal(pthread_getname_np(thread, name, sizeof name), 0);
	sem_post(&f.go);
	pthread_join(thread, &end);
	sem_destroy(&f.go);
	assert_ptr_equal(end, &f);
	assert_string_equal(name, "a name of twent");
	assert_true(f.stack >= (size_t)8 << 20);
	static const int blocked[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGCHLD,
	    SIGALRM},
			 open_[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++)
		assert_int_equal(sigismember(&f.blocked, blocked[i]), 1);
	for (size_t i = 0; i < sizeof open_ / sizeof *open_; i++)
		assert_int_equal(sigismember(&f.blocked, open_[i]), 0);
	for (int s = 1; s < SIGRTMIN; s++) /* whoever starts it keeps his own */
		assert_int_equal(sigismember(&before, s), sigismember(&after, s));
}

/* The system grants no thread when this is set: linked in the place of pthread_create() (Makefile).
 */
static bool none;
int __real_pthread_create(
    pthread_t *out, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int __wrap_pthread_create(
    pthread_t *out, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int __wrap_pthread_create(
    pthread_t *out, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	return none ? 11 : __real_pthread_create(out, attr, run, arg);
}

TEST(a_thread_that_is_not_granted_is_an_error_with_words_and_leaves_signals_as_they_were)
{
	pthread_t self = pthread_self(), thread = self;
	sigset_t before, after;
	pthread_sigmask(SIG_BLOCK, NULL, &before);
	none = true;
	assert_int_equal(thread_start(&thread, "journal", look, NULL), ERR_IO);
	none = false;
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	assert_true(pthread_equal(thread, self)); /* untouched */
	assert_string_equal(
	    err_text(), "no thread 'journal': raise the limit of threads (ulimit -u, TasksMax=)");
	for (int s = 1; s < SIGRTMIN; s++)
		assert_int_equal(sigismember(&before, s), sigismember(&after, s));
}

UNIT_TESTS(cmocka_unit_test(a_thread_has_a_name_a_stack_and_no_signals_but_those_of_faults),
    cmocka_unit_test(
	a_thread_that_is_not_granted_is_an_error_with_words_and_leaves_signals_as_they_were))

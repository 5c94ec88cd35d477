/* For ThreadSanitizer alone: threads and locks of C11, by those of POSIX.
 *
 * librdkafka starts its threads with thrd_create(). The sanitizer knows of pthread_create() only: a
 * thread that it did not see begin has no state, and the first call of ours there ends the program.
 * So in such a build librdkafka finds these in the place of the C library's. Locks are handed on,
 * too, so that the sanitizer sees what orders librdkafka's threads. What librdkafka itself does is
 * not looked at: it is not built with the sanitizer, which sees none of its atomics. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif

#ifdef SANITIZED
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "the C library has one lock");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "and one condition");

/* Names of C functions begin with these two where nothing else may. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:librdkafka.so\n"
	       "called_from_lib:librdkafka.so\n";
}

struct begun {
	thrd_start_t run;
	void *arg;
};

static void *c11_begin(void *arg)
{
	struct begun b = *(struct begun *)arg;
	free(arg);
	return (void *)(intptr_t)b.run(b.arg);
}

static int c11_said(int no)
{
	switch (no) {
	case 0:
		return thrd_success;
	case ENOMEM:
	case EAGAIN:
		return thrd_nomem;
	case EBUSY:
		return thrd_busy;
	case ETIMEDOUT:
		return thrd_timedout;
	default:
		return thrd_error;
	}
}

int thrd_create(thrd_t *out, thrd_start_t run, void *arg)
{
	struct begun *b = malloc(sizeof *b);
	if (!b)
		return thrd_nomem;
	*b = (struct begun){run, arg};
	int no = pthread_create(out, NULL, c11_begin, b);
	if (no)
		free(b);
	return c11_said(no);
}

int thrd_join(thrd_t thread, int *result)
{
	void *got;
	int no = pthread_join(thread, &got);
	if (!no && result)
		*result = (int)(intptr_t)got;
	return c11_said(no);
}

int mtx_init(mtx_t *m, int type)
{
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	if (type & mtx_recursive)
		pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	int no = pthread_mutex_init((pthread_mutex_t *)m, &a);
	pthread_mutexattr_destroy(&a);
	return c11_said(no);
}

int mtx_lock(mtx_t *m)
{
	return c11_said(pthread_mutex_lock((pthread_mutex_t *)m));
}

int mtx_unlock(mtx_t *m)
{
	return c11_said(pthread_mutex_unlock((pthread_mutex_t *)m));
}

void mtx_destroy(mtx_t *m)
{
	pthread_mutex_destroy((pthread_mutex_t *)m);
}

int cnd_init(cnd_t *c)
{
	return c11_said(pthread_cond_init((pthread_cond_t *)c, NULL));
}

int cnd_signal(cnd_t *c)
{
	return c11_said(pthread_cond_signal((pthread_cond_t *)c));
}

int cnd_broadcast(cnd_t *c)
{
	return c11_said(pthread_cond_broadcast((pthread_cond_t *)c));
}

int cnd_wait(cnd_t *c, mtx_t *m)
{
	return c11_said(pthread_cond_wait((pthread_cond_t *)c, (pthread_mutex_t *)m));
}

int cnd_timedwait(cnd_t *restrict c, mtx_t *restrict m, const struct timespec *restrict until)
{
	return c11_said(pthread_cond_timedwait((pthread_cond_t *)c, (pthread_mutex_t *)m, until));
}

void cnd_destroy(cnd_t *c)
{
	pthread_cond_destroy((pthread_cond_t *)c);
}
#endif

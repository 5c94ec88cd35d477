/* Starting threads. A new thread has the signal mask, the ambient and the priority of whoever
 * starts it. So the mask is set before and put back after; the others go with the argument, in a
 * struct that the new thread frees. */
#include "crumb/base/thread.h"

#include "crumb/base/ambient.h"
#include "crumb/base/low.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define STACK_BYTES ((size_t)8 << 20)

static void block_signals(sigset_t *old)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
	sigset_t most;
	sigfillset(&most);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		sigdelset(&most, faults[i]);
	pthread_sigmask(SIG_BLOCK, &most, old);
}

struct start {
	struct ambient *ambient;
	struct low low;
	void *(*run)(void *);
	void *arg;
};

static void *thread_begin(void *arg)
{
	struct start s = *(struct start *)arg;
	free(arg);
	ambient_enter(s.ambient);
	low_enter(s.low);
	return s.run(s.arg);
}

static int create(pthread_t *out, const pthread_attr_t *attr, struct start *s)
{
	sigset_t old;
	block_signals(&old); /* a thread begins with the mask of whoever starts it */
	int rc = pthread_create(out, attr, thread_begin, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

enum err thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *arg)
{
	char cut[THREAD_NAME_MOST + 1];
	pthread_attr_t attr;
	pthread_t thread;
	struct start *s = malloc(sizeof *s);
	if (!s || pthread_attr_init(&attr) != 0) {
		free(s);
		return err_set(ERR_NOMEM, "no memory for the thread '%s'", name);
	}
	*s = (struct start){ambient_mine, low_mine(), run, arg};
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	int rc = create(&thread, &attr, s);
	pthread_attr_destroy(&attr);
	if (rc != 0) {
		free(s);
		return err_set(ERR_IO,
		    "no thread '%s': raise the limit of threads (ulimit -u, TasksMax=)", name);
	}
	snprintf(cut, sizeof cut, "%.*s", THREAD_NAME_MOST, name);
	pthread_setname_np(thread, cut);
	*out = thread;
	return OK;
}

/* Starting threads, for everybody who has one. */
#include "crumb/base/thread.h"

#include <signal.h>
#include <stdio.h>

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

enum err thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *arg)
{
	char cut[THREAD_NAME_MOST + 1];
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t old;
	if (pthread_attr_init(&attr) != 0)
		return err_set(ERR_NOMEM, "no memory for the thread '%s'", name);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	block_signals(&old); /* a thread begins with the mask of whoever starts it */
	int rc = pthread_create(&thread, &attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (rc != 0)
		return err_set(ERR_IO, "no thread '%s': raise the limit of threads (ulimit -u, TasksMax=)", name);
	snprintf(cut, sizeof cut, "%.*s", THREAD_NAME_MOST, name);
	pthread_setname_np(thread, cut);
	*out = thread;
	return OK;
}

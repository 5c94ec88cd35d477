/* Threads are started in one way. Each has a name, by which gdb, perf and top tell them apart; 8 MB
 * of address space for its stack, whatever the limit of the shell is; and signals blocked, so that
 * those which end or reload a process reach the thread that waits for them. Signals of a fault
 * (SIGSEGV, SIGBUS and the like) stay open: disk/guard says which mapped file it was. A thread is
 * in the ambient of whoever starts it (base/ambient.h). */
#ifndef CRUMB_BASE_THREAD_H
#define CRUMB_BASE_THREAD_H

#include "crumb/base/err.h"

#include <pthread.h>

#define THREAD_NAME_MOST 15 /* bytes that the system keeps; more are cut off */

/* Any thread; costs a few system calls. Whoever starts a thread joins it. ERR_NOMEM; ERR_IO when
 * the system grants none, with words about the limit; *out is untouched then. */
enum err thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *arg) MUST_CHECK;

#endif

/* Jobs on as many threads as there are cores: each job once, in no order. What must not depend on
 * the order is joined by the caller, job by job. */
#ifndef CRUMB_BASE_SPREAD_H
#define CRUMB_BASE_SPREAD_H

#include "crumb/base/err.h"

#define SPREAD_THREADS_MAX 8

/* Runs job(arg, 0 … n − 1); returns the error of the lowest number among those that failed, with
 * its words. The caller's thread takes part, and is enough where no other can be had. */
enum err spread(unsigned n, enum err (*job)(void *arg, unsigned number), void *arg) MUST_CHECK;

#endif

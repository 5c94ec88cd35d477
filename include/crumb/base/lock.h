/* An assertion that a lock is held, for functions whose callers have to hold it.
 *
 * The assertion costs one atomic operation. It tells that somebody holds the lock, not that the
 * caller does: a caller without it is found when nobody else has it, which is nearly always. It is
 * for a plain mutex only, and not for the way of a hit. */
#ifndef CRUMB_BASE_LOCK_H
#define CRUMB_BASE_LOCK_H

#include "crumb/base/err.h"

#include <errno.h>
#include <pthread.h>

#define CHECK_HELD(mutex) CHECK(pthread_mutex_trylock(mutex) == EBUSY)

#endif

/* The sentence "the lock is held", as a check. It sees that somebody holds the mutex, not who; in a
 * test that is enough to find the caller who forgot. It costs one atomic instruction, so it has no
 * place on the way of a hit. Any thread; for mutexes that are not recursive. */
#ifndef CRUMB_BASE_LOCKED_H
#define CRUMB_BASE_LOCKED_H

#include "crumb/base/err.h"

#include <errno.h>
#include <pthread.h>

#define CHECK_LOCKED(mutex) CHECK(pthread_mutex_trylock(mutex) == EBUSY)

#endif

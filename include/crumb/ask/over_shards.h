/* A walk over all shards at once, for questions and reports. Any thread may begin one; the threads
 * that it starts end before it returns. They have the priority of whoever begins it. */
#ifndef CRUMB_ASK_OVER_SHARDS_H
#define CRUMB_ASK_OVER_SHARDS_H

#include "crumb/base/err.h"

#include <stddef.h>

/* Calls shard(arg, number, own) for each shard, by as many threads as there are cores. `own` is
 * `size` zeroed bytes of the calling thread, for its part of the result; in the end add(arg, own)
 * is called for each of them, by the thread that asks. The first error ends its thread's part, and
 * is returned with its words. */
enum err over_shards(unsigned shards, enum err (*shard)(void *arg, unsigned shard, void *own),
    void *arg, size_t size, void (*add)(void *arg, void *own)) MUST_CHECK;
/* How many threads that are at most, so how often there are `size` bytes. */
unsigned over_shards_threads(unsigned shards);

#endif

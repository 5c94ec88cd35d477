/* Inside ask: a walk over all shards at once, and what a question about one group has found out.
 *
 *     over_shards.c    one thread for each core; the result of each is added up
 *     ask.c            how many satisfy a condition; who had a category lately
 *     remembered.c     the groups that were asked about, so that differences tell nothing
 *     moves.c          what a change of rules does to each segment
 *
 * A question belongs to the thread that asks; only struct ask_memory is shared, under its lock. */
#ifndef CRUMB_SRC_ASK_ASKING_H
#define CRUMB_SRC_ASK_ASKING_H

#include "crumb/ask/ask.h"
#include "crumb/ask/over_shards.h"

/* A set of visitors of one shard, by ordinal: bit o % 64 of word o / 64. 1,000,000 visitors in 8
 * shards are 16 KB a shard. */
struct set {
	uint64_t *words;
	size_t n; /* words that are there; those behind are zero */
};
void sets_free(struct set *s, unsigned shards);

/* A question about how many satisfy a condition. */
struct sizing {
	struct generation *g;
	const struct rules *rules;
	struct set *sets; /* per shard: who satisfies it */
	int root;	  /* -1: nobody is asked for, only the segments' sizes */
	uint32_t now;
	size_t segments;
	uint64_t *wanted; /* categories that the condition looks at */
	/* [0] visitors, [1] who satisfy it; then for each segment its size, and how many of its
	 * members satisfy it */
	uint64_t *sum;
};

/* --- remembered.c */

/* The number to be told for this question. The memory takes the sets where the group is new, and
 * then s->sets is NULL. `memory` may be NULL. *refused: it is full. */
struct shown ask_nearest(
    struct sizing *s, const struct kgate *gate, struct ask_memory *memory, bool *refused);

#endif

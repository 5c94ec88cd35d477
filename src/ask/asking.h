/* Inside ask: a walk over all shards at once, and what a question about one group has found out.
 *
 *     over_shards.c    one thread for each core; the result of each is added up
 *     ask.c            how many satisfy a condition; who had a category lately
 *     remembered.c     the groups that were asked about, so that differences tell nothing
 *     moves.c          what a change of rules does to each segment
 *     move_groups.c    the groups of that which are remembered
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
void set_add(struct set *s, uint32_t ordinal); /* without memory memory_check() says so */

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
/* --- move_groups.c: of a comparison with what serves, the groups that are questions. */

enum { GROUP_ENTER, GROUP_LEAVE, GROUP_AFTER, GROUPS };
struct move_groups {
	const struct ask_side *before;
	const struct move *moves;
	size_t asked; /* moves that are counted */
	size_t move[ASK_DIFF_MOST];
	struct sizing of[ASK_DIFF_MOST][GROUPS];
	size_t sums; /* numbers that a thread counts */
};
/* Chooses the moves, and marks those that are left out. In any case move_groups_end() follows. */
enum err move_groups_begin(struct move_groups *m, const struct ask_side *before,
    const struct ask_side *after, struct move *moves, size_t n, uint32_t now) MUST_CHECK;
/* A visitor of a shard. `was` and `will`: the segments of either side; `ordinal` is wanted with
 * `known`, when what serves has the visitor. `sums` are the calling thread's. */
void move_groups_count(struct move_groups *m, unsigned shard, const uint8_t *was,
    const uint8_t *will, bool known, uint32_t ordinal, uint64_t *sums);
/* The numbers to be told of the i-th counted move. `moved`: who enter, stay, leave. */
enum err move_groups_tell(struct move_groups *m, size_t i, const struct kgate *gate,
    struct ask_memory *memory, const uint64_t *moved, const uint64_t *sums,
    struct move *out) MUST_CHECK;
void move_groups_end(struct move_groups *m);

#endif

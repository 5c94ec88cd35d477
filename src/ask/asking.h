/* Inside ask: a walk over all shards at once, and what a question about one group has found out.
 *
 *     over_shards.c    one thread for each core; the result of each is added up
 *     ask.c            how many satisfy a condition; who had a category lately
 *     by_members.c     how many satisfy one that is made up of segments
 *     sets.c           groups of visitors, as bits
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
/* Without memory memory_check() says so. */
void set_add(struct set *s, uint32_t ordinal);
void set_word_add(struct set *s, size_t word, uint64_t bits);
void set_join(struct set *a, const struct set *b); /* puts the visitors of b into a */
void set_meet(struct set *a, const struct set *b); /* leaves only those of b in a */
void set_without(struct set *a, const struct set *b);
bool set_has(const struct set *s, uint32_t ordinal);
uint64_t set_size(const struct set *s);
/* One set for each shard. Visitors who are in one of two groups and not in both; free() all. */
uint64_t sets_apart(const struct set *a, const struct set *b, unsigned shards);
void sets_free(struct set *s, unsigned shards);

/* A question about how many satisfy a condition. */
struct sizing {
	struct generation *g;
	const struct rules *rules;
	struct set *sets;	       /* per shard: who satisfies it */
	const struct rule_node *nodes; /* of the condition: those of the rules, or its own */
	int root;		       /* -1: nobody is asked for, only the segments' sizes */
	/* by node of the condition: the segment whose members satisfy it, or -1; NULL: not known */
	int32_t *stands;
	uint64_t k; /* the gate's */
	uint32_t now;
	size_t segments;
	uint64_t *wanted; /* categories that the condition looks at */
	/* [0] visitors, [1] who satisfy it; then for each segment its size, and how many of its
	 * members satisfy it: of a segment that is k or more away it may be more, but no more than
	 * leaves it that far away */
	uint64_t *sum;
};

/* --- ask.c */

/* For over_shards(): counts in `sums`, which are laid out as a->sum is, and fills a->sets. */
enum err by_profiles_shard(void *sizing, unsigned shard, void *sums) MUST_CHECK;

/* --- by_members.c */

/* Finds what a->nodes stand for; free() a->stands, whatever comes of it. */
enum err by_members_find(struct sizing *a) MUST_CHECK;
bool by_members_can(const struct sizing *a); /* do memberships alone answer it? */
/* The same from memberships. */
enum err by_members_shard(void *sizing, unsigned shard, void *sums) MUST_CHECK;

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

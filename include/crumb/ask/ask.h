/* Questions about groups that no serving rule defines, answered exactly from the profiles, and told
 * through the k gate.
 *
 * A group that differs from a defined segment, from everybody, or from a group that was asked about
 * before, by fewer than k visitors is told with that one's number. So the difference between two
 * answers tells nothing about fewer than k (src/ask/remembered.c, with an example).
 *
 * Threads: any thread asks, and waits; each question uses one thread for each core. A memory is
 * shared between them. */
#ifndef CRUMB_ASK_ASK_H
#define CRUMB_ASK_ASK_H

#include "crumb/views/view.h"

struct answer {
	struct shown size, visitors;
	bool refused; /* the memory is full: no different question is answered for now */
};

/* The groups that were asked about, with the numbers that were told: kept for a day at least, for
 * 30 days while there is room. When the questions of a day have filled it, different ones are
 * refused until the oldest is a day old. One for each server; 64 MB at most. */
struct ask_memory;
struct ask_memory *ask_memory_new(void);
void ask_memory_free(struct ask_memory *m);
/* Notes what was asked, and says how many more different questions may be asked within a day of the
 * first. They are counted by their words alone: how many groups are remembered would tell whether
 * two groups are the same visitors. So there may be room for some more. */
unsigned ask_left(struct ask_memory *m, struct str question, uint32_t now);

/* How many satisfy the condition at `now`. `root` is a node of `rules` (rules_condition()), which
 * are the generation's or a copy of them; -1: nobody is asked for. `memory` may be NULL: then only
 * segments and everybody have numbers. */
enum err ask_size(struct generation *g, const struct rules *rules, const struct kgate *gate,
    struct ask_memory *memory, int root, uint32_t now, struct answer *out) MUST_CHECK;

/* How many are in two segments of the generation, and in both: a question as that of ask_size(). */
struct both {
	struct shown size[2], both;
	bool refused; /* as above, and then `both` tells nothing */
};
enum err ask_both(struct generation *g, const struct kgate *gate, struct ask_memory *memory,
    const uint16_t segments[2], uint32_t now, struct both *out) MUST_CHECK;

/* Rules, and a generation whose profiles have what they ask for: its own, or one from which they
 * could be adopted. */
struct ask_side {
	struct generation *generation;
	const struct rules *rules;
};
/* What a change of rules does to one segment. */
struct move {
	const char *id; /* of one of the rule sets */
	int was, will; /* its number before and after, also under another id; -1: it is not there */
	bool same;     /* it means the same: nobody moves */
	bool uncounted; /* too many segments change: this one's numbers are not told */
	struct shown before, after, enter, stay, leave;
};
/* Compares visitor by visitor; one row for each segment of either side, in order of id. free() the
 * moves.
 *
 * With a memory, `before` is what serves, and who enters, who leaves and who is in a changed
 * segment afterwards are questions as those of ask_size(): told with the number of what is near,
 * remembered, and ERR_BUSY when the day's questions are used up. So somebody who compares one
 * invented condition after the other learns no more than by asking. At most ASK_DIFF_MOST segments
 * that change are counted then, those first whose own condition reads differently. */
#define ASK_DIFF_MOST 32
enum err ask_diff(const struct ask_side *before, const struct ask_side *after,
    const struct kgate *gate, struct ask_memory *memory, uint32_t now, struct move **moves,
    size_t *n) MUST_CHECK;

/* Visitors who had a category in the last days; by number of category. free() it. */
enum err ask_recent(
    struct generation *g, uint32_t now, unsigned days, uint64_t **visitors) MUST_CHECK;

#endif

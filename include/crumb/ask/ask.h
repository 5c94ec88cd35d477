/* Questions about groups that no serving rule defines, answered exactly from the profiles, through
 * the k gate.
 *
 * An answer whose group differs from a defined segment, or from everybody, by fewer than k visitors
 * is given as that one's number, so that the difference between two answers tells nothing about
 * fewer than k. */
#ifndef CRUMB_ASK_ASK_H
#define CRUMB_ASK_ASK_H

#include "crumb/views/view.h"

struct answer {
	struct shown size, visitors;
	bool refused; /* the memory is full: no more different questions for now */
};

/* The groups that were asked about, as sets, with the number that was told: at least for a day, for
 * 30 days while there is room. An answer whose group differs by fewer than k from one that got a
 * number of its own in the last day is given as that one's number. What is hardly apart (half a
 * step of rounding) from any of them gets its number, for as long as that is within a step of the
 * truth. Bounded: when the questions of a day have filled it, different ones are refused until the
 * oldest is a day old. One for each server; any thread. */
struct ask_memory;
struct ask_memory *ask_memory_new(void);
void ask_memory_free(struct ask_memory *m);

/* How many satisfy the condition now. `root` is a node of `rules` (rules_condition), which are the
 * generation's or a copy of them. One thread for each core. `memory` may be NULL. */
enum err ask_size(struct generation *g, const struct rules *rules, const struct kgate *gate,
    struct ask_memory *memory, int root, uint32_t now, struct answer *out) MUST_CHECK;

/* Rules, and a generation whose profiles have what they ask for: its own, or one from which they
 * could be adopted. */
struct ask_side {
	struct generation *generation;
	const struct rules *rules;
};
/* What a change of rules does to one segment. */
struct move {
	const char *id; /* of one of the rule sets */
	int was, will; /* its number before and after; -1: it is not there. What is called otherwise
			  now, and means the same, is one */
	bool same;     /* it means the same: nobody moves */
	struct shown before, after, enter, stay, leave;
};
/* Compares visitor by visitor; one row for each segment of either side, in order of id. free() the
 * moves. */
enum err ask_diff(const struct ask_side *before, const struct ask_side *after,
    const struct kgate *gate, uint32_t now, struct move **moves, size_t *n) MUST_CHECK;

/* Visitors who had a category in the last days; by number of category. free() it. */
enum err ask_recent(
    struct generation *g, uint32_t now, unsigned days, uint64_t **visitors) MUST_CHECK;

#endif

/* Since when what is decided at the door has been decided as it is now.
 *
 * Patterns on fields that are not kept, and vocabularies, act when a hit comes in; the journal
 * cannot tell what they would have done before. So the history of whatever depends on them begins
 * when they were first in force, without a gap since. The journal has a record of each activation
 * of rules, so this survives a rebuild.
 *
 *     meta "since":  name u64 │ t u32, for each such thing of the generation's rules
 *                    t 0: not seen in force yet
 *                    name 0: the first activation of any rules that the journal has
 *
 * Example: rules A (day 100), B (day 110) and C (day 120) were activated, and the generation is
 * made for C. A and C have a pattern on the title of a page, B has not.
 *
 *     record read    the pattern     t
 *     A, day 100     in force        100
 *     B, day 110     not in force    0
 *     C, day 120     in force        120       the history of what asks for it begins on day 120
 *
 * An activation that was noted before changes nothing, wherever in the log it stands again: the
 * identities (model/record.h) of those that were noted since since_init() are kept in memory, 16
 * bytes each, one a day and one for each change of rules. A process that begins anew begins behind
 * its watermark, and so behind what it has noted.
 *
 * One thread at a time, which is the holder of the fold's `busy` lock; or anybody's own copy, from
 * since_init() and since_load(). */
#ifndef CRUMB_VIEWS_SINCE_H
#define CRUMB_VIEWS_SINCE_H

#include "crumb/model/record.h"
#include "crumb/rules/rules.h"
#include "crumb/store/shard.h"

struct since_entry {
	uint64_t name; /* pattern.leaf or vocabulary.hash; 0: any rules at all */
	uint32_t t;    /* seconds */
};
struct since {
	struct since_entry *list; /* sorted by name */
	size_t n;
	bool changed; /* since the last save that was committed */
	bool saved;   /* in a transaction that has not ended yet */
	/* identities of the activations that were noted */
	struct hash16 *noted;
	size_t noted_n, noted_cap;
	uint32_t latest; /* the time of the last of them, seconds */
	/* the names of the latest foreign rule set, so that a run of its records parses it once */
	uint8_t hash[16];
	uint64_t *names;
	size_t names_n;
};

/* False: no memory. since_done() is fine then, too. */
bool since_init(struct since *s, const struct rules *r);
void since_done(struct since *s);
/* Takes the stored times of names that are ours. */
void since_load(struct since *s, struct shard *sh, struct db_txn *t);
/* Stores the times, if any changed since the last save that was committed. */
void since_save(struct since *s, struct shard *sh, struct db_txn *t);
/* The record of an activation was read; `ours` are the rules of the generation. */
void since_note(struct since *s, const struct rules *ours, const struct record *activation);
/* When it was first in force, in seconds; 0: not seen yet. */
uint32_t since_of(const struct since *s, uint64_t name);

/* The first day of the history of each category and segment, by number; 0: it is whole. A parent's
 * history begins with that of its latest child. free() both. */
enum err since_days(const struct since *s, const struct rules *r, uint16_t today,
    unsigned retention, uint16_t **categories, uint16_t **segments) MUST_CHECK;

#endif

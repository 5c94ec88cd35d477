/* Since when what is decided at the door has been decided as it is now.
 *
 * Patterns on fields that are not kept, and vocabularies, act when a hit comes in; the journal
 * cannot tell what they would have done before. So the history of what depends on them begins where
 * they were first in force, without a gap since. That is read from the journal's own records of
 * activated rules, so it survives a rebuild.
 *
 *     meta "since":  name u64 │ t u32, for each such thing of the generation's rules; t 0: not seen
 * in force yet; name 0: the first activation of any rules that the journal has
 *
 * An activation that was noted before changes nothing, wherever in the log it stands again:
 * identities (crumb/model/record.h) of those that were noted since since_init() are kept in mind. A
 * fold that begins anew begins behind its watermark, and so behind what it has noted.
 *
 * One thread at a time. */
#ifndef CRUMB_VIEWS_SINCE_H
#define CRUMB_VIEWS_SINCE_H

#include "crumb/model/record.h"
#include "crumb/rules/rules.h"
#include "crumb/store/shard.h"

struct since_entry {
	uint64_t name;
	uint32_t t;
};
struct since {
	struct since_entry *list; /* sorted by name */
	size_t n;
	bool changed, saved; /* saved: in a transaction that has not ended yet */
	struct hash16
	    *noted; /* activations: their identities, one a day and one for each change of rules */
	size_t noted_n, noted_cap;
	uint32_t latest; /* the time of the last that was noted */
	/* the names that the latest foreign rule set had */
	uint8_t hash[16];
	uint64_t *names;
	size_t names_n;
};

bool since_init(
    struct since *s, const struct rules *r); /* false: no memory; since_done() is fine */
void since_done(struct since *s);
void since_load(struct since *s, struct shard *sh,
    struct db_txn *t); /* times that are stored, for names that are ours */
void since_save(struct since *s, struct shard *sh,
    struct db_txn *t); /* if anything changed since a save that was committed */
/* The record of an activation was read; `ours` are the generation's. */
void since_note(struct since *s, const struct rules *ours, const struct record *activation);
uint32_t since_of(const struct since *s, uint64_t name);

/* The first day of the history of each category and segment, 0 where it is whole. `since` is
 * loaded; free() both. */
enum err since_days(const struct since *s, const struct rules *r, uint16_t today,
    unsigned retention, uint16_t **categories, uint16_t **segments) MUST_CHECK;

#endif

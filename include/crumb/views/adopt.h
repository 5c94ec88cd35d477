/* New views of a shard from the profiles of the serving one.
 *
 * A change of rules that leaves categories and vocabularies as they are needs no journal: profiles
 * have all that conditions ask for. What goes over, and how:
 *
 *     serving shard                        new shard
 *     profile: rows by category number ──► the same rows under the categories' new numbers
 *              memberships             ──► evaluated anew, all segments
 *     ordinals, who is provisional,
 *     tombstones, events a day        ─► as they are
 *     matches                         ─► those kept, of visitors who went over
 *     watermark of the moment read     ──► watermark; what follows comes from the journal by folds
 *
 * Example: the old rules have the categories 1 boots, 2 coats; the new ones 1 bags, 2 boots, 3
 * coats, and all say the same of boots and coats. That is not possible: nobody knows who looked at
 * bags. With 1 coats alone it is: rows of boots go (GONE), rows of category 2 become rows of
 * category 1.
 *
 * When it is possible. Each category of the new rules is in the old ones with the same definition
 * (a hash of its patterns and those of its children), is summed there if it is summed now, and the
 * vocabularies are the same. See also views/fill.h, for when it is not.
 *
 * The cost is one read of the profiles, and no memory beside the map (128 KB).
 *
 * Threads: questions about rules are pure. fold_adopt() and fold_carry_daily() want the `busy` lock
 * of the new fold; the old shard is read in one transaction, while its own fold goes on. */
#ifndef CRUMB_VIEWS_ADOPT_H
#define CRUMB_VIEWS_ADOPT_H

#include "crumb/views/fold.h"

/* Do profiles made by `old` rules have all that `fresh` ones ask for? */
bool adopt_possible(const struct rules *old, const struct rules *fresh);
/* Does a segment mean the same in both? *number: the number that it has among the old rules. */
bool segment_unchanged(
    const struct rules *old, const struct rules *fresh, uint16_t segment, uint16_t *number);

/* Fills a shard of which nothing serves yet. *done grows by the visitors that went over, and
 * shrinks again on an error. *stop gives up between two slices, with ERR_BUSY. ERR_BUSY also says
 * that a fold of the old shard was between two of its slices for a whole second. ERR_CORRUPT: a
 * profile or a key of the old shard does not decode.
 *
 * There is no resume rule as in fill.h: until it returns OK the shard is marked as incomplete (meta
 * "adopting"), and the next call begins anew. What a failed attempt left was read at an older
 * moment, so what follows would be counted twice. */
enum err fold_adopt(struct fold *f, struct shard *old, const struct rules *old_rules, uint32_t now,
    _Atomic uint64_t *done, const _Atomic bool *stop) MUST_CHECK;

/* Takes over the sizes by day of segments that mean the same. What the new views have folded and
 * the old ones have not, or the other way round, is told as today's. Nobody may fold the new shard
 * meanwhile. */
enum err fold_carry_daily(
    struct fold *f, struct shard *old, const struct rules *old_rules, uint16_t today) MUST_CHECK;

/* The map from the old rules' categories to the fresh ones', PROFILE_NUMBERS long, and a profile's
 * rows and sums under the new numbers. Questions about rules that do not serve use them, too. NULL:
 * no memory. free() the map. */
uint16_t *adopt_map(const struct rules *old, const struct rules *fresh);
void adopt_rows(const struct rules *fresh, const uint16_t *map, struct profile *p);

#endif

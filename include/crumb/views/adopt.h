/* New views from the profiles of the serving ones.
 *
 * A change of rules that leaves categories and vocabularies as they are needs no journal: profiles
 * have everything that conditions ask for. Rows go over under their new numbers, memberships are
 * evaluated afresh, ordinals stay, and the watermark is the one of the moment that was read. What
 * follows comes from the journal as always. */
#ifndef CRUMB_VIEWS_ADOPT_H
#define CRUMB_VIEWS_ADOPT_H

#include "crumb/views/fold.h"

/* Do profiles made by `old` rules have all that `fresh` ones ask for? */
bool adopt_possible(const struct rules *old, const struct rules *fresh);
/* The number that a segment had among old rules, if it means the same there. */
bool segment_unchanged(
    const struct rules *old, const struct rules *fresh, uint16_t segment, uint16_t *number);

/* Fills a shard of which nothing serves. *done grows by the visitors that went over, and shrinks
 * again when it fails; *stop gives up (ERR_BUSY). ERR_BUSY also says that a fold of the old one is
 * half done: then again, after it. The shard is incomplete, and marked so, until OK is returned;
 * who calls again begins anew. */
enum err fold_adopt(struct fold *f, struct shard *old, const struct rules *old_rules, uint32_t now,
    _Atomic uint64_t *done, const _Atomic bool *stop) MUST_CHECK;
/* Fills an empty shard from the journal, a range of visitor keys at a time, as many as fit into
 * memory: the journal is read once for each range, but each visitor is written only once, in order.
 * Goes on where it was interrupted. *filled is the first key that is not done. */
enum err fold_fill(struct fold *f, struct journal *j, uint32_t now, _Atomic uint64_t *filled,
    const _Atomic bool *stop) MUST_CHECK;

/* Takes over the history of sizes of segments that mean the same. Nobody may fold either shard
 * meanwhile. */
enum err fold_carry_daily(
    struct fold *f, struct shard *old, const struct rules *old_rules, uint16_t today) MUST_CHECK;

/* For questions about rules that do not serve: the numbers of categories under them, and rows under
 * these. free() the map. */
uint16_t *adopt_map(const struct rules *old, const struct rules *fresh);
void adopt_rows(const struct rules *fresh, const uint16_t *map, struct profile *p);

#endif

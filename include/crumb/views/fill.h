/* New views of a shard from the journal, when profiles do not have what new rules ask for.
 *
 * Folding as it happens would rewrite each page of a shard for every batch. A filling sees the
 * whole journal at once, so each visitor is visited once, with all records, in order of key: pages
 * are appended and full. Not all records fit into memory, so the visitor keys are cut into ranges:
 *
 *     keys       0 ─────────────┬─────────────┬─────────────┐ 2^64
 *                    range 1    │   range 2   │   range 3   │
 *                               ▲
 *                             next     keys below it have all records up to `target`
 *
 *     for each range:  read the journal up to `target`, keep the entries of its keys (fold_gather)
 *                      visit them in slices, and store target and `next` (meta "fill")
 *     at the end:      the watermark becomes `target`, and "fill" goes
 *
 * How wide a range is. Keys are hashes, so a share of the keys has the same share of the records.
 * The ranges left are as many as the entries left need at 128 MB (4,194,304 entries of 32 bytes).
 * Example: 10,000,000 records make 3 ranges; the second begins at 1/3, 6,666,667 records are left,
 * that are 2 ranges more.
 *
 * Records whose bytes are needed again (attributes, first hits, matches) take other memory, and how
 * much is not known before they are read. So the width adapts: when a pass meets 128 MB of them it
 * is given up, `narrower` grows by 4, and the range is read again with a fourth of its width; after
 * a range with less than 8 MB of them `narrower` shrinks by 4.
 * Example: 2,000,000 records with 200 bytes of attributes are 64 MB of entries, one range, and 400
 * MB of bytes. The first pass stops at 128 MB. `narrower` becomes 3 × 4 = 12, for the first factor
 * only brings 64 MB up to what one range holds. 6 ranges follow, each with 67 MB of bytes. They
 * cost 6 passes over the journal and a third of one. One visitor with more than 128 MB cannot be
 * cut: at a millionth of the first width a range takes what there is.
 *
 * Resuming: a filling that was stopped goes on at `next` with the same `target`. What is behind the
 * target comes by folds, as always.
 *
 * Threads: the holder of the fold's `busy` lock. *filled may be read by any thread. */
#ifndef CRUMB_VIEWS_FILL_H
#define CRUMB_VIEWS_FILL_H

#include "crumb/views/fold.h"

/* Fills a shard that is empty or half filled. *filled: where the range at hand begins, and
 * UINT64_MAX when the call ends, also on an error. *stop gives up between two slices, with
 * ERR_BUSY. On an error what is committed stays, and the next call goes on there. */
enum err fold_fill(struct fold *f, struct journal *j, uint32_t now, _Atomic uint64_t *filled,
    const _Atomic bool *stop) MUST_CHECK;

#endif

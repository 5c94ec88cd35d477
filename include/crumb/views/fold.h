/* The fold of one shard of one generation: journal records into views, and the sweep of what time
 * ends.
 *
 * fold_some() takes blocks after the shard's watermark, groups their records by visitor, applies
 * them, re-evaluates the memberships that what was touched can change, and commits profiles,
 * memberships, due entries and counters; the new watermark in the same transaction, or, where many
 * visitors take several, in the last one (shard_unfinished()). fold_sweep() does the same for
 * visitors whose due hour has come. The same code serves live traffic, recovery, rebuild and
 * replay. One thread at a time: take `busy`. */
#ifndef CRUMB_VIEWS_FOLD_H
#define CRUMB_VIEWS_FOLD_H

#include "crumb/views/members.h"
#include "crumb/core/config.h"
#include "crumb/match/match.h"
#include "crumb/store/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct fold {
	pthread_mutex_t busy; /* held by whoever folds, sweeps or adopts: fold threads and builders
				 hand over to each other */
	struct shard shard;
	struct rules *rules; /* holds a reference */
	unsigned retention;
	uint64_t provisional_max;
	_Atomic struct journal_pos watermark; /* so far the journal is in the views */
	_Atomic uint64_t
	    fresh_us; /* when the last pass began that read all there was (clock_mono_us) */
	_Atomic uint32_t swept_hour; /* everything due up to this hour was done */
	unsigned stream_keep_h;	     /* changes of membership are kept for so long; 0: not at all */
	_Atomic uint64_t changes;    /* sequence of the latest */
	uint16_t daily_day;	     /* day on which old counters were last removed */
	struct fold_scratch *scratch;
};

enum err fold_open(struct fold *f, struct store *s, uint32_t generation, unsigned shard,
    struct rules *r, const struct config *c) MUST_CHECK;
void fold_close(struct fold *f);

/* Is anything of the journal in the views? */
static inline bool fold_begun(struct fold *f)
{
	return journal_pos_before(JOURNAL_START, atomic_load(&f->watermark));
}
/* Are they as far as that? */
static inline bool fold_reached(const struct fold *f, struct journal_pos at)
{
	return !journal_pos_before(atomic_load(&f->watermark), at);
}

/* Applies up to about `most` records; *done says how many, *more whether there are others. */
enum err fold_some(struct fold *f, struct journal *j, uint32_t now, size_t most, size_t *done,
    bool *more) MUST_CHECK;
/* Looks at up to `most` due visitors; *more: some are left. */
enum err fold_sweep(struct fold *f, uint32_t now, size_t most, bool *more) MUST_CHECK;

/* Can a profile be one that was made by these rules? No number in it leads anywhere else. */
static inline bool fold_fits(const struct rules *r, const struct profile *p)
{
	return (p->rows_n == 0 || p->rows[p->rows_n - 1].cat < r->categories_n) &&
	       (p->sums_n == 0 || p->sums[p->sums_n - 1].cat < r->categories_n) &&
	       (p->segments_n == 0 || p->segments[p->segments_n - 1] < r->segments_n);
}
/* shard_profile() of a shard of these views. */
bool fold_profile(struct fold *f, struct db_txn *t, const struct vkey *k, struct profile *out);

/* The first day that is retained on `today`. */
static inline uint16_t oldest_day(uint16_t today, unsigned retention)
{
	return (uint16_t)(today - retention + 1);
}

#endif

/* The fold of one shard of one generation: it brings records of the journal into the views, and the
 * sweep brings in what time alone changes. The same code serves live traffic, recovery, a rebuild
 * and a replay.
 *
 *     journal    … [ 98 ][ 99 ][100 ][101 ]              blocks; the watermark is 98
 *                           │     │     │
 *                           └─────┼─────┘   fold_gather(): one pass, a small entry a record
 *                                 ▼
 *     entries    anna 99 · anna 101 · bert 99 · cleo 100         by visitor, then by place
 *                                 │
 *                                 ▼         fold_visit(): each profile is loaded and saved once
 *     views      profiles, memberships, counters, due hours, and the watermark: 101
 *
 * Profiles are counters: a record that was applied twice would count twice. So each transaction
 * commits what it changed together with how far the shard has come.
 *
 * The resume rule. A fold takes several transactions of about 16,384 visitors, in order of key.
 * Each but the last stores `target` and `next` beside the watermark (shard_unfinished()):
 *
 *     visitors whose key begins below `next`    have all records up to `target`
 *     all others                                have all records up to the watermark
 *
 * Example: the watermark is 98, blocks 99 to 101 hold records of 40,000 visitors.
 *
 *     transaction   visitors             stores
 *     1             1 … 16,384           watermark 98, target 101, next = key of the 16,385th
 *     2             16,385 … 32,768      watermark 98, target 101, next = key of the 32,769th
 *     3             32,769 … 40,000      watermark 101, and no target
 *
 * After a crash behind the second, fold_some() reads blocks 99 to 101 again, and no later ones,
 * keeps the entries of keys from `next` on, and visits the last 7,232. `next` is the first half of
 * a key (u64), so a transaction never ends between two visitors who share that half.
 *
 * Memory says how far the views are (`watermark`, `changes`) only after the commit, and a fold
 * reads it from the views first: a commit that returned an error may have reached the disk.
 *
 * Cost: 32 bytes a record that is gathered, so 32 MB for the million that a pass takes at most, and
 * about 5 MB of scratch for each shard that is folded. Whole records take up to 64 MB more, a list
 * of due visitors up to 24 MB. A pass that resumes takes all blocks up to `target`, whatever the
 * caller's limit is.
 *
 * Threads: the caller locks `busy` before it folds, sweeps, fills or adopts a shard; these
 * functions do not lock. A fold that no other thread can reach needs no lock. The atomic fields may
 * be read by any thread; the rest of the struct belongs to the holder of `busy`. */
#ifndef CRUMB_VIEWS_FOLD_H
#define CRUMB_VIEWS_FOLD_H

#include "crumb/views/members.h"
#include "crumb/core/config.h"
#include "crumb/match/match.h"
#include "crumb/store/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct fold {
	/* Held by whoever folds, sweeps, fills or adopts. A fold thread and a builder hand the
	 * shard over to each other by it. */
	pthread_mutex_t busy;
	/* constant from fold_open() on */
	struct rules *rules;	  /* a reference */
	unsigned retention;	  /* days */
	unsigned stream_keep_h;	  /* hours that crossings of segments are kept; 0: none are */
	uint64_t provisional_max; /* visitors of this shard who are remembered after a first hit */
	/* any thread; written under `busy` */
	_Atomic struct journal_pos watermark; /* the views have the journal up to here */
	_Atomic uint64_t fresh_us;	      /* clock_mono_us() at which the last pass began that
						 read all there was */
	_Atomic uint32_t swept_hour;	      /* all that was due up to this hour is done */
	_Atomic uint64_t changes;	      /* the sequence number of the latest crossing */
	/* under `busy`; views are read by any thread in a transaction of its own */
	struct shard shard;
	uint16_t daily_day;	      /* the day on which old counters were last removed */
	struct fold_scratch *scratch; /* NULL: opened for reading only */
};

/* The hours that a visitor without a cookie is remembered, until the cookie comes back. */
#define PROVISIONAL_HOURS 24

/* Opens the tables of a shard, and makes them where they are missing. `f` needs fold_close(), also
 * after an error. Errors are those of store_shard(), of the rules' patterns, and of the
 * transactions that read and write the tables. */
enum err fold_open(struct fold *f, struct store *s, uint32_t generation, unsigned shard,
    struct rules *r, const struct config *c) MUST_CHECK;
void fold_close(struct fold *f);

/* Is any record of the journal in the views? Any thread. */
static inline bool fold_begun(struct fold *f)
{
	return journal_pos_before(JOURNAL_START, atomic_load(&f->watermark));
}
/* Do the views have the journal up to that position? Any thread. */
static inline bool fold_reached(const struct fold *f, struct journal_pos at)
{
	return !journal_pos_before(atomic_load(&f->watermark), at);
}

/* Applies whole blocks until about `most` records are gathered. *done: how many. *more: others
 * wait. On an error the views are as the last commit left them, and the next call resumes. A
 * damaged block is no error: it is logged, counted and passed over. */
enum err fold_some(struct fold *f, struct journal *j, uint32_t now, size_t most, size_t *done,
    bool *more) MUST_CHECK;
/* Brings up to `most` visitors whose due hour has come to `now`; first hits that are forgotten
 * count, too. Removes old counters and tombstones. *more: call again; only a call that finds
 * nothing due sets it to false. */
enum err fold_sweep(struct fold *f, uint32_t now, size_t most, bool *more) MUST_CHECK;

/* Can these rules have made the profile? Then each number in it is below those of the rules. The
 * lists are sorted, so the last number is the largest. */
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

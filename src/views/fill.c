/* Views of a shard from the journal, a range of visitor keys at a time. How wide a range is, and
 * how a filling resumes, stands in views/fill.h with numbers. */
#include "crumb/views/fill.h"

#include "crumb/base/code.h"
#include "folding.h"

#include <math.h>

#define FILL_BYTES (128u << 20) /* of entries in one range */
#ifdef CRUMB_SMALL_MAPS
#define FILL_RAW (16u << 10) /* tests have few records, and shall narrow their ranges too */
#else
#define FILL_RAW (128u << 20) /* bytes of records that are needed again, in one range */
#endif
#define NARROWER_BY 4 /* in one step, and as much wider again */
#define WIDER_BELOW (FILL_RAW / 16)
#define NARROWEST 1e6 /* a range of a millionth of the first width takes what there is */

/* How far a filling is: meta "fill", target u64 │ next u64. Visitors whose key begins below `next`
 * have all records up to `target`. False: none has begun. */
static bool fill_state(struct fold *f, struct db_txn *t, struct journal_pos *target, uint64_t *next)
{
	struct str v;
	if (!db_get(t, f->shard.meta, STR("fill"), &v) || v.n != 16)
		return false;
	*target = journal_pos_load(get_u64((const uint8_t *)v.p));
	*next = get_u64((const uint8_t *)v.p + 8);
	return true;
}

static void fill_state_put(
    struct fold *f, struct db_txn *t, struct journal_pos target, uint64_t next)
{
	uint8_t b[16];
	put_u64(b, journal_pos_save(target));
	put_u64(b + 8, next);
	db_put(t, f->shard.meta, STR("fill"), str_make((const char *)b, 16));
}

/* The end of the range that begins at `next`: so many keys as `records` (of the whole shard) allow.
 * *expect: how many entries the range will have, and 2 % for chance. */
static uint64_t range_end(double records, uint64_t next, size_t *expect)
{
	double share =
	    (double)(UINT64_MAX - next) / (double)UINT64_MAX; /* of keys, so of records */
	double left = records * share, ranges = ceil(left * sizeof(struct entry) / FILL_BYTES);
	if (ranges < 1)
		ranges = 1;
	*expect = (size_t)(left / ranges * 1.02) + 4096;
	return ranges == 1 ? UINT64_MAX : next + (uint64_t)((double)(UINT64_MAX - next) / ranges);
}

/* Visits the gathered entries in slices; the shard has none of their visitors yet. Each slice
 * stores the key that the next one begins with. The last one stores `hi`, and so does a range
 * without entries. */
static enum err fill_range(
    struct fold *f, struct journal_pos target, uint64_t hi, uint32_t now, const _Atomic bool *stop)
{
	struct fold_scratch *x = f->scratch;
	enum err e = OK;
	for (size_t i = 0; !e && (i < x->entries_n || x->entries_n == 0);) {
		struct db_txn t;
		if (atomic_load(stop))
			return err_set(ERR_BUSY, "stopped");
		if ((e = db_begin(&f->shard.db, DB_WRITE, &t)))
			return e;
		fold_begin(x);
		for (size_t n = 0;
		     i < x->entries_n && (n < NEW_SLICE || !fold_may_end(x, i)) && !t.err; n++)
			i = fold_visit_at(f, &t, i, now);
		fold_finish(f, &t, day_of(now));
		fill_state_put(f, &t, target, i < x->entries_n ? x->entries[i].hi : hi);
		/* a process that resumes when all ranges are done reads no records of activated
		 * rules */
		since_save(&x->since, &f->shard, &t);
		if (!(e = fold_commit(f, &t)))
			db_write_out(&f->shard.db, DB_GENTLY);
		if (x->entries_n == 0)
			break;
	}
	return e;
}

/* All ranges are done: from here on the shard is folded like any other. */
static enum err fill_end(struct fold *f, struct journal_pos target)
{
	struct db_txn t;
	enum err e = db_begin(&f->shard.db, DB_WRITE, &t);
	if (e)
		return e;
	db_del(&t, f->shard.meta, STR("fill"));
	shard_watermark_put(&f->shard, &t, target);
	since_save(&f->scratch->since, &f->shard, &t);
	if (!(e = fold_commit(f, &t)))
		atomic_store(&f->watermark, target);
	return e;
}

/* A range was too large for memory: how much narrower the next try is. The whole shard in one range
 * is first made as narrow as one that is just full. */
static double narrower_than(double narrower, bool whole, uint64_t records)
{
	double full = 1;
	if (whole && narrower == 1)
		full = ceil(FILL_BYTES / ((double)records * sizeof(struct entry) + 1));
	return narrower * full * NARROWER_BY;
}

enum err fold_fill(struct fold *f, struct journal *j, uint32_t now, _Atomic uint64_t *filled,
    const _Atomic bool *stop)
{
	struct db_txn t;
	struct journal_pos target = journal_last(j, f->shard.number);
	uint64_t next = 0, records = 0;
	enum err e = db_begin(&f->shard.db, DB_READ, &t);
	if (e)
		return e;
	fill_state(f, &t, &target, &next);
	e = db_end(&t);
	if (!e)
		e = journal_count(j, f->shard.number, target, &records);
	double narrower = 1;
	f->shard.appending = true;
	while (!e && next != UINT64_MAX) {
		bool more;
		size_t expect;
		struct journal_pos last;
		uint64_t hi = range_end((double)records * narrower, next, &expect);
		struct fold_want want = {.after = JOURNAL_START,
		    .upto = target,
		    .lo = next,
		    .hi = hi == UINT64_MAX ? hi : hi - 1,
		    .most = SIZE_MAX,
		    .raw_most = narrower < NARROWEST ? FILL_RAW : SIZE_MAX,
		    .expect = narrower > 1 ? 0 : expect};
		atomic_store(filled, next);
		if ((e = fold_gather(f, j, &want, &last, &more)))
			break;
		if (more) {
			narrower = narrower_than(narrower, hi == UINT64_MAX, records);
			continue;
		}
		e = fill_range(f, target, hi, now, stop);
		next = hi;
		/* one busy visitor shall not make the ranges of all who follow narrow */
		if (f->scratch->raw.n < WIDER_BELOW)
			narrower = narrower > NARROWER_BY ? narrower / NARROWER_BY : 1;
	}
	f->shard.appending = false;
	atomic_store(filled, UINT64_MAX);
	return e ? e : fill_end(f, target);
}

/* The transactions of a fold: opening a shard's views, and bringing the journal into them by slices
 * of visitors. The picture, the resume rule and an example stand in views/fold.h. */
#include "crumb/views/fold.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/core/metric.h"
#include "crumb/condition/block.h"
#include "folding.h"

#include <stdlib.h>

/* Visitors in one transaction. LMDB keeps the pages that the last two commits replaced: if each
 * transaction replaced all pages, a file would be three times as large as what is in it. Tests with
 * small maps have few visitors, and shall fold in several transactions too. */
#ifdef CRUMB_SMALL_MAPS
#define FOLD_SLICE 5
#else
#define FOLD_SLICE 16384
#endif

#define RAW_BYTES_MAX (64u << 20) /* of records that are needed again, in one pass */

/* The names of the numbers, for whoever looks into the files without the rules; and the rules. */
static enum err write_names(struct fold *f, struct db_txn *t)
{
	uint8_t k[3];
	for (size_t i = 0; i < f->rules->categories_n; i++) {
		k[0] = 'c', put_u16(k + 1, (uint16_t)i);
		db_put(
		    t, f->shard.names, str_make((char *)k, 3), str_c(f->rules->categories[i].id));
	}
	for (size_t i = 0; i < f->rules->segments_n; i++) {
		k[0] = 's', put_u16(k + 1, (uint16_t)i);
		db_put(t, f->shard.names, str_make((char *)k, 3), str_c(f->rules->segments[i].id));
	}
	db_put(t, f->shard.meta, STR("rules"), buf_view(&f->rules->bundle));
	return t->err;
}

static enum err scratch_new(struct rules *r, struct fold_scratch **out)
{
	struct fold_scratch *x = calloc(1, sizeof *x);
	CHECK(x);
	enum err e = rules_match_begin(r, &x->match);
	if (e) {
		free(x);
		return e;
	}
	x->evaluator = rules_block_begin(r);
	x->mask_words = r->segments_n / 64 + 1;
	x->mask = calloc(x->mask_words, sizeof *x->mask);
	x->counts = calloc(r->categories_n, sizeof *x->counts);
	x->touched_counts = calloc(r->categories_n, sizeof *x->touched_counts);
	x->cats = calloc(r->categories_n + 1, sizeof *x->cats);
	x->cats_before = calloc(PROFILE_NUMBERS, sizeof *x->cats_before);
	x->cats_after = calloc(PROFILE_NUMBERS, sizeof *x->cats_after);
	x->segments = calloc(r->segments_n + 1, sizeof *x->segments);
	CHECK(x->mask && x->counts && x->touched_counts && x->cats && x->cats_before &&
	      x->cats_after && x->segments);
	randombytes_buf(&x->memo_key, sizeof x->memo_key);
	*out = x;
	return OK;
}

static void scratch_free(struct fold_scratch *x)
{
	if (!x)
		return;
	rules_match_end(x->match);
	rules_block_end(x->evaluator);
	free(x->due);
	since_done(&x->since);
	buf_done(&x->block);
	buf_done(&x->raw);
	buf_done(&x->saved);
	buf_done(&x->lists);
	buf_done(&x->provisional);
	profile_done(&x->profile);
	free(x->entries);
	free(x->rests);
	free(x->members.list);
	free(x->changes.list);
	free(x->mask);
	free(x->counts);
	free(x->touched_counts);
	free(x->cats);
	free(x->cats_before);
	free(x->cats_after);
	free(x->segments);
	free(x);
}

enum err fold_open(struct fold *f, struct store *s, uint32_t generation, unsigned shard,
    struct rules *r, const struct config *c)
{
	*f = (struct fold){.retention = (unsigned)c->retention_days, .fresh_us = clock_mono_us()};
	pthread_mutex_init(&f->busy, NULL);
	f->provisional_max = (uint64_t)c->provisional_max / s->shards + 1;
	enum err e = store_shard(s, generation, shard, &f->shard);
	if (e)
		return e;
	f->rules = rules_ref(r);
	f->stream_keep_h = (unsigned)c->stream_keep_h;
	struct db_txn t;
	struct journal_pos watermark;
	if ((e = db_begin(&f->shard.db, s->readonly ? DB_READ : DB_WRITE, &t)))
		return e;
	bool known = shard_watermark(&f->shard, &t, &watermark);
	uint64_t changes = 0;
	shard_meta_u64(&f->shard, &t, "changes", &changes);
	atomic_store(&f->changes, changes);
	if (!known && !s->readonly) {
		shard_watermark_put(&f->shard, &t, JOURNAL_START);
		e = write_names(f, &t);
	}
	e = db_end(&t);
	atomic_store(&f->watermark, watermark);
	if (!e && !s->readonly)
		e = scratch_new(r, &f->scratch);
	if (e || s->readonly)
		return e;
	CHECK(since_init(&f->scratch->since, r));
	if ((e = db_begin(&f->shard.db, DB_READ, &t)))
		return e;
	since_load(&f->scratch->since, &f->shard, &t);
	return db_end(&t);
}

void fold_close(struct fold *f)
{
	scratch_free(f->scratch);
	rules_unref(f->rules);
	shard_close(&f->shard);
	*f = (struct fold){.retention = 0};
}

/* One transaction: visits from entry *i on, and stores how far that brings the shard. *i becomes
 * the first entry that was not visited. Only the last slice stores the watermark. */
static enum err fold_slice(struct fold *f, size_t *i, struct journal_pos target, uint32_t now)
{
	struct fold_scratch *x = f->scratch;
	struct db_txn t;
	enum err e = db_begin(&f->shard.db, DB_WRITE, &t);
	if (e)
		return e;
	fold_begin(x);
	for (size_t n = 0; *i < x->entries_n && (n < FOLD_SLICE || !fold_may_end(x, *i)) && !t.err;
	     n++)
		*i = fold_visit_at(f, &t, *i, now);
	fold_finish(f, &t, day_of(now));
	if (*i < x->entries_n) {
		shard_unfinished_put(&f->shard, &t, target, x->entries[*i].hi);
	} else {
		shard_unfinished_done(&f->shard, &t);
		shard_watermark_put(&f->shard, &t, target);
		since_save(&x->since, &f->shard, &t);
	}
	return fold_commit(f, &t);
}

/* Sets what memory says to what the views say, and returns the watermark. A commit that returned an
 * error may be on disk nevertheless: then memory is behind, its records would be folded again, and
 * streams would not be told what it changed. */
static struct journal_pos learn_stored(struct fold *f, struct db_txn *t)
{
	struct journal_pos at;
	uint64_t changes;
	if (shard_watermark(&f->shard, t, &at))
		atomic_store(&f->watermark, at);
	if (shard_meta_u64(&f->shard, t, "changes", &changes))
		atomic_store(&f->changes, changes);
	return atomic_load(&f->watermark);
}

enum err fold_some(
    struct fold *f, struct journal *j, uint32_t now, size_t most, size_t *done, bool *more)
{
	struct fold_scratch *x = f->scratch;
	struct journal_pos last, target;
	uint64_t next;
	bool resumed;
	struct db_txn t;
	*done = 0;
	enum err e = db_begin(&f->shard.db, DB_READ, &t);
	if (e)
		return e;
	struct fold_want want = {.after = learn_stored(f, &t),
	    .upto = journal_last(j, f->shard.number),
	    .hi = UINT64_MAX,
	    .most = most,
	    .raw_most = RAW_BYTES_MAX};
	resumed = shard_unfinished(&f->shard, &t, &target, &next);
	if (resumed) {
		/* A crash or a full disk came between two slices. The same records are read, all
		 * of them at once, for the visitors who are left. */
		want.upto = target;
		want.lo = next;
		want.most = want.raw_most = SIZE_MAX;
	}
	if ((e = db_end(&t)) || (e = fold_gather(f, j, &want, &last, more)) ||
	    !journal_pos_before(want.after, last))
		return e;
	*more |= resumed; /* there may be blocks behind the target */
	/* without entries one slice stores the watermark: the blocks held nothing for visitors */
	for (size_t i = 0, first = 1; first || i < x->entries_n; first = 0)
		if ((e = fold_slice(f, &i, last, now)))
			return e;
	atomic_store(&f->watermark, last);
	metric_inc(M_FOLDS);
	*done = x->entries_n;
	return OK;
}

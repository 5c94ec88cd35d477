#include "crumb/views/fold.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/log.h"
#include "crumb/core/metric.h"
#include "crumb/condition/block.h"
#include "folding.h"

#include <stdlib.h>

/* Visitors in one transaction. LMDB keeps the pages that the last two commits replaced: when each
 * replaces all, a file is three times what is in it.
 */
#ifdef CRUMB_SMALL_MAPS
#define SLICE 5 /* so that tests come by here */
#else
#define SLICE 16384
#endif
#define DUE_MOST 1000000 /* listed at once */

#define RAW_BYTES_MAX (64u << 20)

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
	x->cats_before = calloc(65536, sizeof *x->cats_before);
	x->cats_after = calloc(65536, sizeof *x->cats_after);
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

/* --- batches */

static int by_visitor(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->hi != y->hi)
		return x->hi < y->hi ? -1 : 1;
	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return x->n < y->n ? -1 : x->n > y->n;
}

#define BUCKETS 65536

/* Sorts by visitor, in place: keys are hashes, so their first 16 bits spread them over buckets of a
 * few entries each (American flag sort; McIlroy, Bostic, McIlroy 1993). */
static void sort_entries(struct fold_scratch *x)
{
	struct entry *list = x->entries;
	if (x->entries_n < 1000) {
		if (x->entries_n)
			qsort(list, x->entries_n, sizeof *list, by_visitor);
		return;
	}
	uint32_t *next = calloc(2 * BUCKETS + 2, sizeof *next), *end = next + BUCKETS + 1;
	CHECK(next);
	for (size_t i = 0; i < x->entries_n; i++)
		end[list[i].hi >> 48]++;
	for (size_t i = 0, sum = 0; i < BUCKETS; i++) {
		next[i] = (uint32_t)sum;
		sum += end[i];
		end[i] = (uint32_t)sum;
	}
	for (size_t b = 0; b < BUCKETS; b++) {
		while (next[b] < end[b]) {
			struct entry e = list[next[b]];
			size_t home = e.hi >> 48;
			if (home == b) {
				next[b]++;
				continue;
			}
			list[next[b]] = list[next[home]];
			list[next[home]++] = e;
		}
	}
	for (size_t b = 0, from = 0; b < BUCKETS; from = end[b++])
		if (end[b] - from > 1)
			qsort(list + from, end[b] - from, sizeof *list, by_visitor);
	free(next);
}

/* --- reading */

static bool wanted(const struct fold_want *w, const struct vkey *k)
{
	uint64_t hi = get_u64(k->b);
	return hi >= w->lo && hi <= w->hi;
}

/* The number of an equal rest that was met lately, or a new one. */
static uint32_t keep_rest(struct fold_scratch *x, const struct entry_rest *rest)
{
	bool alone = rest->has_v || rest->at || rest->attrs_n || (rest->flags & EVENT_NEW);
	uint32_t *memo = &x->rest_memo[hash_keyed64(&x->memo_key, rest, sizeof *rest) %
				       (sizeof x->rest_memo / sizeof *x->rest_memo)];
	if (!alone && *memo && memcmp(&x->rests[*memo - 1], rest, sizeof *rest) == 0)
		return *memo - 1;
	CHECK(array_room(x->rests, x->rests_cap, x->rests_n + 1));
	memcpy(&x->rests[x->rests_n], rest, sizeof *rest);
	if (!alone)
		*memo = (uint32_t)x->rests_n + 1;
	return (uint32_t)x->rests_n++;
}

static void add_entry(struct fold *f, struct str bytes)
{
	struct fold_scratch *x = f->scratch;
	struct entry_rest rest;
	CHECK(array_room(x->entries, x->entries_cap, x->entries_n + 1));
	struct entry *e = &x->entries[x->entries_n];
	*e = fold_entry(f, &x->record, x->entries_n, &rest);
	if (rest.kind == RECORD_EVENT ? rest.attrs_n || (rest.flags & EVENT_NEW)
				      : fold_rows[rest.kind]->again) {
		rest.at = (uint32_t)x->raw.n;
		buf_str(&x->raw, bytes);
		CHECK(!x->raw.failed);
	}
	e->rest = keep_rest(x, &rest);
	x->entries_n++;
}

/* Takes the records of a block that are wanted; those that cannot be read are counted and end the
 * block. */
static void index_block(struct fold *f, const struct fold_want *w)
{
	struct fold_scratch *x = f->scratch;
	bool all = w->lo == 0 && w->hi == UINT64_MAX;
	struct mp m = mp_over(buf_view(&x->block));
	while (m.p < m.end) {
		const uint8_t *from = m.p;
		struct vkey k;
		if (!all && record_skip(&m, &k) && !wanted(w, &k))
			continue;
		m = mp_over(str_make((const char *)from, (size_t)(m.end - from)));
		if (!record_decode(&m, &x->record)) {
			metric_inc(M_FOLD_CORRUPT);
			return;
		}
		const struct fold_row *row =
		    x->record.kind == RECORD_EVENT ? NULL : fold_rows[x->record.kind];
		if (!row || row->visit)
			add_entry(f, str_make((const char *)from, (size_t)(m.p - from)));
		else if (row->note)
			row->note(f, &x->record);
	}
}

enum err fold_gather(struct fold *f, struct journal *j, const struct fold_want *w,
    struct journal_pos *last, bool *more)
{
	struct fold_scratch *x = f->scratch;
	struct journal_reader *r;
	buf_clear(&x->raw);
	if (x->lists.n > LISTS_MAX) {
		buf_clear(&x->lists);
		memset(x->memo, 0, sizeof x->memo);
	}
	x->entries_n = x->rests_n = 0;
	memset(x->rest_memo, 0, sizeof x->rest_memo);
	CHECK(array_room(x->entries, x->entries_cap, w->expect ? w->expect : 4096));
	*last = w->after;
	*more = false;
	if (!journal_pos_before(w->after, w->upto))
		return OK;
	enum err e = journal_read(j, f->shard.number, w->after, &r);
	if (e)
		return e;
	for (;;) {
		struct journal_pos pos;
		uint32_t count;
		uint16_t day;
		if (x->entries_n >= w->most || x->raw.n >= w->raw_most) {
			*more = true;
			break;
		}
		buf_clear(&x->block);
		e = journal_next(r, &x->block, &pos, &count, &day);
		if (e && e != ERR_CORRUPT && e != ERR_NOT_FOUND)
			goto out;
		if (e == ERR_NOT_FOUND || journal_pos_before(w->upto, pos)) {
			*last = w->upto; /* what is missing up to there went with an expired day */
			break;
		}
		*last = pos;
		if (e) {
			metric_inc(M_FOLD_CORRUPT);
			log_error("fold", "a block is skipped shard=%u position=%llu why=\"%s\"",
			    f->shard.number, (unsigned long long)journal_pos_save(pos), err_text());
			continue;
		}
		index_block(f, w);
	}
	e = OK;
	sort_entries(x);
out:
	journal_read_end(r);
	return e;
}

/* One transaction: visitors from entry *i on, and how far that brings us. */
static enum err fold_slice(struct fold *f, size_t *i, struct journal_pos target, uint32_t now)
{
	struct fold_scratch *x = f->scratch;
	struct db_txn t;
	enum err e = db_begin(&f->shard.db, DB_WRITE, &t);
	if (e)
		return e;
	fold_begin(x);
	for (size_t n = 0; *i < x->entries_n &&
			   (n < SLICE || x->entries[*i - 1].hi == x->entries[*i].hi) && !t.err;
	     n++) {
		size_t z = *i + 1;
		while (z < x->entries_n && x->entries[z].hi == x->entries[*i].hi &&
		       x->entries[z].lo == x->entries[*i].lo)
			z++;
		fold_visit(f, &t, x->entries + *i, x->entries + z, now);
		*i = z;
	}
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

/* As the views say: a commit that failed may be in them nevertheless. What it folded would be
 * folded again, and what it changed not be told. */
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
	struct fold_want want = {learn_stored(f, &t), journal_last(j, f->shard.number), 0,
	    UINT64_MAX, most, RAW_BYTES_MAX, 0};
	if ((resumed = shard_unfinished(
		 &f->shard, &t, &target, &next))) { /* a crash or a full disk came between: the same
						       records, for who is left */
		want.upto = target;
		want.lo = next;
		want.most = want.raw_most = SIZE_MAX;
	}
	if ((e = db_end(&t)) || (e = fold_gather(f, j, &want, &last, more)) ||
	    !journal_pos_before(want.after, last))
		return e;
	*more |= resumed;
	for (size_t i = 0, first = 1; first || i < x->entries_n; first = 0)
		if ((e = fold_slice(f, &i, last, now)))
			return e;
	atomic_store(&f->watermark, last);
	metric_inc(M_FOLDS);
	*done = x->entries_n;
	return OK;
}

/* --- time */

static void daily(struct fold *f, struct db_txn *t, uint32_t now)
{
	uint16_t today = day_of(now);
	if (f->daily_day == today)
		return;
	shard_daily_expire(&f->shard, t, oldest_day(today, f->retention));
	struct db_cursor c;
	struct str key, value;
	struct vkey gone[256];
	size_t n = 0;
	db_walk(t, f->shard.tombstones, &c);
	for (bool more = db_next(&c, &key, &value); more && n < 256;
	     more = db_next(&c, &key, &value))
		if (key.n == 16 && value.n == 2 && get_u16((const uint8_t *)value.p) <= today)
			memcpy(gone[n++].b, key.p, 16);
	db_walk_end(&c);
	for (size_t i = 0; i < n; i++)
		db_del(t, f->shard.tombstones, vkey_str(&gone[i]));
	if (n < 256)
		f->daily_day = today;
}

static bool anything_due(struct fold *f, uint32_t now, enum err *e)
{
	struct db_txn t;
	uint32_t hour, ordinal;
	struct db_cursor c;
	struct str key, value;
	if ((*e = db_begin(&f->shard.db, DB_READ, &t)))
		return false;
	bool due = shard_due_first(&f->shard, &t, 0, 0, &hour, &ordinal) && hour <= hour_of(now);
	db_walk(&t, f->shard.prov_hours, &c);
	due |= db_next(&c, &key, &value) && key.n == 20 &&
	       get_u32((const uint8_t *)key.p) + PROVISIONAL_KEPT_HOURS < hour_of(now);
	db_walk_end(&c);
	*e = db_end(&t);
	return due || f->daily_day != day_of(now);
}

static int by_key(const void *a, const void *b)
{
	const struct due *x = a, *y = b;
	return memcmp(x->k.b, y->k.b, sizeof x->k.b);
}

/* Who is due, in order of key: neighbours share pages, so that each page is written once and not
 * once for each of its visitors. */
static enum err list_due(struct fold *f, uint32_t now)
{
	struct fold_scratch *x = f->scratch;
	struct db_txn t;
	struct db_cursor c;
	struct str key, value;
	x->due_n = x->due_at = 0;
	enum err e = db_begin(&f->shard.db, DB_READ, &t);
	if (e)
		return e;
	db_walk(&t, f->shard.due, &c);
	while (x->due_n < DUE_MOST && db_next(&c, &key, &value) && key.n == 8 &&
	       get_u32((const uint8_t *)key.p) <= hour_of(now)) {
		CHECK(array_room(x->due, x->due_cap, x->due_n + 1));
		struct due *d = &x->due[x->due_n++];
		*d = (struct due){.hour = get_u32((const uint8_t *)key.p),
		    .ordinal = get_u32((const uint8_t *)key.p + 4)};
		(void)shard_ordinal_key(
		    &f->shard, &t, d->ordinal, &d->k); /* nobody: the entry goes */
	}
	db_walk_end(&c);
	if (x->due_n)
		qsort(x->due, x->due_n, sizeof *x->due, by_key);
	return db_end(&t);
}

/* The visitor as it is now; between listing and this it may have been folded, or have gone. */
static void sweep_one(struct fold *f, struct db_txn *t, const struct due *d, uint32_t now)
{
	struct fold_scratch *x = f->scratch;
	struct profile *p = &x->profile;
	if (!fold_profile(f, t, &d->k, p) || p->ordinal != d->ordinal || p->due_hour != d->hour)
		shard_due_move(&f->shard, t, d->ordinal, d->hour, 0);
	else
		fold_settle(f, t, &d->k, p, fold_cats(p, x->cats_before), true, now);
	metric_inc(M_SWEPT);
}

enum err fold_sweep(struct fold *f, uint32_t now, size_t most, bool *more)
{
	struct fold_scratch *x = f->scratch;
	struct db_txn t;
	enum err e;
	*more = false;
	if (atomic_load(&f->swept_hour) >= hour_of(now))
		return OK;
	if (x->due_at == x->due_n) {
		db_check_readers(&f->shard.db);
		if (!anything_due(f, now, &e)) {
			if (!e)
				atomic_store(&f->swept_hour, hour_of(now));
			return e;
		}
		if ((e = list_due(f, now)))
			return e;
	}
	if ((e = db_begin(&f->shard.db, DB_WRITE, &t)))
		return e;
	fold_begin(x);
	size_t n = 0, at = x->due_at;
	for (; n < most && at < x->due_n && !t.err; n++)
		sweep_one(f, &t, &x->due[at++], now);
	while (n < most &&
	       shard_provisional_expire_one(&f->shard, &t, hour_of(now) - PROVISIONAL_KEPT_HOURS))
		n++;
	daily(f, &t, now);
	fold_finish(f, &t, day_of(now));
	if ((e = fold_commit(f, &t)))
		return e;
	*more = n > 0 ||
		f->daily_day != day_of(now); /* looks once more when all that was listed is done */
	x->due_at = at;
	if (at == x->due_n) {
		free(x->due);
		x->due = NULL;
		x->due_n = x->due_at = x->due_cap = 0;
	}
	if (!*more)
		atomic_store(&f->swept_hour, hour_of(now));
	return OK;
}

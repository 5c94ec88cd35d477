#include "crumb/audience/fold.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/log.h"
#include "crumb/core/metric.h"

#include <stdlib.h>

#define MEMO_SIZE 8192
#define MEMO_CATS 12
#define PROVISIONAL_HOURS 24
#define PROVISIONAL_BYTES 16384
#define RAW_BYTES_MAX (64u << 20)
#define DAYS_TRACKED 128

/* A record of the batch, sorted by visitor and then by place in the journal. */
struct entry {
	uint64_t hi, lo; /* the visitor key */
	uint32_t at;	 /* where its bytes begin in `raw` */
	uint32_t n;	 /* place in the journal */
};

struct fold_scratch {
	struct buf raw, saved, provisional;
	struct entry *entries;
	size_t entries_n, entries_cap;
	struct profile profile;
	struct member_changes members;
	int64_t *counts; /* per category: change of visitors */
	uint16_t *touched_counts;
	size_t touched_n;
	int64_t events[DAYS_TRACKED]; /* per day modulo */
	uint16_t event_days[DAYS_TRACKED];
	uint64_t *mask; /* segments to evaluate */
	size_t mask_words;
	uint16_t *cats, *cats_before, *cats_after, *segments;
	struct record record, replayed;
	struct key16 memo_key;
	struct memo {
		struct hash16 hash;
		uint8_t n, known;
		uint16_t cats[MEMO_CATS];
	} memo[MEMO_SIZE];
};

static enum err write_names(struct fold *f, struct db_txn *t)
{
	uint8_t k[3];
	for (size_t i = 0; i < f->rules->categories_n; i++) {
		k[0] = 'c', put_u16(k + 1, (uint16_t)i);
		db_put(t, f->shard.names, str_make((char *)k, 3), str_c(f->rules->categories[i].id));
	}
	for (size_t i = 0; i < f->rules->segments_n; i++) {
		k[0] = 's', put_u16(k + 1, (uint16_t)i);
		db_put(t, f->shard.names, str_make((char *)k, 3), str_c(f->rules->segments[i].id));
	}
	db_put(t, f->shard.meta, STR("rules"), buf_view(&f->rules->bundle));
	return t->err;
}

static struct fold_scratch *scratch_new(const struct rules *r)
{
	struct fold_scratch *x = calloc(1, sizeof *x);
	CHECK(x);
	x->mask_words = r->segments_n / 64 + 1;
	x->mask = calloc(x->mask_words, sizeof *x->mask);
	x->counts = calloc(r->categories_n, sizeof *x->counts);
	x->touched_counts = calloc(r->categories_n, sizeof *x->touched_counts);
	x->cats = calloc(r->categories_n + 1, sizeof *x->cats);
	x->cats_before = calloc(65536, sizeof *x->cats_before);
	x->cats_after = calloc(65536, sizeof *x->cats_after);
	x->segments = calloc(r->segments_n + 1, sizeof *x->segments);
	CHECK(x->mask && x->counts && x->touched_counts && x->cats && x->cats_before && x->cats_after && x->segments);
	randombytes_buf(&x->memo_key, sizeof x->memo_key);
	return x;
}

static void scratch_free(struct fold_scratch *x)
{
	if (!x)
		return;
	buf_done(&x->raw);
	buf_done(&x->saved);
	buf_done(&x->provisional);
	profile_done(&x->profile);
	free(x->entries);
	free(x->members.list);
	free(x->mask);
	free(x->counts);
	free(x->touched_counts);
	free(x->cats);
	free(x->cats_before);
	free(x->cats_after);
	free(x->segments);
	free(x);
}

enum err fold_open(struct fold *f, struct store *s, uint32_t generation, unsigned shard, struct rules *r, const struct config *c)
{
	*f = (struct fold){.retention = (unsigned)c->retention_days};
	f->provisional_max = (uint64_t)c->provisional_max / s->shards + 1;
	enum err e = store_shard(s, generation, shard, &f->shard);
	if (e)
		return e;
	f->rules = rules_ref(r);
	struct db_txn t;
	uint64_t watermark = 0;
	if ((e = db_begin(&f->shard.db, !s->readonly, &t)))
		return e;
	bool known = shard_meta_u64(&f->shard, &t, "watermark", &watermark);
	if (!known && !s->readonly) {
		shard_meta_put_u64(&f->shard, &t, "watermark", 0);
		e = write_names(f, &t);
	}
	e = db_end(&t);
	atomic_store(&f->watermark, watermark);
	if (!e && !s->readonly)
		f->scratch = scratch_new(r);
	return e;
}

void fold_close(struct fold *f)
{
	scratch_free(f->scratch);
	rules_unref(f->rules);
	shard_close(&f->shard);
	*f = (struct fold){.retention = 0};
}

/* --- what one transaction changes besides profiles */

static void count_change(struct fold_scratch *x, uint16_t cat, int64_t by)
{
	if (x->counts[cat] == 0)
		x->touched_counts[x->touched_n++] = cat;
	x->counts[cat] += by;
	if (x->counts[cat] == 0) { /* back where it was; the list may not name it twice */
		for (size_t i = 0; i < x->touched_n; i++)
			if (x->touched_counts[i] == cat) {
				x->touched_counts[i] = x->touched_counts[--x->touched_n];
				break;
			}
	}
}

static void events_change(struct fold_scratch *x, uint16_t day, int64_t by)
{
	x->event_days[day % DAYS_TRACKED] = day;
	x->events[day % DAYS_TRACKED] += by;
}

static void begin(struct fold_scratch *x)
{
	for (size_t i = 0; i < x->touched_n; i++)
		x->counts[x->touched_counts[i]] = 0;
	x->touched_n = 0;
	memset(x->events, 0, sizeof x->events);
	x->members.n = 0;
}

static void finish(struct fold *f, struct db_txn *t, uint16_t today)
{
	struct fold_scratch *x = f->scratch;
	for (size_t i = 0; i < x->touched_n; i++)
		shard_count_add(&f->shard, t, x->touched_counts[i], x->counts[x->touched_counts[i]]);
	for (size_t i = 0; i < DAYS_TRACKED; i++)
		if (x->events[i])
			shard_events_add(&f->shard, t, x->event_days[i], x->events[i]);
	members_apply(&f->shard, t, &x->members, today);
}

/* --- one visitor */

static size_t distinct_cats(const struct profile *p, uint16_t *out)
{
	size_t n = 0;
	for (size_t i = 0; i < p->rows_n; i++)
		if (n == 0 || out[n - 1] != p->rows[i].cat)
			out[n++] = p->rows[i].cat;
	return n;
}

/* Counts visitors per category: who had it and who has it, both sorted. */
static void compare_cats(struct fold_scratch *x, size_t before_n, size_t after_n)
{
	size_t b = 0, a = 0;
	while (b < before_n || a < after_n) {
		if (a == after_n || (b < before_n && x->cats_before[b] < x->cats_after[a]))
			count_change(x, x->cats_before[b++], -1);
		else if (b == before_n || x->cats_after[a] < x->cats_before[b])
			count_change(x, x->cats_after[a++], 1);
		else
			a++, b++;
	}
}

/* Evaluates the segments of the mask, keeps the others, and notes who entered and left. */
static void evaluate(struct fold *f, struct profile *p, bool all, uint16_t today)
{
	struct fold_scratch *x = f->scratch;
	size_t n = 0, old = 0;
	for (size_t i = 0; i < f->rules->segments_n; i++) {
		if (!all && (i % 64 == 0) && x->mask[i / 64] == 0 && (old == p->segments_n || p->segments[old] >= i + 64)) {
			i += 63; /* nothing touched and no member in these 64 */
			continue;
		}
		bool was = old < p->segments_n && p->segments[old] == i;
		old += was;
		bool ask = all || (x->mask[i / 64] >> (i % 64) & 1);
		bool is = ask ? rules_eval(f->rules, (uint16_t)i, p, today) : was;
		if (is != was)
			members_note(&x->members, (uint16_t)i, p->ordinal, is);
		if (is)
			x->segments[n++] = (uint16_t)i;
	}
	if (n > p->segments_cap) {
		p->segments = realloc(p->segments, n * sizeof *p->segments);
		CHECK(p->segments);
		p->segments_cap = n;
	}
	if (n)
		memcpy(p->segments, x->segments, n * sizeof *p->segments);
	p->segments_n = n;
}

static void remove_visitor(struct fold *f, struct db_txn *t, const struct vkey *k, struct profile *p, uint32_t now)
{
	struct fold_scratch *x = f->scratch;
	for (size_t i = 0; i < p->segments_n; i++)
		members_note(&x->members, p->segments[i], p->ordinal, false);
	shard_due_move(&f->shard, t, p->ordinal, p->due_hour, 0);
	shard_ordinal_free(&f->shard, t, hour_of(now), p->ordinal);
	db_del(t, f->shard.visitors, vkey_str(k));
}

/* Writes a profile back after a change; `before_n` categories are in cats_before, `all` evaluates every segment. */
static void settle(struct fold *f, struct db_txn *t, const struct vkey *k, struct profile *p, size_t before_n, bool all, uint32_t now)
{
	struct fold_scratch *x = f->scratch;
	uint16_t today = day_of(now);
	profile_expire(p, oldest_day(today, f->retention));
	compare_cats(x, before_n, distinct_cats(p, x->cats_after));
	if (p->rows_n == 0) {
		remove_visitor(f, t, k, p, now);
		metric_inc(M_EXPIRED);
		return;
	}
	evaluate(f, p, all || p->evaluated_day != today, today);
	p->evaluated_day = today;
	uint32_t due = rules_next_due(f->rules, p, today, f->retention) * 24u;
	shard_due_move(&f->shard, t, p->ordinal, p->due_hour, due);
	p->due_hour = due;
	shard_profile_put(&f->shard, t, k, p, &x->saved);
}

/* Categories of an event, remembered by what it is about. */
static unsigned categorise(struct fold *f, const struct record *r)
{
	struct fold_scratch *x = f->scratch;
	struct hash16 h = hash_keyed(&x->memo_key, r->about.p, r->about.n);
	struct memo *m = &x->memo[(h.b[0] | (unsigned)h.b[1] << 8) % MEMO_SIZE];
	if (m->known && memcmp(&m->hash, &h, sizeof h) == 0) {
		memcpy(x->cats, m->cats, m->n * sizeof *m->cats);
		return m->n;
	}
	unsigned n = rules_categorise(f->rules, &r->event, x->cats);
	if (n <= MEMO_CATS) {
		m->hash = h;
		m->n = (uint8_t)n;
		m->known = 1;
		memcpy(m->cats, x->cats, n * sizeof *m->cats);
	}
	return n;
}

static void touch(struct fold_scratch *x, const uint64_t *segments)
{
	for (size_t i = 0; i < x->mask_words; i++)
		x->mask[i] |= segments[i];
}

static void apply(struct fold *f, struct profile *p, const struct record *r)
{
	struct fold_scratch *x = f->scratch;
	uint16_t day = day_of(r->event.t);
	unsigned n = categorise(f, r);
	profile_add(p, CATEGORY_ALL, day, 1);
	touch(x, f->rules->categories[CATEGORY_ALL].segments);
	for (unsigned i = 0; i < n; i++) {
		profile_add(p, x->cats[i], day, 1);
		touch(x, f->rules->categories[x->cats[i]].segments);
	}
	profile_observe(p, &r->event);
	touch(x, f->rules->fact_segments);
	events_change(x, day, 1);
}

/* A visitor without a cookie: remembered aside, until the cookie comes back. */
static void remember(struct fold *f, struct db_txn *t, const struct record *r, struct str bytes)
{
	struct fold_scratch *x = f->scratch;
	uint32_t hour = hour_of(r->event.t);
	struct str old;
	buf_clear(&x->provisional);
	if (shard_provisional(&f->shard, t, &r->event.visitor, &hour, &old)) {
		if (old.n + bytes.n > PROVISIONAL_BYTES)
			return;
		buf_str(&x->provisional, old);
	} else {
		while (db_count(t, f->shard.provisional) >= f->provisional_max && shard_provisional_expire_one(&f->shard, t, UINT32_MAX))
			metric_inc(M_PROV_EVICTED);
	}
	buf_str(&x->provisional, bytes);
	shard_provisional_put(&f->shard, t, &r->event.visitor, hour, buf_view(&x->provisional));
}

/* The cookie came back: a profile begins, with what was remembered. */
static bool promote(struct fold *f, struct db_txn *t, struct profile *p, const struct event *e, uint32_t now)
{
	struct fold_scratch *x = f->scratch;
	uint32_t hour;
	struct str old;
	profile_clear(p);
	p->ordinal = shard_ordinal_take(&f->shard, t, hour_of(now), &e->visitor);
	if (p->ordinal == UINT32_MAX)
		return false;
	buf_clear(&x->provisional);
	if (shard_provisional(&f->shard, t, &e->visitor, &hour, &old)) {
		if (hour + PROVISIONAL_HOURS >= hour_of(e->t))
			buf_str(&x->provisional, old);
		shard_provisional_del(&f->shard, t, &e->visitor);
	}
	struct mp m = mp_over(buf_view(&x->provisional));
	while (m.p < m.end && record_decode(&m, &x->replayed))
		if (x->replayed.kind == RECORD_EVENT && day_of(x->replayed.event.t) >= oldest_day(day_of(now), f->retention))
			apply(f, p, &x->replayed);
	return true;
}

static void erase(struct fold *f, struct db_txn *t, const struct vkey *k, struct profile *p, bool have, uint32_t now, uint16_t until)
{
	struct fold_scratch *x = f->scratch;
	if (have) {
		for (size_t i = 0; i < p->rows_n && p->rows[i].cat == CATEGORY_ALL; i++)
			events_change(x, p->rows[i].day, -(int64_t)p->rows[i].count);
		remove_visitor(f, t, k, p, now);
	}
	shard_provisional_del(&f->shard, t, k);
	shard_tombstone_put(&f->shard, t, k, until);
}

/* All records of one visitor, in order. */
static void visit(struct fold *f, struct db_txn *t, const struct entry *first, const struct entry *end, uint32_t now)
{
	struct fold_scratch *x = f->scratch;
	struct profile *p = &x->profile;
	uint16_t today = day_of(now), oldest = oldest_day(today, f->retention);
	struct vkey k;
	bool have = false, loaded = false, changed = false, fresh = false, stone = false;
	size_t before_n = 0;
	for (const struct entry *it = first; it < end && !t->err; it++) {
		struct mp m = mp_over(str_make(x->raw.p + it->at, x->raw.n - it->at));
		struct record *r = &x->record;
		CHECK(record_decode(&m, r));
		if (!loaded) {
			k = r->event.visitor;
			memset(x->mask, 0, x->mask_words * sizeof *x->mask);
			have = shard_profile(&f->shard, t, &k, p);
			stone = !have && shard_tombstone(&f->shard, t, &k, today);
			before_n = have ? distinct_cats(p, x->cats_before) : 0;
			loaded = true;
		}
		if (r->kind == RECORD_ERASE) {
			/* what was counted before this batch is uncounted; what the batch itself added never was */
			compare_cats(x, before_n, 0);
			before_n = 0;
			erase(f, t, &k, p, have, now, (uint16_t)(day_of(r->event.t) + COOKIE_DAYS));
			have = changed = fresh = false;
			stone = true;
			continue;
		}
		if (stone) {
			metric_inc(M_TOMBSTONED);
			continue;
		}
		if (day_of(r->event.t) < oldest) {
			metric_inc(M_FOLD_DROPPED);
			continue;
		}
		if (!have && (r->event.flags & EVENT_NEW)) {
			remember(f, t, r, str_make(x->raw.p + it->at, (size_t)((const char *)m.p - (x->raw.p + it->at))));
			continue;
		}
		if (!have) {
			if (!promote(f, t, p, &r->event, now))
				continue;
			have = fresh = true;
		}
		apply(f, p, r);
		changed = true;
	}
	metric_add(M_FOLDED, (uint64_t)(end - first));
	if (changed && !t->err)
		settle(f, t, &k, p, before_n, fresh, now);
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

/* Notes where the records of a block begin; those that cannot be read are counted and end the block. */
static void index_block(struct fold_scratch *x, size_t from)
{
	struct mp m = mp_over(str_make(x->raw.p + from, x->raw.n - from));
	while (m.p < m.end) {
		size_t at = (size_t)((const char *)m.p - x->raw.p);
		if (!record_decode(&m, &x->record)) {
			metric_inc(M_FOLD_CORRUPT);
			return;
		}
		if (x->record.kind == RECORD_RULES)
			continue; /* views are always made by the rules of their generation */
		if (x->entries_n == x->entries_cap) {
			x->entries_cap = x->entries_cap ? 2 * x->entries_cap : 4096;
			x->entries = realloc(x->entries, x->entries_cap * sizeof *x->entries);
			CHECK(x->entries);
		}
		const uint8_t *key = x->record.event.visitor.b;
		x->entries[x->entries_n] = (struct entry){get_u64(key), get_u64(key + 8), (uint32_t)at, (uint32_t)x->entries_n};
		x->entries_n++;
	}
}

static enum err gather(struct fold *f, struct journal *j, size_t most, uint64_t *last, bool *more)
{
	struct fold_scratch *x = f->scratch;
	struct journal_reader *r;
	uint64_t after = atomic_load(&f->watermark), end = journal_last(j, f->shard.number);
	buf_clear(&x->raw);
	x->entries_n = 0;
	*last = after;
	*more = false;
	if (end <= after)
		return OK;
	enum err e = journal_read(j, f->shard.number, after, &r);
	if (e)
		return e;
	for (;;) {
		uint64_t seq;
		uint32_t count;
		uint16_t day;
		size_t from = x->raw.n;
		if (x->entries_n >= most || x->raw.n >= RAW_BYTES_MAX) {
			*more = true;
			break;
		}
		e = journal_next(r, &x->raw, &seq, &count, &day);
		if (e == ERR_NOT_FOUND) {
			if (end > *last)
				*last = end; /* what is missing up to there went with an expired day */
			break;
		}
		if (e && e != ERR_CORRUPT)
			goto out;
		*last = seq;
		if (e) {
			metric_inc(M_FOLD_CORRUPT);
			log_error("fold", "a block is skipped shard=%u seq=%llu why=\"%s\"", f->shard.number, (unsigned long long)seq, err_text());
			x->raw.n = from;
			continue;
		}
		index_block(x, from);
	}
	e = OK;
out:
	journal_read_end(r);
	return e;
}

enum err fold_some(struct fold *f, struct journal *j, uint32_t now, size_t most, size_t *done, bool *more)
{
	struct fold_scratch *x = f->scratch;
	uint64_t last;
	struct db_txn t;
	*done = 0;
	enum err e = gather(f, j, most, &last, more);
	if (e || last == atomic_load(&f->watermark))
		return e;
	if (x->entries_n)
		qsort(x->entries, x->entries_n, sizeof *x->entries, by_visitor);
	if ((e = db_begin(&f->shard.db, true, &t)))
		return e;
	begin(x);
	for (size_t i = 0; i < x->entries_n && !t.err;) {
		size_t z = i + 1;
		while (z < x->entries_n && x->entries[z].hi == x->entries[i].hi && x->entries[z].lo == x->entries[i].lo)
			z++;
		visit(f, &t, x->entries + i, x->entries + z, now);
		i = z;
	}
	finish(f, &t, day_of(now));
	shard_meta_put_u64(&f->shard, &t, "watermark", last);
	if ((e = db_end(&t)))
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
	for (bool more = db_next(&c, &key, &value); more && n < 256; more = db_next(&c, &key, &value))
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
	if ((*e = db_begin(&f->shard.db, false, &t)))
		return false;
	bool due = shard_due_first(&f->shard, &t, 0, 0, &hour, &ordinal) && hour <= hour_of(now);
	db_walk(&t, f->shard.prov_hours, &c);
	due |= db_next(&c, &key, &value) && key.n == 20 && get_u32((const uint8_t *)key.p) + PROVISIONAL_HOURS < hour_of(now);
	db_walk_end(&c);
	*e = db_end(&t);
	return due || f->daily_day != day_of(now);
}

enum err fold_sweep(struct fold *f, uint32_t now, size_t most, bool *more)
{
	struct fold_scratch *x = f->scratch;
	struct db_txn t;
	enum err e;
	uint32_t due_hour, ordinal;
	*more = false;
	if (atomic_load(&f->swept_hour) >= hour_of(now))
		return OK;
	db_check_readers(&f->shard.db);
	if (!anything_due(f, now, &e)) {
		if (!e)
			atomic_store(&f->swept_hour, hour_of(now));
		return e;
	}
	if ((e = db_begin(&f->shard.db, true, &t)))
		return e;
	begin(x);
	size_t n = 0;
	while (n < most && shard_due_first(&f->shard, &t, 0, 0, &due_hour, &ordinal) && due_hour <= hour_of(now)) {
		struct vkey k;
		if (!shard_ordinal_key(&f->shard, &t, ordinal, &k) || !shard_profile(&f->shard, &t, &k, &x->profile)) {
			shard_due_move(&f->shard, &t, ordinal, due_hour, 0); /* an entry without a visitor: verify would tell */
			continue;
		}
		settle(f, &t, &k, &x->profile, distinct_cats(&x->profile, x->cats_before), true, now);
		metric_inc(M_SWEPT);
		n++;
	}
	while (n < most && shard_provisional_expire_one(&f->shard, &t, hour_of(now) - PROVISIONAL_HOURS))
		n++;
	daily(f, &t, now);
	finish(f, &t, day_of(now));
	if ((e = db_end(&t)))
		return e;
	*more = n >= most || f->daily_day != day_of(now);
	if (!*more)
		atomic_store(&f->swept_hour, hour_of(now));
	return OK;
}

/* One visitor: what events, an erasure or time do to a profile and to what hangs on it. */
#include "crumb/base/array.h"
#include "crumb/base/memory.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/core/metric.h"
#include "crumb/condition/block.h"
#include "crumb/condition/eval.h"
#include "folding.h"

#include <stdlib.h>

#define PROVISIONAL_BYTES 16384

/* --- what one transaction changes besides profiles */

bool fold_profile(struct fold *f, struct db_txn *t, const struct vkey *k, struct profile *out)
{
	if (!shard_profile(&f->shard, t, k, out))
		return false;
	if (fold_fits(f->rules, out))
		return true;
	shard_bad_profile(&f->shard);
	profile_clear(out);
	out->bad = true;
	return false;
}

void fold_count_change(struct fold_scratch *x, uint16_t cat, int64_t by)
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

void fold_events_change(struct fold_scratch *x, uint16_t day, int64_t by)
{
	x->event_days[day % DAYS_TRACKED] = day;
	x->events[day % DAYS_TRACKED] += by;
}

void fold_begin(struct fold_scratch *x)
{
	for (size_t i = 0; i < x->touched_n; i++)
		x->counts[x->touched_counts[i]] = 0;
	x->touched_n = 0;
	memset(x->events, 0, sizeof x->events);
	x->members.n = 0;
	x->changes.n = 0;
}

/* A visitor enters or leaves a segment. */
static void note(
    struct fold *f, const struct vkey *k, uint16_t segment, uint32_t ordinal, enum bitmap_bit bit)
{
	struct fold_scratch *x = f->scratch;
	members_note(&x->members, segment, ordinal, bit);
	/* what is written as a whole, a new generation, is no news */
	if (f->stream_keep_h && !f->shard.appending && segment < f->rules->segments_n &&
	    f->rules->segments[segment].destinations_n)
		changes_note(&x->changes, segment, k);
}

void fold_finish(struct fold *f, struct db_txn *t, uint16_t today)
{
	struct fold_scratch *x = f->scratch;
	for (size_t i = 0; i < x->touched_n; i++)
		shard_count_add(
		    &f->shard, t, x->touched_counts[i], x->counts[x->touched_counts[i]]);
	for (size_t i = 0; i < DAYS_TRACKED; i++)
		if (x->events[i])
			shard_events_add(&f->shard, t, x->event_days[i], x->events[i]);
	members_apply(&f->shard, t, &x->members, today);
	if (x->changes.n)
		changes_write(f, t, &x->changes);
	if (memory_short() && !t->err) /* nothing of it is committed; it is tried again */
		t->err = memory_check();
}

enum err fold_commit(struct fold *f, struct db_txn *t)
{
	struct fold_scratch *x = f->scratch;
	enum err e = db_end(t);
	if (!e && x->changes.last)
		atomic_store(&f->changes, x->changes.last);
	if (!e && x->since.saved)
		x->since.changed = false;
	if (e)
		f->daily_day = 0;
	x->changes.last = 0;
	x->since.saved = false;
	return e;
}

/* --- one visitor */

size_t fold_cats(const struct profile *p, uint16_t *out)
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
			fold_count_change(x, x->cats_before[b++], -1);
		else if (b == before_n || x->cats_after[a] < x->cats_before[b])
			fold_count_change(x, x->cats_after[a++], 1);
		else
			a++, b++;
	}
}

/* Evaluates the segments of the mask, keeps the others, and notes who entered and left. */
static void evaluate(
    struct fold *f, const struct vkey *k, struct profile *p, bool all, uint16_t today)
{
	struct fold_scratch *x = f->scratch;
	size_t n = 0, old = 0;
	if (all) {
		rules_block_clear(x->evaluator, today);
		rules_block_add(x->evaluator, p);
	}
	for (size_t i = 0; i < f->rules->segments_n; i++) {
		if (!all && (i % 64 == 0) && x->mask[i / 64] == 0 &&
		    (old == p->segments_n || p->segments[old] >= i + 64)) {
			i += 63; /* nothing touched and no member in these 64 */
			continue;
		}
		bool was = old < p->segments_n && p->segments[old] == i;
		old += was;
		bool ask = all || (x->mask[i / 64] >> (i % 64) & 1);
		bool is = all	? rules_block_segment(x->evaluator, (uint16_t)i) & 1
			  : ask ? rules_eval(f->rules, (uint16_t)i, p, today)
				: was;
		if (is != was)
			note(f, k, (uint16_t)i, p->ordinal, is ? BITMAP_IN : BITMAP_OUT);
		if (is)
			x->segments[n++] = (uint16_t)i;
	}
	if (!array_room(p->segments, p->segments_cap, n))
		return;
	if (n)
		memcpy(p->segments, x->segments, n * sizeof *p->segments);
	p->segments_n = n;
}

static void remove_visitor(
    struct fold *f, struct db_txn *t, const struct vkey *k, struct profile *p, uint32_t now)
{
	for (size_t i = 0; i < p->segments_n; i++)
		note(f, k, p->segments[i], p->ordinal, BITMAP_OUT);
	shard_due_move(&f->shard, t, p->ordinal, p->due_hour, 0);
	shard_ordinal_free(&f->shard, t, hour_of(now), p->ordinal);
	shard_match_forget(&f->shard, t, k);
	db_del(t, f->shard.visitors, vkey_str(k));
}

/* Writes a profile back after a change; `before_n` categories are in cats_before, `all` evaluates
 * every segment. */
void fold_settle(struct fold *f, struct db_txn *t, const struct vkey *k, struct profile *p,
    size_t before_n, bool all, uint32_t now)
{
	struct fold_scratch *x = f->scratch;
	uint16_t today = day_of(now);
	profile_expire(p, oldest_day(today, f->retention));
	compare_cats(x, before_n, fold_cats(p, x->cats_after));
	if (p->rows_n == 0) {
		remove_visitor(f, t, k, p, now);
		metric_inc(M_EXPIRED);
		return;
	}
	evaluate(f, k, p, all || p->evaluated_day != today, today);
	p->evaluated_day = today;
	uint32_t due = rules_next_due(f->rules, p, today, f->retention) * 24u;
	shard_due_move(&f->shard, t, p->ordinal, p->due_hour, due);
	p->due_hour = due;
	shard_profile_put(&f->shard, t, k, p, &x->saved);
}

/* Where the categories of an event stand in `lists`, remembered by what it is about. */
static uint32_t categorise(struct fold *f, const struct record *r)
{
	struct fold_scratch *x = f->scratch;
	struct str about = f->rules->uses_circumstances ? r->all : r->about;
	struct hash16 h = hash_keyed(&x->memo_key, about.p, about.n);
	struct memo *m = &x->memo[(h.b[0] | (unsigned)h.b[1] << 8) % MEMO_SIZE];
	if (m->known && memcmp(&m->hash, &h, sizeof h) == 0)
		return m->cats;
	uint16_t n = (uint16_t)rules_categorise(x->match, &r->event, x->cats);
	*m = (struct memo){h, (uint32_t)(x->lists.n / sizeof n), true};
	buf_add(&x->lists, &n, sizeof n);
	buf_add(&x->lists, x->cats, n * sizeof n);
	CHECK(!x->lists.failed);
	return m->cats;
}

struct entry fold_entry(struct fold *f, struct record *r, size_t n, struct entry_rest *rest)
{
	const struct event *e = &r->event;
	struct entry out = {.hi = get_u64(e->visitor.b),
	    .lo = get_u64(e->visitor.b + 8),
	    .n = (uint32_t)n,
	    .t = e->t};
	memset(rest, 0, sizeof *rest); /* the gaps too: rests are compared as bytes */
	rest->kind = (uint8_t)r->kind;
	if (r->kind != RECORD_EVENT) {
		rest->attrs_n = (uint8_t)e->attrs_n;
		return out;
	}
	rules_close(f->rules,
	    &r->event); /* older events may carry values that today's vocabularies do not know */
	rest->v = e->has_v ? e->v : 0;
	rest->has_v = e->has_v;
	rest->place = e->place;
	rest->agent = e->agent;
	rest->flags = e->flags;
	rest->purposes = e->purposes;
	rest->attrs_n = (uint8_t)e->attrs_n;
	out.cats = categorise(f, r);
	return out;
}

static void touch(struct fold_scratch *x, const uint64_t *segments)
{
	for (size_t i = 0; segments && i < x->mask_words; i++)
		x->mask[i] |= segments[i];
}

static void add_to(
    struct fold *f, struct profile *p, uint16_t cat, uint16_t day, const struct entry_rest *e)
{
	profile_add(p, cat, day, 1);
	if (e->has_v && f->rules->categories[cat].summed)
		profile_add_value(p, cat, day, e->v);
	touch(f->scratch, f->rules->categories[cat].segments);
}

/* `attrs` are the event's, as far as vocabularies let them through. */
static void apply(struct fold *f, struct profile *p, const struct entry *e,
    const struct entry_rest *rest, const struct attr *attrs)
{
	struct fold_scratch *x = f->scratch;
	const uint16_t *cats = (const uint16_t *)(const void *)x->lists.p + e->cats;
	uint16_t day = day_of(e->t);
	add_to(f, p, CATEGORY_ALL, day, rest);
	for (unsigned i = 0; i < cats[0]; i++)
		add_to(f, p, cats[1 + i], day, rest);
	profile_consent(p, day, rest->purposes);
	profile_observe(p, day, &rest->place, &rest->agent, attrs, rest->attrs_n);
	touch(x, f->rules->fact_segments);
	fold_events_change(x, day, 1);
}

/* What a partner says of a visitor, as far as today's rules let it. */
static void declare(struct fold *f, struct profile *p, const struct record *r)
{
	uint16_t day = (uint16_t)(r->until - f->retention);
	for (unsigned i = 0; i < r->event.attrs_n; i++) {
		struct attr a = r->event.attrs[i];
		const struct vocabulary *v = rules_vocabulary(f->rules, a.name);
		if (v && v->source && str_eq(r->partner, str_c(v->source)) &&
		    (a.value.n == 0 || rules_value(v, &a.value)))
			profile_declare(p, day, a.name, a.value);
		else
			metric_inc(M_DECLARED_DROPPED);
	}
	touch(f->scratch, f->rules->fact_segments);
}

/* A visitor without a cookie: remembered aside, until the cookie comes back. */
static void remember(
    struct fold *f, struct db_txn *t, const struct vkey *k, uint32_t at, struct str bytes)
{
	struct fold_scratch *x = f->scratch;
	uint32_t hour = hour_of(at);
	struct str old;
	buf_clear(&x->provisional);
	if (shard_provisional(&f->shard, t, k, &hour, &old)) {
		if (old.n + bytes.n > PROVISIONAL_BYTES) {
			metric_inc(M_PROV_DROPPED);
			return;
		}
		buf_str(&x->provisional, old);
	} else {
		while (db_count(t, f->shard.provisional) >= f->provisional_max &&
		       shard_provisional_expire_one(&f->shard, t, UINT32_MAX))
			metric_inc(M_PROV_EVICTED);
	}
	buf_str(&x->provisional, bytes);
	shard_provisional_put(&f->shard, t, k, hour, buf_view(&x->provisional));
}

/* The bytes of a record of the batch; decodes it if something besides its entry is needed. */
static struct str decode(struct fold *f, const struct entry_rest *e)
{
	struct fold_scratch *x = f->scratch;
	struct mp m = mp_over(str_make(x->raw.p + e->at, x->raw.n - e->at));
	CHECK(record_decode(&m, &x->record));
	if (x->record.kind == RECORD_EVENT)
		rules_close(f->rules, &x->record.event);
	return str_make(x->raw.p + e->at, (size_t)((const char *)m.p - (x->raw.p + e->at)));
}

/* --- what each kind of record does */

struct visiting {
	struct fold *f;
	struct db_txn *t;
	struct vkey k;
	struct profile *p; /* the scratch's; empty where there is none */
	uint32_t now;
	uint16_t oldest;
	size_t before_n; /* categories that it had, in cats_before */
	bool have, fresh, changed;
	bool stone; /* erased not long ago */
	bool bad;   /* what is stored of the visitor cannot be read */
};

static void recall_event(struct visiting *v, struct record *r)
{
	struct entry_rest rest;
	if (day_of(r->event.t) < v->oldest)
		return;
	struct entry e = fold_entry(v->f, r, 0, &rest);
	apply(v->f, v->p, &e, &rest, r->event.attrs);
}

/* The cookie came back: a profile begins, with what was remembered. */
static bool promote(struct visiting *v, uint32_t at)
{
	struct fold *f = v->f;
	struct fold_scratch *x = f->scratch;
	uint32_t hour;
	struct str old;
	profile_clear(v->p);
	v->p->ordinal = shard_ordinal_take(&f->shard, v->t, hour_of(v->now), &v->k);
	if (v->p->ordinal == UINT32_MAX) {
		metric_inc(M_NO_ROOM);
		return false;
	}
	buf_clear(&x->provisional);
	if (shard_provisional(&f->shard, v->t, &v->k, &hour, &old)) {
		if (hour + PROVISIONAL_HOURS >= hour_of(at))
			buf_str(&x->provisional, old);
		shard_provisional_del(&f->shard, v->t, &v->k);
	}
	struct mp m = mp_over(buf_view(&x->provisional));
	while (m.p < m.end && record_decode(&m, &x->replayed)) {
		const struct fold_row *row = fold_rows[x->replayed.kind];
		if (row->recall)
			row->recall(v, &x->replayed);
	}
	v->have = v->fresh = true;
	return true;
}

/* Is a record one that the visitor's views take? */
static bool counts(const struct visiting *v, const struct entry *e)
{
	if (v->bad)
		return false; /* it stays as it is; the journal has the records, and views made from
				 it have the visitor again */
	if (v->stone)
		metric_inc(M_TOMBSTONED);
	else if (day_of(e->t) < v->oldest)
		metric_inc(M_FOLD_DROPPED);
	else
		return true;
	return false;
}

static void visit_event(struct visiting *v, const struct entry *e, const struct entry_rest *rest)
{
	if (!counts(v, e))
		return;
	if (!v->have && (rest->flags & EVENT_NEW)) {
		remember(v->f, v->t, &v->k, e->t, decode(v->f, rest));
		return;
	}
	if (!v->have && !promote(v, e->t))
		return;
	v->changed = true;
	if (rest->attrs_n)
		decode(v->f, rest);
	apply(v->f, v->p, e, rest, v->f->scratch->record.event.attrs);
}

static void recall_match(struct visiting *v, struct record *r)
{
	shard_match_put(&v->f->shard, v->t, &v->k, r->partner, r->partner_id, r->event.t);
}

static void visit_match(struct visiting *v, const struct entry *e, const struct entry_rest *rest)
{
	if (!counts(v, e))
		return;
	struct str bytes = decode(v->f, rest), before = STR("");
	uint32_t hour;
	if (v->have)
		recall_match(v, &v->f->scratch->record);
	else if (!shard_provisional(&v->f->shard, v->t, &v->k, &hour, &before) || !before.n ||
		 !memmem(before.p, before.n, bytes.p, bytes.n))
		remember(v->f, v->t, &v->k, e->t, bytes); /* once */
}

static void visit_declared(struct visiting *v, const struct entry *e, const struct entry_rest *rest)
{
	if (!counts(v, e))
		return;
	if (!v->have) {
		metric_add(M_DECLARED_DROPPED, rest->attrs_n);
		return;
	}
	decode(v->f, rest);
	declare(v->f, v->p, &v->f->scratch->record);
	v->changed = true;
}

static void visit_erase(struct visiting *v, const struct entry *e, const struct entry_rest *rest)
{
	struct fold *f = v->f;
	(void)rest;
	/* what was counted before this batch is uncounted; what the batch itself added never was */
	compare_cats(f->scratch, v->before_n, 0);
	v->before_n = 0;
	if (v->bad)
		db_del(v->t, f->shard.visitors, vkey_str(&v->k));
	if (v->have) {
		for (size_t i = 0; i < v->p->rows_n && v->p->rows[i].cat == CATEGORY_ALL; i++)
			fold_events_change(
			    f->scratch, v->p->rows[i].day, -(int64_t)v->p->rows[i].count);
		remove_visitor(f, v->t, &v->k, v->p, v->now);
	}
	shard_provisional_del(&f->shard, v->t, &v->k);
	shard_tombstone_put(&f->shard, v->t, &v->k, (uint16_t)(day_of(e->t) + COOKIE_DAYS));
	v->bad = v->have = v->changed = v->fresh = false;
	v->stone = true;
}

/* Views are made by the rules of their generation; of others they keep since when. */
static void note_rules(struct fold *f, const struct record *r)
{
	since_note(&f->scratch->since, f->rules, r);
}

static const struct fold_row row_event = {.visit = visit_event, .recall = recall_event};
static const struct fold_row row_erase = {.visit = visit_erase};
static const struct fold_row row_rules = {.note = note_rules};
static const struct fold_row row_match = {
    .visit = visit_match, .recall = recall_match, .again = true};
static const struct fold_row row_declared = {.visit = visit_declared, .again = true};
/* Of these the views have nothing: the quarantine and imports read them. */
static const struct fold_row row_aside, row_released, row_taken, row_slice;

/* A kind without a row does not compile. */
const struct fold_row *const fold_rows[RECORD_KINDS] = {
#define X(kind, number, name) [kind] = &row_##name,
    RECORDS(X)
#undef X
};

void fold_visit(struct fold *f, struct db_txn *t, const struct entry *first,
    const struct entry *end, uint32_t now)
{
	struct fold_scratch *x = f->scratch;
	struct visiting v = {.f = f,
	    .t = t,
	    .p = &x->profile,
	    .now = now,
	    .oldest = oldest_day(day_of(now), f->retention)};
	put_u64(v.k.b, first->hi);
	put_u64(v.k.b + 8, first->lo);
	memset(x->mask, 0, x->mask_words * sizeof *x->mask);
	v.have = fold_profile(f, t, &v.k, v.p);
	v.stone = !v.have && shard_tombstone(&f->shard, t, &v.k, day_of(now));
	v.bad = !v.have && v.p->bad;
	v.before_n = v.have ? fold_cats(v.p, x->cats_before) : 0;
	for (const struct entry *e = first; e < end && !t->err; e++) {
		const struct entry_rest *rest = &x->rests[e->rest];
		if (rest->kind == RECORD_EVENT)
			visit_event(&v, e, rest);
		else
			fold_rows[rest->kind]->visit(&v, e, rest);
	}
	metric_add(M_FOLDED, (uint64_t)(end - first));
	if (v.changed && !t->err)
		fold_settle(f, t, &v.k, v.p, v.before_n, v.fresh, now);
}

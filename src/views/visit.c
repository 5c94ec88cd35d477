/* One visitor: what the records of a batch do to its profile, in their order.
 *
 * A visitor is in one of four states, and each record moves it on:
 *
 *                     event, first of a cookie   any other event        erasure
 *     unknown         provisional                known                  erased
 *     provisional     provisional, remembered    known, with all that   erased
 *                                                was remembered
 *     known           known                      known                  erased
 *     erased          (nothing)                  (nothing)              erased
 *
 * Unknown: no profile. Provisional: whoever came without a cookie is remembered by records alone,
 * for 24 hours, and counted nowhere. Known: there is a profile. Erased: a tombstone takes the
 * records of the old cookie for as long as that cookie can live (COOKIE_DAYS).
 *
 * Example: a first hit at 10:00 and a second at 10:05 with the cookie that the first one set. The
 * first is put aside. The second makes the profile: an ordinal is taken, the first hit is applied,
 * then the second, and the day counts two events. Without the second, the sweep forgets the first.
 *
 * A profile whose bytes do not decode is left as it is (`bad`): the journal has the records, and
 * views that are made from the journal have the visitor again. */
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/core/metric.h"
#include "folding.h"

#include <stdlib.h>

#define PROVISIONAL_BYTES 16384 /* records of one visitor that are remembered */

/* Where in `lists` the categories of an event stand. What an event is about (site, path, name, …;
 * with rules on place or device these, too) decides its categories, so the memo is keyed by a hash
 * of those bytes, and matching is done once for each page and not for each view. Two contents with
 * one hash of 128 keyed bits do not occur. */
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

/* One event of a category on a day. */
static void add_to(
    struct fold *f, struct profile *p, uint16_t cat, uint16_t day, const struct entry_rest *e)
{
	profile_add(p, cat, day, 1);
	if (e->has_v && f->rules->categories[cat].summed)
		profile_add_value(p, cat, day, e->v);
	touch(f->scratch, f->rules->categories[cat].segments);
}

/* Adds an event to a profile, and touches the segments that this can change. `attrs` are the
 * event's, as far as vocabularies let them through. */
static void apply_event(struct fold *f, struct profile *p, const struct entry *e,
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

/* What a partner says of a visitor, as far as today's rules let it: a vocabulary names the partner
 * as its source, and the value is one of its values; an empty value forgets. */
static void apply_declared(struct fold *f, struct profile *p, const struct record *r)
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

/* Adds a record to those of a provisional visitor, up to PROVISIONAL_BYTES. When there are as many
 * such visitors as may be, the oldest goes. */
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

/* Decodes a record of the batch again into `x->record`, and returns its bytes. They were decoded
 * before, so they are fine. */
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
	uint16_t oldest; /* the first day that counts */
	size_t before_n; /* categories that the stored profile has, in cats_before */
	bool have;	 /* there is a profile: the visitor is known */
	bool fresh;	 /* the profile began in this batch: all segments are evaluated */
	bool changed;	 /* the profile is to be settled */
	bool stone;	 /* a tombstone takes the records */
	bool bad;	 /* what is stored of the visitor does not decode */
};

static void recall_event(struct visiting *v, struct record *r)
{
	struct entry_rest rest;
	if (day_of(r->event.t) < v->oldest)
		return;
	struct entry e = fold_entry(v->f, r, 0, &rest);
	apply_event(v->f, v->p, &e, &rest, r->event.attrs);
}

/* The cookie came back, at `at`: a profile begins, with what was remembered in the 24 hours before.
 * False: all ordinals of the shard are taken. */
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
		return false;
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
	apply_event(v->f, v->p, e, rest, v->f->scratch->record.event.attrs);
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
		remember(v->f, v->t, &v->k, e->t, bytes); /* the same match is remembered once */
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
	apply_declared(v->f, v->p, &v->f->scratch->record);
	v->changed = true;
}

static void visit_erase(struct visiting *v, const struct entry *e, const struct entry_rest *rest)
{
	struct fold *f = v->f;
	(void)rest;
	/* Categories that the stored profile has are counted, and lose a visitor. What this batch
	 * added to the profile was not counted yet. */
	fold_count_cats(f->scratch, v->before_n, 0);
	v->before_n = 0;
	if (v->bad)
		db_del(v->t, f->shard.visitors, vkey_str(&v->k));
	if (v->have) {
		/* counters of days that have ended are gone, or go with the next sweep */
		for (size_t i = 0; i < v->p->rows_n && v->p->rows[i].cat == CATEGORY_ALL; i++)
			if (v->p->rows[i].day >= v->oldest)
				fold_events_change(
				    f->scratch, v->p->rows[i].day, -(int64_t)v->p->rows[i].count);
		fold_remove_visitor(f, v->t, &v->k, v->p, v->now);
	}
	shard_provisional_del(&f->shard, v->t, &v->k);
	shard_tombstone_put(&f->shard, v->t, &v->k, (uint16_t)(day_of(e->t) + COOKIE_DAYS));
	v->bad = v->have = v->changed = v->fresh = false;
	v->stone = true;
}

/* Other rules were activated. Views are made by the rules of their generation, so all that they
 * keep of others is since when these decide at the door (views/since.h). */
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
/* Kinds of which the views have nothing: the quarantine and imports read them. */
static const struct fold_row row_aside, row_released, row_taken, row_slice;

/* A kind without a row does not compile. */
const struct fold_row *const fold_rows[RECORD_KINDS] = {
#define X(kind, number, name) [kind] = &row_##name,
    RECORDS(X)
#undef X
};

size_t fold_visit_at(struct fold *f, struct db_txn *t, size_t i, uint32_t now)
{
	const struct entry *list = f->scratch->entries;
	size_t z = i + 1;
	while (z < f->scratch->entries_n && list[z].hi == list[i].hi && list[z].lo == list[i].lo)
		z++;
	fold_visit(f, t, list + i, list + z, now);
	return z;
}

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

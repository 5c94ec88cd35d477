/* `db verify`: everything that must hold of the views, checked by counting again from the profiles,
 * or by making the views again from the journal.
 *
 *     recount    profile ──► ordinal, due entry, memberships, category counters, events a day, and
 *                back, by the sizes of the tables
 *     replay     journal ──► second set of views ──► compared visitor by visitor
 *
 * The first finds what a fold forgot to update, the second what it did twice or not at all. */
#include "crumb/ask/verify.h"

#include "crumb/base/clock.h"
#include "crumb/condition/eval.h"
#include "crumb/model/record.h"
#include "crumb/base/code.h"
#include "crumb/store/each_stored.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DAYS 65536 /* that a u16 can number */
/* Days that are looked at from the oldest one on: the retained ones, and some for a clock that was
 * put back. */
#define DAYS_LOOKED_AT (RETENTION_MAX + 10u)

struct check {
	struct generation *g;
	struct fold *f;
	struct db_txn t;
	void (*problem)(void *, const char *);
	void *arg;
	/* recounted from the profiles of the shard */
	uint64_t visitors;
	uint64_t *cats, *members; /* by number: visitors */
	uint64_t *events;	  /* by day */
	/* scratch */
	uint16_t *segments;
	struct profile p;
};

static void tell_problem(struct check *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void tell_problem(struct check *c, const char *fmt, ...)
{
	char words[300], text[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(words, sizeof words, fmt, ap);
	va_end(ap);
	snprintf(text, sizeof text, "shard %u: %s", c->f->shard.number, words);
	c->problem(c->arg, text);
}

/* Memberships are what a from-scratch evaluation says, as of the day of the last one, and the
 * bitmaps have them. */
static void check_segments(struct check *c, const char *who)
{
	struct profile *p = &c->p;
	unsigned n = rules_eval_all(c->g->rules, p, p->evaluated_day, c->segments);
	if (n != p->segments_n ||
	    (n && memcmp(c->segments, p->segments, n * sizeof *c->segments) != 0))
		tell_problem(
		    c, "visitor %s: stored memberships differ from a from-scratch evaluation", who);
	for (size_t i = 0; i < p->segments_n; i++) {
		c->members[p->segments[i]]++;
		if (!members_has(&c->f->shard, &c->t, p->segments[i], p->ordinal))
			tell_problem(c, "visitor %s: missing from the bitmap of segment %u", who,
			    p->segments[i]);
	}
}

/* One profile, and what belongs to it one to one: ordinal, due entry, shard. */
static void check_visitor(struct check *c, const struct vkey *k, struct str bytes)
{
	struct profile *p = &c->p;
	struct vkey other;
	char who[33];
	struct str none;
	uint8_t due[8];
	hex_encode(k->b, sizeof k->b, who);
	who[32] = 0;
	if (!profile_load(p, bytes)) {
		tell_problem(c, "visitor %s: the profile does not decode", who);
		return;
	}
	c->visitors++;
	if (!shard_ordinal_key(&c->f->shard, &c->t, p->ordinal, &other) ||
	    memcmp(&other, k, sizeof other) != 0)
		tell_problem(c, "visitor %s: its ordinal names somebody else", who);
	put_u32(due, p->due_hour);
	put_u32(due + 4, p->ordinal);
	if (!db_get(&c->t, c->f->shard.due, str_make((char *)due, 8), &none))
		tell_problem(c, "visitor %s: no due entry at the hour that the profile names", who);
	if (p->due_hour != rules_next_due(c->g->rules, p, p->evaluated_day, c->f->retention) * 24u)
		tell_problem(c, "visitor %s: the due hour is not the next change", who);
	if (vkey_shard(k, c->g->shards) != c->f->shard.number)
		tell_problem(c, "visitor %s: belongs to another shard", who);
	if (p->rows_n == 0)
		tell_problem(c, "visitor %s: nothing is left, yet it is there", who);
	for (size_t i = 0; i < p->rows_n; i++) {
		if (p->rows[i].cat >= c->g->rules->categories_n)
			tell_problem(c, "visitor %s: unknown category %u", who, p->rows[i].cat);
		if (i == 0 || p->rows[i].cat != p->rows[i - 1].cat)
			c->cats[p->rows[i].cat]++;
		if (p->rows[i].cat == CATEGORY_ALL)
			c->events[p->rows[i].day] += p->rows[i].count;
	}
	check_segments(c, who);
}

static void check_visitors(struct check *c)
{
	struct each_stored w;
	each_stored_begin(&w, &c->f->shard, &c->t, NULL);
	while (each_stored(&w))
		check_visitor(c, &w.key, w.bytes);
	each_stored_end(&w);
	if (w.misfits)
		tell_problem(
		    c, "%u keys of visitors are not %zu bytes long", w.misfits, sizeof w.key.b);
}

/* Who entered and left adds up to the sizes: nobody entered or left twice. */
static void check_days(struct check *c, uint16_t segment, uint16_t oldest)
{
	struct daily_segment row;
	uint64_t size = 0;
	bool known = false;
	for (uint32_t d = oldest; d < oldest + DAYS_LOOKED_AT; d++) {
		if (!shard_daily_get(&c->f->shard, &c->t, (uint16_t)d, segment, &row))
			continue;
		if (known && row.size != size + row.entered - row.left)
			tell_problem(c,
			    "segment %u: on day %u %llu were in it, %u entered and %u left, yet "
			    "%llu are",
			    segment, d, (unsigned long long)size, row.entered, row.left,
			    (unsigned long long)row.size);
		known = true;
		size = row.size;
	}
	if (known && size != c->members[segment])
		tell_problem(c, "segment %u: the days end with %llu, bitmaps hold %llu", segment,
		    (unsigned long long)size, (unsigned long long)c->members[segment]);
}

/* Counters against the recount, and sizes of tables against each other. */
static void check_counters(struct check *c, uint16_t oldest)
{
	struct shard *s = &c->f->shard;
	uint64_t due = db_count(&c->t, s->due), ordinals = db_count(&c->t, s->ordinals);
	if (due != c->visitors)
		tell_problem(c, "%llu due entries for %llu visitors", (unsigned long long)due,
		    (unsigned long long)c->visitors);
	if (ordinals != c->visitors)
		tell_problem(c, "%llu ordinals for %llu visitors", (unsigned long long)ordinals,
		    (unsigned long long)c->visitors);
	if (db_count(&c->t, s->provisional) != db_count(&c->t, s->prov_hours))
		tell_problem(c, "provisional visitors and their hours differ in number");
	for (size_t i = 0; i < c->g->rules->categories_n; i++)
		if (shard_count(s, &c->t, (uint16_t)i) != c->cats[i])
			tell_problem(c, "category %zu: %llu visitors counted, %llu there", i,
			    (unsigned long long)shard_count(s, &c->t, (uint16_t)i),
			    (unsigned long long)c->cats[i]);
	for (size_t i = 0; i < c->g->rules->segments_n; i++)
		if (members_size(s, &c->t, (uint16_t)i) != c->members[i])
			tell_problem(c, "segment %zu: bitmaps hold %llu, profiles say %llu", i,
			    (unsigned long long)members_size(s, &c->t, (uint16_t)i),
			    (unsigned long long)c->members[i]);
	for (size_t i = 0; i < c->g->rules->segments_n; i++)
		check_days(c, (uint16_t)i, oldest);
	for (uint32_t d = oldest; d < oldest + DAYS_LOOKED_AT; d++)
		if (shard_events(s, &c->t, (uint16_t)d) != c->events[d])
			tell_problem(c, "day %u: %llu events counted, %llu in profiles", d,
			    (unsigned long long)shard_events(s, &c->t, (uint16_t)d),
			    (unsigned long long)c->events[d]);
}

/* Both directions of every match, of visitors who are there. */
static void check_matches(struct check *c)
{
	struct shard *s = &c->f->shard;
	struct db_cursor cur;
	struct str key, value, none;
	uint64_t forward = 0;
	db_walk(&c->t, s->partners, &cur);
	for (bool more = db_seek(&cur, STR("v"), &key, &value); more;
	     more = db_next(&cur, &key, &value)) {
		struct vkey k, other;
		uint32_t at;
		if (key.n <= 17 || value.n <= 4) {
			tell_problem(c, "a match of %zu and %zu bytes", key.n, value.n);
			continue;
		}
		memcpy(k.b, key.p + 1, sizeof k.b);
		forward++;
		if (!db_get(&c->t, s->visitors, vkey_str(&k), &none))
			tell_problem(c, "a match of a visitor who is not there");
		if (!shard_match_visitor(
			s, &c->t, str_skip(key, 17), str_skip(value, 4), 0, &other, &at))
			tell_problem(c, "a match that the other direction does not know");
	}
	db_walk_end(&cur);
	if (db_count(&c->t, s->partners) != 2 * forward)
		tell_problem(c, "%llu matches in one direction, %llu rows in both",
		    (unsigned long long)forward, (unsigned long long)db_count(&c->t, s->partners));
}

/* Recounts one shard, in one read transaction: all numbers are of one moment. */
static enum err check_shard(struct check *c)
{
	enum err e = db_begin(&c->f->shard.db, DB_READ, &c->t);
	struct db_cursor cur;
	struct str key, value;
	if (e)
		return e;
	c->visitors = 0;
	memset(c->cats, 0, PROFILE_NUMBERS * sizeof *c->cats);
	memset(c->events, 0, DAYS * sizeof *c->events);
	memset(c->members, 0, PROFILE_NUMBERS * sizeof *c->members);
	check_visitors(c);
	check_matches(c);
	check_counters(c, oldest_day(day_of(clock_now()), c->f->retention));
	db_walk(&c->t, c->f->shard.provisional, &cur);
	while (db_next(&cur, &key, &value)) {
		struct record r;
		struct mp m = mp_over(str_skip(value, 4));
		while (m.p < m.end && record_decode(&m, &r))
			;
		if (m.bad || value.n < 4)
			tell_problem(c, "a provisional visitor's records do not decode");
	}
	db_walk_end(&cur);
	e = c->t.err;
	db_abort(&c->t);
	return e;
}

enum err verify_generation(struct generation *g, void (*problem)(void *, const char *), void *arg)
{
	struct check c = {.g = g, .problem = problem, .arg = arg};
	c.cats = calloc(PROFILE_NUMBERS, sizeof *c.cats);
	c.events = calloc(DAYS, sizeof *c.events);
	c.members = calloc(PROFILE_NUMBERS, sizeof *c.members);
	c.segments = calloc(g->rules->segments_n + 1, sizeof *c.segments);
	CHECK(c.cats && c.events && c.members && c.segments);
	enum err e = OK;
	for (unsigned i = 0; i < g->shards && !e; i++) {
		c.f = &g->fold[i];
		if ((e = store_check_pages(g->store, g->number, &c.f->shard)) == OK)
			e = check_shard(&c);
		else if (e == ERR_CORRUPT)
			problem(arg, err_text()), e = OK;
	}
	profile_done(&c.p);
	free(c.cats);
	free(c.events);
	free(c.members);
	free(c.segments);
	return e;
}

/* --- replay */

/* Memberships, rows, sums, facts and attributes. Ordinals and due hours may differ: views that were
 * made in another order number visitors otherwise. */
static bool same_profile(const struct profile *a, const struct profile *b)
{
	if (a->rows_n != b->rows_n || a->segments_n != b->segments_n || a->attrs_n != b->attrs_n)
		return false;
	if (a->rows_n && memcmp(a->rows, b->rows, a->rows_n * sizeof *a->rows) != 0)
		return false;
	if (a->sums_n != b->sums_n ||
	    (a->sums_n && memcmp(a->sums, b->sums, a->sums_n * sizeof *a->sums) != 0))
		return false;
	if (a->segments_n &&
	    memcmp(a->segments, b->segments, a->segments_n * sizeof *a->segments) != 0)
		return false;
	for (unsigned i = 0; i < a->attrs_n; i++) {
		const struct profile_attr *other = profile_attr(b, a->attrs[i].name);
		if (!other || !str_eq(other->value, a->attrs[i].value) ||
		    other->day != a->attrs[i].day)
			return false;
	}
	return memcmp(&a->place, &b->place, sizeof a->place) == 0 &&
	       memcmp(&a->agent, &b->agent, sizeof a->agent) == 0 && a->place_day == b->place_day &&
	       a->agent_day == b->agent_day;
}

/* Goes on to the next match that is retained. */
static bool next_match(
    struct db_cursor *c, bool first, uint32_t oldest, struct str *key, struct str *value)
{
	bool more = first ? db_seek(c, STR("v"), key, value) : db_next(c, key, value);
	while (more && (value->n < 4 || get_u32((const uint8_t *)value->p) < oldest))
		more = db_next(c, key, value);
	return more;
}

/* Two walks in order of key; expired matches may still be in one of them. */
static bool same_matches(struct fold *live, struct db_txn *a, struct fold *made, struct db_txn *b)
{
	struct db_cursor ca, cb;
	struct str ka, va, kb, vb;
	uint32_t oldest = oldest_day(day_of(clock_now()), live->retention) * (uint32_t)DAY_S;
	bool same = true;
	db_walk(a, live->shard.partners, &ca);
	db_walk(b, made->shard.partners, &cb);
	for (bool first = true; same; first = false) {
		bool more_a = next_match(&ca, first, oldest, &ka, &va),
		     more_b = next_match(&cb, first, oldest, &kb, &vb);
		same = more_a == more_b && (!more_a || (str_eq(ka, kb) && str_eq(va, vb)));
		if (!more_a)
			break;
	}
	db_walk_end(&ca);
	db_walk_end(&cb);
	return same;
}

/* Both sets of views of one shard, side by side in order of visitor key. Tells who is in one only,
 * and who differs. */
static enum err compare_shard(
    struct fold *live, struct fold *made, void (*problem)(void *, const char *), void *arg)
{
	struct db_txn a, b;
	struct each_stored wa, wb;
	struct profile pa = {0}, pb = {0};
	char text[200];
	enum err e = db_begin(&live->shard.db, DB_READ, &a);
	if (e)
		return e;
	if ((e = db_begin(&made->shard.db, DB_READ, &b))) {
		db_abort(&a);
		return e;
	}
	each_stored_begin(&wa, &live->shard, &a, NULL);
	each_stored_begin(&wb, &made->shard, &b, NULL);
	for (each_stored(&wa), each_stored(&wb); wa.there || wb.there;) {
		int order = each_stored_order(&wa, &wb);
		char who[33];
		hex_encode(order <= 0 ? wa.key.b : wb.key.b, sizeof wa.key.b, who);
		who[32] = 0;
		if (order != 0) {
			snprintf(text, sizeof text, "shard %u: visitor %s is only in the %s views",
			    live->shard.number, who, order < 0 ? "stored" : "replayed");
			problem(arg, text);
		} else if (!profile_load(&pa, wa.bytes) || !profile_load(&pb, wb.bytes) ||
			   !same_profile(&pa, &pb)) {
			snprintf(text, sizeof text, "shard %u: visitor %s differs after replay",
			    live->shard.number, who);
			problem(arg, text);
		}
		if (order <= 0)
			each_stored(&wa);
		if (order >= 0)
			each_stored(&wb);
	}
	each_stored_end(&wa);
	each_stored_end(&wb);
	if (!same_matches(live, &a, made, &b)) {
		snprintf(text, sizeof text, "shard %u: matches with partners differ after replay",
		    live->shard.number);
		problem(arg, text);
	}
	profile_done(&pa);
	profile_done(&pb);
	e = a.err ? a.err : b.err;
	db_abort(&a);
	db_abort(&b);
	return e;
}

enum err verify_replay(struct generation *g, struct store *s, const struct config *c,
    const char *folder, uint32_t now, void (*problem)(void *, const char *), void *arg)
{
	struct store second = *s;
	char state[4200];
	snprintf(second.path, sizeof second.path, "%s", folder);
	second.readonly = false;
	snprintf(state, sizeof state, "%s/state", folder);
	enum err e = folder_make(state, 0700);
	for (unsigned i = 0; i < g->shards && !e; i++) {
		struct fold made;
		bool more = true;
		size_t done;
		e = fold_open(&made, &second, 1, i, g->rules, c);
		/* removes the names; what is open stays until it is closed */
		store_drop_generation(&second, 1);
		while (!e && more)
			e = fold_some(&made, s->journal, now, 200000, &done, &more);
		for (more = true; !e && more;)
			e = fold_sweep(&made, now, 20000, &more);
		if (!e && journal_pos_before(
			      atomic_load(&g->fold[i].watermark), atomic_load(&made.watermark))) {
			char text[100];
			snprintf(text, sizeof text,
			    "shard %u: the views are not at the end of the journal", i);
			problem(arg, text);
		}
		if (!e)
			e = compare_shard(&g->fold[i], &made, problem, arg);
		fold_close(&made);
	}
	return e;
}

/* Answers from the views. Stored sizes, counters and profiles are of the last fold or sweep; what
 * is overdue since then is corrected visitor by visitor, so that an answer is exact for `now`:
 *
 *     size told = stored size − overdue members who are none any more + overdue who became members
 *
 * Overdue visitors are found by the due index, so an answer costs a bit more shortly after
 * midnight, before the sweep has come by, and else hardly anything. */
#include "crumb/views/view.h"

#include "crumb/views/since.h"
#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "crumb/condition/eval.h"

#include <stdlib.h>

void view_freshen(const struct generation *g, const struct fold *f, struct profile *p, uint32_t now)
{
	uint16_t today = day_of(now);
	if (p->due_hour > hour_of(now) || p->evaluated_day >= today)
		return; /* nothing has ended since the last evaluation */
	profile_expire(p, oldest_day(today, f->retention));
	if (!array_room(p->segments, p->segments_cap, g->rules->segments_n)) {
		p->segments_n = 0;
		return;
	}
	p->segments_n = rules_eval_all(g->rules, p, today, p->segments);
}

enum err view_each_overdue(const struct generation *g, struct fold *f, struct db_txn *t,
    uint32_t now, overdue_each each, void *arg)
{
	struct profile stored = {0}, fresh = {0};
	uint32_t hour = 0, ordinal = 0;
	enum err e = OK;
	while (!e && shard_due_first(&f->shard, t, hour, ordinal, &hour, &ordinal) &&
	       hour <= hour_of(now)) {
		struct vkey k;
		if (shard_ordinal_key(&f->shard, t, ordinal, &k) &&
		    fold_profile(f, t, &k, &stored) && fold_profile(f, t, &k, &fresh)) {
			view_freshen(g, f, &fresh, now);
			e = each(arg, &k, &stored, &fresh);
		}
		if (ordinal == UINT32_MAX)
			hour++;
		ordinal++;
	}
	profile_done(&stored);
	profile_done(&fresh);
	return e ? e : t->err;
}

/* --- sizes */

struct sums {
	int64_t *segments, *categories;
};

static void add_cats(int64_t *sums, const struct profile *p, int64_t by)
{
	for (size_t i = 0; i < p->rows_n; i++)
		if (i == 0 || p->rows[i].cat != p->rows[i - 1].cat)
			sums[p->rows[i].cat] += by;
}

/* Takes an overdue visitor out of the stored sizes, and puts the visitor of now in. */
static enum err correct(
    void *arg, const struct vkey *k, const struct profile *stored, const struct profile *fresh)
{
	struct sums *s = arg;
	(void)k;
	for (size_t i = 0; i < stored->segments_n; i++)
		s->segments[stored->segments[i]]--;
	for (size_t i = 0; i < fresh->segments_n; i++)
		s->segments[fresh->segments[i]]++;
	add_cats(s->categories, stored, -1);
	add_cats(s->categories, fresh, 1);
	return OK;
}

static enum err sum_shard(struct generation *g, struct fold *f, uint32_t now, struct sums *s)
{
	struct db_txn t;
	enum err e = db_begin(&f->shard.db, DB_READ, &t);
	if (e)
		return e;
	for (size_t i = 0; i < g->rules->segments_n; i++)
		s->segments[i] += (int64_t)members_size(&f->shard, &t, (uint16_t)i);
	for (size_t i = 0; i < g->rules->categories_n; i++)
		s->categories[i] += (int64_t)shard_count(&f->shard, &t, (uint16_t)i);
	e = view_each_overdue(g, f, &t, now, correct, s);
	db_abort(&t);
	return e;
}

enum err view_sizes(
    struct generation *g, const struct kgate *gate, uint32_t now, struct group_sizes *out)
{
	/* a damaged profile may name any number, so there is room for all of them */
	struct sums s = {
	    calloc(PROFILE_NUMBERS, sizeof(int64_t)), calloc(PROFILE_NUMBERS, sizeof(int64_t))};
	struct group_sizes sizes = {calloc(g->rules->segments_n + 1, sizeof *sizes.segments),
	    calloc(g->rules->categories_n, sizeof *sizes.categories)};
	enum err e = s.segments && s.categories && sizes.segments && sizes.categories
			 ? OK
			 : err_set(ERR_NOMEM, "no memory for this now");
	for (unsigned i = 0; i < g->shards && !e; i++)
		e = sum_shard(g, &g->fold[i], now, &s);
	if (!e)
		e = memory_check();
	for (size_t i = 0; i < g->rules->segments_n && !e; i++)
		sizes.segments[i] = kgate_show_group(gate, 's', g->rules->segments[i].id,
		    s.segments[i] > 0 ? (uint64_t)s.segments[i] : 0);
	for (size_t i = 0; i < g->rules->categories_n && !e; i++)
		sizes.categories[i] = kgate_show_group(gate, 'c',
		    g->rules->categories[i].id ? g->rules->categories[i].id : "",
		    s.categories[i] > 0 ? (uint64_t)s.categories[i] : 0);
	free(s.segments);
	free(s.categories);
	if (e)
		view_sizes_done(&sizes);
	else
		*out = sizes;
	return e;
}

void view_sizes_done(struct group_sizes *s)
{
	free(s->segments);
	free(s->categories);
	*s = (struct group_sizes){0};
}

/* --- totals */

static enum err count_gone(
    void *arg, const struct vkey *k, const struct profile *stored, const struct profile *fresh)
{
	(void)k, (void)stored;
	*(uint64_t *)arg += fresh->rows_n == 0;
	return OK;
}

enum err view_totals(struct generation *g, uint32_t now, struct totals *out)
{
	struct totals sum = {0};
	for (unsigned i = 0; i < g->shards; i++) {
		struct fold *f = &g->fold[i];
		struct db_txn t;
		uint64_t gone = 0;
		enum err e = db_begin(&f->shard.db, DB_READ, &t);
		if (e)
			return e;
		sum.visitors += db_count(&t, f->shard.visitors);
		sum.provisional +=
		    shard_provisional_since(&f->shard, &t, hour_of(now) - PROVISIONAL_HOURS);
		sum.events +=
		    shard_events_since(&f->shard, &t, oldest_day(day_of(now), f->retention));
		e = view_each_overdue(g, f, &t, now, count_gone, &gone);
		sum.visitors -= gone;
		db_abort(&t);
		if (e)
			return e;
	}
	*out = sum;
	return memory_check();
}

/* --- one visitor */

enum err view_visitor(struct generation *g, const struct vkey *k, uint32_t now, struct profile *out)
{
	struct fold *f = &g->fold[vkey_shard(k, g->shards)];
	struct db_txn t;
	enum err e = db_begin(&f->shard.db, DB_READ, &t);
	if (e)
		return e;
	bool have = shard_profile(&f->shard, &t, k, out);
	e = t.err;
	db_abort(&t);
	if (e || (!have && (e = memory_check())))
		return e;
	if (!have)
		return ERR_NOT_FOUND;
	view_freshen(g, f, out, now);
	if ((e = memory_check()))
		return e;
	return out->rows_n ? OK : ERR_NOT_FOUND;
}

bool view_provisional(struct generation *g, const struct vkey *k, uint32_t now, uint32_t *hour)
{
	struct fold *f = &g->fold[vkey_shard(k, g->shards)];
	struct db_txn t;
	struct str records;
	if (db_begin(&f->shard.db, DB_READ, &t) != OK)
		return false;
	bool have = shard_provisional(&f->shard, &t, k, hour, &records);
	db_abort(&t);
	return have && *hour + PROVISIONAL_HOURS >= hour_of(now);
}

/* --- partners' ids */

static uint32_t oldest_match(const struct fold *f, uint32_t now)
{
	return oldest_day(day_of(now), f->retention) * (uint32_t)DAY_S;
}

bool view_match(struct generation *g, const struct vkey *k, struct str partner, uint32_t now,
    struct match_row *out)
{
	struct fold *f = &g->fold[vkey_shard(k, g->shards)];
	struct db_txn t;
	if (db_begin(&f->shard.db, DB_READ, &t) != OK)
		return false;
	bool found = shard_match(&f->shard, &t, k, partner, oldest_match(f, now), out);
	db_abort(&t);
	return found;
}

unsigned view_matches(
    struct generation *g, const struct vkey *k, uint32_t now, struct match_row *out, unsigned cap)
{
	struct fold *f = &g->fold[vkey_shard(k, g->shards)];
	struct db_txn t;
	if (db_begin(&f->shard.db, DB_READ, &t) != OK)
		return 0;
	unsigned n = shard_matches(&f->shard, &t, k, oldest_match(f, now), out, cap);
	db_abort(&t);
	return n;
}

bool view_partner_visitor(
    struct generation *g, struct str partner, struct str id, uint32_t now, struct vkey *out)
{
	uint32_t newest = 0;
	bool found = false;
	for (unsigned i = 0; i < g->shards; i++) {
		struct fold *f = &g->fold[i];
		struct db_txn t;
		struct vkey k;
		uint32_t at = 0;
		if (db_begin(&f->shard.db, DB_READ, &t) != OK)
			continue;
		if (shard_match_visitor(
			&f->shard, &t, partner, id, oldest_match(f, now), &k, &at) &&
		    (!found || at > newest)) {
			*out = k;
			newest = at;
			found = true;
		}
		db_abort(&t);
	}
	return found;
}

enum err view_since(struct generation *g, uint32_t now, uint16_t **categories, uint16_t **segments)
{
	struct fold *f = &g->fold[0];
	struct since s;
	struct db_txn t;
	enum err e = db_begin(&f->shard.db, DB_READ, &t);
	if (e)
		return e;
	if (since_init(&s, g->rules))
		since_load(&s, &f->shard, &t);
	else
		e = err_set(ERR_NOMEM, "no memory for this now");
	if (!e)
		e = t.err;
	db_abort(&t);
	if (!e)
		e = since_days(&s, g->rules, day_of(now), f->retention, categories, segments);
	since_done(&s);
	return e;
}

/* The sweep: what time alone changes. A day ends its retention, a window slides past an event, a
 * segment ends.
 *
 * Each profile stores the next hour at which something about it changes (condition/eval.h,
 * rules_next_due()), and the table `due` has one entry for it. So the sweep reads the visitors
 * whose hour has come and nobody else: its cost follows what ends, not how many visitors there are.
 *
 *     due       480,312 │ 7     480,312 │ 90,211     480,336 │ 12     …    (hour │ ordinal), sorted
 *               └── due at hour 480,320 ────────┘     └── not yet
 *
 * An hour is swept in three steps, over as many calls as it takes: list_due() copies the due
 * entries and sorts them by visitor key (24 bytes each, a million at most); fold_sweep() settles
 * some of them in each transaction; when the list is empty it looks again, and only a look that
 * finds nothing moves `swept_hour`. Between listing and settling a visitor may have been folded or
 * removed; sweep_one() compares with what is stored.
 *
 * Once a day the counters of days that are no longer retained go, and tombstones that are over. */
#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/core/metric.h"
#include "folding.h"

#include <stdlib.h>

#define DUE_MOST 1000000    /* listed at once */
#define TOMBSTONES_MOST 256 /* removed in one transaction */

/* Once a day: removes counters of days that have ended, and tombstones that are over. `daily_day`
 * stays behind while tombstones are left, so that the next call goes on. */
static void daily(struct fold *f, struct db_txn *t, uint32_t now)
{
	uint16_t today = day_of(now);
	if (f->daily_day == today)
		return;
	shard_daily_expire(&f->shard, t, oldest_day(today, f->retention));
	struct db_cursor c;
	struct str key, value;
	struct vkey gone[TOMBSTONES_MOST];
	size_t n = 0;
	db_walk(t, f->shard.tombstones, &c);
	for (bool more = db_next(&c, &key, &value); more && n < TOMBSTONES_MOST;
	     more = db_next(&c, &key, &value))
		if (key.n == 16 && value.n == 2 && get_u16((const uint8_t *)value.p) <= today)
			memcpy(gone[n++].b, key.p, 16);
	db_walk_end(&c);
	for (size_t i = 0; i < n; i++)
		db_del(t, f->shard.tombstones, vkey_str(&gone[i]));
	if (n < TOMBSTONES_MOST)
		f->daily_day = today;
}

/* Is there anything that fold_sweep() would do? A read transaction, so that an hour in which
 * nothing ends costs no commit. */
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

/* Lists who is due, in order of visitor key. Visitors with neighbouring keys share pages, so each
 * page is written once and not once for each of its visitors. */
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
		/* nobody's: the key stays zero, and sweep_one() removes the entry */
		(void)shard_ordinal_key(&f->shard, &t, d->ordinal, &d->k);
	}
	db_walk_end(&c);
	if (x->due_n)
		qsort(x->due, x->due_n, sizeof *x->due, by_key);
	return db_end(&t);
}

/* Brings one visitor to `now`. Since the list was made the visitor may have been folded, and be due
 * at another hour, or have gone: then the entry is a leftover and is removed. */
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
	/* the call after the last one finds nothing due, and moves `swept_hour` */
	*more = n > 0 || f->daily_day != day_of(now);
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

/* Readers of a shard over all days: a merge of one cursor a day, by sequence.
 *
 * A shard's blocks lie in order within a day, but the days' sequences may interleave: hits of
 * yesterday come after midnight, and imports come for any day. So a reader has a cursor in each day
 * that has blocks behind its position, and takes the lowest sequence of them all:
 *
 *     2026-01-01    3 5 9           yields 3, 4, 5, 7, 9
 *     2026-01-02    4 7
 *
 * What a reader sees is what was shown when it began: of each day the limit `last`, read under one
 * lock, while commits are shown under it. So a commit of several days is seen in all of them, or in
 * none, though each day's transaction begins at a moment of its own. The days are held by
 * references. A reader costs a transaction and a cursor for each day, and its struct of 14 kB. */
#include "local.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/low.h"

#include <stdio.h>
#include <stdlib.h>

struct local_reader {
	struct journal_reader base;
	struct local *j;
	unsigned shard, n;
	struct opener opener;
	struct {
		struct journal_day *d;
		struct db_txn t;
		struct db_cursor c;
		struct str key, value;
		uint64_t limit; /* the highest sequence that readers saw when this one began */
		bool more;	/* key and value are a block of the shard */
	} day[JOURNAL_DAYS_MAX];
};

/* Does the cursor of the day stand at a block of the shard, up to the limit? */
static bool in_shard(const struct local_reader *r, unsigned i)
{
	return r->day[i].key.n == PLACE_LEN &&
	       get_u16((const uint8_t *)r->day[i].key.p) == r->shard &&
	       get_u64((const uint8_t *)r->day[i].key.p + 2) <= r->day[i].limit;
}

/* Something in a day does not open, or its pages lead nowhere, while it is in use: the reader goes
 * on without that, and the next start looks at all of the day. A note of the start, which has
 * counted what is lost, stays. */
static void found_damage(struct local *j, struct journal_day *d)
{
	char where[32];
	ledger_where(d->day, where);
	db_found_damage(&d->db);
	if (!damage_noted(j->damage, where))
		damage_note(j->damage, where, EVENTS_UNKNOWN,
		    "damaged while it was in use (%s); the next start counts what is lost",
		    err_text());
}

void local_read_end(struct journal_reader *base)
{
	struct local_reader *r = (struct local_reader *)base;
	for (unsigned i = 0; i < r->n; i++) {
		db_walk_end(&r->day[i].c);
		db_abort(&r->day[i].t);
	}
	struct journal_day gone[JOURNAL_DAYS_MAX];
	unsigned gone_n = 0;
	low_hold();
	pthread_mutex_lock(&r->j->lock);
	for (unsigned i = 0; i < r->n; i++) {
		r->day[i].d->refs--;
		gone_n += journal_day_take(r->j, r->day[i].d, &gone[gone_n]);
	}
	pthread_mutex_unlock(&r->j->lock);
	low_release();
	for (unsigned i = 0; i < gone_n; i++)
		journal_day_close(&gone[i]);
	opener_done(&r->opener);
	free(r);
}

/* First the days and their limits, under the lock; then the transactions, without it. A day that
 * cannot be read is passed over, and noted. */
enum err local_read(
    struct journal *base, unsigned shard, struct journal_pos after, struct journal_reader **out)
{
	struct local *j = (struct local *)base;
	struct local_reader *r = calloc(1, sizeof *r);
	if (!r)
		return err_set(ERR_NOMEM, "no memory");
	r->base.of = base;
	r->j = j;
	r->shard = shard;
	enum err e = opener_init(&r->opener) ? OK : err_set(ERR_NOMEM, "no memory");
	low_hold();
	pthread_mutex_lock(&j->lock);
	for (int i = 0; i < JOURNAL_DAYS_MAX && !e; i++) {
		struct journal_day *d = &j->days[i];
		if (!d->day || d->dead || atomic_load(&d->last[shard]) <= after.at)
			continue;
		d->refs++;
		r->day[r->n].d = d;
		r->day[r->n].limit = atomic_load(&d->last[shard]);
		r->n++;
	}
	pthread_mutex_unlock(&j->lock);
	low_release();
	for (unsigned i = 0; i < r->n && !e; i++) {
		uint8_t key[PLACE_LEN];
		if ((e = db_begin(&r->day[i].d->db, DB_READ, &r->day[i].t)) == ERR_CORRUPT) {
			found_damage(j, r->day[i].d);
			e = OK;
			continue;
		}
		if (e)
			break;
		db_walk(&r->day[i].t, r->day[i].d->table, &r->day[i].c);
		sealed_place(shard, after.at + 1, key);
		r->day[i].more = db_seek(&r->day[i].c, sealed_bytes(key, PLACE_LEN), &r->day[i].key,
				     &r->day[i].value) &&
				 in_shard(r, i);
		e = r->day[i].t.err;
		if (e == ERR_CORRUPT) {
			found_damage(j, r->day[i].d);
			e = OK;
		}
	}
	if (e)
		local_read_end(&r->base);
	else
		*out = &r->base;
	return e;
}

enum err local_count(
    struct journal *base, unsigned shard, struct journal_pos upto, uint64_t *records)
{
	struct journal_reader *opened;
	uint64_t sum = 0;
	enum err e = local_read(base, shard, JOURNAL_START, &opened);
	if (e)
		return e;
	struct local_reader *r = (struct local_reader *)opened;
	for (unsigned i = 0; i < r->n && !e; i++) {
		while (r->day[i].more && get_u64((const uint8_t *)r->day[i].key.p + 2) <= upto.at) {
			sum += sealed_count(r->day[i].value);
			r->day[i].more = db_next(&r->day[i].c, &r->day[i].key, &r->day[i].value) &&
					 in_shard(r, i);
		}
		e = r->day[i].t.err;
	}
	local_read_end(opened);
	if (!e)
		*records = sum;
	return e;
}

/* Yields the lowest of all days, then moves that day's cursor on. */
enum err local_next(struct journal_reader *base, struct buf *records, struct journal_pos *pos,
    uint32_t *count, uint16_t *day)
{
	struct local_reader *r = (struct local_reader *)base;
	unsigned best = r->n;
	uint64_t lowest = UINT64_MAX;
	for (unsigned i = 0; i < r->n; i++) {
		if (!r->day[i].more)
			continue;
		uint64_t s = get_u64((const uint8_t *)r->day[i].key.p + 2);
		if (s < lowest) {
			lowest = s;
			best = i;
		}
	}
	if (best == r->n)
		return ERR_NOT_FOUND;
	pos->at = lowest;
	*day = r->day[best].d->day;
	enum err e = journal_unseal(
	    &r->opener, r->day[best].d, r->day[best].key, r->day[best].value, records, count);
	if (e == ERR_CORRUPT)
		found_damage(r->j, r->day[best].d);
	r->day[best].more =
	    db_next(&r->day[best].c, &r->day[best].key, &r->day[best].value) && in_shard(r, best);
	enum err after = r->day[best].t.err; /* of what comes behind this block, which is whole */
	if (after == ERR_CORRUPT)
		found_damage(r->j, r->day[best].d);
	return after && after != ERR_CORRUPT ? after : e;
}

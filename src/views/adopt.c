/* A shard of a new generation, from the profiles of the serving one. When this is possible, and
 * what goes over, stands in views/adopt.h.
 *
 * The old shard is read in one transaction, at a moment when none of its folds is half done. Its
 * visitors come in order of key, so the new shard is appended to (`shard.appending`), in slices of
 * NEW_SLICE visitors; matches, the other tables and the watermark are copied in the last
 * transaction. */
#include "crumb/views/adopt.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/memory.h"
#include "crumb/store/each_stored.h"
#include "folding.h"

#include <stdlib.h>
#include <time.h>

#define GONE 0xffff /* no number of the new rules: what had it is left out */
#define WHOLE_WAIT_US 1000000
#define WHOLE_LOOK_US 2000

bool adopt_possible(const struct rules *old, const struct rules *fresh)
{
	for (size_t i = 1; i < fresh->categories_n; i++) {
		const struct category *c = &fresh->categories[i];
		int same = rules_category(old, str_c(c->id));
		if (same < 0 || memcmp(&old->categories[same].definition, &c->definition,
				    sizeof c->definition) != 0)
			return false;
		if (c->summed && !old->categories[same].summed)
			return false;
	}
	if (fresh->categories[CATEGORY_ALL].summed && !old->categories[CATEGORY_ALL].summed)
		return false;
	if (old->vocabularies_n != fresh->vocabularies_n)
		return false;
	for (size_t i = 0; i < fresh->vocabularies_n; i++) {
		const struct vocabulary *v =
		    rules_vocabulary(old, str_c(fresh->vocabularies[i].id));
		if (!v || v->hash != fresh->vocabularies[i].hash)
			return false;
	}
	return true;
}

bool segment_unchanged(
    const struct rules *old, const struct rules *fresh, uint16_t segment, uint16_t *number)
{
	const struct segment *s = &fresh->segments[segment];
	int same = rules_segment(old, str_c(s->id));
	if (same < 0 ||
	    memcmp(&old->segments[same].definition, &s->definition, sizeof s->definition) != 0)
		return false;
	*number = (uint16_t)same;
	return true;
}

/* --- rows under other numbers */

static int compare_places(uint16_t cat, uint16_t day, uint16_t other_cat, uint16_t other_day)
{
	if (cat != other_cat)
		return cat < other_cat ? -1 : 1;
	return day < other_day ? -1 : day > other_day;
}

static int by_row(const void *a, const void *b)
{
	const struct cat_day *x = a, *y = b;
	return compare_places(x->cat, x->day, y->cat, y->day);
}

static int by_sum(const void *a, const void *b)
{
	const struct sum_day *x = a, *y = b;
	return compare_places(x->cat, x->day, y->cat, y->day);
}

uint16_t *adopt_map(const struct rules *old, const struct rules *fresh)
{
	uint16_t *map = malloc(PROFILE_NUMBERS * sizeof *map);
	if (!map)
		return NULL;
	for (size_t i = 0; i < PROFILE_NUMBERS; i++)
		map[i] = GONE;
	map[CATEGORY_ALL] = CATEGORY_ALL;
	for (size_t i = 1; i < old->categories_n; i++) {
		int same = rules_category(fresh, str_c(old->categories[i].id));
		if (same > 0)
			map[i] = (uint16_t)same;
	}
	return map;
}

void adopt_rows(const struct rules *fresh, const uint16_t *map, struct profile *p)
{
	size_t n = 0;
	bool sorted = true;
	for (size_t i = 0; i < p->rows_n; i++) {
		uint16_t cat = map[p->rows[i].cat];
		if (cat == GONE)
			continue;
		p->rows[n] = p->rows[i];
		p->rows[n].cat = cat;
		sorted &= n == 0 || p->rows[n - 1].cat <= cat;
		n++;
	}
	p->rows_n = n;
	if (!sorted)
		qsort(p->rows, n, sizeof *p->rows, by_row);
	n = 0;
	for (size_t i = 0; i < p->sums_n; i++) {
		uint16_t cat = map[p->sums[i].cat];
		if (cat == GONE || !fresh->categories[cat].summed)
			continue;
		p->sums[n] = p->sums[i];
		p->sums[n++].cat = cat;
	}
	p->sums_n = n;
	if (n)
		qsort(p->sums, n, sizeof *p->sums, by_sum);
}

/* --- a shard */

static void copy_table(struct db_txn *from, db_table table, struct db_txn *to, db_table into)
{
	struct db_cursor c;
	struct str key, value;
	db_walk(from, table, &c);
	for (bool more = db_next(&c, &key, &value); more && !to->err;
	     more = db_next(&c, &key, &value))
		db_put(to, into, key, value);
	db_walk_end(&c);
}

/* Numbers of events by day are the same under any rules; sizes of segments are not. */
static void copy_events(struct db_txn *from, db_table table, struct db_txn *to, db_table into)
{
	struct db_cursor c;
	struct str key, value;
	db_walk(from, table, &c);
	for (bool more = db_next(&c, &key, &value); more && !to->err;
	     more = db_next(&c, &key, &value))
		if (key.n == 3 && key.p[2] == 'e')
			db_put(to, into, key, value);
	db_walk_end(&c);
}

/* Copies the matches that are retained, of visitors who went over. */
static void copy_matches(
    struct fold *f, struct shard *old, struct db_txn *from, struct db_txn *to, uint32_t now)
{
	struct db_cursor c;
	struct str key, value, none;
	uint32_t oldest = oldest_day(day_of(now), f->retention) * (uint32_t)DAY_S;
	db_walk(from, old->partners, &c);
	for (bool more = db_seek(&c, STR("v"), &key, &value); more && !to->err;
	     more = db_next(&c, &key, &value)) {
		struct vkey k;
		if (key.n <= 17 || value.n <= 4 || get_u32((const uint8_t *)value.p) < oldest)
			continue;
		memcpy(k.b, key.p + 1, sizeof k.b);
		if (db_get(to, f->shard.visitors, vkey_str(&k), &none))
			shard_match_put(&f->shard, to, &k, str_skip(key, 17), str_skip(value, 4),
			    get_u32((const uint8_t *)value.p));
	}
	db_walk_end(&c);
}

/* One visitor goes over: under the new numbers, without what has ended, with memberships evaluated.
 * The ordinal of a visitor of whom nothing is left rests before it is used again. */
static void adopt_visitor(struct fold *f, struct db_txn *t, const struct vkey *k, struct profile *p,
    const uint16_t *map, uint32_t now)
{
	uint16_t today = day_of(now);
	p->segments_n = 0;
	p->due_hour = 0; /* no entry yet */
	profile_expire(p, oldest_day(today, f->retention));
	adopt_rows(f->rules, map, p);
	if (p->rows_n == 0) {
		shard_ordinal_rest(&f->shard, t, hour_of(now), p->ordinal);
		return;
	}
	shard_ordinal_keep(&f->shard, t, p->ordinal, k);
	p->evaluated_day = 0;
	fold_settle(f, t, k, p, 0, true, now);
}

/* The last transaction: matches of who went over, the other tables, and the watermark. */
static enum err adopt_rest(struct fold *f, struct shard *old, struct db_txn *from, bool same_rules,
    struct journal_pos watermark, uint32_t now)
{
	struct shard *s = &f->shard;
	struct db_txn t;
	uint64_t next = 0;
	enum err e = db_begin(&s->db, DB_WRITE, &t);
	if (e)
		return e;
	copy_table(from, old->free, &t, s->free);
	copy_table(from, old->provisional, &t, s->provisional);
	copy_table(from, old->prov_hours, &t, s->prov_hours);
	copy_table(from, old->tombstones, &t, s->tombstones);
	copy_matches(f, old, from, &t, now);
	if (same_rules && shard_meta_u64(old, from, "changes", &next)) {
		/* The files are only made anew: nobody moves, and streams go on where they are. */
		copy_table(from, old->changes, &t, s->changes);
		shard_meta_put_u64(s, &t, "changes", next);
		f->scratch->changes.last = next;
		next = 0;
	}
	copy_events(from, old->daily, &t, s->daily);
	if (shard_meta_u64(old, from, "next_ordinal", &next))
		shard_meta_put_u64(s, &t, "next_ordinal", next);
	since_load(&f->scratch->since, old, from);
	f->scratch->since.changed = true;
	since_save(&f->scratch->since, s, &t);
	shard_watermark_put(s, &t, watermark);
	db_del(&t, s->meta, STR("adopting"));
	if (!t.err)
		t.err = from->err; /* what could not be read shall not be missing silently */
	if (!(e = fold_commit(f, &t)))
		atomic_store(&f->watermark, watermark);
	return e;
}

/* Begins a read of a shard at a moment when no fold of it is half done: between two slices some
 * visitors have records that the watermark does not have. Looks for a second. Whoever folds the
 * shard may be unable to end for now (the disk is full), or may be this very thread: then it is
 * ERR_BUSY. */
static enum err begin_whole(struct shard *s, struct db_txn *t, const _Atomic bool *stop)
{
	struct journal_pos target;
	uint64_t next, until = clock_mono_us() + WHOLE_WAIT_US;
	for (;;) {
		enum err e = db_begin(&s->db, DB_READ, t);
		if (e)
			return e;
		if (!shard_unfinished(s, t, &target, &next) && !(e = t->err))
			return OK;
		db_abort(t);
		if (e || atomic_load(stop) || clock_mono_us() > until)
			return e ? e : err_set(ERR_BUSY, "shard %u is being folded", s->number);
		nanosleep(&(struct timespec){0, WHOLE_LOOK_US * 1000L}, NULL);
	}
}

/* Removes what an attempt that failed has left, and marks the shard as incomplete until the end. */
static enum err begin_empty(struct fold *f)
{
	struct db_txn t;
	enum err e = db_begin(&f->shard.db, DB_WRITE, &t);
	if (e)
		return e;
	shard_clear(&f->shard, &t);
	shard_meta_put_u64(&f->shard, &t, "adopting", 1);
	return db_end(&t);
}

enum err fold_adopt(struct fold *f, struct shard *old, const struct rules *old_rules, uint32_t now,
    _Atomic uint64_t *done, const _Atomic bool *stop)
{
	struct fold_scratch *x = f->scratch;
	struct db_txn from, to;
	struct each_stored w;
	struct journal_pos watermark;
	uint64_t over = 0;
	enum err e = begin_whole(old, &from, stop);
	if (e)
		return e;
	shard_watermark(old, &from, &watermark);
	uint16_t *map = adopt_map(old_rules, f->rules);
	if (!map) {
		db_abort(&from);
		return err_set(ERR_NOMEM, "no memory for this now");
	}
	e = begin_empty(f);
	f->shard.appending = true;
	each_stored_begin(&w, old, &from, NULL);
	each_stored(&w);
	while (w.there && !e && !atomic_load(stop)) {
		if ((e = db_begin(&f->shard.db, DB_WRITE, &to)))
			break;
		size_t n = 0;
		fold_begin(x);
		for (; n < NEW_SLICE && w.there && !to.err; n++, each_stored(&w)) {
			if (!profile_load(&x->profile, w.bytes) ||
			    !fold_fits(old_rules, &x->profile)) {
				shard_bad_profile(old);
				to.err = memory_short()
					     ? memory_check()
					     : err_set(ERR_CORRUPT,
						   "a profile of shard %u does not decode",
						   f->shard.number);
				break;
			}
			adopt_visitor(f, &to, &w.key, &x->profile, map, now);
		}
		fold_finish(f, &to, day_of(now));
		if (!(e = fold_commit(f, &to)))
			db_write_out(&f->shard.db, DB_AT_ONCE);
		atomic_fetch_add(done, n);
		over += n;
	}
	each_stored_end(&w);
	free(map);
	f->shard.appending = false;
	if (!e)
		e = from.err;
	if (!e && w.misfits)
		e = err_set(ERR_CORRUPT, "%u keys of visitors of shard %u have a wrong length",
		    w.misfits, f->shard.number);
	if (!e && atomic_load(stop))
		e = err_set(ERR_BUSY, "stopped");
	if (!e)
		e = adopt_rest(f, old, &from,
		    memcmp(old_rules->hash, f->rules->hash, sizeof f->rules->hash) == 0, watermark,
		    now);
	db_abort(&from);
	if (e)
		atomic_fetch_sub(done, over);
	return e;
}

/* --- the history of sizes */

enum err fold_carry_daily(
    struct fold *f, struct shard *old, const struct rules *old_rules, uint16_t today)
{
	struct db_txn from, to;
	enum err e = db_begin(&old->db, DB_READ, &from);
	if (e)
		return e;
	if ((e = db_begin(&f->shard.db, DB_WRITE, &to))) {
		db_abort(&from);
		return e;
	}
	for (size_t i = 0; i < f->rules->segments_n && !to.err; i++) {
		uint16_t was;
		if (!segment_unchanged(old_rules, f->rules, (uint16_t)i, &was))
			continue;
		struct daily_segment last = {0, 0, 0}, row;
		shard_daily_forget(
		    &f->shard, &to, (uint16_t)i, oldest_day(today, f->retention), today);
		for (uint32_t day = oldest_day(today, f->retention); day <= today; day++)
			if (shard_daily_get(old, &from, (uint16_t)day, was, &row)) {
				last = row;
				shard_daily_segment(
				    &f->shard, &to, (uint16_t)day, (uint16_t)i, &row);
			}
		/* the two shards have not folded up to the same place: the difference is today's */
		uint64_t size = members_size(&f->shard, &to, (uint16_t)i);
		struct daily_segment more = {size,
		    size > last.size ? (uint32_t)(size - last.size) : 0,
		    last.size > size ? (uint32_t)(last.size - size) : 0};
		if (size != last.size)
			shard_daily_segment(&f->shard, &to, today, (uint16_t)i, &more);
	}
	db_abort(&from);
	return db_end(&to);
}

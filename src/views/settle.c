/* What a changed profile changes elsewhere, and how one transaction writes it.
 *
 *     profile changed ──► expired days out ──► nothing left? the visitor is removed
 *                                          └─► memberships evaluated: crossings noted
 *                                              due hour moved, profile stored
 *     end of the transaction ──► counters of categories and days, one write each
 *                                memberships, each bitmap read and written once
 *
 * What is gathered until the end: for each category the change of its visitors (`counts`), for each
 * day the change of its events, and the list of crossings. So 16,384 visitors who enter a segment
 * whose ordinals lie in one chunk cost one bitmap, not 16,384.
 *
 * Which segments are evaluated. After events only those that the touched categories or facts can
 * change (`mask`, from category.segments of condition/link.c), as long as the day is the one of the
 * last evaluation. On a new day, for a new visitor, and in a sweep or an adoption all of them, by
 * the evaluator of many (condition/block.h).
 *
 * The holder of the fold's `busy` lock, in an open write transaction. */
#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "crumb/condition/block.h"
#include "crumb/condition/eval.h"
#include "crumb/core/metric.h"
#include "folding.h"

#include <stdlib.h>

/* --- a transaction */

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
	if (x->counts[cat] == 0) { /* no change after all: the list may not name it twice later */
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

/* A visitor enters or leaves a segment. Streams are told of segments that go to a destination. They
 * are not told of a generation that is being filled: nobody moves by that. */
static void note_crossing(
    struct fold *f, const struct vkey *k, uint16_t segment, uint32_t ordinal, enum bitmap_bit bit)
{
	struct fold_scratch *x = f->scratch;
	members_note(&x->members, segment, ordinal, bit);
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
	if (memory_short() && !t->err) /* then nothing is committed, and the caller tries again */
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
	if (e) /* what daily() removed may be there still */
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

void fold_count_cats(struct fold_scratch *x, size_t before_n, size_t after_n)
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

/* Evaluates all segments, or those of the mask; others stay as they are. Notes each that the
 * visitor enters or leaves, and puts the new memberships into the profile. */
static void settle_memberships(
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
		bool ask = x->mask[i / 64] >> (i % 64) & 1;
		bool is = was;
		if (all)
			is = rules_block_segment(x->evaluator, (uint16_t)i) & 1;
		else if (ask)
			is = rules_eval(f->rules, (uint16_t)i, p, today);
		if (is != was)
			note_crossing(f, k, (uint16_t)i, p->ordinal, is ? BITMAP_IN : BITMAP_OUT);
		if (is)
			x->segments[n++] = (uint16_t)i;
	}
	if (!array_room(p->segments, p->segments_cap, n))
		return;
	if (n)
		memcpy(p->segments, x->segments, n * sizeof *p->segments);
	p->segments_n = n;
}

void fold_remove_visitor(
    struct fold *f, struct db_txn *t, const struct vkey *k, struct profile *p, uint32_t now)
{
	for (size_t i = 0; i < p->segments_n; i++)
		note_crossing(f, k, p->segments[i], p->ordinal, BITMAP_OUT);
	shard_due_move(&f->shard, t, p->ordinal, p->due_hour, 0);
	shard_ordinal_free(&f->shard, t, hour_of(now), p->ordinal);
	shard_match_forget(&f->shard, t, k);
	db_del(t, f->shard.visitors, vkey_str(k));
}

void fold_settle(struct fold *f, struct db_txn *t, const struct vkey *k, struct profile *p,
    size_t before_n, bool all, uint32_t now)
{
	struct fold_scratch *x = f->scratch;
	uint16_t today = day_of(now);
	profile_expire(p, oldest_day(today, f->retention));
	fold_count_cats(x, before_n, fold_cats(p, x->cats_after));
	if (p->rows_n == 0) {
		fold_remove_visitor(f, t, k, p, now);
		metric_inc(M_EXPIRED);
		return;
	}
	settle_memberships(f, k, p, all || p->evaluated_day != today, today);
	p->evaluated_day = today;
	uint32_t due = rules_next_due(f->rules, p, today, f->retention) * 24u;
	shard_due_move(&f->shard, t, p->ordinal, p->due_hour, due);
	p->due_hour = due;
	shard_profile_put(&f->shard, t, k, p, &x->saved);
}

/* Sizes, entered and left by day, of one segment or of all. A shard has a row for each day on which
 * a segment changed there; a day without a row has the size of the day before.
 *
 * For one segment its rows are looked up. For all of them the table of each shard is walked once,
 * in its order, which is that of the days: `size` is what each segment has on the day at hand.
 *
 *     day 1   s0 5  s2 9          size 5 - 9      ─► added to the sums of day 1
 *     day 2   s2 8                size 5 - 8      ─► added to the sums of day 2
 *
 * The k gate sees all days at once, also when fewer are told: whether a day may be told depends on
 * others. */
#include "crumb/views/view.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"

#include <stdlib.h>

/* Through the gate; `sums` are those of RETENTION_MAX days up to today. */
static void show_days(const struct kgate *gate, const char *id, const struct daily_segment *sums,
    uint16_t today, uint16_t first, unsigned days, struct day_sizes *out)
{
	uint64_t sizes[RETENTION_MAX];
	struct shown shown[RETENTION_MAX];
	for (unsigned i = 0; i < RETENTION_MAX; i++)
		sizes[i] = sums[i].size;
	kgate_show_days(gate, 's', id, sizes, RETENTION_MAX, shown);
	for (unsigned i = 0; i < days; i++) {
		unsigned at = RETENTION_MAX - days + i;
		uint16_t day = (uint16_t)(today - days + 1 + i);
		out[i] = (struct day_sizes){day, day >= first, shown[at],
		    kgate_show(gate, sums[at].entered), kgate_show(gate, sums[at].left)};
	}
}

static void earlier(uint16_t *first, uint16_t begun)
{
	*first = begun && begun < *first ? begun : *first;
}

/* --- one segment */

static enum err sum_one(
    struct fold *f, uint16_t segment, uint16_t today, struct daily_segment *sums, uint16_t *first)
{
	struct daily_segment last = {0, 0, 0}, row;
	struct db_txn t;
	enum err e = db_begin(&f->shard.db, DB_READ, &t);
	if (e)
		return e;
	earlier(first, shard_daily_first(&f->shard, &t));
	for (uint32_t day = today - RETENTION_MAX + 1u; day <= today; day++) {
		bool there = shard_daily_get(&f->shard, &t, (uint16_t)day, segment, &row);
		if (there)
			last.size = row.size;
		struct daily_segment *sum = &sums[day + RETENTION_MAX - today - 1];
		sum->size += last.size;
		sum->entered += there ? row.entered : 0;
		sum->left += there ? row.left : 0;
	}
	e = t.err;
	db_abort(&t);
	return e;
}

enum err view_days(struct generation *g, const struct kgate *gate, uint16_t segment, uint32_t now,
    unsigned days, struct day_sizes *out, uint16_t *since)
{
	uint16_t today = day_of(now), first = today;
	struct daily_segment sums[RETENTION_MAX] = {{0, 0, 0}};
	enum err e = OK;
	CHECK(days <= RETENTION_MAX);
	for (unsigned i = 0; i < g->shards && !e; i++)
		e = sum_one(&g->fold[i], segment, today, sums, &first);
	if (!e)
		show_days(gate, g->rules->segments[segment].id, sums, today, first, days, out);
	*since = first;
	return e;
}

/* --- all segments */

struct all_days {
	size_t segments;
	struct daily_segment *sums; /* RETENTION_MAX of each segment, one after the other */
	uint64_t *size;		    /* in the shard at hand, on the day at hand */
	uint32_t oldest, today, day;
};

static void end_days(struct all_days *a, uint32_t until)
{
	for (; a->day < until; a->day++)
		for (size_t s = 0; s < a->segments; s++)
			a->sums[s * RETENTION_MAX + a->day - a->oldest].size += a->size[s];
}

static void take_row(struct all_days *a, struct str key, struct str value)
{
	const uint8_t *k = (const uint8_t *)key.p, *v = (const uint8_t *)value.p;
	if (key.n != 5 || k[2] != 's' || value.n != 16)
		return;
	uint32_t day = get_u16(k);
	uint16_t segment = get_u16(k + 3);
	if (day < a->oldest || day > a->today || segment >= a->segments)
		return;
	end_days(a, day);
	struct daily_segment *sum = &a->sums[segment * (size_t)RETENTION_MAX + day - a->oldest];
	a->size[segment] = get_u64(v);
	sum->entered += get_u32(v + 8);
	sum->left += get_u32(v + 12);
}

static enum err sum_all(struct all_days *a, struct fold *f, uint16_t *first)
{
	struct db_txn t;
	struct db_cursor c;
	struct str key, value;
	enum err e = db_begin(&f->shard.db, DB_READ, &t);
	if (e)
		return e;
	earlier(first, shard_daily_first(&f->shard, &t));
	memset(a->size, 0, (a->segments + 1) * sizeof *a->size);
	a->day = a->oldest;
	db_walk(&t, f->shard.daily, &c);
	while (db_next(&c, &key, &value))
		take_row(a, key, value);
	db_walk_end(&c);
	end_days(a, a->today + 1);
	e = t.err;
	db_abort(&t);
	return e;
}

enum err view_all_days(struct generation *g, const struct kgate *gate, uint32_t now, unsigned days,
    void (*each)(void *arg, uint16_t segment, const struct day_sizes *days), void *arg,
    uint16_t *since)
{
	struct day_sizes shown[RETENTION_MAX];
	uint16_t first = day_of(now);
	struct all_days a = {
	    .segments = g->rules->segments_n, .today = first, .oldest = first - RETENTION_MAX + 1u};
	CHECK(days <= RETENTION_MAX);
	a.sums = calloc(a.segments * RETENTION_MAX + 1, sizeof *a.sums);
	a.size = calloc(a.segments + 1, sizeof *a.size);
	enum err e = a.sums && a.size ? OK : err_set(ERR_NOMEM, "no memory for this now");
	for (unsigned i = 0; i < g->shards && !e; i++)
		e = sum_all(&a, &g->fold[i], &first);
	*since = first;
	for (size_t s = 0; s < a.segments && !e; s++) {
		show_days(gate, g->rules->segments[s].id, &a.sums[s * RETENTION_MAX],
		    (uint16_t)a.today, first, days, shown);
		each(arg, (uint16_t)s, shown);
	}
	free(a.sums);
	free(a.size);
	return e;
}

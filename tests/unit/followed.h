/* A log outside, made up, and a follower that takes it into a store's journal, as the kind of
 * journal that follows a real one does.
 *
 * A log has PARTS partitions of records. Each record has a number of its own, which the journal
 * gets as an event of the visitor of that number; some come twice, with the same id, and neighbours
 * are exchanged. The journal is right when it has each number that stands before its mark once, in
 * its day, and no other. Each block has an event of NOBODY, too, whom cleaning takes out. */
#ifndef CRUMB_TESTS_FOLLOWED_H
#define CRUMB_TESTS_FOLLOWED_H

#include "stored.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/model/record.h"
#include "src/journal/local.h"

#define NOBODY UINT32_MAX
#define PARTS 3
#define PART_MOST 64
#define FOLLOWED_DAY 100

struct logged_record {
	uint16_t day, lane;
	unsigned number;
	uint64_t life, counter;
};
struct logged_part {
	struct logged_record r[PART_MOST];
	unsigned n;
};
struct made_log {
	struct logged_part part[PARTS];
	unsigned numbers, twice;
};

/* xorshift64*: the same numbers for the same seed, on any machine. */
static inline unsigned any_of(uint64_t *seed, unsigned n)
{
	*seed ^= *seed >> 12, *seed ^= *seed << 25, *seed ^= *seed >> 27;
	return (unsigned)((*seed * 0x2545f4914f6cdd1d >> 33) % n);
}

/* Two lives a partition; the day changes on the way, and not for all records at once. */
static inline void make_log(struct made_log *l, uint64_t seed, unsigned control)
{
	uint64_t counter[PARTS][2] = {{0}};
	*l = (struct made_log){.numbers = 0};
	for (unsigned p = 0; p < PARTS; p++) {
		struct logged_part *part = &l->part[p];
		part->n = PART_MOST / 2 + any_of(&seed, PART_MOST / 2);
		for (unsigned i = 0; i < part->n; i++) {
			struct logged_record *r = &part->r[i];
			unsigned life = any_of(&seed, 2);
			if (i && any_of(&seed, 5) == 0) { /* one of before, again */
				*r = part->r[i - 1 - any_of(&seed, i < 9 ? i : 9)];
				l->twice++;
				continue;
			}
			uint16_t day = i + any_of(&seed, 6) < part->n / 2 ? 0 : 1;
			*r = (struct logged_record){(uint16_t)(FOLLOWED_DAY + day), (uint16_t)p,
			    l->numbers++, 1000 + life, counter[p][life]++};
			if (p == 0 && any_of(&seed, 4) == 0)
				r->lane = (uint16_t)control;
		}
		for (unsigned i = 1; i < part->n; i++)
			if (any_of(&seed, 4) == 0) {
				struct logged_record r = part->r[i];
				part->r[i] = part->r[i - 1], part->r[i - 1] = r;
			}
	}
}

/* --- the follower */

/* The next few records, some of each partition: what came since the last pass. */
struct arrivals {
	struct {
		uint32_t partition;
		uint64_t offset;
		const struct logged_record *r;
	} list[PARTS * 8];
	unsigned n;
};

static inline void arrive(
    const struct made_log *l, const struct log_mark *mark, uint64_t *seed, struct arrivals *a)
{
	a->n = 0;
	for (unsigned p = 0; p < PARTS; p++) {
		uint64_t at = log_mark_next(mark, p);
		for (unsigned n = any_of(seed, 8); n > 0 && at < l->part[p].n; n--, at++) {
			a->list[a->n].partition = p;
			a->list[a->n].offset = at;
			a->list[a->n++].r = &l->part[p].r[at];
		}
	}
}

/* Notes a record in `with`, which begins as a copy of `mark`. False: it was there before. */
static inline bool is_new(struct log_mark *with, const struct logged_record *r, uint32_t partition)
{
	struct log_life *has = log_mark_find(with, partition, r->life);
	struct log_life fresh = {.partition = partition, .life = r->life};
	if (!has)
		assert_int_equal(log_mark_life(with, &fresh), OK);
	has = log_mark_find(with, partition, r->life);
	return window_take(&has->w, r->counter) == COUNTER_NEW;
}

static inline void put_number(struct buf *b, uint16_t day, uint32_t number)
{
	struct event e = {.t = day * (uint32_t)DAY_S};
	put_u32(e.visitor.b, number);
	event_encode(&e, b);
}

static inline bool is_nobody(void *arg, const struct vkey *k)
{
	return get_u32(k->b) == NOBODY;
}

/* Takes the arrivals of one day from `from` on, and moves it behind them. What fails changes
 * nothing: neither `mark` nor `from`. */
static inline enum err take_run(
    struct journal *j, const struct arrivals *a, unsigned *from, struct log_mark *mark)
{
	static const uint8_t rules[16] = {1};
	struct buf lane[LANES_MAX] = {{0}};
	struct journal_block blocks[LANES_MAX];
	struct log_mark with;
	uint16_t day = a->list[*from].r->day;
	unsigned to = *from;
	size_t n = 0;
	assert_int_equal(log_mark_copy(mark, &with), OK);
	for (; to < a->n && a->list[to].r->day == day; to++) {
		const struct logged_record *r = a->list[to].r;
		assert_int_equal(
		    log_mark_at(&with, a->list[to].partition, a->list[to].offset + 1), OK);
		if (is_new(&with, r, a->list[to].partition))
			put_number(&lane[r->lane], day, r->number);
	}
	for (unsigned i = 0; i < LANES_MAX; i++) {
		if (!lane[i].n)
			continue;
		put_number(&lane[i], day, NOBODY);
		struct str records = buf_view(&lane[i]);
		uint32_t events = (uint32_t)ledger_events(records);
		blocks[n++] = (struct journal_block){day, (uint16_t)i, events, records, 0, events};
	}
	enum err e = local_take(j, blocks, n, rules, &with);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(blocks[i].seq > 0, e == OK);
	if (!e) {
		log_mark_join(mark, &with, 0);
		*from = to;
	}
	log_mark_done(&with);
	for (unsigned i = 0; i < LANES_MAX; i++)
		buf_done(&lane[i]);
	return e;
}

static inline bool is_taken(const struct made_log *l, const struct log_mark *mark)
{
	for (unsigned p = 0; p < PARTS; p++)
		if (log_mark_next(mark, p) < l->part[p].n)
			return false;
	return true;
}

/* One pass; where it stood is what the journal says. */
static inline enum err follow_once(struct journal *j, const struct made_log *l, uint64_t *seed)
{
	struct log_mark mark;
	struct arrivals a;
	unsigned from = 0;
	enum err e = OK;
	assert_int_equal(local_log_marks(j, &mark), OK);
	assert_int_equal(
	    log_mark_room(&mark, &(struct log_mark){.at_n = 2 * PARTS, .lives_n = 4 * PARTS}), OK);
	arrive(l, &mark, seed, &a);
	while (!e && from < a.n)
		e = take_run(j, &a, &from, &mark);
	log_mark_done(&mark);
	return e;
}

/* Takes NOBODY out of a day, if he is there. */
static inline enum err clean_once(struct journal *j, uint16_t day)
{
	static const _Atomic bool stop;
	struct journal_cleaned *cleaned;
	uint64_t dropped;
	enum err e = journal_clean(j, day, is_nobody, NULL, &stop, &cleaned, &dropped);
	return e || !cleaned ? e : journal_swap(j, cleaned);
}

static inline bool followed(struct journal *j, const struct made_log *l)
{
	struct log_mark mark;
	assert_int_equal(local_log_marks(j, &mark), OK);
	bool all = is_taken(l, &mark);
	log_mark_done(&mark);
	return all;
}

/* --- what the journal has */

static inline void count_numbers(
    struct journal *j, unsigned lane, unsigned times[2][PARTS * PART_MOST])
{
	struct journal_reader *r;
	struct buf got = {0};
	struct journal_pos pos;
	uint32_t count;
	uint16_t day;
	enum err e;
	assert_int_equal(journal_read(j, lane, JOURNAL_START, &r), OK);
	while ((e = journal_next(r, &got, &pos, &count, &day)) == OK) {
		struct mp m = mp_over(buf_view(&got));
		static struct record one;
		while (m.p < m.end && record_decode(&m, &one))
			if (get_u32(one.event.visitor.b) != NOBODY)
				times[day - FOLLOWED_DAY][get_u32(one.event.visitor.b)]++;
		assert_true(m.p == m.end);
		buf_clear(&got);
	}
	assert_int_equal(e, ERR_NOT_FOUND);
	journal_read_end(r);
	buf_done(&got);
}

/* Each number before the mark is there once, in its day, and no other is. */
static inline void blocks_are_as_marked(struct store *s, const struct made_log *l)
{
	static unsigned has[2][PARTS * PART_MOST], want[2][PARTS * PART_MOST];
	struct log_mark mark;
	memset(has, 0, sizeof has);
	memset(want, 0, sizeof want);
	assert_int_equal(local_log_marks(s->journal, &mark), OK);
	for (unsigned p = 0; p < PARTS; p++)
		for (uint64_t i = 0; i < log_mark_next(&mark, p); i++)
			want[l->part[p].r[i].day - FOLLOWED_DAY][l->part[p].r[i].number] = 1;
	for (unsigned lane = 0; lane <= journal_control(s->journal); lane++)
		if (lane < PARTS || lane == journal_control(s->journal))
			count_numbers(s->journal, lane, has);
	for (unsigned d = 0; d < 2; d++)
		for (unsigned i = 0; i < l->numbers; i++)
			assert_int_equal(has[d][i], want[d][i]);
	log_mark_done(&mark);
}

#endif

/* Blocks of a journal: how a test puts them there, and what is there. */
#ifndef CRUMB_TESTS_BLOCKS_H
#define CRUMB_TESTS_BLOCKS_H

#include "stored.h"

static inline void put_block(struct store *s, uint16_t day, uint16_t shard, const char *text)
{
	static const uint8_t rules[16] = {1};
	struct journal_block b = {.day = day, .shard = shard, .count = 1, .records = str_c(text)};
	assert_int_equal(journal_commit(s->journal, &b, 1, rules), OK);
	assert_int_equal(journal_publish(s->journal), OK);
}

/* All blocks of a shard after a sequence, joined. */
static inline void blocks_are(struct store *s, unsigned shard, uint64_t after, const char *want)
{
	struct journal_reader *r;
	struct buf got = {0};
	struct journal_pos pos, last = journal_pos_load(after);
	uint32_t count;
	uint16_t day;
	enum err e;
	assert_int_equal(journal_read(s->journal, shard, last, &r), OK);
	while ((e = journal_next(r, &got, &pos, &count, &day)) == OK) {
		assert_true(journal_pos_before(last, pos));
		last = pos;
	}
	assert_int_equal(e, ERR_NOT_FOUND);
	assert_int_equal(got.n, strlen(want));
	if (got.n)
		assert_memory_equal(got.p, want, got.n);
	journal_read_end(r);
	buf_done(&got);
}

static inline enum err commit_three_days(struct store *s, const char *text)
{
	static const uint8_t rules[16] = {1};
	struct journal_block b[4] = {{.day = 100, .shard = 0, .count = 1, .records = str_c(text)},
	    {101, 0, 1, str_c(text), 0, 0}, {101, 1, 1, str_c(text), 0, 0},
	    {102, 0, 1, str_c(text), 0, 0}};
	enum err e = journal_commit(s->journal, b, 4, rules);
	return e ? e : journal_publish(s->journal);
}

static inline void nothing_is_lost(struct store *s)
{
	struct damage_sum sum;
	damage_sum(s->damage, &sum);
	assert_int_equal(sum.days + sum.others + sum.lost_events, 0);
}

#endif

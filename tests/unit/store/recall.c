/* store/recall: the list of erased visitors, found again in the journal. */
#include "blocks.h"
#include "records.h"

#include "crumb/base/clock.h"

static struct vkey numbered(uint8_t n)
{
	return (struct vkey){{n, 1, 2}};
}

static void commit_erasures(struct store *s, uint16_t shard, uint32_t t, uint8_t from, uint8_t to)
{
	static const uint8_t rules[16] = {1};
	struct buf b = {0};
	for (uint8_t i = from; i < to; i++) {
		struct event e = {
		    .visitor = numbered((uint8_t)(100 + i)), .t = t, .name = STR("view")};
		struct vkey k = numbered(i);
		event_encode(&e, &b); /* between others */
		record_encode_erase(&k, t, &b);
	}
	struct journal_block block = {
	    .day = day_of(t), .shard = shard, .count = 2u * (to - from), .records = buf_view(&b)};
	assert_int_equal(journal_commit(s->journal, &block, 1, rules), OK);
	assert_int_equal(journal_publish(s->journal), OK);
	buf_done(&b);
}

TEST(erasures_of_all_shards_and_days_are_found_once)
{
	struct config c;
	struct store *s = open_store(&c);
	uint32_t now = clock_now();
	size_t found;
	assert_true(s->shards > 1);
	commit_erasures(s, 0, now - DAY_S, 0, 3);
	commit_erasures(s, 1, now, 3, 5);
	assert_int_equal(erased_recall(s, &found), OK);
	assert_int_equal(found, 5);
	for (uint8_t i = 0; i < 5; i++) {
		struct vkey k = numbered(i), other = numbered((uint8_t)(100 + i));
		assert_true(erased_since(s->erased, &k, day_of(now - DAY_S)));
		assert_int_equal(erased_since(s->erased, &k, day_of(now)), i >= 3);
		assert_false(erased_since(s->erased, &other, 0)); /* who was only looked at */
	}
	assert_int_equal(erased_recall(s, &found), OK);
	assert_int_equal(found, 0);
	assert_int_equal(erased_count_since(s->erased, 0), 5);
	s = again(s, &c); /* and the file has them */
	assert_int_equal(erased_count_since(s->erased, 0), 5);
	close_store(s, &c);
}

TEST(who_was_erased_again_later_counts_from_later)
{
	struct config c;
	struct store *s = open_store(&c);
	uint32_t now = clock_now();
	struct vkey k = numbered(7);
	size_t found;
	assert_int_equal(erased_add(s->erased, &k, 1, day_of(now - DAY_S)), OK);
	erased_settle(s->erased, &k, 1, ERASED_DONE);
	commit_erasures(s, 0, now, 7, 8);
	assert_int_equal(erased_recall(s, &found), OK);
	assert_int_equal(found, 1);
	assert_true(erased_since(s->erased, &k, day_of(now)));
	close_store(s, &c);
}

UNIT_TESTS(IN_FOLDER(erasures_of_all_shards_and_days_are_found_once),
    IN_FOLDER(who_was_erased_again_later_counts_from_later))

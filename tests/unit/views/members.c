/* views/members: who is in a segment, changed in batches. */
#include "stored.h"

#include "crumb/views/members.h"

static struct config config;
static struct store *store;
static struct shard shard;

static int begin(void **state)
{
	if (make_folder(state) != 0)
		return -1;
	store = open_store(&config);
	return store_shard(store, 1, 0, &shard) != OK;
}

static int end(void **state)
{
	shard_close(&shard);
	close_store(store, &config);
	return drop_folder(state);
}
#define ON_SHARD(name) cmocka_unit_test_setup_teardown(name, begin, end)

static struct db_txn writing(void)
{
	struct db_txn t;
	assert_int_equal(db_begin(&shard.db, DB_WRITE, &t), OK);
	return t;
}

struct walked {
	uint32_t list[10];
	size_t n, most;
};

static bool note(void *arg, uint32_t ordinal)
{
	struct walked *w = arg;
	assert_true(w->n < 10);
	w->list[w->n++] = ordinal;
	return w->n < w->most;
}

TEST(members_come_in_order_over_all_chunks)
{
	static const uint32_t ordinals[] = {70000, 3, 65535, 65536, 4000000000u, 0};
	struct db_txn t = writing();
	struct member_changes c = {0};
	struct walked w = {.most = 10}, some = {.most = 2};
	for (size_t i = 0; i < 6; i++)
		members_note(&c, 7, ordinals[i], BITMAP_IN);
	members_note(&c, 8, 5, BITMAP_IN);
	members_apply(&shard, &t, &c, 20000);
	assert_int_equal(c.n, 0);
	assert_int_equal(members_size(&shard, &t, 7), 6);
	assert_int_equal(members_size(&shard, &t, 8), 1);
	assert_int_equal(members_size(&shard, &t, 6), 0);
	assert_int_equal(members_each(&shard, &t, 7, note, &w), OK);
	assert_int_equal(w.n, 6);
	assert_memory_equal(
	    w.list, ((uint32_t[]){0, 3, 65535, 65536, 70000, 4000000000u}), 6 * sizeof *w.list);
	assert_int_equal(members_each(&shard, &t, 7, note, &some), OK);
	assert_int_equal(some.n, 2); /* the walk ends when it shall */
	assert_true(members_has(&shard, &t, 7, 65536) && !members_has(&shard, &t, 7, 65537) &&
		    !members_has(&shard, &t, 8, 65536));
	assert_int_equal(db_end(&t), OK);
	free(c.list);
}

TEST(who_entered_and_left_is_counted_by_day)
{
	struct db_txn t = writing();
	struct member_changes c = {0};
	struct daily_segment d;
	for (uint32_t i = 0; i < 5; i++)
		members_note(&c, 7, i * 40000, BITMAP_IN);
	members_apply(&shard, &t, &c, 20000);
	members_note(&c, 7, 0, BITMAP_OUT);
	members_note(&c, 7, 40000, BITMAP_OUT);
	members_note(&c, 7, 9, BITMAP_IN);
	members_apply(&shard, &t, &c, 20001);
	assert_true(shard_daily_get(&shard, &t, 20000, 7, &d));
	assert_true(d.size == 5 && d.entered == 5 && d.left == 0);
	assert_true(shard_daily_get(&shard, &t, 20001, 7, &d));
	assert_true(d.size == 4 && d.entered == 1 && d.left == 2);
	assert_false(shard_daily_get(&shard, &t, 20001, 8, &d));
	assert_int_equal(db_end(&t), OK);
	free(c.list);
}

TEST(a_set_that_is_empty_again_is_not_kept)
{
	struct db_txn t = writing();
	struct member_changes c = {0};
	members_note(&c, 7, 70000, BITMAP_IN);
	members_apply(&shard, &t, &c, 20000);
	assert_int_equal(db_count(&t, shard.members), 1);
	members_note(&c, 7, 70000, BITMAP_OUT);
	members_apply(&shard, &t, &c, 20000);
	assert_int_equal(db_count(&t, shard.members), 0);
	assert_int_equal(db_end(&t), OK);
	free(c.list);
}

TEST(a_set_that_does_not_decode_is_damage_and_nothing_is_written_over_it)
{
	struct db_txn t = writing();
	struct member_changes c = {0};
	struct walked w = {.most = 10};
	db_put(&t, shard.members, str_make("\0\7\0\0", 4), STR("no bitmap, but as long as one"));
	assert_int_equal(db_end(&t), OK);
	assert_false(db_damaged(&shard.db));
	t = writing();
	assert_false(members_has(&shard, &t, 7, 1));
	assert_int_equal(t.err, ERR_CORRUPT);
	assert_true(db_damaged(&shard.db));
	db_abort(&t);
	t = writing();
	assert_int_equal(members_each(&shard, &t, 7, note, &w), ERR_CORRUPT);
	db_abort(&t);
	t = writing();
	members_note(&c, 7, 1, BITMAP_IN);
	members_apply(&shard, &t, &c, 20000);
	assert_int_equal(db_end(&t), ERR_CORRUPT);
	free(c.list);
}

UNIT_TESTS(ON_SHARD(members_come_in_order_over_all_chunks),
    ON_SHARD(who_entered_and_left_is_counted_by_day),
    ON_SHARD(a_set_that_is_empty_again_is_not_kept),
    ON_SHARD(a_set_that_does_not_decode_is_damage_and_nothing_is_written_over_it))

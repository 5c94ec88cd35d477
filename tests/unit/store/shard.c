/* A shard of views: ordinals. */
#include "stored.h"

TEST(an_ordinal_rests_a_day_before_it_is_used_again)
{
	struct config c;
	struct store *s = open_store(&c);
	struct shard sh;
	struct db_txn t;
	struct vkey a = {"a"}, b = {"b"}, found;
	assert_int_equal(store_shard(s, 1, 0, &sh), OK);
	assert_int_equal(db_begin(&sh.db, DB_WRITE, &t), OK);
	uint32_t first = shard_ordinal_take(&sh, &t, 1000, &a);
	shard_ordinal_free(&sh, &t, 1000, first);
	assert_false(shard_ordinal_key(&sh, &t, first, &found));
	assert_int_not_equal(shard_ordinal_take(&sh, &t, 1023, &b), first);
	assert_int_equal(shard_ordinal_take(&sh, &t, 1024, &b), first);
	assert_true(shard_ordinal_key(&sh, &t, first, &found));
	assert_int_equal(db_end(&t), OK);
	shard_close(&sh);
	close_store(s, &c);
}

UNIT_TESTS(IN_FOLDER(an_ordinal_rests_a_day_before_it_is_used_again))

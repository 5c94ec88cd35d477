/* store/each_stored: the one walk over a shard's visitors as they are stored. */
#include "stored.h"

#include "crumb/store/each_stored.h"

static struct config config;
static struct store *store;
static struct shard shard;
static struct db_txn txn;

static int begin(void **state)
{
	if (make_folder(state) != 0)
		return -1;
	store = open_store(&config);
	return store_shard(store, 1, 0, &shard) != OK || db_begin(&shard.db, DB_WRITE, &txn) != OK;
}

static int end(void **state)
{
	db_abort(&txn);
	shard_close(&shard);
	close_store(store, &config);
	return drop_folder(state);
}
#define WRITING(name) cmocka_unit_test_setup_teardown(name, begin, end)

static struct vkey key_of(char c)
{
	return (struct vkey){{(uint8_t)c}};
}

static void put(const char *names)
{
	for (; *names; names++) {
		struct vkey k = key_of(*names);
		db_put(&txn, shard.visitors, vkey_str(&k), str_make(names, 1));
	}
}

/* The first bytes of the keys that come, behind `after` if that is not zero. */
static const char *walk(char after, unsigned *misfits)
{
	static char seen[20];
	size_t n = 0;
	struct each_stored w;
	struct vkey k = key_of(after);
	each_stored_begin(&w, &shard, &txn, after ? &k : NULL);
	while (each_stored(&w)) {
		assert_true(w.there && w.bytes.n == 1 && w.bytes.p[0] == (char)w.key.b[0]);
		seen[n++] = (char)w.key.b[0];
	}
	assert_false(w.there);
	*misfits = w.misfits;
	each_stored_end(&w);
	seen[n] = 0;
	return seen;
}

TEST(visitors_come_in_order_of_their_keys)
{
	unsigned misfits;
	assert_string_equal(walk(0, &misfits), "");
	put("cab");
	assert_string_equal(walk(0, &misfits), "abc");
	assert_int_equal(misfits, 0);
}

TEST(a_walk_goes_on_behind_a_key_whether_or_not_it_is_there)
{
	unsigned misfits;
	put("aceg");
	assert_string_equal(walk('c', &misfits), "eg");
	assert_string_equal(walk('d', &misfits), "eg");
	assert_string_equal(walk('g', &misfits), "");
	assert_string_equal(walk('z', &misfits), "");
}

TEST(what_is_no_visitors_key_is_counted_and_passed_over)
{
	unsigned misfits;
	put("bd");
	db_put(&txn, shard.visitors, STR("a"), STR("x"));
	db_put(&txn, shard.visitors, STR("c and much longer than a key"), STR("x"));
	db_put(&txn, shard.visitors, STR("e"), STR("x"));
	assert_false(db_damaged(&shard.db));
	assert_string_equal(walk(0, &misfits), "bd");
	assert_int_equal(misfits, 3);
	assert_true(db_damaged(&shard.db));
	assert_string_equal(walk('b', &misfits), "d");
	assert_int_equal(misfits, 2);
}

TEST(two_walks_side_by_side_know_which_is_behind)
{
	struct each_stored a = {.there = true, .key = key_of('a')},
			   b = {.there = true, .key = key_of('b')}, none = {.there = false};
	assert_true(each_stored_order(&a, &b) < 0 && each_stored_order(&b, &a) > 0);
	assert_int_equal(each_stored_order(&a, &a), 0);
	assert_true(each_stored_order(&b, &none) < 0 && each_stored_order(&none, &a) > 0);
}

TEST(a_read_that_failed_ends_the_walk)
{
	struct each_stored w;
	put("abc");
	each_stored_begin(&w, &shard, &txn, NULL);
	assert_true(each_stored(&w));
	txn.err = ERR_IO;
	assert_false(each_stored(&w));
	each_stored_end(&w);
}

UNIT_TESTS(WRITING(visitors_come_in_order_of_their_keys),
    WRITING(a_walk_goes_on_behind_a_key_whether_or_not_it_is_there),
    WRITING(what_is_no_visitors_key_is_counted_and_passed_over),
    WRITING(two_walks_side_by_side_know_which_is_behind), WRITING(a_read_that_failed_ends_the_walk))

/* ingest/applied: which pieces of files were imported, by content. */
#include "stored.h"
#include "written.h"

#include "crumb/base/clock.h"
#include "crumb/ingest/applied.h"

TEST(a_piece_that_the_journal_names_twice_is_one_piece)
{
	struct config c;
	struct store *s = open_it(&c);
	struct batch b;
	struct applied *a;
	const struct slice_id first = {"the beginning", "up to here", 100, 2},
			      longer = {"the beginning", "and further", 200, 4};
	struct slice_id out[2];
	uint32_t now = clock_now();
	batch_init(&b, 1, committed, NULL);
	batch_slice(&b, now - DAY_S, &first);
	commit(s, &b);
	for (int i = 0; i < 3; i++) {
		batch_slice(&b, now, &longer);
		commit(s, &b);
	}
	assert_int_equal(applied_open(s, &a), OK);
	assert_int_equal(applied_after(a, first.from, 0, out, 2), 2);
	assert_memory_equal(&out[0], &first, sizeof first);
	assert_memory_equal(&out[1], &longer, sizeof longer);
	assert_false(applied_has(a, &first, day_of(now)));
	applied_note(
	    a, &first, day_of(now)); /* imported again: it is known for as long as the later day */
	assert_true(applied_has(a, &first, day_of(now)));
	assert_int_equal(applied_after(a, first.from, 0, out, 2), 2);
	applied_close(a);
	batch_done(&b);
	store_close(s);
	config_done(&c);
}

static struct config config;
static struct store *store;
static struct applied *applied;

static int begin(void **state)
{
	if (make_folder(state) != 0)
		return -1;
	store = open_store(&config);
	return applied_open(store, &applied) != OK;
}

static int end(void **state)
{
	applied_close(applied);
	close_store(store, &config);
	return drop_folder(state);
}
#define EMPTY(name) cmocka_unit_test_setup_teardown(name, begin, end)

static struct slice_id piece(uint8_t from, uint8_t to, uint64_t bytes)
{
	return (struct slice_id){.from = {from}, .to = {to}, .bytes = bytes, .lines = bytes / 10};
}

TEST(pieces_behind_a_place_come_shortest_first_and_the_longest_stay)
{
	static const uint64_t lengths[] = {300, 100, 500, 200, 400};
	struct slice_id got[5], other = piece(2, 9, 1000);
	uint8_t from[16] = {1}, nowhere[16] = {7};
	for (uint8_t i = 0; i < 5; i++) {
		struct slice_id id = piece(1, (uint8_t)(10 + i), lengths[i]);
		applied_note(applied, &id, 20000);
	}
	applied_note(applied, &other, 20000);
	assert_int_equal(applied_after(applied, from, 0, got, 5), 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(got[i].bytes, 100 * (i + 1));
	assert_int_equal(applied_after(applied, from, 0, got, 2), 2);
	assert_true(got[0].bytes == 400 && got[1].bytes == 500);
	assert_int_equal(applied_after(applied, nowhere, 0, got, 5), 0);
}

TEST(what_came_on_a_day_that_is_over_was_never_there)
{
	struct slice_id old = piece(1, 2, 100), young = piece(1, 3, 200), got[2];
	uint8_t from[16] = {1};
	applied_note(applied, &old, 20000);
	applied_note(applied, &young, 20005);
	assert_true(applied_has(applied, &old, 20000) && !applied_has(applied, &old, 20001));
	assert_int_equal(applied_after(applied, from, 20001, got, 2), 1);
	assert_int_equal(got[0].bytes, 200);
}

TEST(a_piece_is_itself_by_beginning_and_end)
{
	struct slice_id id = piece(1, 2, 100), longer = piece(1, 3, 200),
			elsewhere = piece(4, 2, 100);
	applied_note(applied, &id, 20000);
	assert_true(applied_has(applied, &id, 0));
	assert_false(applied_has(applied, &longer, 0) || applied_has(applied, &elsewhere, 0));
}

UNIT_TESTS(IN_FOLDER(a_piece_that_the_journal_names_twice_is_one_piece),
    EMPTY(pieces_behind_a_place_come_shortest_first_and_the_longest_stay),
    EMPTY(what_came_on_a_day_that_is_over_was_never_there),
    EMPTY(a_piece_is_itself_by_beginning_and_end))

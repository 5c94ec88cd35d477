/* Pieces of files that were imported, as the journal names them. */
#include "written.h"

#include "crumb/base/clock.h"
#include "crumb/ingest/applied.h"

TEST(a_piece_that_the_journal_names_twice_is_one_piece)
{
	struct config c;
	struct store *s = open_it(&c);
	struct batch b;
	struct applied *a;
	const struct slice_id first = {"the beginning", "up to here", 100, 2}, longer = {"the beginning", "and further", 200, 4};
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
	applied_note(a, &first, day_of(now)); /* imported again: it is known for as long as the later day */
	assert_true(applied_has(a, &first, day_of(now)));
	assert_int_equal(applied_after(a, first.from, 0, out, 2), 2);
	applied_close(a);
	batch_done(&b);
	store_close(s);
	config_done(&c);
}

UNIT_TESTS(IN_FOLDER(a_piece_that_the_journal_names_twice_is_one_piece))

/* Questions that rules do not define: comparisons of rules. */
#include "viewed.h"

#include "crumb/ask/ask.h"
#include "crumb/base/clock.h"

TEST(a_comparison_of_rules_passes_over_damage)
{
	struct views v = open_views();
	struct ask_side side = {v.g, v.g->rules};
	struct kgate gate = {0};
	struct move *moves;
	size_t n;
	struct vkey b = key_of('b');
	put_bytes(&v, vkey_str(&b), STR("no profile"));
	for (uint8_t k = 'c'; k < 'c' + 20; k++)
		put_visitor(&v, k, TODAY);
	assert_int_equal(ask_diff(&side, &side, &gate, NULL, NOW, &moves, &n), OK);
	assert_int_equal(n, 1);
	assert_string_equal(moves[0].id, "fans");
	assert_int_equal(moves[0].after.n, 20);
	assert_true(db_damaged(&shard_of(&v)->db));
	free(moves);
	close_views(&v);
}

TEST(a_comparison_takes_a_profile_of_other_rules_for_damage)
{
	struct views v = open_views();
	struct rules *fewer = load(FEWER), *own = v.g->rules;
	struct ask_side side = {v.g, fewer};
	struct kgate gate = {0};
	struct move *moves;
	size_t n;
	put_visitor(&v, 'a', TODAY);
	v.g->rules = fewer; /* has no category 1 */
	assert_int_equal(ask_diff(&side, &side, &gate, NULL, NOW, &moves, &n), OK);
	assert_true(db_damaged(&shard_of(&v)->db));
	free(moves);
	v.g->rules = own;
	rules_unref(fewer);
	close_views(&v);
}

TEST(a_comparison_that_cannot_be_read_to_its_end_is_an_error)
{
	struct views v = open_views();
	struct ask_side side = {v.g, v.g->rules};
	struct kgate gate = {0};
	struct move *moves;
	size_t n;
	for (uint8_t k = 1; k < 250; k++)
		put_visitor(&v, k, TODAY);
	damage_branches("state/1/0/data.mdb");
	assert_int_equal(ask_diff(&side, &side, &gate, NULL, NOW, &moves, &n), ERR_CORRUPT);
	assert_true(db_damaged(&shard_of(&v)->db));
	close_views(&v);
}

TEST(questions_are_counted_by_their_words_for_a_day)
{
	struct ask_memory *m = ask_memory_new();
	unsigned all = ask_left(m, STR("coats"), NOW) + 1;
	assert_int_equal(ask_left(m, STR("coats"), NOW), all - 1);
	assert_int_equal(ask_left(m, STR("boots"), NOW + 3600), all - 2);
	assert_int_equal(ask_left(m, STR("coats"), NOW + DAY_S), all - 2); /* coats is new again */
	for (unsigned i = 0; i < all + 10; i++)
		(void)ask_left(m, str_make((const char *)&i, sizeof i), NOW + 3 * DAY_S);
	assert_int_equal(ask_left(m, STR("one more"), NOW + 3 * DAY_S), 0);
	ask_memory_free(m);
}

UNIT_TESTS(IN_FOLDER(a_comparison_of_rules_passes_over_damage),
    IN_FOLDER(a_comparison_that_cannot_be_read_to_its_end_is_an_error),
    IN_FOLDER(a_comparison_takes_a_profile_of_other_rules_for_damage),
    cmocka_unit_test(questions_are_counted_by_their_words_for_a_day))

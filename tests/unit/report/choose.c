/* Which groups of a segment are chosen. */
#include "crowded.h"

enum { S1, S2, S3, S4, S5 };

/* s3, those who had a and b: of 240 they are 40, a half of s2 and a third of s1. */
TEST(segments_are_near_by_overlap)
{
	struct crowded *w = open_crowd();
	assert_int_equal(choose_groups(&w->m), OK);
	const struct plan *p = &w->m.plans[S3];
	assert_true(p->nearest_n >= 2);
	assert_int_equal(p->nearest[0], S2);
	assert_int_equal(p->nearest[1], S1);
	close_crowd(w);
}

TEST(categories_are_those_that_say_most)
{
	struct crowded *w = open_crowd();
	assert_int_equal(choose_groups(&w->m), OK);
	const struct plan *p = &w->m.plans[S3];
	/* all of them had a and b, and of everybody a half and a third: b says more; c is as with
	 * everybody, and d had too few */
	assert_int_equal(p->categories[0], 2);
	assert_int_equal(p->categories[1], 1);
	for (unsigned i = 0; i < p->categories_n; i++)
		assert_int_not_equal(p->categories[i], 4);
	close_crowd(w);
}

TEST(a_country_of_fewer_than_k_is_not_chosen)
{
	struct crowded *w = open_crowd();
	assert_int_equal(choose_groups(&w->m), OK);
	const struct plan *p = &w->m.plans[S3];
	char code[8];
	assert_int_equal(p->countries_n, 1); /* 23 of 40 are German */
	country_code(p->countries[0], code);
	assert_string_equal(code, "DE");
	close_crowd(w);
}

TEST(clauses_are_those_before_the_last)
{
	struct crowded *w = open_crowd();
	assert_int_equal(choose_groups(&w->m), OK);
	assert_int_equal(w->m.plans[S1].clauses_n, 0);
	assert_int_equal(w->m.plans[S5].clauses_n, 2);
	close_crowd(w);
}

/* With room for one segment a pass, and with room for two. */
TEST(passes_choose_what_one_walk_chooses)
{
	struct crowded *w = open_crowd();
	assert_int_equal(choose_groups(&w->m), OK);
	size_t bytes = w->m.r->segments_n * sizeof *w->m.plans;
	struct plan *whole = w->m.plans;
	for (size_t rows = 1; rows < 4; rows++) {
		w->m.plans = NULL;
		w->m.tables_most = rows * 2 * 4 * (5 + 5 + DEVICE_MAX + COUNTRIES);
		assert_int_equal(choose_groups(&w->m), OK);
		assert_memory_equal(w->m.plans, whole, bytes);
		free(w->m.plans);
	}
	w->m.plans = whole;
	close_crowd(w);
}

UNIT_TESTS(IN_FOLDER(segments_are_near_by_overlap), IN_FOLDER(categories_are_those_that_say_most),
    IN_FOLDER(a_country_of_fewer_than_k_is_not_chosen),
    IN_FOLDER(clauses_are_those_before_the_last), IN_FOLDER(passes_choose_what_one_walk_chooses))

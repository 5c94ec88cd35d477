/* Which groups of a segment are chosen. */
#include "crowded.h"

enum { S1, S2, S3, S4, S5 };

static bool lists(const uint16_t *list, unsigned n, uint16_t what)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i] == what)
			return true;
	return false;
}

/* Of nobody else s3, those who had a and b, has k members or more in common. */
TEST(segments_of_k_common_members_are_near)
{
	struct crowded *w = open_crowd();
	assert_int_equal(choose_groups(&w->m), OK);
	const struct plan *p = &w->m.plans[S3];
	assert_true(lists(p->nearest, p->nearest_n, S1));
	assert_true(lists(p->nearest, p->nearest_n, S2));
	assert_true(lists(p->nearest, p->nearest_n, S5));
	assert_false(lists(p->nearest, p->nearest_n, S3));
	assert_false(lists(p->nearest, p->nearest_n, S4));
	for (unsigned i = 1; i < p->nearest_n; i++)
		assert_true(p->nearest[i - 1] < p->nearest[i]);
	close_crowd(w);
}

/* All of s3 had a and b; of c and d they had too few. */
TEST(categories_of_k_members_are_chosen)
{
	struct crowded *w = open_crowd();
	assert_int_equal(choose_groups(&w->m), OK);
	const struct plan *p = &w->m.plans[S3];
	assert_int_equal(p->categories_n, 2);
	assert_int_equal(p->categories[0], 1);
	assert_int_equal(p->categories[1], 2);
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

UNIT_TESTS(IN_FOLDER(segments_of_k_common_members_are_near),
    IN_FOLDER(categories_of_k_members_are_chosen),
    IN_FOLDER(a_country_of_fewer_than_k_is_not_chosen),
    IN_FOLDER(clauses_are_those_before_the_last), IN_FOLDER(passes_choose_what_one_walk_chooses))

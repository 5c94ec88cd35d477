/* condition/sensitive: categories that audiences may not be made of by themselves. */
#include "unit.h"

#include "src/condition/sensitive.h"

static struct sensitive list;

static int begin(void **state)
{
	sensitive_init(&list);
	return list.rows_n == 0;
}

static int end(void **state)
{
	sensitive_done(&list);
	return 0;
}

TEST(a_part_of_the_id_decides)
{
	assert_true(sensitive_has(&list, "health", 0));
	assert_true(sensitive_has(&list, "shop.religion", 0));
	assert_true(sensitive_has(&list, "health.pregnancy.books", 0));
	assert_true(sensitive_has(&list, "a.party-affiliation", 0)); /* words of two words */
	assert_false(sensitive_has(&list, "coats", 0));
	assert_false(sensitive_has(&list, "healthy.food", 0)); /* only a whole part */
	assert_false(sensitive_has(&list, "shop.health-food", 0));
	assert_false(sensitive_has(&list, "", 0));
}

TEST(a_row_of_the_taxonomy_decides)
{
	assert_true(
	    sensitive_has(&list, "x", 381)); /* the first, the last and one within a range */
	assert_true(sensitive_has(&list, "x", 390));
	assert_true(sensitive_has(&list, "x", 405));
	assert_true(sensitive_has(&list, "x", 503)); /* one alone */
	assert_false(sensitive_has(&list, "x", 380));
	assert_false(sensitive_has(&list, "x", 406));
	assert_false(sensitive_has(&list, "x", 0));
}

TEST(comments_and_the_word_iab_are_no_words)
{
	assert_false(sensitive_has(&list, "iab", 0));
	assert_false(sensitive_has(&list, "#", 0));
	assert_false(sensitive_has(&list, "and", 0)); /* stands in comments */
}

UNIT_TESTS_BETWEEN(begin, end, cmocka_unit_test(a_part_of_the_id_decides),
    cmocka_unit_test(a_row_of_the_taxonomy_decides),
    cmocka_unit_test(comments_and_the_word_iab_are_no_words))

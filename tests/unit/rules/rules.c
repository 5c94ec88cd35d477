/* The immutable set: numbers of its categories. */
#include "loaded.h"

#include "crumb/rules/rules.h"

TEST(numbers_depend_on_the_text_alone)
{
	struct rules *a = load(
	    "version: 1\ncategories: [{id: b, any: [{path: /b}]}, {id: a, any: [{path: /a}]}]\n");
	struct rules *b = load(
	    "version: 1\ncategories: [{id: b, any: [{path: /b}]}, {id: a, any: [{path: /a}]}]\n");
	assert_string_equal(a->hash_text, b->hash_text);
	assert_string_equal(a->categories[1].id, "a");
	assert_int_equal(rules_category(a, STR("b")), 2);
	assert_int_equal(rules_category(a, STR("c")), -1);
	rules_unref(a);
	rules_unref(b);
}

UNIT_TESTS(cmocka_unit_test(numbers_depend_on_the_text_alone))

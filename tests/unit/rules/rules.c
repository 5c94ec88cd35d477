/* The immutable set: numbers of its categories, where segments go. */
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

TEST(a_segment_goes_where_its_rule_says)
{
	struct rules *r = load("version: 1\nsegments:\n"
			       "  - {id: a, when: visits >= 1, destinations: [page, lake]}\n"
			       "  - {id: b, when: visits >= 1}\n");
	const struct segment *a = &r->segments[rules_segment(r, STR("a"))];
	const struct segment *b = &r->segments[rules_segment(r, STR("b"))];
	assert_true(segment_goes_to(a, STR("page")) && segment_goes_to(a, STR("lake")));
	assert_false(segment_goes_to(a, STR("pag")));
	assert_false(segment_goes_to(b, STR("page")));
	assert_true(r->any_destination);
	rules_unref(r);
}

UNIT_TESTS(cmocka_unit_test(numbers_depend_on_the_text_alone),
    cmocka_unit_test(a_segment_goes_where_its_rule_says))

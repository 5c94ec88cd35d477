/* rules/find: segments by the names that somebody typed. */
#include "loaded.h"

#include "crumb/rules/rules.h"

#define SHOP                                                                                       \
	"version: 1\ncategories: [{id: coats, any: [{path: /coats}]}]\n"                           \
	"segments:\n  - {id: keen, when: coats}\n  - {id: rich, when: coats >= 9}\n"               \
	"lookalikes:\n  - {id: twins, seed: keen, reach: 5%}\n"

TEST(a_segment_is_found_or_what_was_meant_is_told)
{
	struct rules *r = load(SHOP);
	uint16_t at = 99;
	assert_int_equal(rules_find_segment(r, STR("rich"), &at), OK);
	assert_string_equal(r->segments[at].id, "rich");
	at = 99;
	assert_int_equal(rules_find_segment(r, STR("kean"), &at), ERR_NOT_FOUND);
	assert_string_equal(err_text(), "there is no segment 'kean': did you mean 'keen'?");
	assert_int_equal(rules_find_segment(r, STR(""), &at), ERR_NOT_FOUND);
	assert_int_equal(at, 99);
	rules_unref(r);
}

TEST(a_lookalike_is_a_segment_with_a_model)
{
	struct rules *r = load(SHOP);
	uint16_t at = 99;
	assert_int_equal(rules_find_lookalike(r, STR("twins"), &at), OK);
	assert_string_equal(r->segments[at].id, "twins");
	assert_int_equal(rules_find_lookalike(r, STR("keen"), &at), ERR_NOT_FOUND);
	assert_string_equal(err_text(), "there is no lookalike 'keen': a segment is called so");
	assert_int_equal(rules_find_lookalike(r, STR("twin"), &at), ERR_NOT_FOUND);
	assert_string_equal(err_text(), "there is no lookalike 'twin': did you mean 'twins'?");
	assert_int_equal(rules_find_lookalike(r, STR("kee"), &at),
	    ERR_NOT_FOUND); /* which is like no lookalike */
	assert_string_equal(err_text(), "there is no lookalike 'kee'");
	rules_unref(r);
}

UNIT_TESTS(cmocka_unit_test(a_segment_is_found_or_what_was_meant_is_told),
    cmocka_unit_test(a_lookalike_is_a_segment_with_a_model))

/* Strings as pointer and length. */
#include "unit.h"

#include "crumb/base/code.h"
#include "crumb/base/str.h"

TEST(numbers_do_not_overflow)
{
	uint64_t v;
	assert_true(str_u64(STR("18446744073709551615"), &v) && v == UINT64_MAX);
	assert_false(str_u64(STR("18446744073709551616"), &v));
	assert_false(str_u64(STR(""), &v));
	assert_false(str_u64(STR("1x"), &v));
	assert_false(str_u64(STR("-1"), &v));
}

TEST(globs_match_any_bytes)
{
	assert_true(str_iglob(STR("*.Example.com"), STR("a.b.EXAMPLE.com")));
	assert_true(str_iglob(STR("a*b*c"), STR("aXbYbZc")));
	assert_false(str_iglob(STR("a*b*c"), STR("aXbYbZ")));
	assert_true(str_iglob(STR("*"), STR("")));
	assert_false(str_iglob(STR(""), STR("a")));
}

TEST(a_byte_order_mark_is_no_text)
{
	(void)state;
	assert_true(str_eq(str_unmarked(STR("\xef\xbb\xbfid")), STR("id")) &&
		    str_eq(str_unmarked(STR("id")), STR("id")) &&
		    str_unmarked(STR("\xef\xbb\xbf")).n == 0);
	assert_true(str_eq(str_unmarked(STR("\xef\xbb")), STR("\xef\xbb")));
}

TEST(no_zero_byte_is_one_of_a_set)
{
	(void)state;
	assert_true(chr_one_of('-', "-_.~") && chr_one_of('~', "-_.~"));
	assert_false(chr_one_of('a', "-_.~") || chr_one_of(0, "-_.~") || chr_one_of(0, ""));
}

TEST(a_word_is_listed_whole_and_case_aside)
{
	assert_true(str_listed(STR("domain"), "domain|hostname"));
	assert_true(str_listed(STR("HostName"), "domain|hostname"));
	assert_false(str_listed(STR("host"), "domain|hostname"));
	assert_false(str_listed(STR("domain|hostname"), "domain|hostname"));
	assert_false(str_listed(STR(""), "domain||hostname"));
	assert_false(str_listed(STR(""), NULL));
}

UNIT_TESTS(cmocka_unit_test(a_word_is_listed_whole_and_case_aside),
    cmocka_unit_test(numbers_do_not_overflow), cmocka_unit_test(globs_match_any_bytes),
    cmocka_unit_test(a_byte_order_mark_is_no_text), cmocka_unit_test(no_zero_byte_is_one_of_a_set))

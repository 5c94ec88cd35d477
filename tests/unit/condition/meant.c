/* condition/meant: ranges and numbers as other languages and tools write them. */
#include "unit.h"

#include "crumb/condition/meant_range.h"

/* As a pattern would be written, or "-" for what is a word like any other. */
static const char *pattern(const char *text)
{
	static char out[100];
	struct meant m;
	if (!number_meant(str_c(text), MEANT_IN_PATTERN, &m))
		return "-";
	meant_pattern(&m, out);
	return out;
}

/* As a condition would be written. */
static const char *condition(const char *text)
{
	static char out[120];
	struct meant m;
	if (!number_meant(str_c(text), MEANT_IN_CONDITION, &m))
		return "-";
	meant_condition(&m, out);
	return out;
}

TEST(ranges_of_other_tools_are_understood)
{
	assert_string_equal(pattern("100-200"), "100..200");
	assert_string_equal(pattern("100 - 200"), "100..200");
	assert_string_equal(pattern("100 to 200"), "100..200");
	assert_string_equal(pattern("from 100 until 200"), "100..200");
	assert_string_equal(pattern("between 100 and 200"), "100..200");
	assert_string_equal(pattern("100...200"), "100..200");
	assert_string_equal(pattern("100\xe2\x80\x93"
				    "200"),
	    "100..200");
	assert_string_equal(pattern("100+"), "100..");
	assert_string_equal(pattern("\xe2\x89\xa5 100"), "100..");
	assert_string_equal(pattern("=<100"), "..100");
	assert_string_equal(condition("100..200"), "between 100 and 200");
	assert_string_equal(condition("100+"), ">= 100");
	assert_string_equal(condition("\xe2\x89\xa4 7.5"), "<= 7.5");
}

TEST(commas_are_points_or_thousands)
{
	assert_string_equal(pattern("12,50"), "12.50");
	assert_string_equal(pattern("1,000"), "1000");
	assert_string_equal(pattern("12,50-20"), "12.50..20");
	assert_string_equal(condition("12,5"), "12.5");
	assert_string_equal(pattern("1,000,000"), "-"); /* could be either */
}

TEST(what_is_right_or_a_word_is_left_alone)
{
	static const char *const words[] = {"100", "12.5", "100..200", "coats", "", "10-2", "3xl",
	    "100 and 200", "a-b", "2026-11-23", "1-2-3", "-", "100 to"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(pattern(words[i]), "-") != 0)
			fail_msg("'%s' is taken for %s", words[i], pattern(words[i]));
}

TEST(a_hint_takes_what_belongs_to_the_value_on_both_sides)
{
	char hint[160];
	struct str text = STR("attr.price = 12,50 and visits");
	for (size_t at = 13; at < 18; at++) {
		assert_true(meant_at(text, at, hint));
		assert_string_equal(hint, "write 12.50");
	}
	assert_true(meant_at(STR("attr.a = 10 to 20 or b"), 12, hint));
	assert_string_equal(hint, "write between 10 and 20");
	assert_true(meant_at(STR("(attr.a >100-200)"), 12, hint));
	assert_string_equal(hint, "write between 100 and 200");
	assert_false(meant_at(STR("attr.a = coats"), 9, hint));
	assert_false(meant_at(STR(""), 0, hint));
}

UNIT_TESTS(cmocka_unit_test(ranges_of_other_tools_are_understood),
    cmocka_unit_test(commas_are_points_or_thousands),
    cmocka_unit_test(what_is_right_or_a_word_is_left_alone),
    cmocka_unit_test(a_hint_takes_what_belongs_to_the_value_on_both_sides))

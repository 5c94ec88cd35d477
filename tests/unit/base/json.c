/* base/json: the text of JSON is whole, or there is none. */
#include "starve.h"
#include "unit.h"

#include "crumb/base/json.h"
#include "crumb/base/memory.h"

#include <stdlib.h>
#include <string.h>

TEST(a_text_is_whole_or_there_is_none_wherever_memory_ends)
{
	json_t *list = json_array();
	for (int i = 0; i < 300; i++)
		json_array_append_new(list, json_pack("{s:i,s:s}", "number", i, "name", "a name"));
	memory_begin();
	char *right = json_whole(list, JSON_COMPACT), *got = NULL;
	assert_non_null(right);
	unsigned none = 0;
	for (long granted = 0; !got; granted++, none++) {
		memory_begin();
		starve_after(granted);
		got = json_whole(list, JSON_COMPACT);
		starve_end();
		assert_true(memory_short() == !got);
	}
	assert_true(none > 2);
	assert_string_equal(got, right);
	free(got);
	free(right);
	json_decref(list);
	memory_begin();
}

TEST(nothing_has_no_text)
{
	assert_null(json_whole(NULL, JSON_COMPACT));
}

static void says(json_t *value, const char *right)
{
	json_t *list = json_array();
	json_array_append_new(list, value);
	char *text = json_whole(list, JSON_COMPACT);
	assert_non_null(text);
	assert_string_equal(text, right);
	free(text);
	json_decref(list);
}

TEST(numbers_are_told_with_the_digits_that_say_something)
{
	says(json_real(0.1 + 0.2), "[0.3]");
	says(json_real(1234567.891), "[1234567.891]");
	says(json_real(0.3333), "[0.3333]");
}

TEST(a_share_has_six_digits_and_is_at_most_all)
{
	says(json_share(1, 3), "[0.333333]");
	says(json_share(50, 30000000), "[1.66667e-6]");
	says(json_share(20, 10), "[1.0]");
	says(json_share(0, 10), "[0.0]");
	says(json_share(0, 0), "[null]");
}

UNIT_TESTS(cmocka_unit_test(a_text_is_whole_or_there_is_none_wherever_memory_ends),
    cmocka_unit_test(nothing_has_no_text),
    cmocka_unit_test(numbers_are_told_with_the_digits_that_say_something),
    cmocka_unit_test(a_share_has_six_digits_and_is_at_most_all))

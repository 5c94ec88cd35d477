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

UNIT_TESTS(cmocka_unit_test(a_text_is_whole_or_there_is_none_wherever_memory_ends),
    cmocka_unit_test(nothing_has_no_text))

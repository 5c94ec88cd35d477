/* The map of strings to numbers. */
#include "unit.h"

#include "crumb/base/map.h"

#include <stdio.h>

TEST(a_map_finds_what_was_put_and_nothing_else)
{
	static char keys[5000][12];
	struct map m = {NULL, 0, 0};
	uint32_t v = 0;
	assert_false(map_get(&m, STR("x"), &v));
	for (uint32_t i = 0; i < 5000; i++) {
		snprintf(keys[i], sizeof keys[i], "key%u", i);
		assert_true(map_put(&m, str_c(keys[i]), i));
	}
	assert_true(map_put(&m, STR(""), 77)); /* the empty key is one too */
	assert_false(map_put(&m, str_c(keys[9]), 1));
	map_set(&m, str_c(keys[9]), 1234);
	for (uint32_t i = 0; i < 5000; i++)
		assert_true(map_get(&m, str_c(keys[i]), &v) && v == (i == 9 ? 1234 : i));
	assert_true(map_get(&m, STR(""), &v) && v == 77);
	assert_false(map_get(&m, STR("key5000"), &v));
	map_done(&m);
}

UNIT_TESTS(cmocka_unit_test(a_map_finds_what_was_put_and_nothing_else))

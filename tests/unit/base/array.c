/* base/array: what grows keeps what is in it, and without memory nothing is lost. */
#include "unit.h"

#include "starve.h"

#include "crumb/base/array.h"
#include "crumb/base/memory.h"

#include <stdint.h>
#include <stdlib.h>

struct wide {
	char bytes[1000];
};

TEST(what_was_in_an_array_is_in_it_after_it_grew)
{
	uint32_t *list = NULL;
	size_t n = 0, cap = 0, moves = 0, before = 0;
	for (uint32_t i = 0; i < 100000; i++) {
		assert_true(array_room(list, cap, n + 1));
		moves += cap != before;
		before = cap;
		list[n++] = i;
	}
	for (uint32_t i = 0; i < 100000; i++)
		assert_int_equal(list[i], i);
	assert_true(cap < 2 * n && moves < 16); /* it doubles */
	free(list);
}

TEST(an_array_begins_with_256_bytes_or_one_item)
{
	uint16_t *small = NULL;
	struct wide *wide = NULL;
	size_t small_cap = 0, wide_cap = 0;
	assert_true(array_room(small, small_cap, 1) && array_room(wide, wide_cap, 1));
	assert_int_equal(small_cap, 128);
	assert_int_equal(wide_cap, 1);
	free(small);
	free(wide);
}

TEST(as_much_as_is_wanted_is_there_at_once)
{
	uint64_t *list = NULL;
	size_t cap = 0;
	assert_true(array_room(list, cap, 5000) && cap == 5000);
	assert_true(array_room(list, cap, 5001) && cap == 10000);
	list[9999] = 1;
	free(list);
}

TEST(what_is_new_is_zero_when_it_shall_be)
{
	uint8_t *list = NULL;
	size_t cap = 0;
	for (size_t want = 1; want < 5000; want = 3 * want + 1) {
		size_t old = cap;
		assert_true(array_room_zeroed(list, cap, want));
		for (size_t i = 0; i < cap; i++)
			assert_int_equal(list[i], i < old ? 0xa5 : 0);
		memset(list, 0xa5, cap);
	}
	free(list);
}

TEST(without_memory_an_array_is_as_it_was)
{
	uint32_t *list = NULL;
	size_t cap = 0;
	assert_true(array_room(list, cap, 64));
	list[63] = 63;
	memory_begin();
	starve_after(0);
	bool fine = array_room(list, cap, 64), more = array_room(list, cap, 65),
	     zeroed = array_room_zeroed(list, cap, 65);
	starve_end();
	assert_true(fine && !more && !zeroed);
	assert_true(memory_short() && cap == 64 && list[63] == 63);
	assert_true(
	    array_room(list, cap, 65) && list[63] == 63); /* and grows when there is memory again */
	free(list);
}

TEST(more_than_can_be_counted_is_not_there)
{
	struct wide *list = NULL;
	size_t cap = 0;
	memory_begin();
	assert_false(array_room(
	    list, cap, SIZE_MAX / 1000 + 2)); /* its bytes, counted in a size_t, are few */
	assert_true(memory_short() && !list && cap == 0);
}

UNIT_TESTS(cmocka_unit_test(what_was_in_an_array_is_in_it_after_it_grew),
    cmocka_unit_test(an_array_begins_with_256_bytes_or_one_item),
    cmocka_unit_test(as_much_as_is_wanted_is_there_at_once),
    cmocka_unit_test(what_is_new_is_zero_when_it_shall_be),
    cmocka_unit_test(without_memory_an_array_is_as_it_was),
    cmocka_unit_test(more_than_can_be_counted_is_not_there))

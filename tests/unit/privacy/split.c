/* Who is held out of a split audience. */
#include "unit.h"

#include "crumb/privacy/split.h"

TEST(a_hold_out_is_a_stable_share_and_another_one_for_each_segment)
{
	struct identity_keys k = {.exported = {"0123456789abcde"}},
			     other = {.exported = {"another key 123"}};
	unsigned out = 0, both = 0, elsewhere = 0;
	for (uint32_t i = 0; i < 20000; i++) {
		struct vkey v = {{0}};
		memcpy(v.b, &i, sizeof i);
		bool a = split_held_out(&k, STR("a"), 90, &v);
		assert_int_equal(a, split_held_out(&k, STR("a"), 90, &v));
		assert_false(split_held_out(&k, STR("a"), 100, &v));
		out += a;
		both += a && split_held_out(&k, STR("b"), 90, &v);
		elsewhere += a && split_held_out(&other, STR("a"), 90, &v);
		if (a) /* a larger share holds out fewer, and only of the same */
			assert_true(split_held_out(&k, STR("a"), 80, &v));
	}
	assert_in_range(out, 1800, 2200);
	assert_in_range(both, 120, 290);
	assert_in_range(elsewhere, 120, 290);
}

UNIT_TESTS(cmocka_unit_test(a_hold_out_is_a_stable_share_and_another_one_for_each_segment))

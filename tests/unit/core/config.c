/* core/config: one value by its row. */
#include "unit.h"

#include "crumb/core/config.h"

TEST(a_number_below_its_floor_is_raised_and_one_above_stays)
{
	struct config c;
	assert_int_equal(config_init(&c), OK);
	log_threshold(LOG_ERROR);
	assert_int_equal(config_set(&c, "privacy.k=1"), OK);
	assert_int_equal(c.k, K_FLOOR);
	assert_int_equal(config_set(&c, "privacy.k=0"), OK);
	assert_int_equal(c.k, K_FLOOR);
	assert_int_equal(config_set(&c, "privacy.k=21"), OK);
	assert_int_equal(c.k, 21);
	config_done(&c);
}

TEST(a_number_outside_its_bounds_is_refused_whether_it_has_a_floor_or_not)
{
	struct config c;
	assert_int_equal(config_init(&c), OK);
	assert_int_equal(config_set(&c, "privacy.k=1000001"), ERR_USAGE);
	assert_int_equal(c.k, 50);
	assert_int_equal(config_set(&c, "store.shards=0"), ERR_USAGE);
	assert_int_equal(c.shards, 4);
	config_done(&c);
}

UNIT_TESTS(cmocka_unit_test(a_number_below_its_floor_is_raised_and_one_above_stays),
    cmocka_unit_test(a_number_outside_its_bounds_is_refused_whether_it_has_a_floor_or_not))

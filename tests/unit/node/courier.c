/* node/courier: whose time has come. */
#include "unit.h"

#include "crumb/base/clock.h"
#include "crumb/node/courier.h"

#define DAY ((uint32_t)DAY_S)
#define MIDNIGHT (20780u * DAY)

TEST(once_a_day_is_due_at_its_hour_and_not_again_before_the_next)
{
	const uint32_t at = 3 * 3600;
	assert_false(courier_due(DAY, at, MIDNIGHT - DAY + at, MIDNIGHT + at - 1));
	assert_true(courier_due(DAY, at, MIDNIGHT - DAY + at, MIDNIGHT + at));
	assert_false(courier_due(DAY, at, MIDNIGHT + at, MIDNIGHT + at + 1));
	assert_false(courier_due(DAY, at, MIDNIGHT + at, MIDNIGHT + DAY + at - 1));
	assert_true(courier_due(DAY, at, MIDNIGHT + at, MIDNIGHT + DAY + at));
	assert_true(courier_due(DAY, at, MIDNIGHT - 9 * DAY,
	    MIDNIGHT + at + 7)); /* one that was missed is made up once */
}

TEST(every_hour_is_due_when_the_hour_turns)
{
	assert_true(courier_due(3600, 0, MIDNIGHT + 3599, MIDNIGHT + 3600));
	assert_false(courier_due(3600, 0, MIDNIGHT + 3600, MIDNIGHT + 7199));
	assert_true(courier_due(3600, 0, MIDNIGHT + 3601, MIDNIGHT + 7200));
}

TEST(what_was_never_kept_is_due_and_what_has_no_schedule_never_is)
{
	assert_true(courier_due(DAY, 0, 0, MIDNIGHT));
	assert_false(courier_due(0, 0, 0, MIDNIGHT));
}

TEST(a_last_time_in_the_future_is_none)
{
	assert_true(courier_due(DAY, 0, MIDNIGHT + 30 * DAY, MIDNIGHT));
}

UNIT_TESTS(cmocka_unit_test(once_a_day_is_due_at_its_hour_and_not_again_before_the_next),
    cmocka_unit_test(every_hour_is_due_when_the_hour_turns),
    cmocka_unit_test(what_was_never_kept_is_due_and_what_has_no_schedule_never_is),
    cmocka_unit_test(a_last_time_in_the_future_is_none))

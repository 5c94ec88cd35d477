/* rules/fact: where a window begins, and what is known of a visitor. */
#include "unit.h"

#include "crumb/rules/fact.h"

TEST(a_window_reaches_back_as_many_days_as_it_says_with_today)
{
	assert_int_equal(rules_window_start(1, 20000), 20000);
	assert_int_equal(rules_window_start(7, 20000), 19994);
	assert_int_equal(rules_window_start(0, 20000), 0); /* everything */
	assert_int_equal(rules_window_start(90, 10), 0);   /* and never before the first day */
	assert_int_equal(rules_window_start(10, 10), 1);
}

TEST(what_was_never_seen_is_unknown_and_not_a_value)
{
	struct profile p = {0};
	for (int f = 0; f < FACT_MAX; f++)
		assert_int_equal(rules_fact(&p, (enum fact)f).n, 0);
	p.agent_day = 20000; /* an agent that said nothing is "unknown" */
	assert_true(str_eq(rules_fact(&p, FACT_DEVICE), STR("unknown")));
	p.agent = (struct agent){DEVICE_MOBILE, OS_IOS, BROWSER_SAFARI};
	p.place = (struct place){"GB", "ENG"};
	assert_true(str_eq(rules_fact(&p, FACT_COUNTRY), STR("GB")));
	assert_true(str_eq(rules_fact(&p, FACT_REGION), STR("ENG")));
	assert_true(str_eq(rules_fact(&p, FACT_DEVICE), STR("mobile")));
	assert_true(str_eq(rules_fact(&p, FACT_OS), STR("ios")));
	assert_true(str_eq(rules_fact(&p, FACT_BROWSER), STR("safari")));
}

UNIT_TESTS(cmocka_unit_test(a_window_reaches_back_as_many_days_as_it_says_with_today),
    cmocka_unit_test(what_was_never_seen_is_unknown_and_not_a_value))

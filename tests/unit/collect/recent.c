/* collect/recent: ids that came lately are known again, for as long as there is room. */
#include "unit.h"

#include "crumb/collect/recent.h"

#include <stdio.h>

TEST(an_id_is_new_once)
{
	struct recent_ids *r = recent_new();
	assert_true(recent_add(r, STR("a")));
	assert_false(recent_add(r, STR("a")));
	assert_true(recent_add(r, STR("b")));
	assert_true(recent_add(r, STR(""))); /* nothing is an id, too */
	assert_false(recent_add(r, STR("a")) || recent_add(r, STR("")));
	recent_clear(r);
	assert_true(recent_add(r, STR("a")));
	recent_free(r);
	recent_free(NULL);
}

TEST(as_many_as_there_is_room_for_are_known_and_the_oldest_go)
{
	struct recent_ids *r = recent_new();
	char id[16];
	unsigned known = 0, twice = 0;
	for (unsigned i = 0; i < 60000; i++) {
		snprintf(id, sizeof id, "id-%u", i);
		known += !recent_add(r, str_c(id));
	}
	assert_true(known < 3); /* nobody is taken for another */
	for (unsigned i = 50000; i < 60000; i++) {
		snprintf(id, sizeof id, "id-%u", i);
		twice += !recent_add(r, str_c(id));
	}
	assert_true(twice > 9900);
	for (unsigned i = 60000; i < 1000000; i++) {
		snprintf(id, sizeof id, "id-%u", i);
		(void)recent_add(r, str_c(id));
	}
	assert_true(recent_add(r, STR("id-1"))); /* it is forgotten */
	recent_free(r);
}

UNIT_TESTS(cmocka_unit_test(an_id_is_new_once),
    cmocka_unit_test(as_many_as_there_is_room_for_are_known_and_the_oldest_go))

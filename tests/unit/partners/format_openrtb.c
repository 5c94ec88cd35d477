/* partners/format_openrtb: all that holds of a visitor, the taxonomy's rows apart from the others.
 */
#include "encoded.h"

static const struct destination lake = {
    .id = (char *)(uintptr_t) "lake", .format = &format_ortb, .partner = -1};

TEST(rows_of_the_taxonomy_stand_first_with_their_segtax)
{
	IS(ENCODED(&lake, FORMAT_FULL, ITEM("v1", KEEP(coats, 0), ADD(boots, 1))),
	    "{\"user\":{\"id\":\"v1\",\"data\":["
	    "{\"name\":\"crumb\",\"ext\":{\"segtax\":4},\"segment\":[{\"id\":\"77\",\"ext\":{"
	    "\"expires\":1795478400}}]},"
	    "{\"name\":\"crumb\",\"segment\":[{\"id\":\"101\",\"ext\":{\"expires\":1795392000}}]}]}"
	    "}\n");
}

TEST(nothing_left_is_an_empty_list)
{
	IS(ENCODED(&lake, FORMAT_DELTA, ITEM("v1", REMOVE(coats), REMOVE(boots))),
	    "{\"user\":{\"id\":\"v1\",\"data\":[]}}\n");
}

TEST(the_provider_has_the_name_that_is_set)
{
	const struct destination named = {.id = lake.id,
	    .format = &format_ortb,
	    .partner = -1,
	    SETTINGS({S("name"), S("the \"shop\"")})};
	IS(ENCODED(&named, FORMAT_FULL, ITEM("v1", ADD(coats, 0))),
	    "{\"user\":{\"id\":\"v1\",\"data\":[{\"name\":\"the "
	    "\\\"shop\\\"\",\"segment\":[{\"id\":\"101\",\"ext\":{\"expires\":1795392000}}]}]}}\n");
}

UNIT_TESTS(cmocka_unit_test(rows_of_the_taxonomy_stand_first_with_their_segtax),
    cmocka_unit_test(nothing_left_is_an_empty_list),
    cmocka_unit_test(the_provider_has_the_name_that_is_set))

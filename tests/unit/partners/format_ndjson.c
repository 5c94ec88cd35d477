/* partners/format_ndjson: one object a line, one line a change, with purposes where a TC string
 * came. */
#include "encoded.h"

static const struct destination lake = {
    .id = (char *)(uintptr_t) "lake", .format = &format_ndjson, .partner = -1};

TEST(a_change_is_an_object)
{
	IS(ENCODED(&lake, FORMAT_DELTA, ITEM("v\"1", ADD(coats, 30), KEEP(boots, 30), REMOVE(boots))),
	    "{\"id\":\"v\\\"1\",\"segment\":\"101\",\"expires\":\"2026-12-23\",\"action\":\"add\"}"
	    "\n"
	    "{\"id\":\"v\\\"1\",\"segment\":\"102\",\"action\":\"remove\"}\n");
}

TEST(purposes_are_told_where_there_is_a_string_and_may_be_none)
{
	struct out_item item = ITEM("v1", ADD(coats, 1));
	item.consent = true;
	IS(encoded(&lake, FORMAT_FULL, &item, 1, NULL),
	    "{\"id\":\"v1\",\"segment\":\"101\",\"expires\":\"2026-11-24\",\"action\":\"add\","
	    "\"purposes\":[]}\n");
	item.purposes = 1 | 1 << 3 | 1 << 15;
	IS(encoded(&lake, FORMAT_FULL, &item, 1, NULL),
	    "{\"id\":\"v1\",\"segment\":\"101\",\"expires\":\"2026-11-24\",\"action\":\"add\","
	    "\"purposes\":[1,4,16]}\n");
	item.consent = false;
	IS(encoded(&lake, FORMAT_FULL, &item, 1, NULL),
	    "{\"id\":\"v1\",\"segment\":\"101\",\"expires\":\"2026-11-24\",\"action\":\"add\"}\n");
}

UNIT_TESTS(cmocka_unit_test(a_change_is_an_object),
    cmocka_unit_test(purposes_are_told_where_there_is_a_string_and_may_be_none))

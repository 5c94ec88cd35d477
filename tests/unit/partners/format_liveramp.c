/* partners/format_liveramp: id, tab, all that holds. */
#include "encoded.h"

static const struct destination lake = {.id = (char *)(uintptr_t) "lr",
    .format = &format_liveramp,
    .partner = 0,
    SETTINGS({S("distribution_id"), S("99")})};

TEST(all_that_holds_is_in_one_line)
{
	IS(ENCODED(&lake, FORMAT_FULL, ITEM("r1", ADD(coats, 1), KEEP(boots, 1)),
	       ITEM("r2", REMOVE(coats), KEEP(boots, 1))),
	    "r1\t101,102\nr2\t102\n");
	IS(ENCODED(&lake, FORMAT_DELTA, ITEM("r1", REMOVE(coats))), "r1\t\n"); /* in nothing any more */
}

TEST(a_file_is_named_by_device_time_and_distribution)
{
	struct encoder e;
	char name[FORMAT_NAME_MOST], signs[FORMAT_SIGNS];
	assert_int_equal(encoder_init(&e, &lake, FORMAT_FULL, STR("x"), NOW), OK);
	format_liveramp.file_name(&e, NOW, 0, ".gz", name);
	assert_string_equal(name, "lr_cookie_segments_20261123_120000_99_part001.gz");
	encoder_done(&e);
	const struct destination mobile = {.id = lake.id,
	    .format = &format_liveramp,
	    SETTINGS({S("device"), S("maid")}, {S("distribution_id"), S("7")})};
	assert_int_equal(encoder_init(&e, &mobile, FORMAT_FULL, STR("x"), NOW), OK);
	format_liveramp.file_name(&e, NOW, 11, "", name);
	assert_string_equal(name, "lr_maid_segments_20261123_120000_7_part012");
	encoder_done(&e);
	format_liveramp.signs(&lake, signs); /* end a cell */
	assert_string_equal(signs, ",\t");
}

UNIT_TESTS(cmocka_unit_test(all_that_holds_is_in_one_line),
    cmocka_unit_test(a_file_is_named_by_device_time_and_distribution))

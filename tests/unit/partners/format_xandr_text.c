/* partners/format_xandr_text: Xandr's batch segment file with its separators. */
#include "encoded.h"

static const struct destination lake = {
    .id = (char *)(uintptr_t) "x", .format = &format_xandr_text, .partner = 0};

TEST(a_line_has_the_id_and_its_segments_with_their_minutes)
{
	IS(ENCODED(&lake, FORMAT_DELTA, ITEM("123", ADD(coats, 1), ADD(boots, 2), KEEP(coats, 1)),
	       ITEM("456", REMOVE(coats))),
	    "123;101:720:0,102:2160:0\n456;101:-1:0\n");
}

TEST(without_expiration_what_is_removed_stands_behind_its_sign)
{
	const struct destination d = {.id = lake.id,
	    .format = &format_xandr_text,
	    SETTINGS({S("fields"), S("SEG_CODE,MEMBER_ID")}, {S("member"), S("9")})};
	IS(ENCODED(&d, FORMAT_DELTA, ITEM("123", ADD(coats, 1), REMOVE(boots)),
	       ITEM("456", REMOVE(coats), REMOVE(boots))),
	    "123;101:9\t102:9\n456;\t101:9,102:9\n");
	assert_int_equal(format_life(&d), LIFE_AT_PARTNER);
	assert_int_equal(format_life(&lake), LIFE_IN_ROW);
	assert_true(format_numbered(&lake) && !format_numbered(&d));
}

TEST(an_id_with_a_separator_in_it_cannot_be_written)
{
	const struct out_item items[] = {ITEM("1;2", ADD(coats, 1)), ITEM("3", ADD(coats, 1))};
	unsigned refused;
	IS(encoded(&lake, FORMAT_DELTA, items, 2, &refused), "3;101:720:0\n");
	assert_int_equal(refused, 1);
}

static void refused_settings(struct setting s, const char *why)
{
	const struct destination d = {.id = lake.id, .format = &format_xandr_text, SETTINGS(s)};
	struct encoder e;
	assert_int_equal(encoder_init(&e, &d, FORMAT_DELTA, STR("x"), NOW), ERR_USAGE);
	assert_non_null(strstr(err_text(), why));
}

TEST(separators_and_fields_that_make_no_sense_are_refused)
{
	refused_settings(
	    (struct setting){STR("separators"), STR(";,")}, "separators are five characters");
	refused_settings(
	    (struct setting){STR("separators"), STR(";,;;;")}, "the separators are all different");
	refused_settings(
	    (struct setting){STR("separators"), STR("a,:;^")}, "'a' cannot be a separator");
	refused_settings(
	    (struct setting){STR("separators"), STR("|,:;^")}, "'|' cannot be a separator");
	refused_settings((struct setting){STR("fields"), STR("EXPIRATION")},
	    "fields want SEG_ID or SEG_CODE, one of the two");
	refused_settings((struct setting){STR("fields"), STR("SEG_ID,SEG_CODE")}, "one of the two");
	refused_settings((struct setting){STR("fields"), STR("SEG_IDS")}, "did you mean 'SEG_ID'?");
	const struct destination own = {
	    .id = lake.id, .format = &format_xandr_text, SETTINGS({S("separators"), S(":;:~!")})};
	IS(ENCODED(&own, FORMAT_DELTA, ITEM("1", ADD(coats, 1), ADD(boots, 1))),
	    "1:101:720:0;102:720:0\n"); /* the first may be the third */
}

UNIT_TESTS(cmocka_unit_test(a_line_has_the_id_and_its_segments_with_their_minutes),
    cmocka_unit_test(without_expiration_what_is_removed_stands_behind_its_sign),
    cmocka_unit_test(an_id_with_a_separator_in_it_cannot_be_written),
    cmocka_unit_test(separators_and_fields_that_make_no_sense_are_refused))

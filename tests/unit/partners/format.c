/* partners/format: what holds for every format: settings, ways, encoders. */
#include "encoded.h"

static void settings_are(const struct format *f, struct setting s, const char *why)
{
	const struct destination d = {
	    .id = (char *)(uintptr_t) "d", .format = f, .partner = 0, SETTINGS(s)};
	struct encoder e;
	enum err got = encoder_init(&e, &d, FORMAT_FULL, STR("x"), NOW);
	if (!why) {
		assert_int_equal(got, OK);
		encoder_done(&e);
		return;
	}
	assert_int_equal(got, ERR_USAGE);
	assert_string_equal(err_text(), why);
}

TEST(settings_are_words_or_numbers_within_their_bounds)
{
	settings_are(&format_google_bulk, (struct setting){STR("id_type"), STR("IDFA")}, NULL);
	settings_are(&format_google_bulk, (struct setting){STR("id_type"), STR("IDFB")},
	    "destination 'd': id_type is one of "
	    "GOOGLE_USER_ID,IDFA,ANDROID_ADVERTISING_ID,PARTNER_PROVIDED_ID,RIDA,AFAI,MSAI,GENERIC_"
	    "DEVICE_ID, not 'IDFB'; did you mean 'IDFA'?");
	settings_are(
	    &format_google_bulk, (struct setting){STR("data_source_id"), STR("1000")}, NULL);
	settings_are(&format_google_bulk, (struct setting){STR("data_source_id"), STR("1001")},
	    "destination 'd': data_source_id is a number from 1 to 1000, not '1001'");
	settings_are(&format_google_bulk, (struct setting){STR("data_source_id"), STR("0")},
	    "destination 'd': data_source_id is a number from 1 to 1000, not '0'");
	settings_are(&format_google_bulk, (struct setting){STR("data_source_id"), STR("ten")},
	    "destination 'd': data_source_id is a number from 1 to 1000, not 'ten'");
}

TEST(no_files_are_written_for_what_has_none)
{
	const struct destination d = {.id = (char *)(uintptr_t) "page", .format = &format_page};
	struct encoder e;
	assert_int_equal(encoder_init(&e, &d, FORMAT_FULL, STR("x"), NOW), ERR_USAGE);
	assert_string_equal(err_text(), "no files are written for destination 'page'");
}

TEST(a_format_goes_the_ways_of_its_row)
{
	assert_true(
	    format_goes(&format_csv, &way_directory) && format_goes(&format_csv, &way_https));
	assert_false(format_goes(&format_csv, &way_page) || format_goes(&format_aam, &way_https) ||
		     format_goes(&format_page, &way_directory));
}

TEST(a_row_that_is_nearly_over_lives_for_a_minute)
{
	assert_int_equal(format_minutes(NOW, 20781), 720);
	assert_int_equal(format_minutes(NOW, 20780), 1);
	assert_int_equal(format_minutes(20781u * DAY_S - 61, 20781), 1);
	assert_int_equal(format_minutes(20781u * DAY_S - 120, 20781), 2);
}

UNIT_TESTS(cmocka_unit_test(settings_are_words_or_numbers_within_their_bounds),
    cmocka_unit_test(no_files_are_written_for_what_has_none),
    cmocka_unit_test(a_format_goes_the_ways_of_its_row),
    cmocka_unit_test(a_row_that_is_nearly_over_lives_for_a_minute))

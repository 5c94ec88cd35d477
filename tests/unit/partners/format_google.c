/* partners/format_google: UpdateUsersDataRequest, byte for byte, and its answers. */
#include "encoded.h"

static const struct destination ours = {
    .id = (char *)(uintptr_t) "g", .format = &format_google_bulk, .partner = -1};
static const struct destination theirs = {.id = (char *)(uintptr_t) "g",
    .format = &format_google_bulk,
    .partner = 0,
    SETTINGS({S("data_source_id"), S("300")})};

static void bytes_are(struct str got, const void *want, size_t n)
{
	assert_int_equal(got.n, n);
	assert_memory_equal(got.p, want, n);
}

TEST(a_row_is_an_operation_with_id_list_and_time)
{
	/* ops { user_id: "u" user_list_id: 101 time_added_to_user_list: NOW delete: false
	 * user_id_type: 4 } process_consent: true */
	static const uint8_t want[] = {0x0a, 15, 0x0a, 1, 'u', 0x20, 101, 0x28, 0xc0, 0xd5, 0x90,
	    0xd8, 0x06, 0x30, 0, 0x70, 4, 0x18, 1};
	bytes_are(
	    ENCODED(&ours, FORMAT_FULL, ITEM("u", ADD(coats, 1), KEEP(boots, 1))), want, sizeof want);
}

TEST(a_removal_has_no_time_and_a_partners_id_another_kind)
{
	static const uint8_t want[] = {
	    0x0a, 12, 0x0a, 1, 'u', 0x20, 101, 0x30, 1, 0x38, 0xac, 0x02, 0x70, 0, 0x18, 1};
	bytes_are(ENCODED(&theirs, FORMAT_DELTA, ITEM("u", REMOVE(coats))), want, sizeof want);
}

TEST(what_is_no_number_of_a_list_is_left_out)
{
	static const struct out_segment word = {S("word"), S("word"), S(""), 0};
	static const uint8_t want[] = {0x18, 1};
	bytes_are(ENCODED(&ours, FORMAT_FULL, ITEM("u", ADD(word, 1))), want, sizeof want);
}

TEST(answers_are_taken_at_their_word)
{
	const char *refused;
	assert_int_equal(verdict(&format_google_bulk, STR(""), &refused), PUSH_TAKEN);
	assert_int_equal(verdict(&format_google_bulk, STR("\x08\x00"), &refused), PUSH_TAKEN);
	/* status: PARTIAL_SUCCESS, errors { user_list_id: 101 user_id: "u" error_code: 5 } */
	assert_int_equal(verdict(&format_google_bulk,
			     STR("\x08\x01\x12\x07\x10\x65\x1a\x01u\x20\x05"), &refused),
	    PUSH_TAKEN);
	assert_string_equal(refused, "u\t101\t5\t\n");
	assert_int_equal(verdict(&format_google_bulk, STR("\x08\x01"), &refused),
	    PUSH_UNCERTAIN); /* which, it does not say */
	assert_int_equal(verdict(&format_google_bulk, STR("\x08\x01\x12\x02\x20\x05"), &refused),
	    PUSH_UNCERTAIN);
	assert_int_equal(verdict(&format_google_bulk, STR("\x08\x0a"), &refused), PUSH_LATER);
	assert_int_equal(verdict(&format_google_bulk, STR("\x08\x03"), &refused), PUSH_NEVER);
	assert_int_equal(
	    verdict(&format_google_bulk, STR("\x12\x7f"), &refused), PUSH_LATER); /* cut */
}

UNIT_TESTS(cmocka_unit_test(a_row_is_an_operation_with_id_list_and_time),
    cmocka_unit_test(a_removal_has_no_time_and_a_partners_id_another_kind),
    cmocka_unit_test(what_is_no_number_of_a_list_is_left_out),
    cmocka_unit_test(answers_are_taken_at_their_word))

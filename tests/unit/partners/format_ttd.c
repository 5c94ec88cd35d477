/* partners/format_ttd: The Trade Desk's data API, and what it answers of lines that failed. */
#include "encoded.h"

static const struct destination advertiser = {.id = (char *)(uintptr_t) "ttd",
    .format = &format_ttd_advertiser,
    .partner = 0,
    SETTINGS({S("advertiser_id"), S("adv")})};
static const struct destination third = {.id = (char *)(uintptr_t) "ttd",
    .format = &format_ttd_thirdparty,
    .partner = -1,
    SETTINGS({S("data_provider_id"), S("prov")})};

TEST(a_row_lives_in_minutes_and_nothing_takes_it_back)
{
	IS(ENCODED(&advertiser, FORMAT_DELTA, ITEM("t1", ADD(coats, 1), KEEP(boots, 1)),
	       ITEM("t2", REMOVE(coats))),
	    "{\"AdvertiserId\":\"adv\",\"Items\":["
	    "{\"TDID\":\"t1\",\"Data\":[{\"Name\":\"101\",\"TimestampUtc\":\"2026-11-23T12:00:"
	    "00Z\",\"TtlInMinutes\":720}]},"
	    "{\"TDID\":\"t2\",\"Data\":[{\"Name\":\"101\",\"TimestampUtc\":\"2026-11-23T12:00:"
	    "00Z\",\"TtlInMinutes\":0}]}]}");
}

TEST(a_provider_speaks_of_our_ids_and_of_a_partners)
{
	struct destination other = third;
	IS(ENCODED(&third, FORMAT_FULL, ITEM("v1", ADD(coats, 1))),
	    "{\"IsUserIdAlreadyHashed\":false,\"DataProviderId\":\"prov\",\"Items\":[{"
	    "\"DataProviderUserId\":\"v1\",\"Data\":[{\"Name\":\"101\","
	    "\"TimestampUtc\":\"2026-11-23T12:00:00Z\",\"TtlInMinutes\":720}]}]}");
	other.partner = 0;
	assert_true(
	    str_has(ENCODED(&other, FORMAT_FULL, ITEM("v1", ADD(coats, 1))), STR("{\"TDID\":\"v1\"")));
}

TEST(ids_of_our_own_are_not_the_advertisers)
{
	struct destination d = advertiser;
	struct encoder e;
	d.partner = -1;
	assert_int_equal(encoder_init(&e, &d, FORMAT_FULL, STR("x"), NOW), ERR_USAGE);
	assert_string_equal(err_text(), "destination 'ttd': ttd-advertiser takes The Trade Desk's "
					"ids: name the partner whose ids they are");
}

TEST(failed_lines_are_named_by_any_kind_of_id)
{
	const char *refused;
	assert_int_equal(verdict(&format_ttd_advertiser, STR("{}"), &refused), PUSH_TAKEN);
	assert_string_equal(refused, "");
	assert_int_equal(
	    verdict(&format_ttd_advertiser,
		STR("{\"FailedLines\":[{\"TDID\":\"t1\",\"DataName\":\"101\",\"ErrorCode\":"
		    "\"BadId\",\"Message\":\"no\\tsuch\"},{\"UID2\":\"u1\"}]}"),
		&refused),
	    PUSH_TAKEN);
	assert_string_equal(refused, "t1\t101\tBadId\tno such\nu1\t*\t\t\n");
	assert_int_equal(verdict(&format_ttd_advertiser,
			     STR("{\"FailedLines\":[{\"Message\":\"some\"}]}"), &refused),
	    PUSH_UNCERTAIN);
	assert_int_equal(verdict(&format_ttd_advertiser, STR("<html>"), &refused), PUSH_LATER);
	assert_int_equal(verdict(&format_ttd_advertiser, STR(""), &refused), PUSH_LATER);
}

UNIT_TESTS(cmocka_unit_test(a_row_lives_in_minutes_and_nothing_takes_it_back),
    cmocka_unit_test(a_provider_speaks_of_our_ids_and_of_a_partners),
    cmocka_unit_test(ids_of_our_own_are_not_the_advertisers),
    cmocka_unit_test(failed_lines_are_named_by_any_kind_of_id))

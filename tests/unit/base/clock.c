/* Days and times as text. */
#include "unit.h"

#include "crumb/base/clock.h"

TEST(days_are_written_and_read)
{
	char text[DAY_TEXT];
	uint16_t day;
	day_text(20780, text);
	assert_string_equal(text, "2026-11-23");
	assert_true(day_parse(text, 10, &day) && day == 20780);
	assert_false(day_parse("2026-02-30", 10, &day));
	assert_false(day_parse("2026-2-3", 8, &day));
}

TEST(times_are_written_as_they_are_read)
{
	static const struct {
		int64_t t;
		const char *text;
	} all[] = {{0, "1970-01-01T00:00:00Z"}, {20780LL * DAY_S + 43201, "2026-11-23T12:00:01Z"},
	    {951782400, "2000-02-29T00:00:00Z"}, {-1, "1969-12-31T23:59:59Z"},
	    {UINT32_MAX, "2106-02-07T06:28:15Z"}, {253402300799, "9999-12-31T23:59:59Z"},
	    {253402300800, "9999-12-31T23:59:59Z"}, {INT64_MAX, "9999-12-31T23:59:59Z"},
	    {-62167219200, "0000-01-01T00:00:00Z"}, {INT64_MIN, "0000-01-01T00:00:00Z"}};
	char text[TIME_TEXT];
	int64_t again;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		time_text(all[i].t, text);
		assert_string_equal(text, all[i].text);
	}
	for (int64_t t = -(1LL << 33); t < 1LL << 34; t += 86399 * 301) {
		time_text(t, text);
		assert_true(time_parse_rfc3339(text, TIME_TEXT - 1, &again) && again == t);
	}
}

TEST(rfc3339_times_are_read)
{
	int64_t t;
	assert_true(
	    time_parse_rfc3339("2026-11-23T12:00:00Z", 20, &t) && t == 20780LL * DAY_S + 43200);
	assert_true(time_parse_rfc3339("2026-11-23T12:00:00.123+02:00", 29, &t) &&
		    t == 20780LL * DAY_S + 36000);
	assert_true(time_parse_rfc3339("2026-11-23", 10, &t) && t == 20780LL * DAY_S);
	static const struct {
		const char *text;
		int64_t at; /* seconds of that day; NONE: no time */
	} all[] = {{"2026-11-23T12:00:00", 43200}, {"2026-11-23t12:00:00z", 43200},
	    {"2026-11-23 12:00:00Z", 43200}, {"2026-11-23 12:00:00 +0000", 43200},
	    {"2026-11-23T12:00:00+0000", 43200}, {"2026-11-23T12:00:00-00:00", 43200},
	    {"2026-11-23T12:00:00+01", 39600}, {"2026-11-23T12:00:00-0130", 48600},
	    {"2026-11-23T12:00:00.000001Z", 43200}, {"2026-11-23T12:00:60Z", 43260},
	    {"2026-11-23T23:59:60Z", DAY_S}, {"2026-11-23T23:59:60.5+00:00", DAY_S},
	    {"2026-11-23T00:00:00+23:59", -86340}, {"2026-11-23T12:00Z", 43200},
	    {"2026-11-23T12:00:00.Z", -1}, {"2026-11-23T12:00:61Z", -1},
	    {"2026-11-23T24:00:00Z", -1}, {"2026-11-23T12:60:00Z", -1},
	    {"2026-11-31T12:00:00Z", -1}, {"2026-13-23T12:00:00Z", -1},
	    {"2026-02-29T12:00:00Z", -1}, {"2026-11-23T12:00:00+1", -1},
	    {"2026-11-23T12:00:00+24:00", -1}, {"2026-11-23T12:00:00Zx", -1}, {"2026-11-23T", -1},
	    {"2026-11-23T12", -1}, {"2026-11-23 ", -1}, {" 2026-11-23T12:00:00Z", -1},
	    {"yesterday", -1}, {"", -1}, {"26-11-23T12:00:00Z", -1}};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		bool fine = time_parse_rfc3339(all[i].text, strlen(all[i].text), &t);
		if (fine != (all[i].at != -1) || (fine && t != 20780LL * DAY_S + all[i].at))
			fail_msg("%s: %d, %lld", all[i].text, fine, (long long)t);
	}
	assert_true(time_parse_rfc3339("9999-12-31", 10, &t) && t > UINT32_MAX);
	assert_true(time_parse_rfc3339("1969-12-31T23:59:60Z", 20, &t) && t == 0);
	assert_false(day_parse("9999-12-31", 10, &(uint16_t){0}));
}

UNIT_TESTS(cmocka_unit_test(days_are_written_and_read),
    cmocka_unit_test(times_are_written_as_they_are_read), cmocka_unit_test(rfc3339_times_are_read))

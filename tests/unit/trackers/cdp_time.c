/* Times as Segment's libraries write them, and clocks that are wrong. */
#include "src/trackers/cdp_time.h"

#include "unit.h"

#define NOW 1767225600 /* 2026-01-01T00:00:00Z */

TEST(times_as_libraries_write_them)
{
	static const char *const same[] = {"2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z",
	    "2026-01-01T00:00:00.1234567Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00.123",
	    "2026-01-01 00:00:00", "2026-01-01 00:00:00.5", "2026-01-01T00:00:00+00:00",
	    "2026-01-01T00:00:00+0000", "2026-01-01T00:00:00.000+0000", "2026-01-01T00:00:00+00",
	    "2026-01-01T02:00:00+0200", "2026-01-01T02:00:00+02", "2025-12-31T16:00:00-0800",
	    "2025-12-31T16:00:00.25-08", "2026-01-01T05:30:00+05:30", "2026-01-01T05:30:00+0530",
	    "2026-01-01T00:00:00,123Z", "2026-01-01T00:00Z", "2026-01-01T00:00",
	    "2026-01-01T01:00+0100", "2026-01-01", " 2026-01-01T00:00:00Z ", "2026-01-01t00:00:00z",
	    "2026-01-01t00:00", "2026-01-01 00:00:00Z"};
	static const char *const none[] = {"", "now", "2026", "2026-01", "2026-13-01T00:00:00Z",
	    "2026-02-30T00:00:00", "1767225600", "1767225600000", "2026-01-01T", "2026-01-01T0",
	    "2026-01-01T25:00:00", "2026-01-01T00:00:00+", "2026-01-01T00:00:00+0",
	    "2026-01-01T00:00:00+000", "2026-01-01T00:00:00+00000", "2026-01-01T00:00:00+00:0",
	    "2026-01-01T00:00:00 GMT", "2026-01-01T00:00:00ZZ", "Thu, 01 Jan 2026 00:00:00 GMT",
	    "2026-01-01T00:00:00+0000+0000",
	    "2026-01-01T00:00:00."
	    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	    "000Z"};
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		int64_t t = 0;
		if (!cdp_time_read(str_c(same[i]), &t) || t != NOW)
			fail_msg("'%s' is %lld", same[i], (long long)t);
	}
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		int64_t t = 7;
		if (cdp_time_read(str_c(none[i]), &t) || t != 7)
			fail_msg("'%s' is %lld", none[i], (long long)t);
	}
}

static void is(const char *message, const char *batch, int64_t ago)
{
	json_t *m = json_loads(message, 0, NULL), *b = json_loads(batch, 0, NULL);
	int64_t t = 0;
	assert_non_null(m);
	if (!cdp_time(m, b, NOW, &t) || NOW - t != ago)
		fail_msg("%s in %s: %lld", message, batch, (long long)(NOW - t));
	json_decref(m);
	json_decref(b);
}

TEST(what_lies_between_two_times_of_a_clock_is_right)
{
	is("{}", "{}", 0);
	is("{\"timestamp\":null}", "{}", 0);
	is("{\"timestamp\":\"2025-12-31T23:59:00Z\"}", "{}", 60);
	is("{\"timestamp\":\"2025-12-31T23:59:00Z\"}", "{\"sentAt\":\"2026-01-01T00:00:00Z\"}", 60);
	is("{\"timestamp\":\"2015-01-01T00:00:05Z\"}", "{\"sentAt\":\"2015-01-01T00:00:06Z\"}", 1);
	is("{\"timestamp\":\"1970-01-01T00:00:05Z\",\"sentAt\":\"1970-01-01T01:00:05Z\"}",
	    "{\"sentAt\":\"2026-01-01T00:00:00Z\"}", 3600);
	is("{\"timestamp\":\"2049-05-05T00:00:00+0000\",\"sentAt\":\"2049-05-05T00:10:00\"}", "{}",
	    600);
	is("{\"originalTimestamp\":\"2015-01-01T00:00:05Z\",\"timestamp\":\"2019-01-01T00:00:"
	   "05Z\"}",
	    "{\"sentAt\":\"2015-01-01T00:00:09Z\"}", 4);
	is("{\"originalTimestamp\":\"2015-01-01T00:00:05Z\",\"timestamp\":\"2025-12-31T23:59:58Z\","
	   "\"sentAt\":\"2015-01-01T00:00:09Z\",\"receivedAt\":\"2025-12-31T23:59:59Z\"}",
	    "{}", 2);
	is("{\"timestamp\":\"2015-01-01T00:00:09Z\"}", "{\"sentAt\":\"2015-01-01T00:00:06Z\"}", -3);
	is("{\"timestamp\":\"2025-12-31T23:59:00Z\"}", "{\"sentAt\":\"soon\"}", 60);
	is("{\"originalTimestamp\":\"?\",\"timestamp\":\"2025-12-31T23:59:00Z\"}", "{}", 60);
}

TEST(what_cannot_be_read_is_no_time)
{
	static const char *const messages[] = {"{\"timestamp\":\"yesterday\"}",
	    "{\"timestamp\":1767225600}", "{\"timestamp\":\"\"}", "{\"timestamp\":[]}",
	    "{\"originalTimestamp\":\"?\"}", "{\"originalTimestamp\":\"?\",\"timestamp\":true}"};
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
		json_t *m = json_loads(messages[i], 0, NULL);
		int64_t t;
		assert_false(cdp_time(m, NULL, NOW, &t));
		json_decref(m);
	}
}

UNIT_TESTS(cmocka_unit_test(times_as_libraries_write_them),
    cmocka_unit_test(what_lies_between_two_times_of_a_clock_is_right),
    cmocka_unit_test(what_cannot_be_read_is_no_time))

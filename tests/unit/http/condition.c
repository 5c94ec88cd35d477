/* Conditional requests and dates, by RFC 9110. */
#include "crumb/http/condition.h"

#include "unit.h"

#include <stdio.h>

#define ETAG "\"a1,b\""
#define CHANGED 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define THEN "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

TEST(a_date_has_three_forms)
{
	static const char *const same[] = {THEN, "Sunday, 06-Nov-94 08:49:37 GMT",
	    "Sun Nov  6 08:49:37 1994", "Sun Nov 06 08:49:37 1994",
	    "Mon, 06 Nov 1994 08:49:37 GMT"};
	static const char *const none[] = {"", "now", "784111777", "1994-11-06T08:49:37Z",
	    "Sun, 06 Nov 1994 08:49:37",
	    "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
	    "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
	    "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
	    "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 08:49:3",
	    "Sun, 00 Nov 1994 08:49:37 GMT"};
	char text[HTTP_DATE_TEXT];
	int64_t t;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		if (t = 0, !http_date_read(str_c(same[i]), &t) || t != CHANGED)
			fail_msg("'%s' is %lld", same[i], (long long)t);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		if (http_date_read(str_c(none[i]), &t))
			fail_msg("'%s' is %lld", none[i], (long long)t);
	for (int64_t at = 0; at < 4102444800; at += 86400 * 17 + 12345) {
		http_date_write(at, text);
		assert_true(http_date_read(str_c(text), &t));
		assert_int_equal(t, at);
	}
	http_date_write(CHANGED, text);
	assert_string_equal(text, THEN);
	assert_true(http_date_read(STR("Friday, 01-Jan-99 00:00:00 GMT"), &t) && t == 915148800);
	assert_true(http_date_read(STR("Friday, 01-Jan-27 00:00:00 GMT"), &t) && t == 1798761600);
}

static void is(int want, enum http_header a, const char *av, enum http_header b, const char *bv)
{
	struct http_request r = {.method = HTTP_M_GET};
	r.header[a] = str_c(av);
	if (bv)
		r.header[b] = str_c(bv);
	int got = condition_of(&r, STR(ETAG), CHANGED);
	if (got != want)
		fail_msg("%d: %s and %d: %s give %d", a, av, b, bv ? bv : "-", got);
}

TEST(none_of_these_is_compared_weakly)
{
	static const char *const listed[] = {ETAG, "W/" ETAG, "*", " * ", "\"x\", " ETAG,
	    ETAG ",\"x\"", "\"x\",W/" ETAG " , \"y\"", ", ,\t" ETAG, "\"\", " ETAG, "\"x\"" ETAG};
	static const char *const not [] = {"\"a1\"", "\"A1,b\"", "a1,b", "\"a1,b", "W/\"x\"",
	    "w/" ETAG, "x, " ETAG, "\"", "W/", "**", "\"a1,b\\\"\"", "\"x" ETAG};
	for (size_t i = 0; i < sizeof listed / sizeof *listed; i++)
		is(304, H_IF_NONE_MATCH, listed[i], 0, NULL);
	for (size_t i = 0; i < sizeof not / sizeof *not ; i++)
		is(200, H_IF_NONE_MATCH, not [i], 0, NULL);
	/* it is the only one that counts */
	is(200, H_IF_NONE_MATCH, "\"x\"", H_IF_MODIFIED_SINCE, AFTER);
	is(304, H_IF_NONE_MATCH, ETAG, H_IF_MODIFIED_SINCE, BEFORE);
}

TEST(any_of_these_is_compared_strongly)
{
	is(200, H_IF_MATCH, ETAG, 0, NULL);
	is(200, H_IF_MATCH, "*", 0, NULL);
	is(200, H_IF_MATCH, "W/\"x\", \"y\", " ETAG, 0, NULL);
	is(412, H_IF_MATCH, "W/" ETAG, 0, NULL);
	is(412, H_IF_MATCH, "\"x\"", 0, NULL);
	is(412, H_IF_MATCH, "nonsense", 0, NULL);
	is(200, H_IF_MATCH, ETAG, H_IF_UNMODIFIED_SINCE, BEFORE);
	is(304, H_IF_MATCH, ETAG, H_IF_NONE_MATCH, ETAG);
	is(412, H_IF_MATCH, "\"x\"", H_IF_NONE_MATCH, "\"x\"");
}

TEST(times_count_where_no_tag_does)
{
	is(304, H_IF_MODIFIED_SINCE, THEN, 0, NULL);
	is(304, H_IF_MODIFIED_SINCE, AFTER, 0, NULL);
	is(200, H_IF_MODIFIED_SINCE, BEFORE, 0, NULL);
	is(304, H_IF_MODIFIED_SINCE, "Sunday, 06-Nov-94 08:49:37 GMT", 0, NULL);
	is(200, H_IF_MODIFIED_SINCE, "1994-11-06T08:49:37Z", 0, NULL);
	is(200, H_IF_UNMODIFIED_SINCE, THEN, 0, NULL);
	is(200, H_IF_UNMODIFIED_SINCE, AFTER, 0, NULL);
	is(412, H_IF_UNMODIFIED_SINCE, BEFORE, 0, NULL);
	is(200, H_IF_UNMODIFIED_SINCE, "yesterday", 0, NULL);
	is(304, H_IF_UNMODIFIED_SINCE, THEN, H_IF_MODIFIED_SINCE, THEN);
}

UNIT_TESTS(cmocka_unit_test(a_date_has_three_forms),
    cmocka_unit_test(none_of_these_is_compared_weakly),
    cmocka_unit_test(any_of_these_is_compared_strongly),
    cmocka_unit_test(times_count_where_no_tag_does))

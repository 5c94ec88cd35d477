/* delivery/push: one file as one request, and what the partner's answer means. */
#include "partner.h"

#include "crumb/delivery/push.h"

#include <curl/curl.h>

static struct destination lake(void)
{
	return (struct destination){.id = (char *)(uintptr_t) "lake",
	    .format = &format_ndjson,
	    .way = &way_https,
	    .where = str_c(partner.url),
	    .timeout_s = 20};
}

static struct push_answer pushed(const struct destination *d)
{
	struct push_answer a;
	push_file(d, STR("{\"id\":\"v1\"}\n"), "delivery-1-1", 1000, NULL, &a);
	return a;
}

/* The verdict, and what is said of it, of an answer. */
static enum push_verdict judged(const char *answer, const char *why, uint32_t after_s)
{
	const char *answers[] = {answer, NULL};
	partner_begin(answers);
	struct destination d = lake();
	struct push_answer a = pushed(&d);
	partner_end();
	assert_string_equal(a.why, why);
	assert_int_equal(a.after_s, after_s);
	push_answer_done(&a);
	return a.verdict;
}

TEST(a_file_is_the_body_of_one_post_with_a_key_that_tells_it_from_others)
{
	PARTNER(TAKES);
	struct destination d = lake();
	d.headers = (struct setting[]){{.name = STR("X-Account"), .value = STR("seven")}};
	d.headers_n = 1;
	struct push_answer a = pushed(&d);
	const char *asked = partner_end();
	assert_int_equal(a.verdict, PUSH_TAKEN);
	assert_int_equal(strncmp(asked, "POST /in HTTP/1.1\r\n", 19), 0);
	assert_non_null(strstr(asked, "\r\nIdempotency-Key: delivery-1-1\r\n"));
	assert_non_null(strstr(asked, "\r\nX-Account: seven\r\n"));
	assert_non_null(strstr(asked, "\r\nContent-Type: application/x-ndjson\r\n"));
	assert_null(strstr(asked, "Content-Encoding"));
	assert_non_null(strstr(asked, "\r\n\r\n{\"id\":\"v1\"}\n"));
	push_answer_done(&a);
}

TEST(what_is_packed_says_how)
{
	PARTNER(TAKES);
	struct destination d = lake();
	d.compress = COMPRESS_GZ;
	struct push_answer a = pushed(&d);
	assert_non_null(strstr(partner_end(), "\r\nContent-Encoding: gzip\r\n"));
	push_answer_done(&a);
}

TEST(a_partner_who_has_no_time_is_asked_again_when_he_says)
{
	assert_int_equal(judged("HTTP/1.1 503 No\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n",
			     "status 503", 120),
	    PUSH_LATER);
	assert_int_equal(judged("HTTP/1.1 429 No\r\nRetry-After: 100000\r\nContent-Length: "
				"4\r\n\r\nslow",
			     "status 429: slow", 0),
	    PUSH_LATER); /* more than a day is not believed */
	assert_int_equal(
	    judged("HTTP/1.1 408 No\r\nContent-Length: 0\r\n\r\n", "status 408", 0), PUSH_LATER);
}

TEST(what_he_does_not_want_is_not_sent_again)
{
	assert_int_equal(judged("HTTP/1.1 403 No\r\nContent-Length: 12\r\n\r\nno\nsuch\tkey!",
			     "status 403: no such key!", 0),
	    PUSH_NEVER);
	assert_int_equal(judged("HTTP/1.1 302 There\r\nLocation: /other\r\nContent-Length: "
				"0\r\n\r\n",
			     "status 302", 0),
	    PUSH_NEVER); /* it is not followed: what is sent is for this address */
}

TEST(what_he_says_is_told_in_whole_characters_that_do_nothing_to_a_terminal)
{
	char answer[600], why[600];
	assert_int_equal(judged("HTTP/1.1 400 No\r\nContent-Length: 6\r\n\r\nr\xe9"
				"fus\xe9",
			     "status 400: r\\xe9fus\\xe9", 0),
	    PUSH_NEVER);
	assert_int_equal(judged("HTTP/1.1 400 No\r\nContent-Length: 5\r\n\r\n\x7f\xc2\x9b"
				"1m",
			     "status 400: \\u007f\\u009b1m", 0),
	    PUSH_NEVER);
	/* 149 signs, and then one of three bytes: it is told, and what stands behind is not */
	snprintf(answer, sizeof answer, "HTTP/1.1 400 No\r\nContent-Length: 155\r\n\r\n%0149d%s", 0,
	    "\xe2\x82\xac"
	    "abc");
	snprintf(why, sizeof why, "status 400: %0149d%s", 0, "\xe2\x82\xac");
	assert_int_equal(judged(answer, why, 0), PUSH_NEVER);
}

TEST(where_nobody_listens_it_is_tried_later)
{
	PARTNER(TAKES);
	struct destination d = lake();
	struct push_answer a = pushed(&d);
	push_answer_done(&a);
	partner_end();
	a = pushed(&d);
	assert_int_equal(a.verdict, PUSH_LATER);
	assert_true(a.why[0] != 0);
	push_answer_done(&a);
}

TEST(a_secret_that_is_not_there_is_waited_for_and_nothing_is_sent)
{
	partner_begin((const char *const[]){NULL});
	struct destination d = lake();
	d.headers = (struct setting[]){
	    {.name = STR("Authorization"), .value = STR("env:CRUMB_NO_SUCH_SECRET")}};
	d.headers_n = 1;
	struct push_answer a = pushed(&d);
	assert_string_equal(partner_end(), "");
	assert_int_equal(a.verdict, PUSH_LATER);
	assert_non_null(strstr(a.why, "CRUMB_NO_SUCH_SECRET"));
	push_answer_done(&a);
}

TEST(whoever_stops_does_not_wait_for_an_answer)
{
	static const _Atomic bool stop = true;
	partner_begin((const char *const[]){NULL}); /* it takes the call and never answers */
	struct destination d = lake();
	struct push_answer a;
	push_file(&d, STR("x"), "k", 1000, &stop, &a);
	partner_end();
	assert_int_equal(a.verdict, PUSH_LATER);
	assert_string_equal(a.why, curl_easy_strerror(CURLE_ABORTED_BY_CALLBACK));
	push_answer_done(&a);
}

UNIT_TESTS(cmocka_unit_test(a_file_is_the_body_of_one_post_with_a_key_that_tells_it_from_others),
    cmocka_unit_test(what_is_packed_says_how),
    cmocka_unit_test(a_partner_who_has_no_time_is_asked_again_when_he_says),
    cmocka_unit_test(what_he_does_not_want_is_not_sent_again),
    cmocka_unit_test(what_he_says_is_told_in_whole_characters_that_do_nothing_to_a_terminal),
    cmocka_unit_test(where_nobody_listens_it_is_tried_later),
    cmocka_unit_test(a_secret_that_is_not_there_is_waited_for_and_nothing_is_sent),
    cmocka_unit_test(whoever_stops_does_not_wait_for_an_answer))

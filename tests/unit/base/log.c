/* base/log: a line a message, in three shapes; what others wrote ends neither its quotes nor its
 * line. */
#include "said.h"
#include "unit.h"

#include "calls.h"

#include "crumb/base/log.h"
#include "crumb/base/str.h"

static int noon(clockid_t id, struct timespec *t)
{
	(void)id;
	*t = (struct timespec){.tv_sec = 20780 * 86400LL + 43200, .tv_nsec = 7999999};
	return 0;
}

static int begin(void **state)
{
	calls.clock_gettime = noon;
	return said_begin();
}

static int end(void **state)
{
	calls.clock_gettime = NULL;
	log_shape(LOG_PLAIN);
	log_threshold(LOG_INFO);
	return said_end();
}
#define LISTENING(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const char *volatile nothing; /* so that no compiler sees through it */

TEST(a_line_has_level_module_and_message)
{
	log_info("store", "opened days=%u share=%.2f path=%s", 90u, 0.5, "/var");
	assert_string_equal(said(), "info store opened days=90 share=0.50 path=/var\n");
	log_error("journal", "%llu of %zu at %ld, 100 %%, %x", 18446744073709551615ull, (size_t)7,
	    -3L, 255u);
	assert_string_equal(said(), "error journal 18446744073709551615 of 7 at -3, 100 %, ff\n");
	log_warn("x", "part=" STR_FMT " none=%s", STR_ARG(str_make("abcdef", 3)), nothing);
	assert_string_equal(said(), "warn x part=abc none=(null)\n");
}

TEST(what_is_below_the_threshold_is_not_said)
{
	log_debug("a", "b");
	assert_string_equal(said(), "");
	log_threshold(LOG_DEBUG);
	log_debug("a", "b");
	assert_string_equal(said(), "debug a b\n");
	log_threshold(LOG_ERROR);
	log_warn("a", "b");
	assert_string_equal(said(), "");
}

TEST(with_a_time_or_as_json)
{
	log_shape(LOG_TEXT);
	log_info("a", "b");
	assert_string_equal(said(), "2026-11-23T12:00:00.007Z info a b\n");
	log_shape(LOG_JSON);
	log_warn("a", "path=\"%s\"", "x\\y");
	assert_string_equal(said(),
	    "{\"time\":\"2026-11-23T12:00:00.007Z\",\"level\":\"warn\",\"module\":\"a\","
	    "\"message\":\"path=\\\"x\\\\\\\\y\\\"\"}\n");
}

TEST(what_others_wrote_stays_within_its_quotes_and_its_line)
{
	log_info("a", "agent=\"%s\"", "x\" level=error\nerror b\x1b[31m\xff");
	assert_string_equal(
	    said(), "info a agent=\"x\\\" level=error\\u000aerror b\\u001b[31m\\xff\"\n");
	log_info("a", "two\nlines");
	assert_string_equal(said(), "info a two lines\n");
}

TEST(a_line_that_is_too_long_is_cut_between_characters)
{
	char text[3000];
	for (size_t i = 0; i + 2 < sizeof text; i += 2)
		memcpy(text + i, "\xc3\xa4", 3);
	for (int shift = 0; shift < 2; shift++) {
		log_shape(LOG_JSON);
		log_info("a", "%s%s", shift ? "x" : "", text);
		const char *line = said();
		size_t n = strlen(line);
		assert_true(n > 1000 && n < 1300);
		assert_string_equal(line + n - 3, "\"}\n");
		assert_memory_equal(line + n - 5, "\xc3\xa4", 2);
	}
	log_shape(LOG_PLAIN);
	log_info("a", "%s", text);
	assert_int_equal(strlen(said()), 1024);
}

UNIT_TESTS(LISTENING(a_line_has_level_module_and_message),
    LISTENING(what_is_below_the_threshold_is_not_said), LISTENING(with_a_time_or_as_json),
    LISTENING(what_others_wrote_stays_within_its_quotes_and_its_line),
    LISTENING(a_line_that_is_too_long_is_cut_between_characters))

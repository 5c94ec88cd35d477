/* partners/writing: strings and times of JSON, and numbers in groups of seven bits. */
#include "unit.h"

#include "src/partners/formats.h"

static void json_is(struct str s, const char *want)
{
	struct buf b = {0};
	format_json(&b, s);
	assert_true(str_eq(buf_view(&b), str_c(want)));
	buf_done(&b);
}

TEST(a_string_is_what_json_reads_back)
{
	json_is(STR(""), "\"\"");
	json_is(STR("gr\xc3\xbcn"), "\"gr\xc3\xbcn\"");
	json_is(STR("a\"b\\c"), "\"a\\\"b\\\\c\"");
	json_is(str_make("a\0\n\x1f", 4), "\"a\\u0000\\u000a\\u001f\"");
}

static void varint_is(uint64_t v, const char *want, size_t n)
{
	struct buf b = {0};
	format_varint(&b, v);
	assert_int_equal(b.n, n);
	assert_memory_equal(b.p, want, n);
	buf_done(&b);
}

TEST(a_number_takes_seven_bits_a_byte_the_lowest_first)
{
	varint_is(0, "\0", 1);
	varint_is(127, "\x7f", 1);
	varint_is(128, "\x80\x01", 2);
	varint_is(300, "\xac\x02", 2);
	varint_is(UINT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
}

TEST(a_time_is_rfc_3339_in_quotes)
{
	struct buf b = {0};
	format_time(&b, 20780u * DAY_S + 1);
	assert_true(str_eq(buf_view(&b), STR("\"2026-11-23T00:00:01Z\"")));
	buf_done(&b);
}

UNIT_TESTS(cmocka_unit_test(a_string_is_what_json_reads_back),
    cmocka_unit_test(a_number_takes_seven_bits_a_byte_the_lowest_first),
    cmocka_unit_test(a_time_is_rfc_3339_in_quotes))

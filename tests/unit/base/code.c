/* Codes: base64url, hex, percent, and UTF-8. */
#include "unit.h"

#include "crumb/base/code.h"

#include <stdlib.h>

TEST(base64url_round_trips_and_refuses_stray_bits)
{
	uint8_t in[40], out[40];
	char text[60];
	for (size_t n = 0; n <= sizeof in; n++) {
		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)rand();
		b64url_encode(in, n, text);
		assert_true(b64url_decode(str_make(text, B64URL_LEN(n)), out, n));
		assert_memory_equal(in, out, n);
	}
	assert_true(b64url_decode(STR("-_8"), out, 2) && out[0] == 0xfb && out[1] == 0xff);
	assert_false(b64url_decode(STR("-_9"), out, 2));
	assert_false(b64url_decode(STR("-_"), out, 2));
	assert_false(b64url_decode(STR("+/8"), out, 2));
}

TEST(hex_takes_both_cases_and_exact_length)
{
	uint8_t out[3];
	assert_true(hex_decode(STR("00fFa1"), out, 3));
	assert_int_equal(out[1], 0xff);
	assert_false(hex_decode(STR("00ff"), out, 3));
	assert_false(hex_decode(STR("00ffg1"), out, 3));
}

TEST(percent_decoding_leaves_what_is_no_escape)
{
	char out[64];
	size_t n = form_decode(STR("a%20b+c%zz%4"), out);
	assert_memory_equal(out, "a b c%zz%4", n);
	assert_int_equal(n, 10);
	n = percent_decode(STR("%41%"), out);
	assert_int_equal(n, 2);
	assert_memory_equal(out, "A%", 2);
	n = percent_decode(STR("%e2%82%ac"), out);
	assert_memory_equal(out, "\xe2\x82\xac", n);
}

TEST(utf8_is_checked_as_the_standard_says)
{
	assert_int_equal(utf8_valid(STR("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80")), 15);
	assert_int_equal(utf8_valid(STR("a\xc0\xaf")), 1);	   /* overlong */
	assert_int_equal(utf8_valid(STR("a\xed\xa0\x80")), 1);	   /* surrogate */
	assert_int_equal(utf8_valid(STR("a\xf4\x90\x80\x80")), 1); /* above U+10FFFF */
	assert_int_equal(utf8_valid(STR("a\xe2\x82")), 1);	   /* cut */
	assert_int_equal(utf8_valid(STR("a\x80")), 1);
}

UNIT_TESTS(cmocka_unit_test(base64url_round_trips_and_refuses_stray_bits),
    cmocka_unit_test(hex_takes_both_cases_and_exact_length),
    cmocka_unit_test(percent_decoding_leaves_what_is_no_escape),
    cmocka_unit_test(utf8_is_checked_as_the_standard_says))

/* What a terminal is shown. */
#include "unit.h"

#include "crumb/base/plain.h"

TEST(what_commands_a_terminal_is_shown_as_an_escape)
{
	static const struct {
		const char *in, *out;
	} all[] = {{"plain \xc3\xa4\xf0\x9f\xa7\xa5", "plain \xc3\xa4\xf0\x9f\xa7\xa5"},
	    {"\x1b[31m", "\\u001b[31m"}, {"\x7f\r\n", "\\u007f\\u000d\\u000a"},
	    {"\xc2\x9b", "\\u009b"}, {"\x9b", "\\x9b"}, {"\xe2\x80\xae", "\\u202e"},
	    {"\xe2\x81\xa6", "\\u2066"}, {"\xc3", "\\xc3"}, {"\xe2\x80x", "\\xe2\\x80x"},
	    {"\xc0\x9b", "\\xc0\\x9b"}, {"\xff\xfe", "\\xff\\xfe"},
	    {"\xed\xa0\x80", "\\xed\\xa0\\x80"}};
	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		char got[64] = "", piece[PLAIN_MOST];
		size_t used = 0, n;
		for (struct str s = str_c(all[i].in); s.n;) {
			size_t took = plain_char(s, piece, &n);
			assert_true(took > 0 && n <= sizeof piece && used + n < sizeof got);
			for (size_t part = 1; part < took;
			     part++) /* fewer bytes of it: it waits for the others */
				assert_int_equal(
				    plain_char_so_far(str_make(s.p, part), piece, &n), 0);
			took = plain_char(s, piece, &n);
			memcpy(got + used, piece, n);
			used += n;
			s = str_skip(s, took);
		}
		assert_string_equal(got, all[i].out);
	}
}

UNIT_TESTS(cmocka_unit_test(what_commands_a_terminal_is_shown_as_an_escape))

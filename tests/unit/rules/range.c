/* rules/range: numbers and ranges as they are written in rules. */
#include "unit.h"

#include "crumb/rules/rules.h"

#include <math.h>

TEST(a_range_has_what_its_text_says)
{
	static const struct {
		const char *text;
		double in[3], out[3];
	} rows[] = {
	    {"10..50", {10, 30, 50}, {9.9, 50.1, -10}},
	    {"10..", {10, 1e9, 11}, {9.9, -1, 0}},
	    {"..50", {50, -1e9, 0}, {50.1, 51, 1e9}},
	    {" 1.5 .. 2.5 ", {1.5, 2, 2.5}, {1.4, 2.6, 0}},
	    {">= 10", {10, 11, 12}, {9, -10, 0}},
	    {"> 10", {10.1, 11, 12}, {10, 9, 0}},
	    {"<50", {49.9, 0, -1}, {50, 51, 1e9}},
	    {"<= -5", {-5, -6, -1e9}, {-4.9, 0, 5}},
	    {"-3..-1", {-3, -2, -1}, {-3.1, 0, 1}},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct range r;
		if (!range_parse(str_c(rows[i].text), &r))
			fail_msg("'%s' is none", rows[i].text);
		for (int k = 0; k < 3; k++)
			if (!range_has(&r, rows[i].in[k]) || range_has(&r, rows[i].out[k]))
				fail_msg("'%s': %g in, %g out", rows[i].text, rows[i].in[k],
				    rows[i].out[k]);
	}
}

TEST(what_is_no_range_leaves_the_other_as_it_was)
{
	static const char *const none[] = {
	    "", "..", "10", "a..b", "1..b", "10-50", ">", "<", ">=", "> x", "NaN..1"};
	struct range r = {1, 2, true, true};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		if (range_parse(str_c(none[i]), &r))
			fail_msg("'%s' is taken", none[i]);
	assert_true(r.lo >= 1 && r.hi <= 2 && r.lo_out && r.hi_out);
}

TEST(a_number_may_have_blanks_around_it_and_nothing_else)
{
	double v;
	assert_true(rules_number(STR(" 12.5 "), &v) && fabs(v - 12.5) < 1e-12);
	assert_false(rules_number(STR("12.5 EUR"), &v) || rules_number(STR(" "), &v));
}

UNIT_TESTS(cmocka_unit_test(a_range_has_what_its_text_says),
    cmocka_unit_test(what_is_no_range_leaves_the_other_as_it_was),
    cmocka_unit_test(a_number_may_have_blanks_around_it_and_nothing_else))

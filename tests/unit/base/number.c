/* Numbers as people and programs write them. */
#include "unit.h"

#include "crumb/base/number.h"

TEST(numbers_have_one_grammar)
{
	static const struct {
		const char *text;
		double v;
	} fine[] = {{"10", 10}, {"-1.5", -1.5}, {"+1", 1}, {"1e3", 1000}, {"1E+3", 1000},
	    {"1.5e-1", 0.15}, {".5", 0.5}, {"5.", 5}, {"007", 7}, {"0", 0},
	    {"12345678901234567890", 12345678901234567890.0}};
	static const char *const none[] = {"", " ", " 10", "10 ", "0xA", "0x1p3", "10,00",
	    "1,000.00", "1.000,00", "1_000", "NaN", "nan", "inf", "Infinity", "-inf", "1e", "1e+",
	    "e3", ".", "+", "-", "+-1", "1.2.3", "10\u20ac", "\u0661\u0660", "1e999", "-1e999",
	    "1 000", "0b1", "1f", "ten"};
	double v;
	(void)state;
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		if (!number_read(str_c(fine[i].text), &v) || v < fine[i].v - 1e-9 * fine[i].v ||
		    v > fine[i].v + 1e-9 * fine[i].v)
			if (fine[i].v >= 0 || v > fine[i].v || v < fine[i].v)
				fail_msg("%s", fine[i].text);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		if (number_read(str_c(none[i]), &v))
			fail_msg("'%s' is %g", none[i], v);
	assert_false(number_read(str_make("1\0", 2), &v));
}

UNIT_TESTS(cmocka_unit_test(numbers_have_one_grammar))

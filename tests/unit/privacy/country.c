/* privacy/country: codes of countries, and what is meant by others. */
#include "unit.h"

#include "crumb/privacy/country.h"

static bool meant(const char *text, const char *want)
{
	return str_eq(country_meant(str_c(text)), str_c(want));
}

TEST(assigned_codes_are_known)
{
	assert_true(country_known(STR("DE")) && country_known(STR("de")) &&
		    country_known(STR("US")) && country_known(STR("ZW")));
	assert_false(country_known(STR("XX")) || country_known(STR("UK")) ||
		     country_known(STR("D")) || country_known(STR("DEU")));
	assert_false(
	    country_known(STR("")) || country_known(STR("EU")) || country_known(STR("# ")));
}

TEST(every_code_has_another_of_three_letters_and_a_name)
{
	unsigned known = 0;
	for (char a = 'A'; a <= 'Z'; a++)
		for (char b = 'A'; b <= 'Z'; b++)
			known += country_known(str_make((char[]){a, b}, 2));
	assert_in_range(known, 240, 260); /* ISO 3166-1 has 249 */
}

TEST(three_letters_names_and_common_words_are_understood)
{
	assert_true(meant("DEU", "DE") && meant("gbr", "GB") && meant("Germany", "DE") &&
		    meant("france", "FR"));
	assert_true(meant("UK", "GB") && meant("Holland", "NL") && meant("EU", "EEA") &&
		    meant("deutschland", "DE"));
	assert_true(meant("Switz", "CH")); /* the beginning of a name */
	assert_true(meant("Swi", "") && meant("", "") && meant("Atlantis", ""));
}

UNIT_TESTS(cmocka_unit_test(assigned_codes_are_known),
    cmocka_unit_test(every_code_has_another_of_three_letters_and_a_name),
    cmocka_unit_test(three_letters_names_and_common_words_are_understood))

/* What a client takes: codings and languages. */
#include "unit.h"

#include "crumb/http/accept.h"
#include "crumb/http/coding.h"

static void fields_say_what_is_wanted(void **state)
{
	static const struct {
		const char *field;
		enum coding want;
	} cases[] = {{"", CODING_IDENTITY}, {"gzip", CODING_GZIP},
	    {"gzip, deflate, br, zstd", CODING_GZIP}, {"br", CODING_IDENTITY}, {"*", CODING_GZIP},
	    {"gzip;q=0", CODING_IDENTITY}, {"gzip;q=0.000", CODING_IDENTITY},
	    {"GZIP ; Q=0.5", CODING_GZIP}, {"x-gzip", CODING_GZIP},
	    {"gzip;q=0, *", CODING_IDENTITY}, {"*;q=0, gzip", CODING_GZIP},
	    {"identity;q=1, gzip;q=0.5", CODING_IDENTITY},
	    {"identity;q=0.5, gzip;q=0.8", CODING_GZIP}, {"gzip;q=0.001", CODING_GZIP},
	    {"identity;q=0, gzip;q=0", CODING_UNKNOWN}, {"*;q=0", CODING_UNKNOWN},
	    {"identity;q=0", CODING_UNKNOWN}, {"identity;q=0, *;q=0.1", CODING_GZIP},
	    {"gzip;q=2", CODING_IDENTITY}, {"gzip;q=0.5;x=1, ,deflate", CODING_GZIP},
	    {"gzip;q=", CODING_IDENTITY}, {"gzip;q=1.000", CODING_GZIP},
	    {"gzip;q=1.001", CODING_IDENTITY}, {"gzipped", CODING_IDENTITY}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (coding_wanted(str_c(cases[i].field)) != cases[i].want)
			fail_msg("'%s'", cases[i].field);
}

static void languages_are_chosen_by_how_gladly(void **state)
{
	static const char *const tags[] = {"en", "de", "fr"};
	static const struct {
		const char *field;
		unsigned want;
	} cases[] = {{"", 0}, {"de", 1}, {"de-AT", 1}, {"DE-at", 1}, {"den", 0},
	    {"en-GB,en;q=0.9,de;q=0.8", 0}, {"de-CH, de;q=0.9, en;q=0.8", 1},
	    {"de;q=0.8, en-US", 0}, {"ja, de;q=0.5, en;q=0.3", 1}, {"de, en", 1}, {"en, de", 0},
	    {"ja", 0}, {"*", 0}, {"en;q=0, *", 1}, {"de;q=0, *;q=0.5", 0}, {"en;q=0.2, *;q=0.5", 1},
	    {"de;q=0", 0}, {"en;q=0,de;q=0,fr;q=0", 0}, {"de;q=2, en;q=0.1", 0}, {"de;q=0.001", 1},
	    {"en;q=0.5, fr ; Q=0.7", 2}, {" ,, de ,", 1}, {"de-;q=0.5", 1}, {"-de", 0},
	    {"de;q=0.1, de-AT;q=0.9, en;q=0.5", 1}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (accept_language(str_c(cases[i].field), tags, 3) != cases[i].want)
			fail_msg("'%s'", cases[i].field);
}

UNIT_TESTS(cmocka_unit_test(fields_say_what_is_wanted),
    cmocka_unit_test(languages_are_chosen_by_how_gladly))

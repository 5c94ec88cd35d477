/* Consent strings against what the IAB's own libraries say of them (tests/consent). */
#include "unit.h"

#include "crumb/privacy/iab.h"

#include <stdio.h>
#include <stdlib.h>

static const char *us_word(enum us_choice c)
{
	return c == US_OPTED_OUT	? "out"
	       : c == US_NOT_OPTED_OUT	? "not"
	       : c == US_NOT_APPLICABLE ? "na"
					: "unreadable";
}

/* What we say of a container: the choice of each section that it was asked for. */
static void say_gpp(struct str s, const char *expected, char *out, size_t cap)
{
	struct gpp g;
	struct str rest = str_c(expected), part, text;
	size_t n = 0;
	bool all = gpp_read(s, &g);
	snprintf(out, cap, "unreadable");
	while (all && rest.n && str_cut(&rest, ',', &part)) {
		unsigned id = (unsigned)strtoul(part.p, NULL, 10);
		enum us_choice c = !gpp_find(&g, id, &text) ? US_UNREADABLE
				   : id == 6		    ? us_privacy_read(text)
							    : gpp_us_read(id, text);
		if (c == US_UNREADABLE)
			return;
		n += (size_t)snprintf(out + n, cap - n, "%s%u:%s", n ? "," : "", id, us_word(c));
	}
	if (all && n == 0 && !strchr(expected, ':')) /* asked for section 7 */
		snprintf(out, cap, "%s",
		    gpp_find(&g, 7, &text) ? us_word(gpp_us_read(7, text)) : "unreadable");
}

TEST(strings_mean_what_the_encoders_meant)
{
	FILE *f = fopen("tests/consent/vectors.tsv", "r");
	char line[8192], said[256];
	unsigned n = 0, kinds[3] = {0};
	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		struct str rest = str_make(line, strcspn(line, "\n")), kind, asked, s, expected;
		struct tcf t;
		assert_true(str_cut(&rest, '\t', &kind) && str_cut(&rest, '\t', &asked) &&
			    str_cut(&rest, '\t', &s) && str_cut(&rest, '\t', &expected));
		unsigned vendor = (unsigned)strtoul(asked.p, NULL, 10);
		bool canada = str_eq(kind, STR("tcfca"));
		((char *)(uintptr_t)expected.p)[expected.n] = 0;
		if (str_eq(kind, STR("gpp")))
			say_gpp(s, expected.p, said, sizeof said);
		else if (canada ? tcf_canada_read(s, vendor, &t) : tcf_read(s, vendor, &t))
			snprintf(said, sizeof said, "%x %d %d %x", t.purposes, t.vendor,
			    t.disclosed, t.restricted);
		else
			snprintf(said, sizeof said, "unreadable");
		if (strcmp(said, expected.p) != 0)
			fail_msg("line %u: " STR_FMT " says '%s', not '%s'", n + 1, STR_ARG(s),
			    said, expected.p);
		kinds[canada ? 2 : str_eq(kind, STR("gpp"))]++;
		n++;
	}
	fclose(f);
	assert_true(kinds[0] >= 100 && kinds[1] >= 230 && kinds[2] >= 20);
}

UNIT_TESTS(cmocka_unit_test(strings_mean_what_the_encoders_meant))

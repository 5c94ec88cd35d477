/* yaml/id: what is an id, and what is told of a text that is none. */
#include "unit.h"

#include "crumb/yaml/yaml.h"

#include <stdio.h>

/* The id that stands in a file of one value; NULL: there is none, and `hint` was told of it. */
static void id_is(const char *id, const char *hint)
{
	struct arena arena = {0};
	struct report report = {0};
	char text[200], want[200], *got = NULL;
	snprintf(text, sizeof text, "\"%s\"\n", id);
	struct yaml y = {
	    .arena = &arena, .report = &report, .file = "f.yaml", .text = str_c(text)};
	yaml_id(&y, yaml_open(&y), &got);
	yaml_close(&y);
	if (hint) {
		assert_null(got);
		assert_int_equal(report.n, 1);
		snprintf(want, sizeof want, "'%s' is no id", id);
		assert_string_equal(report.list[0].code, "id");
		assert_string_equal(report.list[0].message, want);
		assert_string_equal(report.list[0].hint, hint);
	} else {
		assert_int_equal(report.n, 0);
		assert_string_equal(got, id);
	}
	report_done(&report);
	arena_done(&arena);
}

TEST(an_id_is_words_with_dots_between_them)
{
	id_is("coats", NULL);
	id_is("coats.winter_2026", NULL);
	id_is("a-b.c", NULL);
	id_is("3xl", NULL);
}

TEST(what_is_no_id_is_told_with_one_that_is)
{
	id_is("winter coats", "did you mean 'winter-coats'?");
	id_is("coats/winter", "did you mean 'coats-winter'?");
	id_is("gr\xc3\xbcn", "did you mean 'gr--n'?");
	id_is(".coats", "an id is letters, digits, '_' and '-', with dots between parts");
	id_is("coats.", "an id is letters, digits, '_' and '-', with dots between parts");
	id_is("a..b", "an id is letters, digits, '_' and '-', with dots between parts");
	id_is("-coats", "an id is letters, digits, '_' and '-', with dots between parts");
}

TEST(an_id_has_so_many_characters_at_most)
{
	char id[YAML_ID_MOST + 2];
	memset(id, 'a', sizeof id);
	id[YAML_ID_MOST] = 0;
	id_is(id, NULL);
	id[YAML_ID_MOST] = 'a';
	id[YAML_ID_MOST + 1] = 0;
	id_is(id, "an id is letters, digits, '_' and '-', with dots between parts");
}

UNIT_TESTS(cmocka_unit_test(an_id_is_words_with_dots_between_them),
    cmocka_unit_test(what_is_no_id_is_told_with_one_that_is),
    cmocka_unit_test(an_id_has_so_many_characters_at_most))

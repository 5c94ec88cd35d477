/* load/loader: what every section of a file of rules has: ids and labels. */
#include "loaded.h"
#include "refused.h"

static void id_is(const char *id, const char *hint)
{
	char text[400], want[600];
	snprintf(text, sizeof text,
	    "version: 1\ncategories:\n  - {id: \"%s\", any: [{path: /a}]}\n", id);
	snprintf(want, sizeof want, "3:10 id: '%s' is no id (%s)", id, hint);
	assert_non_null(strstr(findings(text), hint ? want : ""));
	if (!hint)
		assert_string_equal(findings(text), "");
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

TEST(labels_are_kept)
{
	struct rules *r = load(
	    "version: 1\ncategories:\n  - {id: coats, labels: [x, \"y z\"], any: [{path: /a}]}\n");
	const struct category *c = &r->categories[rules_category(r, STR("coats"))];
	assert_int_equal(c->labels.n, 2);
	assert_true(str_eq(c->labels.list[1], STR("y z")));
	rules_unref(r);
}

UNIT_TESTS(cmocka_unit_test(an_id_is_words_with_dots_between_them),
    cmocka_unit_test(what_is_no_id_is_told_with_one_that_is), cmocka_unit_test(labels_are_kept))

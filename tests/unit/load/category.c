/* load/category: ids and labels of categories. */
#include "loaded.h"
#include "refused.h"

TEST(what_is_no_id_is_told_where_it_stands)
{
	assert_non_null(strstr(findings("version: 1\ncategories:\n"
					"  - {id: \"winter coats\", any: [{path: /a}]}\n"),
	    "3:10 id: 'winter coats' is no id (did you mean 'winter-coats'?)"));
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

UNIT_TESTS(cmocka_unit_test(what_is_no_id_is_told_where_it_stands), cmocka_unit_test(labels_are_kept))

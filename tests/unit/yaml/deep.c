/* yaml/deep: text that is nested deeper than anybody means is told before it is read. */
#include "unit.h"

#include "crumb/base/buf.h"
#include "crumb/yaml/deep.h"

static struct buf many(const char *what, unsigned n, const char *end)
{
	struct buf b = {0};
	for (unsigned i = 0; i < n; i++)
		buf_c(&b, what);
	buf_c(&b, end);
	return b;
}

TEST(as_deep_as_it_may_be_is_not_deep)
{
	size_t at = 0;
	struct buf b = many("[", YAML_DEPTH_MOST, "");
	for (unsigned i = 0; i < YAML_DEPTH_MOST; i++)
		buf_c(&b, "]");
	assert_false(yaml_deep(buf_view(&b), &at));
	buf_done(&b);
}

TEST(one_more_is_and_it_is_told_where)
{
	size_t at = 0;
	struct buf b = many("[", YAML_DEPTH_MOST + 1, "");
	assert_true(yaml_deep(buf_view(&b), &at));
	assert_int_equal(at, YAML_DEPTH_MOST);
	buf_done(&b);
	b = many("- ", YAML_DEPTH_MOST + 5, "x");
	assert_true(yaml_deep(buf_view(&b), &at));
	assert_int_equal(at, 2 * YAML_DEPTH_MOST);
	buf_done(&b);
	b = many("{a: ", YAML_DEPTH_MOST + 1, "1");
	assert_true(yaml_deep(buf_view(&b), &at));
	buf_done(&b);
}

TEST(what_is_long_and_not_deep_is_not)
{
	size_t at = 0;
	struct buf b = many("- [a, b]\n", 1000, "");
	assert_false(yaml_deep(buf_view(&b), &at));
	buf_done(&b);
	b = many(" ", 200, "text: \"[[[[\"\n");
	assert_false(yaml_deep(buf_view(&b), &at));
	buf_done(&b);
	assert_false(yaml_deep(STR(""), &at));
}

TEST(what_is_no_yaml_is_not_deep)
{
	size_t at = 0;
	struct buf b = many("]", 200, "");
	assert_false(yaml_deep(buf_view(&b), &at));
	buf_done(&b);
	b = many("\xff[", 200, "");
	assert_false(yaml_deep(buf_view(&b), &at));
	buf_done(&b);
}

UNIT_TESTS(cmocka_unit_test(as_deep_as_it_may_be_is_not_deep),
    cmocka_unit_test(one_more_is_and_it_is_told_where),
    cmocka_unit_test(what_is_long_and_not_deep_is_not),
    cmocka_unit_test(what_is_no_yaml_is_not_deep))

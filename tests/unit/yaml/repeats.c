/* yaml/repeats: what aliases make of a text is told before it is read. */
#include "unit.h"

#include "crumb/base/buf.h"
#include "crumb/yaml/repeats.h"

static bool repeats(const char *text, size_t *at)
{
	return yaml_repeats(str_c(text), at);
}

TEST(some_repetition_is_meant)
{
	size_t at = 0;
	assert_false(repeats("a: &x [1, 2]\nb: *x\nc: {d: *x, e: &y z, f: *y}\n", &at));
	assert_false(repeats("a: *nobody\n", &at));
	assert_false(repeats("&a [", &at));
	assert_false(repeats("", &at));
	assert_false(repeats("# R&D\na: 1\n", &at));
}

TEST(what_stands_within_itself_is_told)
{
	size_t at = 0;
	assert_true(repeats("a: &x [*x]\n", &at));
	assert_int_equal(at, 7);
	assert_true(repeats("a: &x {b: {c: *x}}\n", &at));
}

TEST(a_list_that_is_repeated_often_is_told)
{
	size_t at = 0;
	struct buf b = {0};
	buf_c(&b, "a: &x [");
	for (unsigned i = 0; i < 10000; i++)
		buf_c(&b, "{p: q}, ");
	buf_c(&b, "]\n");
	for (unsigned i = 0; i < 12; i++)
		buf_addf(&b, "b%u: *x\n", i);
	assert_false(yaml_repeats(buf_view(&b), &at));
	buf_c(&b, "c: *x\n");
	assert_true(yaml_repeats(buf_view(&b), &at));
	buf_done(&b);
}

TEST(repetitions_of_repetitions_are_counted)
{
	size_t at = 0;
	struct buf b = {0};
	buf_c(&b, "a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8]\n");
	for (unsigned i = 1; i < 10; i++)
		buf_addf(&b, "a%u: &a%u [*a%u, *a%u, *a%u, *a%u, *a%u, *a%u]\n", i, i, i - 1, i - 1,
		    i - 1, i - 1, i - 1, i - 1);
	assert_true(yaml_repeats(buf_view(&b), &at));
	buf_done(&b);
}

TEST(many_anchors_are_told)
{
	size_t at = 0;
	struct buf b = {0};
	for (unsigned i = 0; i < YAML_ANCHORS_MOST; i++)
		buf_addf(&b, "- &a%u 1\n", i);
	assert_false(yaml_repeats(buf_view(&b), &at));
	buf_c(&b, "- &more 1\n");
	assert_true(yaml_repeats(buf_view(&b), &at));
	buf_done(&b);
}

UNIT_TESTS(cmocka_unit_test(some_repetition_is_meant),
    cmocka_unit_test(what_stands_within_itself_is_told),
    cmocka_unit_test(a_list_that_is_repeated_often_is_told),
    cmocka_unit_test(repetitions_of_repetitions_are_counted),
    cmocka_unit_test(many_anchors_are_told))

/* yaml/report: every mistake once, in order, as a compiler prints it. */
#include "unit.h"

#include "crumb/yaml/report.h"

#include <stdio.h>

static void note(struct report *r, const char *file, size_t line, size_t column, const char *what)
{
	struct yaml_place at = {file, line, column, 3};
	report_add(r, &at, false, "code", "hint", "%s", what);
}

TEST(a_mistake_is_kept_once_and_warnings_are_no_errors)
{
	struct report r = {0};
	struct yaml_place at = {"a.yaml", 1, 2, 1};
	note(&r, "a.yaml", 1, 2, "one");
	note(&r, "a.yaml", 1, 2, "one");
	note(&r, "a.yaml", 1, 2, "two");
	note(&r, "b.yaml", 1, 2, "one");
	report_add(&r, &at, true, "code", NULL, "a warning");
	assert_int_equal(r.n, 4);
	assert_int_equal(r.errors, 3);
	assert_string_equal(r.list[3].hint, "");
	report_done(&r);
	assert_true(r.n == 0 && r.list == NULL);
}

TEST(mistakes_are_sorted_by_where_they_are)
{
	static const char *const order[] = {"a", "b", "c", "d", "e"};
	struct report r = {0};
	note(&r, "b.yaml", 1, 1, "e");
	note(&r, "a.yaml", 10, 1, "d");
	note(&r, "a.yaml", 2, 9, "c");
	note(&r, "a.yaml", 2, 3, "b");
	note(&r, "a.yaml", 2, 3, "a");
	report_sort(&r);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(r.list[i].message, order[i]);
	report_done(&r);
}

TEST(the_first_error_is_told_with_how_many_more_there_are)
{
	struct report r = {0};
	struct yaml_place at = {"a.yaml", 1, 1, 1};
	assert_int_equal(report_error(&r), OK);
	report_add(&r, &at, true, "code", NULL, "a warning");
	assert_int_equal(report_error(&r), OK);
	note(&r, "a.yaml", 3, 5, "this is wrong");
	assert_int_equal(report_error(&r), ERR_SYNTAX);
	assert_string_equal(err_text(), "a.yaml:3:5: this is wrong");
	note(&r, "a.yaml", 4, 5, "so is this");
	note(&r, "a.yaml", 5, 5, "and this");
	assert_int_equal(report_error(&r), ERR_SYNTAX);
	assert_string_equal(
	    err_text(), "a.yaml:3:5: this is wrong (and 2 more)");
	r.lister = "crumb config";
	assert_int_equal(report_error(&r), ERR_SYNTAX);
	assert_string_equal(
	    err_text(), "a.yaml:3:5: this is wrong (and 2 more; 'crumb config' lists them)");
	report_done(&r);
}

static const char *printed(struct report *r, const char *text)
{
	static char out[2000];
	struct buf b = {0};
	report_print(&r->list[0], str_c(text), &b);
	snprintf(out, sizeof out, STR_FMT, STR_ARG(buf_view(&b)));
	buf_done(&b);
	return out;
}

TEST(a_caret_stands_below_what_is_meant)
{
	struct report r = {0};
	note(&r, "a.yaml", 2, 6, "no such thing");
	assert_string_equal(printed(&r, "one: 1\ntwo: xyz\n"), "a.yaml:2:6: no such thing\n"
							       "    2 | two: xyz\n"
							       "      |      ^~~\n"
							       "  hint: hint\n");
	assert_string_equal(printed(&r, "one: 1\r\n\ttw\xc3\xb6xyz\r\n"),
	    "a.yaml:2:6: no such thing\n"
	    "    2 | \ttw\xc3\xb6xyz\n"
	    "      | \t   ^~~\n"
	    "  hint: hint\n");
	assert_string_equal(printed(&r, ""), "a.yaml:2:6: no such thing\n  hint: hint\n");
	report_done(&r);
}

TEST(so_many_are_kept_and_all_are_counted)
{
	struct report r = {0};
	for (size_t i = 1; i <= 1500; i++)
		note(&r, "a.yaml", i, 1, "wrong");
	assert_int_equal(r.n, 1000);
	assert_int_equal(r.errors, 1500);
	report_done(&r);
}

UNIT_TESTS(cmocka_unit_test(a_mistake_is_kept_once_and_warnings_are_no_errors),
    cmocka_unit_test(mistakes_are_sorted_by_where_they_are),
    cmocka_unit_test(the_first_error_is_told_with_how_many_more_there_are),
    cmocka_unit_test(a_caret_stands_below_what_is_meant),
    cmocka_unit_test(so_many_are_kept_and_all_are_counted))

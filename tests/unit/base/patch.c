/* Unified patches of two texts. */
#include "unit.h"

#include "crumb/base/patch.h"

#include <stdio.h>
#include <stdlib.h>

static char said[1 << 16];

static const char *patch_of(const char *before, const char *after)
{
	struct buf out = {0};
	patch_make(str_c(before), str_c(after), "shop.yaml", &out);
	assert_false(out.failed);
	snprintf(said, sizeof said, STR_FMT, (int)out.n, out.n ? out.p : "");
	buf_done(&out);
	return said;
}

TEST(a_changed_line_stands_among_three_of_either_side)
{
	assert_string_equal(
	    patch_of("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
	    "--- a/shop.yaml\n+++ b/shop.yaml\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n "
	    "8\n");
}

TEST(equal_texts_have_no_patch)
{
	assert_string_equal(patch_of("a\n", "a\n"), "");
	assert_string_equal(patch_of("", ""), "");
}

TEST(a_file_that_comes_or_goes_is_dev_null_on_the_other_side)
{
	assert_string_equal(
	    patch_of(NULL, "a\n"), "--- /dev/null\n+++ b/shop.yaml\n@@ -0,0 +1 @@\n+a\n");
	assert_string_equal(
	    patch_of("a\nb\n", NULL), "--- a/shop.yaml\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n");
}

TEST(a_name_with_blanks_ends_with_a_tab)
{
	struct buf out = {0};
	patch_make(STR("a\n"), STR("b\n"), "my shop.yaml", &out);
	assert_true(
	    str_starts(buf_view(&out), STR("--- a/my shop.yaml\t\n+++ b/my shop.yaml\t\n")));
	buf_done(&out);
}

TEST(a_last_line_without_an_end_is_told)
{
	assert_string_equal(patch_of("a\nb", "a\nb\n"),
	    "--- a/shop.yaml\n+++ b/shop.yaml\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of "
	    "file\n+b\n");
}

TEST(changes_far_apart_are_hunks_of_their_own)
{
	char before[400] = "", after[400] = "";
	for (int i = 0; i < 30; i++) {
		size_t n = strlen(before);
		snprintf(before + n, sizeof before - n, "%d\n", i);
		n = strlen(after);
		snprintf(after + n, sizeof after - n, i == 5 || i == 25 ? "%d!\n" : "%d\n", i);
	}
	const char *p = patch_of(before, after);
	assert_non_null(strstr(p, "@@ -3,7 +3,7 @@"));
	assert_non_null(strstr(p, "@@ -23,7 +23,7 @@"));
}

/* Puts a patch onto a text as patch(1) does. */
static void apply(struct str text, struct str patch, struct buf *out)
{
	struct str line;
	size_t at = 0; /* lines of the text that are passed */
	while (patch.n) {
		size_t end = str_find(patch, '\n') + 1;
		line = str_make(patch.p, end);
		patch = str_skip(patch, end);
		bool ends = !str_starts(patch, STR("\\"));
		if (str_starts(line, STR("---")) || str_starts(line, STR("+++")))
			continue;
		if (line.p[0] == '@') {
			size_t from = strtoul(line.p + 4, NULL, 10);
			bool none = str_has(str_make(line.p, str_find(line, '+')), STR(",0 "));
			for (from -= from && !none; at < from; at++) {
				size_t n = str_find(text, '\n') + 1;
				buf_add(out, text.p, n);
				text = str_skip(text, n);
			}
		} else if (line.p[0] != '\\') {
			if (line.p[0] != '-')
				buf_add(out, line.p + 1, line.n - 1 - !ends);
			if (line.p[0] != '+') {
				text = str_skip(text, line.n - 1 - !ends);
				at++;
			}
		}
	}
	buf_str(out, text);
}

TEST(a_patch_makes_the_one_text_of_the_other)
{
	srandom(7);
	for (int round = 0; round < 400; round++) {
		struct buf a = {0}, b = {0}, patch = {0}, made = {0};
		for (int i = 0, n = (int)(random() % 60); i < n; i++) {
			int word = (int)(random() % 8);
			if (random() % 9)
				buf_addf(&a, "w%d\n", word);
			if (random() % 9)
				buf_addf(&b, "w%d\n", word);
		}
		if (round % 3 == 0)
			buf_c(&b, "no end");
		if (round % 4 == 0)
			buf_c(&a, "no end");
		struct str before = a.n ? buf_view(&a) : STR(""),
			   after = b.n ? buf_view(&b) : STR("");
		patch_make(before, after, "x", &patch);
		apply(before, patch.n ? buf_view(&patch) : STR(""), &made);
		assert_true(str_eq(made.n ? buf_view(&made) : STR(""), after));
		buf_done(&a), buf_done(&b), buf_done(&patch), buf_done(&made);
	}
}

TEST(texts_too_long_for_the_table_are_told_whole)
{
	struct buf a = {0}, b = {0}, patch = {0}, made = {0};
	for (int i = 0; i < 6000; i++) {
		buf_addf(&a, "a%d\n", i);
		buf_addf(&b, "b%d\n", i);
	}
	patch_make(buf_view(&a), buf_view(&b), "x", &patch);
	apply(buf_view(&a), buf_view(&patch), &made);
	assert_true(str_eq(buf_view(&made), buf_view(&b)));
	buf_done(&a), buf_done(&b), buf_done(&patch), buf_done(&made);
}

UNIT_TESTS(cmocka_unit_test(a_changed_line_stands_among_three_of_either_side),
    cmocka_unit_test(equal_texts_have_no_patch),
    cmocka_unit_test(a_file_that_comes_or_goes_is_dev_null_on_the_other_side),
    cmocka_unit_test(a_name_with_blanks_ends_with_a_tab),
    cmocka_unit_test(a_last_line_without_an_end_is_told),
    cmocka_unit_test(changes_far_apart_are_hunks_of_their_own),
    cmocka_unit_test(a_patch_makes_the_one_text_of_the_other),
    cmocka_unit_test(texts_too_long_for_the_table_are_told_whole))

/* match/scan: many literals and expressions in one text at once. */
#include "unit.h"

#include "src/match/scanner.h"

#include <stdio.h>
#include <stdlib.h>

static bool hits[2000];

static void hit(void *arg, uint32_t id)
{
	++*(unsigned *)arg;
	hits[id] = true;
}

static bool finds(const struct scan_input *one, const char *text)
{
	struct scan *s;
	struct scan_scratch *x = NULL;
	uint32_t culprit;
	unsigned n = 0;
	if (scan_build(one, 1, &s, &culprit) != OK)
		fail_msg("%s", err_text());
	assert_int_equal(scan_scratch_for(s, &x), OK);
	scan_run(s, x, str_c(text), hit, &n);
	scan_scratch_free(x);
	scan_free(s);
	return n > 0;
}

TEST(literals_are_found_anywhere_in_any_case)
{
	struct scan_input coat = {.text = STR("coat"), .id = 1};
	assert_true(finds(&coat, "winter COATs") && finds(&coat, "coat"));
	assert_false(finds(&coat, "co at") || finds(&coat, ""));
	struct scan_input signs = {.text = STR("a.b*"), .id = 1}; /* are no expression */
	assert_true(finds(&signs, "xa.b*x"));
	assert_false(finds(&signs, "aXbb"));
}

TEST(expressions_have_their_own_case)
{
	struct scan_input path = {
	    .text = STR("/^\\/p\\/[0-9]+$/"), .id = 1, .regex = true, .case_matters = true};
	assert_true(finds(&path, "/p/12"));
	assert_false(finds(&path, "/P/12") || finds(&path, "/p/12a"));
	struct scan_input loose = {
	    .text = STR("/coats?/i"), .id = 1, .regex = true, .case_matters = true};
	assert_true(finds(&loose, "COAT"));
	struct scan_input value = {.text = STR("/^m.nt/"), .id = 1, .regex = true};
	assert_true(finds(&value, "MaNTEL"));
}

TEST(each_of_many_is_found_and_no_other)
{
	static struct scan_input in[1000];
	static char texts[1000][20];
	struct scan *s;
	struct scan_scratch *x = NULL;
	uint32_t culprit;
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(texts[i], sizeof texts[i], i % 2 ? "/^n%uz/" : "n%uz", i);
		in[i] = (struct scan_input){.text = str_c(texts[i]), .id = i, .regex = i % 2};
	}
	assert_int_equal(scan_build(in, 1000, &s, &culprit), OK);
	assert_int_equal(scan_scratch_for(s, &x), OK);
	for (uint32_t i = 0; i < 1000; i += 37) {
		char text[20];
		unsigned n = 0;
		memset(hits, 0, sizeof hits);
		snprintf(text, sizeof text, "n%uz and more", i);
		scan_run(s, x, str_c(text), hit, &n);
		unsigned found = 0;
		for (uint32_t k = 0; k < 1000; k++)
			found += hits[k];
		assert_true(found == 1 && hits[i]);
	}
	scan_scratch_free(x);
	scan_free(s);
}

TEST(what_cannot_be_used_is_named)
{
	struct scan_input in[300];
	struct scan *s = NULL;
	uint32_t culprit = 0;
	for (uint32_t i = 0; i < 300; i++)
		in[i] = (struct scan_input){.text = STR("/a+/"), .id = i, .regex = true};
	in[277].text = STR("/a(?=b)/"); /* looks ahead */
	assert_int_not_equal(scan_build(in, 300, &s, &culprit), OK);
	assert_int_equal(culprit, 277);
}

TEST(nothing_is_found_by_nothing)
{
	struct scan *s;
	struct scan_scratch *x = NULL;
	uint32_t culprit;
	unsigned n = 0;
	assert_int_equal(scan_build(NULL, 0, &s, &culprit), OK);
	assert_int_equal(scan_scratch_for(s, &x), OK);
	scan_run(s, x, STR("text"), hit, &n);
	assert_int_equal(n, 0);
	scan_scratch_free(x);
	scan_free(s);
}

UNIT_TESTS(cmocka_unit_test(literals_are_found_anywhere_in_any_case),
    cmocka_unit_test(expressions_have_their_own_case),
    cmocka_unit_test(each_of_many_is_found_and_no_other),
    cmocka_unit_test(what_cannot_be_used_is_named), cmocka_unit_test(nothing_is_found_by_nothing))

/* condition/condition: the language, form by form, and what is said of what is none. */
#include "loaded.h"

#include "crumb/condition/parse.h"

#include <stdio.h>

#define SHOP                                                                                       \
	"version: 1\nattributes:\n  - {id: size, values: [m, l]}\n  - {id: age, range: 0..120}\n"  \
	"categories:\n  - {id: coats, any: [{path: /coats}]}\n"                                    \
	"  - {id: men.boots, any: [{path: /m}]}\n  - {id: women.boots, any: [{path: /w}]}\n"       \
	"  - {id: men.hats, any: [{path: /h}]}\n"                                                  \
	"segments:\n  - {id: rich, when: sum(v of coats) > 10}\n"

static struct rules *rules;

static int begin(void **state)
{
	rules = load(SHOP);
	return 0;
}

static int end(void **state)
{
	rules_unref(rules);
	return 0;
}

static const struct rule_node *parsed(const char *text)
{
	struct report report = {0};
	int root;
	if (rules_condition(rules, str_c(text), &report, &root) != OK)
		fail_msg("%s: %s", text, err_text());
	report_done(&report);
	return &rules->nodes[root];
}

/* The findings, as "COLUMN CODE: MESSAGE (HINT)", a line each. */
static const char *said(const char *text)
{
	static char out[2000];
	struct report report = {0};
	int root;
	size_t n = 0;
	assert_int_equal(rules_condition(rules, str_c(text), &report, &root), ERR_SYNTAX);
	for (size_t i = 0; i < report.n; i++) {
		const struct finding *f = &report.list[i];
		n += (size_t)snprintf(out + n, sizeof out - n, "%s%zu %s: %s (%s)", n ? "\n" : "",
		    f->column, f->code, f->message, f->hint);
	}
	report_done(&report);
	return out;
}

TEST(and_binds_more_than_or_and_not_most)
{
	const struct rule_node *n = parsed("coats or coats and not coats or visits");
	assert_int_equal(n->kind, NODE_OR);
	const struct rule_node *left = &rules->nodes[n->left];
	assert_int_equal(left->kind, NODE_OR);
	const struct rule_node *both = &rules->nodes[left->right];
	assert_int_equal(both->kind, NODE_AND);
	assert_int_equal(rules->nodes[both->right].kind, NODE_NOT);
	n = parsed("(coats or coats) and visits");
	assert_int_equal(n->kind, NODE_AND);
	assert_int_equal(rules->nodes[n->left].kind, NODE_OR);
}

TEST(a_category_alone_is_at_least_once_ever)
{
	const struct rule_node *n = parsed("coats");
	assert_true(n->kind == NODE_COUNT && n->op == OP_GE && n->n == 1 && n->window == 0);
	n = parsed("coats between 2 and 5 in 14d");
	assert_true(n->op == OP_BETWEEN && n->n == 2 && n->n2 == 5 && n->window == 14);
	n = parsed("VISITS >= 3");
	assert_true(n->kind == NODE_DAYS && n->cat == CATEGORY_ALL && n->n == 3);
}

TEST(each_form_makes_its_node)
{
	assert_int_equal(parsed("days(coats) >= 2")->kind, NODE_DAYS);
	assert_int_equal(parsed("first(coats) within 9d")->kind, NODE_FIRST);
	assert_int_equal(parsed("coats then men.hats within 3d")->kind, NODE_THEN);
	assert_int_equal(parsed("country = DE")->kind, NODE_FACT);
	assert_int_equal(parsed("attr.size in (m, l)")->kind, NODE_ATTR);
	assert_int_equal(parsed("segment(rich)")->kind, NODE_SEGMENT);
	const struct rule_node *n = parsed("sum(v of coats) >= 12.5");
	assert_true(n->kind == NODE_SUM && n->n == 12500000);
	n = parsed("attr.age between 18 and 24");
	assert_true(n->kind == NODE_ATTR && n->numeric && range_has(&n->range, 18) &&
		    !range_has(&n->range, 24.5));
}

TEST(a_category_is_found_by_its_last_part_if_that_is_one)
{
	assert_int_equal(parsed("hats")->cat, rules_category(rules, STR("men.hats")));
	assert_string_equal(said("boots"),
	    "1 ambiguous: 'boots' could be men.boots or women.boots (write it in full)");
}

TEST(what_is_unknown_is_told_with_what_was_meant)
{
	assert_string_equal(said("coots and hots"),
	    "1 unknown-category: there is no category 'coots' (did you mean 'coats'?)\n"
	    "11 unknown-category: there is no category 'hots' (did you mean 'hats'?)");
	assert_string_equal(said("rich"), "1 unknown-category: there is no category 'rich' (it is "
					  "a segment: write segment(rich))");
	assert_string_equal(said("size"), "1 unknown-category: there is no category 'size' (it is "
					  "an attribute: write attr.size)");
}

TEST(any_text_comes_to_an_answer_and_depth_has_an_end)
{
	char deep[400];
	memset(deep, '(', 200);
	memcpy(deep + 200, "coats", 6);
	assert_non_null(said(deep));
	static const char *const odd[] = {")", "coats coats", "not", "coats in", "coats in 3",
	    "coats >= ", "coats between 1 and", "days(", "days()", "segment(x", "attr.",
	    "attr.size =", "country in ()", "coats then", "coats then hats", "sum(v of coats)",
	    "sum(x of coats) > 1", "coats in 400d", "coats >= 99999999999", "coats between 5 and 2",
	    "\"coats\"", "coats and or coats"};
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		if (!*said(odd[i]))
			fail_msg("nothing is said of '%s'", odd[i]);
}

UNIT_TESTS_BETWEEN(begin, end, cmocka_unit_test(and_binds_more_than_or_and_not_most),
    cmocka_unit_test(a_category_alone_is_at_least_once_ever),
    cmocka_unit_test(each_form_makes_its_node),
    cmocka_unit_test(a_category_is_found_by_its_last_part_if_that_is_one),
    cmocka_unit_test(what_is_unknown_is_told_with_what_was_meant),
    cmocka_unit_test(any_text_comes_to_an_answer_and_depth_has_an_end))

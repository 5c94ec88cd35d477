/* condition/alone: a condition that stands in no file, for previews and questions. */
#include "loaded.h"

#include "crumb/condition/eval.h"
#include "crumb/condition/parse.h"

#define SHOP                                                                                       \
	"version: 1\ncategories: [{id: coats, any: [{path: /coats/*}]}, {id: boots, any: [{path: " \
	"/boots/*}]}]\n"                                                                           \
	"segments: [{id: rich, when: sum(v of coats) > 10}]\n"

static void refused(
    struct rules *r, const char *text, const char *code, size_t column, const char *said)
{
	struct report report = {0};
	int root;
	assert_int_equal(rules_condition(r, str_c(text), &report, &root), ERR_SYNTAX);
	assert_true(report.n >= 1);
	assert_string_equal(report.list[0].code, code);
	assert_string_equal(report.list[0].file, "condition");
	assert_int_equal(report.list[0].line, 1);
	assert_int_equal(report.list[0].column, column);
	assert_string_equal(err_text(), said);
	report_done(&report);
	assert_int_equal(rules_condition(r, str_c(text), NULL, &root),
	    ERR_SYNTAX); /* the words come without a report, too */
	assert_string_equal(err_text(), said);
}

TEST(a_condition_is_parsed_and_holds_of_those_it_says)
{
	struct rules *r = load(SHOP);
	struct profile p = {0};
	int root;
	char text[] = "coats >= 2 in 7d";
	assert_int_equal(rules_condition(r, str_c(text), NULL, &root), OK);
	memset(text, 'x', sizeof text - 1); /* the rules have kept it */
	profile_add(&p, (uint16_t)rules_category(r, STR("coats")), 20000, 2);
	assert_true(rules_holds(r, root, &p, 20006));
	assert_false(rules_holds(r, root, &p, 20007));
	assert_true(str_eq(r->nodes[root].text, STR("coats >= 2 in 7d")));
	profile_done(&p);
	rules_unref(r);
}

TEST(its_windows_end_on_their_day)
{
	struct rules *r = load(SHOP);
	struct profile p = {0};
	int root;
	uint16_t boots = (uint16_t)rules_category(r, STR("boots"));
	profile_add(&p, boots, 20000, 1);
	assert_int_equal(rules_next_due(r, &p, 20000, 90), 20090);
	assert_int_equal(rules_condition(r, STR("boots in 5d"), NULL, &root), OK);
	assert_int_equal(rules_next_due(r, &p, 20000, 90), 20005);
	profile_done(&p);
	rules_unref(r);
}

TEST(mistakes_are_told_by_column)
{
	struct rules *r = load(SHOP);
	refused(r, "coats and", "syntax", 10,
	    "condition:1:10: the condition ends where a category, a fact or '(' is expected");
	refused(r, "coats and hats", "unknown-category", 11,
	    "condition:1:11: there is no category 'hats'");
	refused(r, "not coats", "holds-of-nobody", 1,
	    "condition:1:1: the condition is true of somebody who never did anything");
	refused(r, "coats and sum(v of boots) > 3", "not-summed", 11,
	    "condition:1:11: the values of this category are not added up");
	refused(r, "", "syntax", 1,
	    "condition:1:1: the condition ends where a category, a fact or '(' is expected");
	rules_unref(r);
}

TEST(a_sum_that_some_segment_asks_for_may_be_asked_for)
{
	struct rules *r = load(SHOP);
	int root;
	assert_int_equal(rules_condition(r, STR("boots or sum(v of coats) >= 5"), NULL, &root), OK);
	rules_unref(r);
}

TEST(what_is_only_said_may_ask_for_any_sum)
{
	struct rules *r = load(SHOP);
	int root;
	assert_int_equal(rules_condition_said(r, STR("sum(v of boots) > 3"), NULL, &root), OK);
	assert_int_equal(
	    rules_condition_said(r, STR("not sum(v of boots) > 3"), NULL, &root), ERR_SYNTAX);
	rules_unref(r);
}

UNIT_TESTS(cmocka_unit_test(a_condition_is_parsed_and_holds_of_those_it_says),
    cmocka_unit_test(its_windows_end_on_their_day), cmocka_unit_test(mistakes_are_told_by_column),
    cmocka_unit_test(a_sum_that_some_segment_asks_for_may_be_asked_for),
    cmocka_unit_test(what_is_only_said_may_ask_for_any_sum))

/* Examples of rules. */
#include "loaded.h"

#include "crumb/check/example.h"

static void note_result(void *arg, const struct example_result *x)
{
	int *n = arg;
	n[x->passed ? 0 : 1]++;
}

TEST(examples_pass_and_fail)
{
	struct rules *r =
	    load("version: 1\ncategories: [{id: coats, any: [{path: /coats/*}, {title: winter "
		 "coat}]}, {id: buy, any: [{event: purchase}]}]\nsegments:\n"
		 "  - {id: fans, when: coats >= 3 in 14d and device = mobile}\n  - {id: rich, "
		 "when: sum(v of buy) >= 100}\n");
	const char *text =
	    "version: 1\ntests:\n"
	    "  - {name: one, visitor: {device: mobile}, did: [{path: /coats/a, times: 2, ago: "
	    "13d}, {title: A Winter Coat}], expect: [fans], not: "
	    "[rich]}\n"
	    "  - {name: two, visitor: {device: mobile}, did: [{path: /coats/a, times: 2, ago: "
	    "14d}, {title: A Winter Coat}], not: [fans]}\n"
	    "  - {name: three, did: [{event: purchase, v: 33.5, times: 3}], expect: [rich]}\n"
	    "  - {name: wrong, did: [{event: purchase, v: 33, times: 3}], expect: [rich, fans]}\n";
	int n[2] = {0, 0};
	struct report report = {0};
	assert_int_equal(
	    examples_run(r, STR("t.yaml"), str_c(text), 20000, 90, &report, note_result, n), OK);
	assert_int_equal(n[0], 3);
	assert_int_equal(n[1], 1);
	assert_int_equal(
	    examples_run(r, STR("t.yaml"), STR("tests:\n  - {did: [{pth: /x}], expect: [fanz]}\n"),
		20000, 90, &report, note_result, n),
	    ERR_SYNTAX);
	assert_int_equal(report.n, 2);
	report_done(&report);
	rules_unref(r);
}

UNIT_TESTS(cmocka_unit_test(examples_pass_and_fail))

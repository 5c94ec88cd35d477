/* What can never hold is known, and nothing else. */
#include "loaded.h"

#include "crumb/condition/eval.h"
#include "crumb/condition/logic.h"
#include "crumb/condition/parse.h"

static uint32_t random_state = 7;
static uint32_t rnd(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

TEST(what_can_never_hold_is_known)
{
	static const struct {
		const char *condition;
		enum logic_verdict verdict;
		bool dead;
	} rows[] = {
	    {"a >= 3 and a < 2", LOGIC_NEVER, true},
	    {"a >= 3 and a < 4", LOGIC_CAN, false},
	    {"a >= 3 in 7d and a <= 2 in 30d", LOGIC_NEVER, true},
	    {"a <= 2 in 7d and a >= 3 in 30d", LOGIC_CAN, false},
	    {"a.b and not a", LOGIC_NEVER, true},
	    {"a and not a.b", LOGIC_CAN, false},
	    {"days(a) >= 8 in 7d", LOGIC_NEVER, true},
	    {"days(a) >= 2 and a < 2", LOGIC_NEVER, true},
	    {"a >= 2 and days(a) < 2", LOGIC_CAN, false},
	    {"not visits", LOGIC_NEVER, true},
	    {"a in 3d and not visits in 3d", LOGIC_NEVER, true},
	    {"country = US and country = DE", LOGIC_NEVER, true},
	    {"country in (US, DE) and country != US", LOGIC_CAN, false},
	    {"country in (US, DE) and country != US and country not in (DE, FR)", LOGIC_NEVER,
		true},
	    {"attr.n > 5 and attr.n < 5", LOGIC_NEVER, true},
	    {"attr.n >= 5 and attr.n <= 5", LOGIC_CAN, false},
	    {"attr.n = 7 and attr.n < 5", LOGIC_NEVER, true},
	    {"a and (d = 1 or not a)", LOGIC_CAN, true},
	    {"first(a) within 3d and not a", LOGIC_NEVER, true},
	    {"a then d within 3d and not d", LOGIC_NEVER, true},
	    {"not (a or d) and d", LOGIC_NEVER, true},
	    {"a = 2 and a != 2", LOGIC_NEVER, true},
	    {"a between 2 and 3 and a != 2 and a != 3", LOGIC_NEVER, true},
	    {"sum(v of a) > 5 and not a", LOGIC_NEVER, true},
	    {"sum(v of a) < 0 and a", LOGIC_CAN, false},
	    {"segment(x) and d", LOGIC_NEVER, true},
	};
	struct rules *r = load(
	    "version: 1\ncategories: [{id: a.b, any: [{path: /b}]}, {id: d, any: [{path: /d}]}]\n"
	    "segments: [{id: x, when: visits and not d}, {id: s, when: sum(v of a) > 1}]\n");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct report report = {0};
		int root = -1;
		/* some are refused for holding of nobody: they are parsed all the same */
		(void)!rules_condition(r, str_c(rows[i].condition), &report, &root);
		report_done(&report);
		if (root < 0)
			fail_msg("%s does not parse", rows[i].condition);
		struct logic l = rules_logic(r, root);
		if (l.verdict != rows[i].verdict || l.dead != rows[i].dead)
			fail_msg("%s: verdict %d, dead %d", rows[i].condition, l.verdict, l.dead);
	}
	rules_unref(r);
}

/* What the checker calls impossible, no random profile satisfies. */
TEST(the_checker_never_calls_impossible_what_somebody_satisfies)
{
	static const char *const tests[] = {"a >= 2", "a < 2 in 7d", "a = 1 in 30d", "b >= 1",
	    "b <= 1 in 14d", "days(a) >= 2 in 14d", "days(b) <= 1", "d", "d != 1",
	    "a then d within 5d", "first(b) within 9d", "visits >= 3", "visits <= 2 in 10d",
	    "a between 1 and 3", "sum(v of b) > 2", "sum(v of a) <= 3 in 20d"};
	struct rules *r =
	    load("version: 1\ncategories: [{id: a.b, any: [{path: /b}]}, {id: a.c, any: [{path: "
		 "/c}]}, {id: d, any: [{path: /d}]}]\n"
		 "segments: [{id: s, when: sum(v of a) > 1}, {id: t, when: sum(v of a.b) > 1}]\n");
	struct profile p = {0};
	uint16_t ab = (uint16_t)rules_category(r, STR("a.b")),
		 ac = (uint16_t)rules_category(r, STR("a.c")),
		 a = (uint16_t)rules_category(r, STR("a")),
		 d = (uint16_t)rules_category(r, STR("d"));
	for (int round = 0; round < 400; round++) {
		char condition[400] = "visits";
		for (unsigned i = 0, n = 2 + rnd(4); i < n; i++) {
			strcat(condition, rnd(3) ? " and " : " and not ");
			strcat(condition, tests[rnd(sizeof tests / sizeof *tests)]);
		}
		int root;
		struct report report = {0};
		if (rules_condition(r, str_c(condition), &report, &root) != OK)
			fail_msg("%s: %s", condition, err_text());
		report_done(&report);
		struct logic l = rules_logic(r, root);
		for (int k = 0; k < 60 && l.verdict == LOGIC_NEVER; k++) {
			profile_clear(&p);
			for (unsigned i = 0, n = 1 + rnd(6); i < n; i++) {
				uint16_t day = (uint16_t)(20000 - rnd(30)), cat = rnd(3) == 0 ? d
										  : rnd(2)    ? ab
											      : ac;
				profile_add(&p, cat, day, 1 + rnd(2));
				profile_add(&p, CATEGORY_ALL, day, 1);
				if (cat != d)
					profile_add(&p, a, day, 1),
					    profile_add_value(&p, cat, day, 1.5),
					    profile_add_value(&p, a, day, 1.5);
			}
			/* a parent counts what its children count */
			size_t rows;
			for (uint16_t day = 19970; day <= 20000; day++) {
				uint32_t sum = 0;
				for (size_t i = 0; i < p.rows_n; i++)
					sum += (p.rows[i].cat == ab || p.rows[i].cat == ac) &&
						       p.rows[i].day == day
						   ? p.rows[i].count
						   : 0;
				for (size_t i = 0; i < p.rows_n; i++)
					if (p.rows[i].cat == a && p.rows[i].day == day)
						p.rows[i].count = sum;
			}
			profile_span(&p, a, &rows);
			if (rules_holds(r, root, &p, 20000))
				fail_msg("'%s' is called impossible, yet it holds", condition);
		}
	}
	profile_done(&p);
	rules_unref(r);
}

UNIT_TESTS(cmocka_unit_test(what_can_never_hold_is_known),
    cmocka_unit_test(the_checker_never_calls_impossible_what_somebody_satisfies))

/* The smallest change that leads into a segment. */
#include "loaded.h"

#include "crumb/condition/eval.h"
#include "crumb/condition/explain.h"

static uint32_t random_state = 7;
static uint32_t rnd(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

/* Following the advice leads in. */
TEST(the_smallest_change_leads_into_the_segment)
{
	struct rules *r =
	    load("version: 1\ncategories: [{id: a.b, any: [{path: /b}]}, {id: a.c, any: [{path: "
		 "/c}]}, {id: d, any: [{path: /d}]}]\nsegments:\n"
		 "  - {id: s0, when: a.b >= 3 in 14d}\n  - {id: s1, when: a >= 4 and b >= 2}\n  - "
		 "{id: s2, when: b and not d in 30d}\n"
		 "  - {id: s3, when: days(b) >= 3 in 10d}\n  - {id: s4, when: b then d within "
		 "3d}\n  - {id: s5, when: sum(v of d) >= 20.5}\n"
		 "  - {id: s6, when: first(d) within 5d}\n  - {id: s7, when: visits >= 2 and (c >= "
		 "2 or d >= 9)}\n"
		 "  - {id: s8, when: a between 2 and 3 in 5d}\n  - {id: s9, when: country = US}\n");
	uint16_t ab = (uint16_t)rules_category(r, STR("a.b")),
		 a = (uint16_t)rules_category(r, STR("a")),
		 d = (uint16_t)rules_category(r, STR("d"));
	unsigned sure = 0, tried = 0;
	for (int round = 0; round < 300; round++) {
		struct profile p = {0};
		for (unsigned i = 0, n = 1 + rnd(5); i < n; i++) {
			uint16_t day = (uint16_t)(20000 - rnd(40));
			bool first = rnd(2);
			profile_add(&p, first ? ab : d, day, 1);
			profile_add(&p, CATEGORY_ALL, day, 1);
			if (first)
				profile_add(&p, a, day, 1);
		}
		for (uint16_t s = 0; s < 10; s++) {
			if (rules_eval(r, s, &p, 20000))
				continue;
			struct change c = rules_change(r, s, &p, 20000, 90);
			tried++;
			sure += c.possible && c.sure;
			if (s == 9)
				assert_true(c.n == 1 && c.steps[0].kind == STEP_FACT);
			else if (s != 2 && s != 3 && s != 6 &&
				 s != 8) /* those may have to wait for what goes meanwhile */
				assert_true(c.possible && c.sure);
		}
		profile_done(&p);
	}
	assert_true(sure * 10 > tried * 7);
	rules_unref(r);
}

UNIT_TESTS(cmocka_unit_test(the_smallest_change_leads_into_the_segment))

/* Many visitors at once are told what each would be told. */
#include "loaded.h"

#include "crumb/condition/block.h"
#include "crumb/condition/eval.h"

/* The block evaluator and the plain one agree, on conditions that are true of nobody too. */
TEST(a_block_says_what_each_visitor_would_be_told)
{
	struct rules *r = load("version: 1\ncategories: [{id: a, any: [{path: /a}]}, {id: b, any: "
			       "[{path: /b}]}, {id: c, any: [{path: /c}]}]\nsegments:\n"
			       "  - {id: s1, when: a >= 2 in 7d}\n  - {id: s2, when: visits and "
			       "not b in 30d}\n  - {id: s3, when: a then b within 3d}\n"
			       "  - {id: s4, when: visits and (days(a) = 2 in 14d or visits < 2 in "
			       "5d)}\n  - {id: s6, when: first(a) within 9d}\n"
			       "  - {id: s7, when: a between 2 and 4 in 20d and sum(v of b) >= 1.5 "
			       "in 33d}\n  - {id: s5, when: segment(s1) and a < 9 in 60d}\n"
			       "  - {id: s8, when: c and (a <= 1 in 7d or a > 3 in 14d)}\n  - {id: "
			       "s9, when: c and sum(v of a) < 2}\n"
			       "  - {id: s10, when: visits and c = 0 in 20d}\n  - {id: s11, when: "
			       "a != 2 in 7d and visits}\n  - {id: s12, when: country = DE}\n"
			       "  - {id: s13, when: attr.size = m or last(c) within 4d}\n  - {id: "
			       "s14, when: a in 7d, until: 2024-10-05}\n"
			       "  - {id: s15, when: visits and not segment(s14)}\n");
	struct block *b = rules_block_begin(r);
	uint32_t x = 7;
	uint64_t in = 0;
	for (int round = 0; round < 400; round++) {
		static struct profile p[BLOCK_MAX];
		uint16_t today = (uint16_t)(20000 + round % 2), out[32];
		unsigned n = (unsigned)round % (BLOCK_MAX + 1);
		rules_block_clear(b, today);
		for (unsigned i = 0; i < n; i++) {
			profile_clear(&p[i]);
			for (unsigned k = 0; k < i % 9; k++) {
				x = x * 1664525 + 1013904223;
				uint16_t day = (uint16_t)(20001 - x / 65536 % 90),
					 cat = (uint16_t)(1 + x / 7 % 3);
				profile_add(&p[i], cat, day, 1 + x / 8192 % 3);
				profile_add(&p[i], CATEGORY_ALL, day, 1);
				profile_add_value(&p[i], cat, day, 0.75);
				struct place place = {{0}, {0}};
				memcpy(place.country, x / 32 % 2 ? "DE" : "FR", 2);
				struct attr size = {STR("size"), x / 64 % 2 ? STR("m") : STR("s")};
				profile_observe(
				    &p[i], day, &place, &(struct agent){0, 0, 0}, &size, 1);
			}
			rules_block_add(b, &p[i]);
		}
		for (unsigned i = 0; i < n; i++) {
			unsigned k = 0, of = rules_eval_all(r, &p[i], today, out);
			for (uint16_t s = 0; s < r->segments_n; s++) {
				bool is = rules_block_segment(b, s) >> i & 1;
				int root = r->segments[s].root; /* but for a last day */
				if (!r->segments[s].until)
					assert_int_equal(
					    rules_block_node(b, root), rules_block_segment(b, s));
				assert_int_equal(is, k < of && out[k] == s);
				k += is;
				in += is;
			}
		}
		if (round == 399)
			for (unsigned i = 0; i < BLOCK_MAX; i++)
				profile_done(&p[i]);
	}
	assert_true(in > 10000); /* it is about something */
	rules_block_end(b);
	rules_unref(r);
}

UNIT_TESTS(cmocka_unit_test(a_block_says_what_each_visitor_would_be_told))

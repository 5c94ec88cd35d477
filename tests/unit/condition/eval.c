/* What the plain evaluator says, and until when. */
#include "loaded.h"

#include "crumb/condition/eval.h"
#include "crumb/condition/parse.h"

/* The next day on which a row leaves a window or ends, row by row. */
static uint32_t day_due(const struct rules *r, const struct profile *p, uint16_t today)
{
	uint32_t due = UINT16_MAX;
	for (size_t i = 0; i < p->rows_n; i++) {
		const struct category *c = &r->categories[p->rows[i].cat];
		for (unsigned w = 0; w <= c->windows_n; w++) {
			uint32_t day = p->rows[i].day + (w < c->windows_n ? c->windows[w] : 90u);
			if (day > today && day < due)
				due = day;
		}
	}
	return due;
}

/* Day after day, as if somebody looked at each. */
static uint16_t day_left(const struct rules *r, uint16_t segment, struct profile *p, uint16_t today)
{
	for (uint16_t day = today;; day++) {
		profile_expire(p, (uint16_t)(day - 89));
		if (!rules_eval(r, segment, p, day))
			return day;
	}
}

/* What the due index rests on: between a day and the next due day nothing changes. */
TEST(nothing_changes_before_the_due_day)
{
	struct rules *r = load("version: 1\ncategories: [{id: a, any: [{path: /a}]}, {id: b, any: "
			       "[{path: /b}]}]\nsegments:\n"
			       "  - {id: s1, when: a >= 2 in 7d}\n  - {id: s2, when: visits and "
			       "not b in 30d}\n  - {id: s3, when: a then b within 3d}\n"
			       "  - {id: s4, when: visits and (days(a) = 2 in 14d or visits < 2 in "
			       "5d)}\n  - {id: s6, when: first(a) within 9d}\n"
			       "  - {id: s7, when: a between 2 and 4 in 20d and sum(v of b) >= 1.5 "
			       "in 33d}\n  - {id: s5, when: segment(s1) and a < 9 in 60d}\n");
	uint32_t x = 1;
	for (int round = 0; round < 3000; round++) {
		struct profile p = {0};
		uint16_t out[8], again[8], today = 20000;
		for (int i = 0; i < 6; i++) {
			x = x * 1664525 + 1013904223;
			uint16_t day = (uint16_t)(today - x / 65536 % 90),
				 cat = (uint16_t)(1 + x / 7 % 2);
			profile_add(&p, cat, day, 1 + x % 3);
			profile_add(&p, CATEGORY_ALL, day, 1);
			profile_add_value(&p, cat, day, 0.75);
		}
		uint16_t due = rules_next_due(r, &p, today, 90);
		unsigned n = rules_eval_all(r, &p, today, out);
		assert_true(due > today && due <= today + 90);
		assert_int_equal(due, day_due(r, &p, today));
		for (uint16_t day = (uint16_t)(today + 1); day < due; day++) {
			assert_int_equal(rules_eval_all(r, &p, day, again), n);
			assert_memory_equal(out, again, n * sizeof *out);
		}
		uint16_t until[8];
		for (unsigned i = 0; i < n; i++)
			until[i] = rules_member_until(r, out[i], &p, today, 90);
		struct profile left = {0};
		for (unsigned i = 0; i < n; i++) {
			left.rows_n = left.sums_n = 0;
			for (size_t k = 0; k < p.rows_n; k++)
				profile_add(&left, p.rows[k].cat, p.rows[k].day, p.rows[k].count);
			for (size_t k = 0; k < p.sums_n; k++)
				profile_add_value(&left, p.sums[k].cat, p.sums[k].day,
				    (double)p.sums[k].millionths / 1e6);
			assert_int_equal(until[i], day_left(r, out[i], &left, today));
		}
		profile_done(&left);
		profile_done(&p);
	}
	rules_unref(r);
}

static bool holds(struct rules *r, const char *condition, const struct profile *p, uint16_t today)
{
	struct report report = {0};
	int root;
	if (rules_condition(r, str_c(condition), &report, &root) != OK)
		fail_msg("%s: %s", condition, report.n ? report.list[0].message : err_text());
	report_done(&report);
	return rules_holds(r, root, p, today);
}

TEST(every_form_of_condition)
{
	struct rules *r = load("version: 1\ncategories: [{id: a.b, any: [{path: /b}]}, {id: a.c, "
			       "any: [{path: /c}]}, {id: d, any: [{path: /d}]}]\n"
			       "segments: [{id: x, when: sum(v of a.b) > 0 or sum(v of a) > 0}, "
			       "{id: past, when: d, until: 2020-01-01}]\n");
	struct profile p = {0};
	uint16_t today = 20000, ab = (uint16_t)rules_category(r, STR("a.b")),
		 a = (uint16_t)rules_category(r, STR("a")),
		 d = (uint16_t)rules_category(r, STR("d"));
	for (int i = 0; i < 3; i++) {
		uint16_t day = (uint16_t)(today - 10 * i);
		profile_add(&p, ab, day, 2), profile_add(&p, a, day, 2),
		    profile_add(&p, CATEGORY_ALL, day, 3);
		profile_add_value(&p, ab, day, 10.25), profile_add_value(&p, a, day, 10.25);
	}
	profile_add(&p, d, (uint16_t)(today - 12), 1);
	profile_add(&p, CATEGORY_ALL, (uint16_t)(today - 12), 1);
	static const struct {
		const char *condition;
		bool want;
	} rows[] = {
	    {"a.b = 6", true},
	    {"b between 5 and 6", true},
	    {"b between 1 and 3 in 11d", false},
	    {"b between 2 and 4 in 11d", true},
	    {"sum(v of b) >= 30.75", true},
	    {"sum(v of b) > 30.75", false},
	    {"sum(v of b) between 20 and 21 in 11d", true},
	    {"sum(v of a) = 30.75", true},
	    {"first(d) within 13d", true},
	    {"first(d) within 12d", false},
	    {"first(b) within 20d", false},
	    {"first(b) within 21d", true},
	    {"last(d) within 13d", true},
	    {"last(d) within 12d", false},
	    {"b then d within 9d", true},
	    {"b then d within 8d", false},
	    {"d then b within 3d", true},
	    {"d then b within 2d", false},
	    {"days(b) = 3", true},
	    {"visits = 4", true},
	    {"visits", true},
	    {"visits >= 2 in 10d", false},
	    {"visits between 1 and 1 in 10d", true},
	    {"not d in 12d and b", true},
	    {"segment(x)", true},
	    {"segment(past)", false},
	    {"d and not segment(past)", true},
	    {"attr.size = xl or b", true},
	    {"attr.n between 1 and 2", false},
	    {"country != US", true},
	    {"c", false},
	    {"b and (c or d)", true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (holds(r, rows[i].condition, &p, today) != rows[i].want)
			fail_msg("%s is not %d", rows[i].condition, rows[i].want);
	profile_done(&p);
	rules_unref(r);
}

UNIT_TESTS(
    cmocka_unit_test(nothing_changes_before_the_due_day), cmocka_unit_test(every_form_of_condition))

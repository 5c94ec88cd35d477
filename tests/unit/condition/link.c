/* condition/link: what is derived when all is read: dependencies, windows, definitions, circles. */
#include "loaded.h"

#include "crumb/condition/parse.h"

#include <stdio.h>

#define SHOP                                                                                       \
	"version: 1\ncategories:\n  - {id: a, any: [{path: /a}]}\n  - {id: a.b, any: [{path: "     \
	"/b}]}\n"                                                                                  \
	"  - {id: c, any: [{path: /c}]}\n  - {id: health, any: [{path: /h}]}\n  - {id: health.x, " \
	"any: [{path: /x}]}\n"

static bool touches(const struct rules *r, const char *category, const char *segment)
{
	const struct category *c = &r->categories[rules_category(r, str_c(category))];
	int s = rules_segment(r, str_c(segment));
	assert_true(s >= 0);
	return c->segments && (c->segments[s / 64] >> (s % 64) & 1);
}

TEST(a_category_touches_the_segments_that_ask_for_it_through_others_too)
{
	struct rules *r = load(SHOP "segments:\n  - {id: one, when: a in 7d}\n  - {id: two, when: "
				    "segment(one) and c >= 2 in 30d}\n"
				    "  - {id: three, when: c then a.b within 3d}\n  - {id: four, "
				    "when: visits and country = DE}\n");
	assert_true(touches(r, "a", "one") && touches(r, "a", "two") && !touches(r, "a", "three"));
	assert_true(!touches(r, "c", "one") && touches(r, "c", "two") && touches(r, "c", "three"));
	assert_true(touches(r, "a.b", "three") && !touches(r, "a.b", "one"));
	int four = rules_segment(r, STR("four")), one = rules_segment(r, STR("one"));
	assert_true(r->fact_segments[0] >> four & 1 && !(r->fact_segments[0] >> one & 1));
	rules_unref(r);
}

TEST(windows_are_sorted_and_each_is_there_once)
{
	struct rules *r = load(SHOP "segments:\n  - {id: one, when: a in 30d and a >= 2 in 7d}\n  "
				    "- {id: two, when: days(a) = 1 in 7d}\n"
				    "  - {id: three, when: a in 14d or a}\n");
	const struct category *a = &r->categories[rules_category(r, STR("a"))];
	assert_int_equal(a->windows_n, 3);
	assert_memory_equal(a->windows, "\7\16\36", 3);
	assert_int_equal(r->categories[rules_category(r, STR("c"))].windows_n, 0);
	rules_unref(r);
}

TEST(what_is_sensitive_is_so_above_and_below_and_in_segments)
{
	struct rules *r = load(SHOP "segments:\n  - {id: one, when: health.x}\n  - {id: two, when: "
				    "a and segment(one)}\n  - {id: three, when: a}\n");
	assert_true(r->segments[rules_segment(r, STR("one"))].sensitive);
	assert_true(r->segments[rules_segment(r, STR("two"))].sensitive);
	assert_false(r->segments[rules_segment(r, STR("three"))].sensitive);
	rules_unref(r);
}

static struct hash16 definition(const char *segments, const char *of)
{
	char text[2000];
	snprintf(text, sizeof text, SHOP "segments:\n%s", segments);
	struct rules *r = load(text);
	struct hash16 h = r->segments[rules_segment(r, str_c(of))].definition;
	rules_unref(r);
	return h;
}

static bool same(struct hash16 a, struct hash16 b)
{
	return memcmp(&a, &b, sizeof a) == 0;
}

TEST(a_definition_is_of_the_meaning_and_not_of_the_words)
{
	struct hash16 s = definition(
	    "  - {id: s, when: a >= 2 in 7d and segment(t)}\n  - {id: t, when: c}\n", "s");
	assert_true(same(s, definition("  - {id: s, name: S, when: \"(a >= 2 in 7d)  and "
				       "segment(u)\"}\n  - {id: u, when: c}\n",
				"s")));
	assert_false(same(
	    s, definition(
		   "  - {id: s, when: a >= 3 in 7d and segment(t)}\n  - {id: t, when: c}\n", "s")));
	assert_false(same(
	    s, definition(
		   "  - {id: s, when: a >= 2 in 8d and segment(t)}\n  - {id: t, when: c}\n", "s")));
	assert_false(same(s,
	    definition(
		"  - {id: s, when: a >= 2 in 7d and segment(t)}\n  - {id: t, when: a.b}\n", "s")));
	assert_false(same(s, definition("  - {id: s, until: 2030-01-01, when: a >= 2 in 7d and "
					"segment(t)}\n  - {id: t, when: c}\n",
				 "s")));
}

TEST(a_parent_is_another_when_a_child_is)
{
	struct rules *r = load(SHOP),
		     *other = load("version: 1\ncategories:\n  - {id: a, any: [{path: /a}]}\n  - "
				   "{id: a.b, any: [{path: /B}]}\n"
				   "  - {id: c, any: [{path: /c}]}\n");
	const struct category *a = &r->categories[rules_category(r, STR("a"))],
			      *of = &other->categories[rules_category(other, STR("a"))];
	assert_false(same(a->definition, of->definition));
	assert_true(same(a->own, of->own)); /* its own patterns are what they were */
	assert_true(same(r->categories[rules_category(r, STR("c"))].definition,
	    other->categories[rules_category(other, STR("c"))].definition));
	rules_unref(r);
	rules_unref(other);
}

/* Rules that are refused when they are loaded, and what the first mistake is. */
static void refused(const char *segments, const char *said)
{
	struct buf bundle = {0};
	struct rules *r = NULL;
	struct report report = {0};
	msgpack_packer pk;
	char text[2000];
	snprintf(text, sizeof text, SHOP "segments:\n%s", segments);
	mp_packer(&pk, &bundle);
	msgpack_pack_array(&pk, 2);
	mp_put_str(&pk, STR("test.yaml"));
	mp_put_str(&pk, str_c(text));
	assert_int_equal(rules_load(buf_view(&bundle), &report, &r), ERR_SYNTAX);
	bool found = false;
	for (size_t i = 0; i < report.n; i++)
		found |= strcmp(report.list[i].message, said) == 0;
	if (!found)
		fail_msg(
		    "%s is told '%s'", segments, report.n ? report.list[0].message : "nothing");
	report_done(&report);
	buf_done(&bundle);
}

TEST(circles_and_conditions_of_nobody_are_told)
{
	refused("  - {id: s, when: segment(s)}\n", "segment 's' depends on itself");
	refused("  - {id: s, when: a and segment(t)}\n  - {id: t, when: c or segment(s)}\n",
	    "segment 't' depends on itself through 's'");
	refused("  - {id: s, when: not a}\n",
	    "the condition is true of somebody who never did anything");
}

UNIT_TESTS(cmocka_unit_test(a_category_touches_the_segments_that_ask_for_it_through_others_too),
    cmocka_unit_test(windows_are_sorted_and_each_is_there_once),
    cmocka_unit_test(what_is_sensitive_is_so_above_and_below_and_in_segments),
    cmocka_unit_test(a_definition_is_of_the_meaning_and_not_of_the_words),
    cmocka_unit_test(a_parent_is_another_when_a_child_is),
    cmocka_unit_test(circles_and_conditions_of_nobody_are_told))

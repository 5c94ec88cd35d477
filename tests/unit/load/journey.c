/* load/journey: ways between categories, and what is said of those that cannot be. */
#include "loaded.h"
#include "refused.h"

#define CATEGORIES                                                                                 \
	"version: 1\ncategories:\n"                                                                \
	"  - {id: apparel.coats, any: [{path: /coats}]}\n"                                         \
	"  - {id: cart, any: [{event: cart}]}\n"                                                   \
	"  - {id: buy, any: [{event: buy}]}\n"                                                     \
	"journeys:\n"
#define FINDS(entry, what) assert_string_equal(findings(CATEGORIES "  - " entry "\n"), what)

TEST(a_journey_names_categories_by_number)
{
	struct rules *r = load(CATEGORIES
	    "  - {id: z, name: To the till, from: coats, steps: [cart, buy], within: 14d}\n"
	    "  - {id: a, from: apparel, steps: apparel.coats, within: 1d}\n");
	uint16_t at;
	assert_int_equal(r->journeys_n, 2);
	const struct journey *j = &r->journeys[0];
	assert_string_equal(j->id, "z"); /* as they are written */
	assert_string_equal(j->name, "To the till");
	assert_int_equal(j->from, rules_category(r, STR("apparel.coats")));
	assert_int_equal(j->steps_n, 2);
	assert_int_equal(j->steps[0], rules_category(r, STR("cart")));
	assert_int_equal(j->steps[1], rules_category(r, STR("buy")));
	assert_int_equal(j->within, 14);
	assert_int_equal(j->at.line, 7);
	assert_string_equal(r->journeys[1].name, "a");
	assert_int_equal(r->journeys[1].steps_n, 1);
	assert_int_equal(rules_find_journey(r, STR("a"), &at), OK);
	assert_int_equal(at, 1);
	assert_int_equal(rules_find_journey(r, STR("aa"), &at), ERR_NOT_FOUND);
	rules_unref(r);
}

TEST(categories_may_stand_behind_the_journeys)
{
	struct rules *r =
	    load("version: 1\njourneys: [{id: j, from: a, steps: [b], within: 2d}]\n"
		 "categories: [{id: a, any: [{path: /a}]}, {id: b, any: [{path: /b}]}]\n");
	assert_int_equal(r->journeys_n, 1);
	rules_unref(r);
}

TEST(a_mistake_is_told_where_it_stands)
{
	FINDS("{id: j, from: caots, steps: [cart], within: 2d}",
	    "7:19 unknown-category: there is no category 'caots' (did you mean 'coats'?)");
	FINDS("{id: j, from: coats, steps: [buy, catr], within: 2d}",
	    "7:39 unknown-category: there is no category 'catr' (did you mean 'cart'?)");
	FINDS("{id: j, from: coats, steps: [cart, buy, cart], within: 2d}",
	    "7:45 twice: journey 'j' names category 'cart' twice (leave one out: what happened in "
	    "it "
	    "later is no other step)");
	FINDS("{id: j, from: coats, steps: [apparel.coats], within: 2d}",
	    "7:34 twice: journey 'j' names category 'apparel.coats' twice (leave one out: what "
	    "happened in it later is no other step)");
	FINDS("{id: j, from: coats, steps: [cart], within: 2w}",
	    "7:49 syntax: expected a number of days such as 14d, found '2w' (write 14d)");
	FINDS("{id: j, from: coats, steps: [cart], within: 14}",
	    "7:49 syntax: expected a number of days such as 14d, found '14' (write 14d)");
	FINDS("{id: j, from: coats, steps: [cart], within: 7d more}",
	    "7:52 syntax: expected only a number of days such as 14d, found 'more' ()");
	FINDS("{id: j, from: coats, steps: [cart], within: 91d}",
	    "7:49 window: a window of 91d is longer than the 90 days that are kept (write 90d, or "
	    "leave "
	    "the window out: everything that is kept counts then)");
	FINDS("{id: j, from: coats, steps: [cart], within: 0d}",
	    "7:49 window: a window of 0d is empty (today alone is 1d)");
}

TEST(a_journey_needs_all_but_its_name)
{
	FINDS("{from: coats, steps: [cart], within: 2d}", "7:5 missing: a journey needs an id ()");
	FINDS("{id: j, steps: [cart], within: 2d}", "7:5 missing: a journey needs a category in "
						    "which it begins (say from: and a category)");
	FINDS("{id: j, from: coats, within: 2d}",
	    "7:5 missing: a journey needs steps (such as steps: [cart, purchase])");
	FINDS("{id: j, from: coats, steps: [], within: 2d}",
	    "7:33 empty: steps has no category in it (such as steps: [cart, purchase])");
	FINDS("{id: j, from: coats, steps: [cart]}",
	    "7:5 missing: a journey needs a number of days (such as within: 14d)");
	FINDS("{id: j, start: coats, steps: [cart], within: 2d}",
	    "7:13 unknown-key: a journey has no 'start' (did you mean 'from'?)");
}

TEST(too_many_are_refused)
{
	struct buf b = {0};
	FINDS("{id: j, from: coats, steps: [a, b, c, d, e, f, g, h, i], within: 2d}",
	    "7:33 too-many: a journey has at most 8 steps, not 9 (make two journeys of it, or name "
	    "a "
	    "parent)");
	FINDS("{id: j, from: coats, steps: [cart], within: 2d}\n"
	      "  - {id: j, from: coats, steps: [buy], within: 2d}",
	    "8:5 twice: journey 'j' is defined twice: also at test.yaml:7 (rename one)");
	buf_c(&b, CATEGORIES);
	for (int i = 0; i <= RULES_JOURNEYS_MAX; i++)
		buf_addf(&b, "  - {id: j%d, from: coats, steps: [cart], within: 2d}\n", i);
	buf_add(&b, "", 1);
	assert_string_equal(findings(b.p),
	    "107:5 too-many: more than 100 journeys (remove those that nobody looks at)");
	buf_done(&b);
}

UNIT_TESTS(cmocka_unit_test(a_journey_names_categories_by_number),
    cmocka_unit_test(categories_may_stand_behind_the_journeys),
    cmocka_unit_test(a_mistake_is_told_where_it_stands),
    cmocka_unit_test(a_journey_needs_all_but_its_name), cmocka_unit_test(too_many_are_refused))

/* views/days: sizes by day, of one segment and of all. */
#include "folded.h"

#define K 20 /* the k gate's floor */

static void many(struct folded *w, unsigned n, uint32_t t)
{
	for (unsigned i = 0; i < n; i++) {
		look(w, (uint8_t)(i + 1), t, "/coats");
		look(w, (uint8_t)(i + 1), t, "/coats");
	}
}

TEST(a_day_without_changes_has_the_size_of_the_day_before)
{
	struct folded *w = open_folded(SHOP);
	struct kgate gate = {K, NULL};
	struct day_sizes days[12];
	uint16_t since;
	many(w, 30, NOON);
	fold(w, NOON);
	fold(w, NOON + 7 * DAY_S); /* all leave */
	uint16_t keen = (uint16_t)rules_segment(w->g->rules, STR("keen"));
	assert_int_equal(view_days(w->g, &gate, keen, NOON + 9 * DAY_S, 12, days, &since), OK);
	assert_int_equal(since, TODAY);
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(days[i].day, TODAY - 2 + i);
		assert_int_equal(days[i].recorded, i >= 2);
		assert_int_equal(days[i].size.told, i >= 2 && i < 9);
		assert_int_equal(days[i].entered.told, i == 2);
		assert_int_equal(days[i].left.told, i == 9);
	}
	assert_int_equal(days[5].size.n, 30);
	assert_int_equal(days[9].left.n, 30);
	close_folded(w);
}

struct all {
	struct folded *w;
	unsigned segments;
};

static void as_one_says(void *arg, uint16_t segment, const struct day_sizes *days)
{
	struct all *a = arg;
	struct kgate gate = {K, NULL};
	struct day_sizes one[12];
	uint16_t since;
	assert_int_equal(segment, a->segments++);
	assert_int_equal(view_days(a->w->g, &gate, segment, NOON + 9 * DAY_S, 12, one, &since), OK);
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(days[i].day, one[i].day);
		assert_int_equal(days[i].recorded, one[i].recorded);
		assert_true(
		    days[i].size.told == one[i].size.told && days[i].size.n == one[i].size.n);
		assert_true(days[i].entered.told == one[i].entered.told);
		assert_true(
		    days[i].left.told == one[i].left.told && days[i].left.n == one[i].left.n);
	}
}

TEST(all_segments_say_what_each_says)
{
	struct all all = {.w = open_folded(SHOP)};
	struct kgate gate = {K, NULL};
	uint16_t since;
	many(all.w, 30, NOON);
	fold(all.w, NOON);
	many(all.w, 50, NOON + 3 * DAY_S);
	fold(all.w, NOON + 3 * DAY_S);
	fold(all.w, NOON + 9 * DAY_S);
	assert_int_equal(
	    view_all_days(all.w->g, &gate, NOON + 9 * DAY_S, 12, as_one_says, &all, &since), OK);
	assert_int_equal(since, TODAY);
	assert_int_equal(all.segments, all.w->g->rules->segments_n);
	close_folded(all.w);
}

UNIT_TESTS(FOLDED(a_day_without_changes_has_the_size_of_the_day_before),
    FOLDED(all_segments_say_what_each_says))

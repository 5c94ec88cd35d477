/* views/view: sizes, totals, days, one visitor; exact at a time, whether or not the sweep has come
 * by. */
#include "folded.h"

#define K 20 /* the k gate's floor */

static void many(struct folded *w, unsigned n, uint32_t t)
{
	for (unsigned i = 0; i < n; i++) {
		look(w, (uint8_t)(i + 1), t, "/coats");
		look(w, (uint8_t)(i + 1), t, "/coats");
	}
}

TEST(sizes_are_told_from_k_on_and_are_those_of_now)
{
	struct folded *w = open_folded(SHOP);
	struct kgate gate = {K, NULL};
	struct group_sizes s;
	many(w, K, NOON);
	look(w, 100, NOON, "/boots");
	fold(w, NOON);
	assert_int_equal(view_sizes(w->g, &gate, NOON, &s), OK);
	assert_true(s.segments[rules_segment(w->g->rules, STR("keen"))].told);
	assert_int_equal(s.segments[rules_segment(w->g->rules, STR("keen"))].n, K);
	assert_false(s.segments[rules_segment(w->g->rules, STR("rich"))].told);
	assert_int_equal(s.categories[0].n, K); /* K + 1, rounded to ten */
	assert_false(s.categories[rules_category(w->g->rules, STR("footwear"))].told);
	view_sizes_done(&s);
	assert_int_equal(view_sizes(w->g, &gate, NOON + 7 * DAY_S, &s), OK); /* nothing was swept */
	assert_false(s.segments[rules_segment(w->g->rules, STR("keen"))].told);
	assert_true(s.categories[rules_category(w->g->rules, STR("coats"))].told);
	view_sizes_done(&s);
	assert_int_equal(view_sizes(w->g, &gate, NOON + 90 * DAY_S, &s), OK);
	assert_false(s.categories[0].told);
	view_sizes_done(&s);
	close_folded(w);
}

TEST(totals_count_who_is_there_and_what_is_retained)
{
	struct folded *w = open_folded(SHOP);
	struct totals n;
	struct event first = {.visitor = visitor(9),
	    .t = NOON,
	    .flags = EVENT_NEW,
	    .name = STR("view"),
	    .path = STR("/")};
	look(w, 1, NOON, "/coats");
	look(w, 1, NOON - DAY_S, "/coats");
	look(w, 2, NOON - DAY_S, "/coats");
	commit_event(w, &first);
	fold(w, NOON);
	assert_int_equal(view_totals(w->g, NOON, &n), OK);
	assert_true(n.visitors == 2 && n.events == 3 && n.provisional == 1);
	assert_int_equal(view_totals(w->g, NOON + 89 * DAY_S, &n),
	    OK); /* yesterday is over, and with it the second */
	assert_true(n.visitors == 1 && n.events == 1 && n.provisional == 0);
	assert_int_equal(view_totals(w->g, NOON + 90 * DAY_S, &n), OK);
	assert_true(n.visitors == 0 && n.events == 0);
	close_folded(w);
}

TEST(a_visitor_is_as_it_is_now)
{
	struct folded *w = open_folded(SHOP);
	struct vkey k = visitor(1), nobody = visitor(2);
	struct profile p = {0};
	many(w, 1, NOON);
	fold(w, NOON);
	assert_int_equal(view_visitor(w->g, &k, NOON, &p), OK);
	assert_int_equal(p.segments_n, 1);
	assert_int_equal(view_visitor(w->g, &k, NOON + 7 * DAY_S, &p), OK);
	assert_int_equal(p.segments_n, 0);
	assert_int_equal(view_visitor(w->g, &k, NOON + 90 * DAY_S, &p), ERR_NOT_FOUND);
	assert_int_equal(view_visitor(w->g, &nobody, NOON, &p), ERR_NOT_FOUND);
	profile_done(&p);
	close_folded(w);
}

TEST(partners_ids_are_found_both_ways_as_long_as_they_are_retained)
{
	struct folded *w = open_folded(SHOP);
	struct vkey one = visitor(1), two = visitor(2), found;
	struct match_row rows[4];
	struct buf b = {0};
	look(w, 1, NOON + 80 * DAY_S, "/coats");
	look(w, 2, NOON + 80 * DAY_S, "/coats");
	record_encode_match(&one, NOON, STR("ads"), STR("x1"), &b);
	record_encode_match(&one, NOON + 1, STR("mail"), STR("m"), &b);
	record_encode_match(
	    &two, NOON + DAY_S, STR("ads"), STR("x1"), &b); /* the same device, later */
	commit(w, NOON, &b, 3);
	fold(w, NOON + 80 * DAY_S);
	uint32_t now = NOON + 80 * DAY_S;
	assert_int_equal(view_matches(w->g, &one, now, rows, 4), 2);
	assert_int_equal(view_matches(w->g, &one, now, rows, 1), 1);
	assert_true(view_match(w->g, &one, STR("ads"), now, &rows[0]));
	assert_memory_equal(rows[0].id, "x1", rows[0].id_n);
	assert_false(view_match(w->g, &one, STR("ad"), now, &rows[0]));
	assert_true(view_partner_visitor(w->g, STR("ads"), STR("x1"), now, &found));
	assert_memory_equal(&found, &two, sizeof two);
	assert_false(view_partner_visitor(w->g, STR("ads"), STR("x"), now, &found));
	now = NOON + 90 * DAY_S;
	assert_int_equal(view_matches(w->g, &one, now, rows, 4), 0);
	assert_true(view_partner_visitor(w->g, STR("ads"), STR("x1"), now, &found));
	assert_false(view_partner_visitor(w->g, STR("ads"), STR("x1"), now + DAY_S, &found));
	close_folded(w);
}

UNIT_TESTS(FOLDED(sizes_are_told_from_k_on_and_are_those_of_now),
    FOLDED(totals_count_who_is_there_and_what_is_retained), FOLDED(a_visitor_is_as_it_is_now),
    FOLDED(partners_ids_are_found_both_ways_as_long_as_they_are_retained))

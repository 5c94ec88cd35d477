/* views/visit: what events, an erasure and time do to one visitor, and to what hangs on it. */
#include "folded.h"

#include "crumb/core/metric.h"

TEST(looks_are_rows_of_their_day_in_each_category)
{
	struct folded *w = open_folded(SHOP);
	struct profile p = {0};
	look(w, 1, NOON, "/boots");
	look(w, 1, NOON + 1, "/boots");
	look(w, 1, NOON - DAY_S, "/coats");
	look(w, 1, NOON, "/elsewhere");
	fold(w, NOON + 2);
	assert_true(stored(w, 1, &p));
	assert_int_equal(looks_at(w, &p, NULL), 4);
	assert_int_equal(looks_at(w, &p, "coats"), 1);
	assert_int_equal(looks_at(w, &p, "footwear.boots"), 2);
	assert_int_equal(looks_at(w, &p, "footwear"), 2); /* above it, too */
	size_t n;
	const struct cat_day *days = profile_span(&p, CATEGORY_ALL, &n);
	assert_int_equal(n, 2);
	assert_int_equal(days[0].day, TODAY - 1);
	assert_int_equal(days[1].count, 3);
	struct db_txn t = reading(w);
	assert_int_equal(shard_events(&w->f->shard, &t, TODAY), 3);
	assert_int_equal(shard_events(&w->f->shard, &t, TODAY - 1), 1);
	db_abort(&t);
	assert_int_equal(counted(w, NULL), 1);
	assert_int_equal(counted(w, "footwear"), 1);
	profile_done(&p);
	close_folded(w);
}

TEST(values_are_summed_where_a_segment_asks_for_them)
{
	struct folded *w = open_folded(SHOP);
	struct profile p = {0};
	size_t n;
	look_worth(w, 1, NOON, "/boots", 60.25);
	look_worth(w, 1, NOON, "/coats", 7);
	fold(w, NOON);
	assert_int_equal(members(w, "rich"), 0);
	look_worth(w, 1, NOON, "/boots", 39.75);
	fold(w, NOON);
	assert_int_equal(members(w, "rich"), 1);
	assert_true(stored(w, 1, &p));
	const struct sum_day *sums =
	    profile_sums(&p, (uint16_t)rules_category(w->g->rules, STR("footwear.boots")), &n);
	assert_true(n == 1 && sums[0].millionths == 100000000);
	(void)profile_sums(&p, (uint16_t)rules_category(w->g->rules, STR("coats")), &n);
	assert_int_equal(n, 0);
	profile_done(&p);
	close_folded(w);
}

TEST(who_comes_without_a_cookie_is_nobody_until_it_comes_back)
{
	struct folded *w = open_folded(SHOP);
	struct event e = {.visitor = visitor(1),
	    .t = NOON,
	    .flags = EVENT_NEW,
	    .name = STR("view"),
	    .path = STR("/coats")};
	struct profile p = {0};
	uint32_t hour;
	struct vkey k = visitor(1);
	commit_event(w, &e);
	fold(w, NOON);
	assert_false(stored(w, 1, &p));
	assert_true(view_provisional(w->g, &k, NOON, &hour) && hour == hour_of(NOON));
	assert_int_equal(counted(w, NULL), 0);
	look(w, 1, NOON + 3600, "/coats");
	fold(w, NOON + 3600);
	assert_true(stored(w, 1, &p));
	assert_int_equal(looks_at(w, &p, "coats"), 2); /* with the first one */
	assert_false(view_provisional(w->g, &k, NOON + 3600, &hour));
	assert_int_equal(members(w, "keen"), 1);
	profile_done(&p);
	close_folded(w);
}

TEST(a_first_look_that_stays_the_only_one_is_gone_after_a_day)
{
	struct folded *w = open_folded(SHOP);
	struct event e = {.visitor = visitor(1),
	    .t = NOON,
	    .flags = EVENT_NEW,
	    .name = STR("view"),
	    .path = STR("/coats")};
	struct profile p = {0};
	commit_event(w, &e);
	fold(w, NOON);
	fold(w, NOON + 26 * 3600);
	look(w, 1, NOON + 27 * 3600, "/coats");
	fold(w, NOON + 27 * 3600);
	assert_true(stored(w, 1, &p));
	assert_int_equal(looks_at(w, &p, "coats"), 1); /* the second one alone */
	e.visitor = visitor(2);
	commit_event(w, &e);
	look(w, 2, NOON + 25 * 3600,
	    "/coats"); /* nor does it count when nobody has looked between */
	fold(w, NOON + 28 * 3600);
	assert_true(stored(w, 2, &p));
	assert_int_equal(looks_at(w, &p, "coats"), 1);
	profile_done(&p);
	close_folded(w);
}

TEST(an_erasure_takes_all_that_hangs_on_the_visitor)
{
	struct folded *w = open_folded(SHOP);
	struct profile p = {0};
	struct vkey k = visitor(1);
	struct match_row row;
	struct buf b = {0};
	uint64_t stoned = metric_get(M_TOMBSTONED);
	look(w, 1, NOON, "/coats");
	look(w, 1, NOON, "/coats");
	look(w, 2, NOON, "/coats");
	record_encode_match(&k, NOON, STR("ads"), STR("x1"), &b);
	commit(w, NOON, &b, 1);
	fold(w, NOON);
	assert_int_equal(members(w, "keen"), 1);
	assert_true(view_match(w->g, &k, STR("ads"), NOON, &row));
	erase(w, 1, NOON + 1);
	look(w, 1, NOON + 2, "/coats"); /* with the cookie that it still has */
	fold(w, NOON + 2);
	assert_false(stored(w, 1, &p));
	assert_int_equal(members(w, "keen"), 0);
	assert_int_equal(counted(w, "coats"), 1);
	assert_false(view_match(w->g, &k, STR("ads"), NOON, &row));
	struct db_txn t = reading(w);
	assert_int_equal(shard_events(&w->f->shard, &t, TODAY), 1);
	db_abort(&t);
	assert_int_equal(metric_get(M_TOMBSTONED) - stoned, 1);
	assert_true(stored(w, 2, &p));
	profile_done(&p);
	close_folded(w);
}

TEST(an_expired_day_is_gone_at_its_hour)
{
	struct folded *w = open_folded(SHOP);
	struct profile p = {0};
	uint64_t expired = metric_get(M_EXPIRED);
	look(w, 1, NOON, "/coats");
	look(w, 1, NOON, "/coats");
	fold(w, NOON);
	uint32_t week_over = (TODAY + 7) * DAY_S, all_over = (TODAY + 90) * DAY_S;
	fold(w, week_over - 1);
	assert_int_equal(members(w, "keen"), 1);
	fold(w, week_over);
	assert_int_equal(members(w, "keen"), 0);
	fold(w, all_over - 1);
	assert_true(stored(w, 1, &p));
	assert_int_equal(metric_get(M_EXPIRED) - expired, 0);
	fold(w, all_over);
	assert_false(stored(w, 1, &p));
	assert_int_equal(metric_get(M_EXPIRED) - expired, 1);
	assert_int_equal(counted(w, "coats"), 0);
	profile_done(&p);
	close_folded(w);
}

TEST(what_is_too_old_when_it_comes_is_counted_and_dropped)
{
	struct folded *w = open_folded(SHOP);
	struct profile p = {0};
	uint64_t dropped = metric_get(M_FOLD_DROPPED);
	look(w, 1, NOON - 90 * DAY_S, "/coats");
	look(w, 2, NOON - 89 * DAY_S, "/coats");
	fold(w, NOON);
	assert_false(stored(w, 1, &p));
	assert_true(stored(w, 2, &p));
	assert_int_equal(metric_get(M_FOLD_DROPPED) - dropped, 1);
	profile_done(&p);
	close_folded(w);
}

TEST(a_declared_value_is_kept_where_the_partner_may_say_it)
{
	struct folded *w =
	    open_folded(SHOP "attributes:\n  - {id: club, values: [gold, silver], source: ads}\n");
	struct vkey k = visitor(1);
	struct profile p = {0};
	struct buf b = {0};
	uint64_t dropped = metric_get(M_DECLARED_DROPPED);
	const struct attr said[] = {{STR("club"), STR("gold")}, {STR("size"), STR("xl")}};
	look(w, 1, NOON, "/coats");
	record_encode_declared(&k, NOON, TODAY + 90, STR("ads"), said, 2, &b);
	commit(w, NOON, &b, 1);
	record_encode_declared(
	    &k, NOON, TODAY + 90, STR("others"), &(struct attr){STR("club"), STR("silver")}, 1, &b);
	commit(w, NOON, &b, 1);
	k = visitor(2); /* nobody is begun by it */
	record_encode_declared(&k, NOON, TODAY + 90, STR("ads"), said, 1, &b);
	commit(w, NOON, &b, 1);
	fold(w, NOON);
	assert_true(stored(w, 1, &p));
	const struct profile_attr *club = profile_attr(&p, STR("club"));
	assert_true(club && str_eq(club->value, STR("gold")));
	assert_null(profile_attr(&p, STR("size")));
	assert_false(stored(w, 2, &p));
	assert_int_equal(metric_get(M_DECLARED_DROPPED) - dropped, 3);
	profile_done(&p);
	close_folded(w);
}

/* A server that was off for months: the first fold erases a visitor whose days have ended, and
 * counts today's events. Days 128 apart have one place in what a transaction changes. */
TEST(an_erasure_of_days_that_have_ended_leaves_todays_events_counted)
{
	struct folded *w = open_folded(SHOP);
	uint32_t later = NOON + 128 * DAY_S;
	look(w, 1, NOON, "/boots");
	fold(w, NOON);
	erase(w, 1, later);
	look(w, 2, later, "/boots");
	fold(w, later);
	struct db_txn t = reading(w);
	assert_int_equal(shard_events(&w->f->shard, &t, TODAY + 128), 1);
	db_abort(&t);
	assert_int_equal(counted(w, NULL), 1);
	close_folded(w);
}

UNIT_TESTS(FOLDED(looks_are_rows_of_their_day_in_each_category),
    FOLDED(values_are_summed_where_a_segment_asks_for_them),
    FOLDED(who_comes_without_a_cookie_is_nobody_until_it_comes_back),
    FOLDED(a_first_look_that_stays_the_only_one_is_gone_after_a_day),
    FOLDED(an_erasure_takes_all_that_hangs_on_the_visitor),
    FOLDED(an_erasure_of_days_that_have_ended_leaves_todays_events_counted),
    FOLDED(an_expired_day_is_gone_at_its_hour),
    FOLDED(what_is_too_old_when_it_comes_is_counted_and_dropped),
    FOLDED(a_declared_value_is_kept_where_the_partner_may_say_it))

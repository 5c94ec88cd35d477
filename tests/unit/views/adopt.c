/* views/adopt: new views from the profiles of the serving ones, and from the journal. */
#include "folded.h"

#include "crumb/views/adopt.h"
#include "crumb/views/fill.h"

/* The same categories, other segments: the keen in one visit, and one more. */
#define SHOP_TWO                                                                                   \
	"version: 1\ncategories:\n  - {id: coats, any: [{path: /coats}]}\n"                        \
	"  - {id: footwear.boots, any: [{path: /boots}]}\n"                                        \
	"segments:\n  - {id: booted, when: boots}\n  - {id: keen, when: coats in 7d}\n"            \
	"  - {id: rich, when: sum(v of boots) >= 100}\n"

static const _Atomic bool never;

static bool possible(const char *old, const char *fresh)
{
	struct rules *a = load(old), *b = load(fresh);
	bool is = adopt_possible(a, b);
	rules_unref(a);
	rules_unref(b);
	return is;
}

TEST(profiles_are_enough_when_categories_are_what_they_were)
{
	assert_true(possible(SHOP, SHOP));
	assert_true(possible(SHOP, SHOP_TWO));
	assert_true(possible(
	    SHOP, "version: 1\ncategories: [{id: coats, any: [{path: /coats}]}]\n")); /* fewer */
	assert_false(
	    possible(SHOP, "version: 1\ncategories: [{id: coats, any: [{path: /coat}]}]\n"));
	assert_false(
	    possible(SHOP, "version: 1\ncategories: [{id: hats, any: [{path: /hats}]}]\n"));
	assert_false(possible(SHOP,
	    "version: 1\ncategories: [{id: coats, any: [{path: /coats}]}]\n"
	    "segments: [{id: s, when: sum(v of coats) > 1}]\n")); /* never added up */
	assert_true(
	    possible(SHOP, SHOP "journeys: [{id: j, from: coats, steps: boots, within: 7d}]\n"));
	assert_true(possible(SHOP "journeys: [{id: j, from: coats, steps: boots, within: 7d}]\n",
	    SHOP "journeys: [{id: j, from: boots, steps: coats, within: 9d}]\n"));
	assert_false(possible(SHOP, SHOP "attributes: [{id: size, values: [m]}]\n"));
}

static void commit_some(struct folded *w)
{
	look(w, 1, NOON - 10 * DAY_S, "/coats");
	look(w, 1, NOON, "/coats");
	look_worth(w, 2, NOON, "/boots", 150);
	look(w, 3, NOON - 95 * DAY_S, "/coats");
	look(w, 4, NOON - 89 * DAY_S, "/boots");
}

/* What both ways must come to. */
static void is_made(struct folded *w, struct generation *g)
{
	struct generation *serving = w->g;
	struct profile p = {0};
	w->g = g;
	w->f = &g->fold[0];
	assert_int_equal(members(w, "keen"), 1);
	assert_int_equal(members(w, "booted"), 2);
	assert_int_equal(members(w, "rich"), 1);
	assert_int_equal(counted(w, NULL), 3);
	assert_int_equal(counted(w, "footwear"), 2);
	assert_true(stored(w, 1, &p));
	assert_int_equal(looks_at(w, &p, "coats"), 2);
	assert_false(stored(w, 3, &p));
	assert_true(fold_reached(w->f, journal_last(w->s->journal, 0)));
	struct db_txn t = reading(w);
	assert_int_equal(shard_events(&w->f->shard, &t, TODAY), 2);
	db_abort(&t);
	profile_done(&p);
	look(w, 1, NOON, "/boots"); /* and it goes on */
	fold(w, NOON);
	assert_int_equal(members(w, "booted"), 3);
	w->g = serving;
	w->f = &serving->fold[0];
}

TEST(views_from_profiles_are_those_that_the_journal_would_make)
{
	struct folded *w = open_folded(SHOP);
	_Atomic uint64_t done = 0;
	commit_some(w);
	fold(w, NOON);
	struct generation *g = beside(w, 2, SHOP_TWO);
	assert_int_equal(
	    fold_adopt(&g->fold[0], &w->f->shard, w->g->rules, NOON, &done, &never), OK);
	assert_int_equal(atomic_load(&done), 3);
	is_made(w, g);
	generation_unref(g);
	close_folded(w);
}

TEST(views_from_the_journal_are_the_same)
{
	struct folded *w = open_folded(SHOP);
	_Atomic uint64_t filled = 0;
	commit_some(w);
	struct generation *g = beside(w, 2, SHOP_TWO);
	assert_int_equal(fold_fill(&g->fold[0], w->s->journal, NOON, &filled, &never), OK);
	assert_true(atomic_load(&filled) == UINT64_MAX);
	is_made(w, g);
	generation_unref(g);
	close_folded(w);
}

TEST(ordinals_stay_and_who_is_gone_leaves_his_behind)
{
	struct folded *w = open_folded(SHOP);
	_Atomic uint64_t done = 0;
	struct vkey k;
	struct profile p = {0};
	look(w, 1, NOON - 89 * DAY_S, "/coats");
	fold(w, NOON - 89 * DAY_S);
	look(w, 2, NOON, "/coats");
	fold(w, NOON);
	assert_true(stored(w, 2, &p));
	struct generation *g = beside(w, 2, SHOP_TWO);
	assert_int_equal(
	    fold_adopt(&g->fold[0], &w->f->shard, w->g->rules, NOON + DAY_S, &done, &never), OK);
	struct db_txn t;
	assert_int_equal(db_begin(&g->fold[0].shard.db, DB_WRITE, &t), OK);
	assert_true(shard_ordinal_key(&g->fold[0].shard, &t, p.ordinal, &k) && k.b[2] == 2);
	struct vkey fresh = visitor(9);
	uint32_t hour = hour_of(NOON + DAY_S);
	assert_int_not_equal(
	    shard_ordinal_take(&g->fold[0].shard, &t, hour, &fresh), 0); /* it rests */
	assert_int_equal(shard_ordinal_take(&g->fold[0].shard, &t, hour + 24, &fresh), 0);
	db_abort(&t);
	profile_done(&p);
	generation_unref(g);
	close_folded(w);
}

TEST(a_profile_that_does_not_decode_ends_it_and_nothing_counts_as_done)
{
	struct folded *w = open_folded(SHOP);
	_Atomic uint64_t done = 7;
	struct vkey k = visitor(2);
	struct db_txn t;
	look(w, 1, NOON, "/coats");
	fold(w, NOON);
	assert_int_equal(db_begin(&w->f->shard.db, DB_WRITE, &t), OK);
	db_put(&t, w->f->shard.visitors, vkey_str(&k), STR("no profile"));
	assert_int_equal(db_end(&t), OK);
	struct generation *g = beside(w, 2, SHOP_TWO);
	assert_int_equal(
	    fold_adopt(&g->fold[0], &w->f->shard, w->g->rules, NOON, &done, &never), ERR_CORRUPT);
	assert_int_equal(atomic_load(&done), 7);
	uint64_t marked = 0;
	assert_int_equal(db_begin(&g->fold[0].shard.db, DB_READ, &t), OK);
	assert_true(shard_meta_u64(&g->fold[0].shard, &t, "adopting", &marked) &&
		    marked == 1); /* it is incomplete */
	db_abort(&t);
	generation_unref(g);
	close_folded(w);
}

TEST(who_is_told_to_stop_stops)
{
	struct folded *w = open_folded(SHOP);
	_Atomic uint64_t done = 0, filled = 0;
	_Atomic bool stop = true;
	commit_some(w);
	fold(w, NOON);
	struct generation *g = beside(w, 2, SHOP_TWO);
	assert_int_equal(
	    fold_adopt(&g->fold[0], &w->f->shard, w->g->rules, NOON, &done, &stop), ERR_BUSY);
	assert_int_equal(atomic_load(&done), 0);
	generation_unref(g);
	g = beside(w, 3, SHOP_TWO);
	assert_int_equal(fold_fill(&g->fold[0], w->s->journal, NOON, &filled, &stop), ERR_BUSY);
	assert_int_equal(
	    fold_fill(&g->fold[0], w->s->journal, NOON, &filled, &never), OK); /* and goes on */
	is_made(w, g);
	generation_unref(g);
	close_folded(w);
}

TEST(sizes_of_segments_that_mean_the_same_keep_their_history)
{
	struct folded *w = open_folded(SHOP);
	_Atomic uint64_t done = 0;
	struct daily_segment d;
	struct db_txn t;
	look_worth(w, 2, NOON, "/boots", 150);
	look(w, 1, NOON, "/coats");
	look(w, 1, NOON, "/coats");
	fold(w, NOON);
	struct generation *g = beside(w, 2, SHOP_TWO);
	struct fold *f = &g->fold[0];
	assert_int_equal(
	    fold_adopt(f, &w->f->shard, w->g->rules, NOON + 3 * DAY_S, &done, &never), OK);
	assert_int_equal(fold_carry_daily(f, &w->f->shard, w->g->rules, TODAY + 3), OK);
	assert_int_equal(db_begin(&f->shard.db, DB_READ, &t), OK);
	assert_true(shard_daily_get(
	    &f->shard, &t, TODAY, (uint16_t)rules_segment(g->rules, STR("rich")), &d));
	assert_true(d.size == 1 && d.entered == 1);
	assert_false(shard_daily_get(
	    &f->shard, &t, TODAY + 3, (uint16_t)rules_segment(g->rules, STR("rich")), &d));
	assert_false(shard_daily_get(&f->shard, &t, TODAY,
	    (uint16_t)rules_segment(g->rules, STR("keen")), &d)); /* means something else */
	assert_true(shard_daily_get(
	    &f->shard, &t, TODAY + 3, (uint16_t)rules_segment(g->rules, STR("keen")), &d));
	db_abort(&t);
	generation_unref(g);
	close_folded(w);
}

UNIT_TESTS(cmocka_unit_test(profiles_are_enough_when_categories_are_what_they_were),
    FOLDED(views_from_profiles_are_those_that_the_journal_would_make),
    FOLDED(views_from_the_journal_are_the_same),
    FOLDED(ordinals_stay_and_who_is_gone_leaves_his_behind),
    FOLDED(a_profile_that_does_not_decode_ends_it_and_nothing_counts_as_done),
    FOLDED(who_is_told_to_stop_stops),
    FOLDED(sizes_of_segments_that_mean_the_same_keep_their_history))

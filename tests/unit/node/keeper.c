/* node/keeper: what is done each night, in a node that is alone. */
#include "stored.h"

#include "crumb/base/clock.h"
#include "crumb/base/file.h"
#include "crumb/base/log.h"
#include "crumb/journal/in_memory.h"
#include "crumb/model/record.h"
#include "crumb/node/keeper.h"
#include "crumb/node/node.h"

static struct config config;
static struct node node;
static struct keeper *keeper;
static struct journal_memory *medium;

static void set(const char *fmt, const char *name)
{
	char option[200];
	snprintf(option, sizeof option, fmt, folder, name);
	assert_int_equal(config_set(&config, option), OK);
}

static int begin(void **state)
{
	char path[128];
	log_threshold(LOG_ERROR);
	if (make_folder(state) != 0 || journal_memory_new(&medium) != OK ||
	    config_init(&config) != OK)
		return -1;
	set("store.path=%s/%s", "store");
	set("rules.path=%s/%s", "rules.yaml");
	set("destinations.path=%s/%s", "destinations.yaml");
	snprintf(path, sizeof path, "%s/rules.yaml", folder);
	if (config_set(&config, "store.shards=1") != OK ||
	    file_replace(path, STR("version: 1\ncategories: [{id: a, any: [{path: /a}]}]\n")) != OK)
		return -1;
	if (node_prepare(&node, &config) != OK)
		return -1;
	node.alone = true;
	node.memory = medium;
	return node_open(&node, NODE_CLOCK_BELIEVED) != OK || keeper_start(&node, &keeper) != OK;
}

static int end(void **state)
{
	keeper_stop(keeper);
	node_stop(&node);
	journal_memory_free(medium);
	config_done(&config);
	clock_set_offset(0);
	return drop_folder(state);
}
#define AT_NIGHT(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void turn_all(void)
{
	for (int i = 0; i < 1000 && node_turn(&node); i++)
		;
}

static void look_as(uint8_t who, unsigned n, enum aside why)
{
	static const uint8_t rules[16] = {1};
	struct buf b = {0};
	struct event e = {
	    .visitor = {{who}}, .t = clock_now(), .name = STR("view"), .path = STR("/a")};
	e.aside = (uint8_t)why;
	for (unsigned i = 0; i < n; i++)
		event_encode(&e, &b);
	struct journal_block block = {.day = day_of(e.t),
	    .shard = 0,
	    .count = n,
	    .records = buf_view(&b),
	    .events = why ? 0 : n};
	assert_int_equal(journal_commit(node.store->journal, &block, 1, rules), OK);
	assert_int_equal(journal_publish(node.store->journal), OK);
	buf_done(&b);
	turn_all();
}

static void look_by(uint8_t who, unsigned n)
{
	look_as(who, n, ASIDE_NOT);
}

static void set_aside_by(uint8_t who, unsigned n)
{
	look_as(who, n, ASIDE_CRAWLER);
}

static uint64_t records(void)
{
	struct journal_memory_sum s;
	journal_memory_sum(medium, &s);
	return s.records;
}

static void erase(uint8_t who)
{
	struct vkey k = {{who}};
	assert_int_equal(erased_add(node.store->erased, &k, 1, day_of(clock_now())), OK);
	erased_settle(node.store->erased, &k, 1, true);
}

TEST(days_that_are_over_lose_who_was_erased_and_today_keeps_them)
{
	uint64_t cleaned = metric_get(M_CLEANED);
	look_by(1, 3);
	look_by(2, 2);
	uint64_t before = records();
	erase(1);
	assert_int_equal(keeper_round(keeper), OK);
	assert_int_equal(records(), before); /* the day is not over */
	clock_set_offset(DAY_S);
	assert_int_equal(keeper_round(keeper), OK);
	assert_int_equal(before - records(), 3);
	assert_int_equal(metric_get(M_CLEANED) - cleaned, 3);
	assert_int_equal(keeper_rounds(keeper), 2);
	assert_int_equal(store_kept_day(node.store), day_of(clock_now()));
}

/* How many events are set aside, by what is kept. */
static uint64_t aside_now(void)
{
	struct asides_told told;
	uint64_t n = 0;
	assert_int_equal(asides_follow(node.asides, 0, NULL), OK);
	assert_int_equal(asides_tell(node.asides, &told), OK);
	for (size_t i = 0; i < told.n; i++)
		n += told.rows[i].events;
	free(told.rows);
	return n;
}

TEST(what_was_set_aside_is_counted_anew_when_the_night_took_some_of_it)
{
	set_aside_by(1, 3);
	set_aside_by(2, 2);
	assert_int_equal(aside_now(), 5);
	clock_set_offset(DAY_S);
	assert_int_equal(keeper_round(keeper), OK);
	assert_false(asides_due(node.asides)); /* a quiet night */
	erase(1);
	clock_set_offset(2 * DAY_S);
	assert_int_equal(keeper_round(keeper), OK);
	assert_true(asides_due(node.asides));
	assert_int_equal(aside_now(), 2);
}

TEST(views_are_made_anew_so_that_nothing_is_left_in_their_files)
{
	look_by(1, 3);
	struct generation *g = engine_serving(node.engine);
	uint32_t number = g->number;
	generation_unref(g);
	assert_int_equal(keeper_round(keeper), OK);
	g = engine_serving(node.engine);
	assert_true(g->number > number);
	generation_unref(g);
}

TEST(whom_no_cookie_can_bring_back_is_forgotten)
{
	erase(1);
	assert_int_equal(keeper_round(keeper), OK);
	assert_int_equal(erased_count_since(node.store->erased, 0), 1);
	clock_set_offset(91 * DAY_S);
	turn_all();
	assert_int_equal(keeper_round(keeper), OK);
	assert_int_equal(erased_count_since(node.store->erased, 0), 0);
}

TEST(nothing_is_forgotten_by_a_clock_in_doubt)
{
	clock_doubt();
	assert_int_equal(keeper_round(keeper), ERR_BUSY);
	assert_non_null(strstr(err_text(), "the clock is in doubt"));
	clock_believe();
	assert_int_equal(keeper_rounds(keeper), 0);
	assert_int_equal(keeper_round(keeper), OK);
}

TEST(who_is_told_to_leave_leaves_and_the_night_does_not_count)
{
	look_by(1, 3);
	erase(1);
	clock_set_offset(DAY_S);
	uint16_t kept = store_kept_day(node.store);
	keeper_leave(keeper);
	assert_int_equal(keeper_round(keeper), ERR_BUSY);
	assert_int_equal(store_kept_day(node.store), kept);
}

UNIT_TESTS(AT_NIGHT(days_that_are_over_lose_who_was_erased_and_today_keeps_them),
    AT_NIGHT(what_was_set_aside_is_counted_anew_when_the_night_took_some_of_it),
    AT_NIGHT(views_are_made_anew_so_that_nothing_is_left_in_their_files),
    AT_NIGHT(whom_no_cookie_can_bring_back_is_forgotten),
    AT_NIGHT(nothing_is_forgotten_by_a_clock_in_doubt),
    AT_NIGHT(who_is_told_to_leave_leaves_and_the_night_does_not_count))

/* journal/ledger: which days there must be, and how many events are in each. */
#include "blocks.h"
#include "records.h"

#include "crumb/base/clock.h"
#include "src/journal/local.h"

#include <unistd.h>

static struct config config;
static struct store *store;

static int begin(void **state)
{
	if (make_folder(state) != 0)
		return -1;
	store = open_store(&config);
	return 0;
}

static int end(void **state)
{
	close_store(store, &config);
	return drop_folder(state);
}
#define LEDGER(name) cmocka_unit_test_setup_teardown(name, begin, end)

static struct local *journal(void)
{
	return (struct local *)store->journal;
}

static void put_events(uint16_t day, unsigned n)
{
	static const uint8_t rules[16] = {1};
	struct buf b = {0};
	struct event e = {.visitor = {{0}}, .t = day * (uint32_t)DAY_S, .name = STR("view")};
	for (unsigned i = 0; i < n; i++)
		event_encode(&e, &b);
	struct journal_block block = {
	    .day = day, .shard = 0, .count = n, .records = buf_view(&b), .events = n};
	assert_int_equal(journal_commit(store->journal, &block, 1, rules), OK);
	assert_int_equal(journal_publish(store->journal), OK);
	buf_done(&b);
}

static void day_has(uint16_t day, uint64_t events, uint64_t readable)
{
	const struct ledger_day *d = ledger_find(journal(), day);
	assert_non_null(d);
	assert_true(d->known);
	assert_int_equal(d->events, events);
	assert_int_equal(d->readable, readable);
}

TEST(days_and_their_events_come_back)
{
	put_events(100, 3);
	put_events(101, 2);
	put_events(100, 1);
	day_has(100, 4, 4);
	store = again(store, &config);
	day_has(100, 4, 4);
	day_has(101, 2, 2);
	assert_null(ledger_find(journal(), 102));
	nothing_is_lost(store);
}

TEST(a_day_is_written_down_before_its_first_event_is_answered)
{
	put_events(100, 3);
	FILE *f = open_file("days", "r");
	char text[500];
	text[fread(text, 1, sizeof text - 1, f)] = 0;
	fclose(f);
	assert_non_null(strstr(text, "crumb days 1\n1970-04-11 "));
}

TEST(a_day_whose_folder_is_gone_is_told_with_what_was_in_it)
{
	struct damage_sum s;
	char from[200], to[200];
	put_events(100, 3);
	put_events(101, 2);
	close_store(store, &config);
	snprintf(from, sizeof from, "%s/store/journal/1970-04-11", folder);
	snprintf(to, sizeof to, "%s/elsewhere", folder);
	assert_int_equal(rename(from, to), 0);
	store = open_store(&config);
	damage_sum(store->damage, &s);
	assert_true(s.days == 1 && s.lost_events == 3 && !s.unknown);
	day_has(100, 3, 0);
	store = again(store, &config); /* at each start, until the day ends */
	damage_sum(store->damage, &s);
	assert_true(s.days == 1 && s.lost_events == 3);
}

TEST(a_ledger_that_is_lost_is_made_anew_and_that_is_told)
{
	struct damage_sum s;
	char path[200];
	put_events(100, 3);
	close_store(store, &config);
	snprintf(path, sizeof path, "%s/store/days", folder);
	assert_int_equal(unlink(path), 0);
	store = open_store(&config);
	damage_sum(store->damage, &s);
	assert_true(s.others == 1 && s.days == 0);
	const struct ledger_day *d = ledger_find(journal(), 100);
	assert_true(d && d->events == 3 && !d->known); /* as the heads of its blocks say */
	store = again(store, &config);
	nothing_is_lost(store);
}

TEST(what_is_to_be_exchanged_is_less_only_when_it_was)
{
	put_events(100, 5);
	assert_int_equal(ledger_drop(journal(), 100, 2), OK);
	ledger_dropped(journal(), 100, 2, false);
	day_has(100, 5, 5);
	assert_int_equal(ledger_drop(journal(), 100, 2), OK);
	ledger_dropped(journal(), 100, 2, true);
	assert_int_equal(ledger_find(journal(), 100)->events, 3);
}

TEST(days_that_end_are_expected_no_more)
{
	put_events(100, 5);
	put_events(101, 5);
	ledger_expire(journal(), 101);
	assert_null(ledger_find(journal(), 100));
	day_has(101, 5, 5);
}

UNIT_TESTS(LEDGER(days_and_their_events_come_back),
    LEDGER(a_day_is_written_down_before_its_first_event_is_answered),
    LEDGER(a_day_whose_folder_is_gone_is_told_with_what_was_in_it),
    LEDGER(a_ledger_that_is_lost_is_made_anew_and_that_is_told),
    LEDGER(what_is_to_be_exchanged_is_less_only_when_it_was),
    LEDGER(days_that_end_are_expected_no_more))

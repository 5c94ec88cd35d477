/* The journal with its log on Kafka: what was committed comes back once, whatever happens between.
 */
#ifndef CRUMB_WITHOUT_KAFKA
#include "blocks.h"
#include "mocked.h"
#include "starve.h"

#include "crumb/base/clock.h"
#include "crumb/core/metric.h"
#include "src/journal/kafka.h"
#include "src/journal/logged.h"

#include <semaphore.h>
#include <unistd.h>

static sem_t something; /* arrived */
static struct config config;
static struct store *store;

static void note(void *arg)
{
	(void)arg;
	sem_post(&something);
}

static enum err try_opening(void)
{
	char option[128];
	struct broker_place log = {.brokers = rd_kafka_mock_cluster_bootstraps(mock),
	    .topic = MOCK_TOPIC,
	    .timeout_ms = 2000,
	    .settings = mock_settings,
	    .settings_n = 1};
	assert_int_equal(config_init(&config), OK);
	snprintf(option, sizeof option, "store.path=%s/store", folder);
	assert_int_equal(config_set(&config, option), OK);
	snprintf(option, sizeof option, "store.shards=%d", MOCK_PARTITIONS);
	assert_int_equal(config_set(&config, option), OK);
	enum err e = store_open_on(&config, STORE_WRITE, NULL, &log, &store);
	if (e)
		config_done(&config);
	return e;
}

static void open_it(void)
{
	assert_int_equal(try_opening(), OK);
	assert_int_equal(journal_follow(store->journal, note, NULL), OK);
}

static void close_it(void)
{
	journal_unfollow(store->journal);
	close_store(store, &config);
	store = NULL;
}

static int begin(void **state)
{
	sem_init(&something, 0, 0);
	if (make_folder(state) != 0 || mock_begin(state) != 0)
		return -1;
	open_it();
	return 0;
}

static int end(void **state)
{
	if (store)
		close_it();
	sem_destroy(&something);
	return mock_end(state) | drop_folder(state);
}
#define ON_KAFKA(name) cmocka_unit_test_setup_teardown(name, begin, end)

static enum err commit_text(uint16_t day, uint16_t shard, const char *text)
{
	static const uint8_t rules[16] = {1};
	struct journal_block b = {.day = day, .shard = shard, .count = 1, .records = str_c(text)};
	return journal_commit(store->journal, &b, 1, rules);
}

/* Until all that was committed in the shard is there. */
static struct journal_pos settle(unsigned shard)
{
	struct journal_pos at = journal_committed(store->journal, shard), then;
	for (;;) {
		then = journal_resolve(store->journal, shard, at);
		if (!journal_pos_before(journal_last(store->journal, shard), then))
			return then;
		while (sem_wait(&something) != 0)
			;
		assert_int_equal(journal_publish(store->journal), OK);
	}
}

static void settle_all(void)
{
	for (unsigned i = 0; i < MOCK_PARTITIONS; i++)
		settle(i);
}

/* A record of the log as somebody else might put it there. */
static void put_record(uint32_t partition, struct str key, struct str value)
{
	struct broker *b = mock_open(2000);
	struct broker_record r = {.partition = partition, .key = key, .value = value};
	assert_int_equal(broker_send(b, &r, 1), OK);
	broker_close(b);
}

/* A record that opens: of another producer of this store. */
static void make_record(uint16_t day, uint16_t shard, uint64_t life, uint64_t counter,
    const char *text, struct buf *value)
{
	static const uint8_t rules[16] = {1};
	const struct journal_block b = {
	    .day = day, .shard = shard, .count = 1, .records = str_c(text)};
	uint8_t day_key[32], key[32];
	struct sealer x;
	assert_true(sealer_init(&x));
	assert_int_equal(keys_day(store->keys, day, KEYS_DAY_MAKE, day_key), OK);
	logged_key(day_key, key);
	assert_int_equal(
	    logged_make(&x, &b, (struct logged_id){life, counter}, key, rules, value), OK);
	sealer_done(&x);
}

static void put_again(uint32_t partition, uint64_t life, uint64_t counter, struct str value)
{
	uint8_t key[LOGGED_KEY_LEN];
	logged_id_save((struct logged_id){life, counter}, key);
	put_record(partition, str_make((const char *)key, sizeof key), value);
}

/* Until the listener has heard of so many records of a partition, and they are stored. */
static void heard(unsigned shard, uint64_t next)
{
	const uint64_t token = (uint64_t)1 << 63;
	while (journal_resolve(store->journal, shard, journal_pos_load(token | next)).at >= token) {
		while (sem_wait(&something) != 0)
			;
		assert_int_equal(journal_publish(store->journal), OK);
	}
}

TEST(what_is_committed_comes_back_in_order)
{
	assert_int_equal(commit_text(100, 0, "one "), OK);
	assert_int_equal(commit_text(101, 0, "two "), OK);
	assert_int_equal(commit_text(100, 1, "other "), OK);
	assert_int_equal(commit_text(100, 0, "three "), OK);
	settle_all();
	blocks_are(store, 0, 0, "one two three ");
	blocks_are(store, 1, 0, "other ");
	blocks_are(store, 2, 0, "");
}

TEST(who_waits_is_told_when_it_is_there)
{
	assert_int_equal(commit_text(100, 2, "one "), OK);
	struct journal_pos at = journal_committed(store->journal, 2);
	assert_true(journal_pos_before(journal_last(store->journal, 2), at));
	assert_int_equal(journal_resolve(store->journal, 2, at).at, at.at);
	struct journal_pos then = settle(2);
	assert_int_equal(then.at, journal_last(store->journal, 2).at);
	assert_int_equal(journal_resolve(store->journal, 2, at).at, then.at);
	assert_int_equal(journal_resolve(store->journal, 2, then).at, then.at);
}

TEST(the_control_lane_comes_back_to_its_place)
{
	unsigned control = journal_control(store->journal);
	assert_int_equal(commit_text(100, (uint16_t)control, "mark "), OK);
	assert_int_equal(commit_text(100, 0, "one "), OK);
	settle(0);
	settle(control);
	blocks_are(store, control, 0, "mark ");
	blocks_are(store, 0, 0, "one ");
}

TEST(a_restart_goes_on_where_it_was)
{
	assert_int_equal(commit_text(100, 0, "one "), OK);
	settle_all();
	assert_int_equal(commit_text(100, 0, "two "), OK); /* is on the log alone */
	close_it();
	open_it();
	assert_true(journal_pos_before(
	    journal_last(store->journal, 0), journal_committed(store->journal, 0)));
	settle_all();
	blocks_are(store, 0, 0, "one two ");
	close_it();
	open_it();
	settle_all();
	blocks_are(store, 0, 0, "one two ");
}

TEST(what_comes_twice_counts_once)
{
	struct buf value = {0}, other = {0};
	make_record(100, 1, 77, 0, "once ", &value);
	make_record(100, 1, 77, 1, "next ", &other);
	uint64_t again = metric_get(M_LOG_AGAIN);
	put_again(1, 77, 0, buf_view(&value));
	put_again(1, 77, 0, buf_view(&value));
	put_again(1, 77, 1, buf_view(&other));
	heard(1, 3);
	close_it();
	open_it();
	put_again(1, 77, 0, buf_view(&value)); /* also after a restart */
	heard(1, 4);
	blocks_are(store, 1, 0, "once next ");
	assert_int_equal(metric_get(M_LOG_AGAIN) - again, 2);
	buf_done(&value);
	buf_done(&other);
}

TEST(what_does_not_open_is_dropped_and_counted)
{
	uint64_t bad = metric_get(M_LOG_UNREADABLE);
	struct buf value = {0};
	put_record(0, STR("0123456789abcdef"), STR("\001nonsense"));
	put_record(0, STR(""), STR(""));
	make_record(100, 0, 5, 0, "whole ", &value);
	value.p[value.n - 1] ^= 1;
	put_again(0, 5, 0, buf_view(&value));
	assert_int_equal(commit_text(100, 0, "one "), OK);
	settle(0);
	blocks_are(store, 0, 0, "one ");
	assert_int_equal(metric_get(M_LOG_UNREADABLE) - bad, 3);
	buf_done(&value);
}

/* Nothing of another store is taken for ours, nor passed over. */
TEST(a_day_without_a_key_stops_the_log_and_says_so)
{
	uint8_t bytes[100] = {1, 0, 0, 0, 99, 1};
	put_record(0, STR("0123456789abcdef"), str_make((const char *)bytes, sizeof bytes));
	while (sem_wait(&something) != 0)
		;
	assert_int_equal(journal_publish(store->journal), ERR_USAGE);
	assert_non_null(strstr(err_text(), "no key for that day"));
	assert_int_equal(commit_text(100, 0, "one "), ERR_USAGE);
}

TEST(what_a_newer_crumb_wrote_is_not_passed_over)
{
	put_record(0, STR("0123456789abcdef"), STR("\002of tomorrow"));
	while (sem_wait(&something) != 0)
		;
	assert_int_equal(journal_publish(store->journal), ERR_USAGE);
	assert_non_null(strstr(err_text(), "newer crumb"));
}

/* Who asks whether something arrived hears that nothing more will; what came before is stored. */
TEST(what_came_before_the_end_is_stored_and_the_end_is_told)
{
	assert_int_equal(commit_text(100, 0, "one "), OK);
	put_record(0, STR("0123456789abcdef"), STR("\002of tomorrow"));
	enum err e = OK;
	while (!e) {
		if (!journal_arrived(store->journal))
			while (sem_wait(&something) != 0)
				;
		e = journal_publish(store->journal);
	}
	assert_int_equal(e, ERR_USAGE);
	blocks_are(store, 0, 0, "one ");
	assert_true(journal_arrived(store->journal) > 0);
	assert_int_equal(journal_unpublished(store->journal), 0);
}

/* Between the listener, which opened it, and the writer its day's key went. */
TEST(a_record_of_a_day_that_ends_in_the_queue_holds_up_nothing)
{
	assert_int_equal(commit_text(100, 0, "old "), OK);
	while (!journal_arrived(store->journal))
		while (sem_wait(&something) != 0)
			;
	assert_int_equal(keys_expire(store->keys, 101, 102), OK);
	assert_int_equal(journal_publish(store->journal), OK);
	assert_int_equal(commit_text(102, 0, "new "), OK);
	settle(0);
	blocks_are(store, 0, 0, "new ");
}

TEST(what_listened_and_ended_can_listen_again)
{
	journal_unfollow(store->journal);
	assert_int_equal(journal_follow(store->journal, note, NULL), OK);
	assert_int_equal(commit_text(100, 0, "one "), OK);
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	assert_int_equal(sem_timedwait(&something, &until), 0);
	assert_int_equal(journal_publish(store->journal), OK);
	blocks_are(store, 0, 0, "one ");
}

TEST(what_the_control_lane_has_on_the_log_is_waited_for_after_a_restart)
{
	unsigned control = journal_control(store->journal);
	assert_int_equal(commit_text(100, (uint16_t)control, "mark "), OK);
	close_it();
	open_it();
	assert_true(journal_pos_before(
	    journal_last(store->journal, control), journal_committed(store->journal, control)));
	settle(control);
	blocks_are(store, control, 0, "mark ");
}

/* The listener's part by itself. */
TEST(records_that_do_not_open_are_told_once_a_minute)
{
	struct arrivals a;
	assert_int_equal(arrivals_init(&a, store->keys, 2), OK);
	a.arrived = note;
	for (uint64_t i = 0; i < 5; i++)
		assert_true(arrivals_ears.record(&a, 0, i, STR("k"), STR("\001")));
	assert_int_equal(a.dropped.since, 4); /* the first was told */
	arrivals_done(&a);
}

TEST(without_memory_a_record_is_opened_later)
{
	struct arrivals a;
	assert_int_equal(arrivals_init(&a, store->keys, 2), OK);
	a.arrived = note;
	arrivals_stop(&a); /* "later" is never */
	starve_after(0);
	bool on = arrivals_ears.record(&a, 0, 0, STR("k"), STR("\001"));
	starve_end();
	assert_false(on);
	assert_int_equal(arrivals_trouble(&a), OK);
	arrivals_done(&a);
}

TEST(a_large_block_goes_in_pieces)
{
	static const uint8_t rules[16] = {1};
	struct buf b = {0}, got = {0};
	uint8_t bin[3 + 1000] = {0xc5, 1000 >> 8, 1000 & 255}; /* bytes that do not pack: */
	for (int i = 0; i < 2500; i++) {
		randombytes_buf(bin + 3, 1000);
		buf_add(&b, bin, sizeof bin);
	}
	struct journal_block block = {
	    .day = 100, .shard = 0, .count = 2500, .records = buf_view(&b)};
	assert_int_equal(journal_commit(store->journal, &block, 1, rules), OK);
	settle(0);
	struct journal_reader *r;
	struct journal_pos pos;
	uint32_t count, all = 0;
	uint16_t day;
	assert_int_equal(journal_read(store->journal, 0, JOURNAL_START, &r), OK);
	for (; journal_next(r, &got, &pos, &count, &day) == OK; all += count)
		;
	journal_read_end(r);
	assert_int_equal(all, 2500);
	assert_int_equal(got.n, b.n);
	assert_memory_equal(got.p, b.p, b.n);
	buf_done(&b);
	buf_done(&got);
}

TEST(while_the_cluster_is_down_nothing_is_promised)
{
	assert_int_equal(commit_text(100, 0, "one "), OK);
	rd_kafka_mock_broker_set_down(mock, 1);
	assert_int_equal(commit_text(100, 0, "two "), ERR_IO);
	assert_int_equal(journal_try(store->journal, 100), ERR_IO);
	rd_kafka_mock_broker_set_up(mock, 1);
	enum err e = ERR_IO;
	for (int i = 0; i < 50 && e; i++)
		e = journal_try(store->journal, 100);
	assert_int_equal(e, OK);
	assert_int_equal(commit_text(100, 0, "three "), OK);
	settle(0);
	blocks_are(store, 0, 0, "one three ");
}

/* Whatever comes when, and however often the store is opened: each committed text once, in order.
 */
TEST(it_is_as_if_nothing_had_happened)
{
	uint32_t dice = 5;
	struct buf want[MOCK_PARTITIONS] = {{0}};
	for (unsigned i = 0; i < 120; i++) {
		char text[24];
		dice = dice * 1103515245 + 12345;
		unsigned what = dice >> 16;
		uint16_t shard = (uint16_t)(what % MOCK_PARTITIONS),
			 day = (uint16_t)(100 + what / 8 % 3);
		snprintf(text, sizeof text, "%u ", i);
		assert_int_equal(commit_text(day, shard, text), OK);
		buf_str(&want[shard], str_c(text));
		if (what % 7 == 0)
			assert_int_equal(journal_publish(store->journal), OK);
		if (what % 23 == 0) {
			close_it();
			open_it();
		}
	}
	settle_all();
	for (unsigned i = 0; i < MOCK_PARTITIONS; i++) {
		buf_add(&want[i], "", 1);
		blocks_are(store, i, 0, want[i].p);
		buf_done(&want[i]);
	}
}

/* The topic was made anew, or is another. */
TEST(a_log_that_ends_before_the_store_is_refused)
{
	assert_int_equal(commit_text(100, 0, "one "), OK);
	settle_all();
	close_it();
	mock_end(NULL);
	mock_begin(NULL);
	assert_int_equal(try_opening(), ERR_USAGE);
	assert_non_null(strstr(err_text(), "not the one that it followed"));
}

UNIT_TESTS(ON_KAFKA(what_is_committed_comes_back_in_order),
    ON_KAFKA(who_waits_is_told_when_it_is_there),
    ON_KAFKA(the_control_lane_comes_back_to_its_place), ON_KAFKA(a_restart_goes_on_where_it_was),
    ON_KAFKA(what_comes_twice_counts_once), ON_KAFKA(what_does_not_open_is_dropped_and_counted),
    ON_KAFKA(a_day_without_a_key_stops_the_log_and_says_so),
    ON_KAFKA(what_a_newer_crumb_wrote_is_not_passed_over),
    ON_KAFKA(what_came_before_the_end_is_stored_and_the_end_is_told),
    ON_KAFKA(a_record_of_a_day_that_ends_in_the_queue_holds_up_nothing),
    ON_KAFKA(what_listened_and_ended_can_listen_again),
    ON_KAFKA(what_the_control_lane_has_on_the_log_is_waited_for_after_a_restart),
    ON_KAFKA(records_that_do_not_open_are_told_once_a_minute),
    ON_KAFKA(without_memory_a_record_is_opened_later), ON_KAFKA(a_large_block_goes_in_pieces),
    ON_KAFKA(while_the_cluster_is_down_nothing_is_promised),
    ON_KAFKA(it_is_as_if_nothing_had_happened),
    ON_KAFKA(a_log_that_ends_before_the_store_is_refused))
#else
#include "unit.h"

#include "src/journal/kafka.h"

TEST(without_kafka_it_is_refused)
{
	(void)state;
	struct arrivals a;
	assert_int_equal(arrivals_init(&a, NULL, 1), OK);
	arrivals_done(&a);
}

UNIT_TESTS(cmocka_unit_test(without_kafka_it_is_refused))
#endif

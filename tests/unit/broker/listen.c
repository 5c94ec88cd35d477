/* What is on the topic is heard from a position on, in each partition's order. */
#ifndef CRUMB_WITHOUT_KAFKA
#include "mocked.h"

#include "crumb/base/clock.h"

#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>

#define HEARD_MOST 64

/* What the listener's thread noted; a test looks after a post. */
static struct {
	sem_t record, reached, trouble;
	unsigned n;
	char text[HEARD_MOST][40]; /* partition, offset, key and value */
	uint64_t next[MOCK_PARTITIONS];
	enum err err;
	uint32_t partition;
	bool full; /* record() says no */
} heard;

static bool note_record(
    void *arg, uint32_t partition, uint64_t offset, struct str key, struct str value)
{
	(void)arg;
	if (heard.full)
		return false;
	snprintf(heard.text[heard.n++ % HEARD_MOST], sizeof *heard.text,
	    "%u %llu " STR_FMT " " STR_FMT, (unsigned)partition, (unsigned long long)offset,
	    STR_ARG(key), STR_ARG(value));
	sem_post(&heard.record);
	return true;
}

static void note_reached(void *arg, uint32_t partition, uint64_t next)
{
	(void)arg;
	heard.next[partition] = next;
	sem_post(&heard.reached);
}

static void note_trouble(void *arg, uint32_t partition, enum err e, const char *why)
{
	(void)arg;
	(void)why;
	heard.err = e;
	heard.partition = partition;
	sem_post(&heard.trouble);
}

static const struct broker_ears ears = {note_record, note_reached, note_trouble, NULL};

static void await(sem_t *s)
{
	while (sem_wait(s) != 0)
		;
}

static int begin(void **state)
{
	memset(&heard, 0, sizeof heard);
	sem_init(&heard.record, 0, 0);
	sem_init(&heard.reached, 0, 0);
	sem_init(&heard.trouble, 0, 0);
	return mock_begin(state);
}
#define HEARING(name) cmocka_unit_test_setup_teardown(name, begin, mock_end)

static void send_one(struct broker *b, uint32_t partition, const char *value)
{
	struct broker_record r = {.partition = partition, .key = STR("k"), .value = str_c(value)};
	assert_int_equal(broker_send(b, &r, 1), OK);
}

TEST(all_behind_the_position_is_heard_in_order)
{
	struct broker *b = mock_open(5000);
	const uint64_t next[MOCK_PARTITIONS] = {1, 0, 0};
	(void)state;
	send_one(b, 0, "before");
	send_one(b, 0, "one");
	send_one(b, 0, "two");
	assert_int_equal(broker_listen(b, next, &ears), OK);
	await(&heard.record);
	await(&heard.record);
	assert_string_equal(heard.text[0], "0 1 k one");
	assert_string_equal(heard.text[1], "0 2 k two");
	send_one(b, 2, "later");
	await(&heard.record);
	assert_string_equal(heard.text[2], "2 0 k later");
	broker_listen_end(b);
	assert_int_equal(heard.n, 3);
	broker_close(b);
}

TEST(the_end_of_each_partition_is_told)
{
	struct broker *b = mock_open(5000);
	const uint64_t next[MOCK_PARTITIONS] = {0, 0, 0};
	(void)state;
	send_one(b, 1, "x");
	assert_int_equal(broker_listen(b, next, &ears), OK);
	for (int i = 0; i < MOCK_PARTITIONS; i++)
		await(&heard.reached);
	broker_listen_end(b);
	assert_int_equal(heard.next[0], 0);
	assert_int_equal(heard.next[1], 1);
	assert_int_equal(heard.next[2], 0);
	broker_close(b);
}

/* Retention has taken it, or somebody made the topic anew. */
TEST(a_position_that_is_not_there_is_a_gap)
{
	struct broker *b = mock_open(5000);
	const uint64_t next[MOCK_PARTITIONS] = {0, 17, 0};
	(void)state;
	assert_int_equal(broker_listen(b, next, &ears), OK);
	await(&heard.trouble);
	assert_int_equal(heard.err, ERR_NOT_FOUND);
	broker_listen_end(b);
	broker_close(b);
}

TEST(whoever_wants_no_more_ends_the_thread)
{
	struct broker *b = mock_open(5000);
	const uint64_t next[MOCK_PARTITIONS] = {0, 0, 0};
	(void)state;
	heard.full = true;
	send_one(b, 0, "x");
	assert_int_equal(broker_listen(b, next, &ears), OK);
	broker_listen_end(b);
	assert_int_equal(heard.n, 0);
	broker_close(b);
}

TEST(what_comes_while_the_cluster_was_down_is_heard_after)
{
	struct broker *b = mock_open(1000);
	const uint64_t next[MOCK_PARTITIONS] = {0, 0, 0};
	(void)state;
	assert_int_equal(broker_listen(b, next, &ears), OK);
	for (int i = 0; i < MOCK_PARTITIONS; i++)
		await(&heard.reached);
	rd_kafka_mock_broker_set_down(mock, 1);
	struct broker_record r = {.partition = 0, .key = STR("k"), .value = STR("again")};
	assert_int_equal(broker_send(b, &r, 1), ERR_IO);
	rd_kafka_mock_broker_set_up(mock, 1);
	enum err e = ERR_IO;
	for (int i = 0; i < 50 && e; i++)
		e = broker_send(b, &r, 1);
	assert_int_equal(e, OK);
	await(&heard.record);
	assert_non_null(strstr(heard.text[0], "again"));
	broker_listen_end(b);
	broker_close(b);
}

UNIT_TESTS(HEARING(all_behind_the_position_is_heard_in_order),
    HEARING(the_end_of_each_partition_is_told), HEARING(a_position_that_is_not_there_is_a_gap),
    HEARING(whoever_wants_no_more_ends_the_thread),
    HEARING(what_comes_while_the_cluster_was_down_is_heard_after))
#else
#include "unit.h"

#include "crumb/broker/broker.h"

TEST(nobody_listens_where_crumb_was_built_without)
{
	assert_int_equal(broker_listen(NULL, NULL, NULL), ERR_USAGE);
}

UNIT_TESTS(cmocka_unit_test(nobody_listens_where_crumb_was_built_without))
#endif

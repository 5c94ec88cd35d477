/* What was sent is there once and in order, or the sender hears that it may not be. */
#ifndef CRUMB_WITHOUT_KAFKA
#include "mocked.h"
#include "starve.h"

static enum err send_one(struct broker *b, uint32_t partition, const char *value, int64_t *offset)
{
	struct broker_record r = {
	    .partition = partition, .key = STR("0123456789abcdef"), .value = str_c(value)};
	enum err e = broker_send(b, &r, 1);
	*offset = r.offset;
	return e;
}

TEST(each_partition_has_offsets_of_its_own)
{
	struct broker *b = mock_open(5000);
	struct broker_record r[4] = {
	    {.partition = 0}, {.partition = 1}, {.partition = 1}, {.partition = 2}};
	uint64_t first[MOCK_PARTITIONS], next[MOCK_PARTITIONS];
	(void)state;
	for (int i = 0; i < 4; i++)
		r[i].key = r[i].value = STR("x");
	assert_int_equal(broker_ask(b), OK);
	assert_int_equal(broker_send(b, r, 4), OK);
	assert_int_equal(r[0].offset, 0);
	assert_int_equal(r[1].offset, 0);
	assert_int_equal(r[2].offset, 1);
	assert_int_equal(r[3].offset, 0);
	assert_int_equal(broker_ends(b, first, next), OK);
	assert_int_equal(first[1], 0);
	assert_int_equal(next[0], 1);
	assert_int_equal(next[1], 2);
	assert_int_equal(next[2], 1);
	broker_close(b);
}

TEST(nothing_to_send_is_sent_at_once)
{
	struct broker *b = mock_open(5000);
	(void)state;
	assert_int_equal(broker_send(b, NULL, 0), OK);
	broker_close(b);
}

TEST(a_cluster_that_is_down_is_told_in_time_and_serves_again)
{
	struct broker *b = mock_open(700);
	int64_t at;
	(void)state;
	assert_int_equal(send_one(b, 0, "before", &at), OK);
	rd_kafka_mock_broker_set_down(mock, 1);
	assert_int_equal(send_one(b, 0, "lost", &at), ERR_IO);
	assert_non_null(strstr(err_text(), "kafka: "));
	assert_int_equal(broker_ask(b), ERR_IO);
	rd_kafka_mock_broker_set_up(mock, 1);
	enum err e = ERR_IO;
	for (int i = 0; i < 50 && e; i++)
		e = send_one(b, 0, "after", &at);
	assert_int_equal(e, OK);
	assert_true(at >= 1);
	broker_close(b);
}

/* An error that no second try mends ends the producer; the next send has another. */
TEST(after_a_fatal_error_the_producer_is_made_anew)
{
	struct broker *b = mock_open(5000);
	int64_t at;
	(void)state;
	assert_int_equal(send_one(b, 1, "before", &at), OK);
	rd_kafka_mock_push_request_errors(
	    mock, 0 /* Produce */, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_int_equal(send_one(b, 1, "refused", &at), ERR_IO);
	assert_int_equal(send_one(b, 1, "after", &at), OK);
	broker_close(b);
}

/* Reports of a send that was given up are not taken for those of the next. */
TEST(without_memory_for_another_producer_the_old_one_is_not_used)
{
	struct broker *b = mock_open(2000);
	uint64_t first[MOCK_PARTITIONS], next[MOCK_PARTITIONS];
	struct broker_record r[MOCK_PARTITIONS];
	int64_t at = -1;
	(void)state;
	assert_int_equal(send_one(b, 0, "before", &at), OK);
	for (unsigned i = 0; i < MOCK_PARTITIONS; i++)
		r[i] = (struct broker_record){.partition = i, .key = STR("k"), .value = STR("x")};
	rd_kafka_mock_push_request_errors(
	    mock, 0 /* Produce */, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	starve_after(0);
	enum err e = broker_send(b, r, MOCK_PARTITIONS);
	starve_end();
	assert_int_equal(e, ERR_IO);
	struct broker_record after = {.key = STR("k"), .value = STR("after"), .offset = -1};
	assert_int_equal(broker_send(b, &after, 1), OK);
	assert_int_equal(broker_ends(b, first, next), OK);
	assert_int_equal(after.offset, next[0] - 1);
	broker_close(b);
}

TEST(what_promises_rest_on_is_not_to_be_set)
{
	struct broker *b;
	static const char *const names[] = {"acks", "enable.idempotence", "isolation.level",
	    "transactional.id", "auto.offset.reset"};
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct broker_setting s = {names[i], "1"};
		const struct broker_place p = {.brokers = "127.0.0.1:1",
		    .topic = "t",
		    .partitions = 1,
		    .timeout_ms = 1000,
		    .settings = &s,
		    .settings_n = 1};
		assert_int_equal(broker_open(&p, &b), ERR_USAGE);
		assert_non_null(strstr(err_text(), names[i]));
	}
	const struct broker_setting s = {"no.such.thing", "1"};
	const struct broker_place p = {.brokers = "127.0.0.1:1",
	    .topic = "t",
	    .partitions = 1,
	    .timeout_ms = 1000,
	    .settings = &s,
	    .settings_n = 1};
	assert_int_equal(broker_open(&p, &b), ERR_USAGE);
	assert_non_null(strstr(err_text(), "log.kafka.no.such.thing"));
}

TEST(another_number_of_partitions_is_refused)
{
	struct broker *b;
	const struct broker_place p = {.brokers = rd_kafka_mock_cluster_bootstraps(mock),
	    .topic = MOCK_TOPIC,
	    .partitions = MOCK_PARTITIONS + 1,
	    .timeout_ms = 5000};
	(void)state;
	assert_int_equal(broker_open(&p, &b), OK);
	assert_int_equal(broker_ask(b), ERR_USAGE);
	assert_non_null(strstr(err_text(), "3 partitions"));
	broker_close(b);
}

UNIT_TESTS(MOCKED(each_partition_has_offsets_of_its_own), MOCKED(nothing_to_send_is_sent_at_once),
    MOCKED(a_cluster_that_is_down_is_told_in_time_and_serves_again),
    MOCKED(after_a_fatal_error_the_producer_is_made_anew),
    MOCKED(without_memory_for_another_producer_the_old_one_is_not_used),
    cmocka_unit_test(what_promises_rest_on_is_not_to_be_set),
    MOCKED(another_number_of_partitions_is_refused))
#else
#include "unit.h"

#include "crumb/broker/broker.h"

TEST(it_is_said_that_crumb_was_built_without)
{
	struct broker *b;
	(void)state;
	assert_int_equal(broker_open(&(struct broker_place){.brokers = "x"}, &b), ERR_USAGE);
}

UNIT_TESTS(cmocka_unit_test(it_is_said_that_crumb_was_built_without))
#endif

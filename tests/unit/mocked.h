/* librdkafka's cluster in memory, for tests of what talks to Kafka. Of a broker it has partitions,
 * offsets and errors on demand; no retention, no groups that hold (tests/cluster has real ones). */
#ifndef CRUMB_TESTS_UNIT_MOCKED_H
#define CRUMB_TESTS_UNIT_MOCKED_H

#include "unit.h"

#include "crumb/broker/broker.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOCK_TOPIC "crumb.log"
#define MOCK_PARTITIONS 3

/* The mock's sockets wait for 40 ms before a small answer; a broker's do not. */
int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict len);
__attribute__((weak)) int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict len)
{
	int got = (int)syscall(SYS_accept4, fd, address, len, 0);
	if (got >= 0)
		setsockopt(got, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	return got;
}

static rd_kafka_t *mock_rd;
static rd_kafka_mock_cluster_t *mock;

static inline int mock_begin(void **state)
{
	char why[200];
	(void)state;
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	rd_kafka_conf_set(
	    c, "log_level", "0", why, sizeof why); /* it says that it knows no broker */
	mock_rd = rd_kafka_new(RD_KAFKA_PRODUCER, c, why, sizeof why);
	mock = mock_rd ? rd_kafka_mock_cluster_new(mock_rd, 1) : NULL;
	if (!mock)
		return -1;
	return rd_kafka_mock_topic_create(mock, MOCK_TOPIC, MOCK_PARTITIONS, 1) ? -1 : 0;
}

static inline int mock_end(void **state)
{
	(void)state;
	rd_kafka_mock_cluster_destroy(mock);
	rd_kafka_destroy(mock_rd);
	return 0;
}
#define MOCKED(name) cmocka_unit_test_setup_teardown(name, mock_begin, mock_end)

/* The mock sleeps for as long as a fetch may wait. */
static const struct broker_setting mock_settings[] = {{"fetch.wait.max.ms", "5"}};

static inline struct broker *mock_open(unsigned timeout_ms)
{
	struct broker *b;
	const struct broker_place p = {.brokers = rd_kafka_mock_cluster_bootstraps(mock),
	    .topic = MOCK_TOPIC,
	    .partitions = MOCK_PARTITIONS,
	    .timeout_ms = timeout_ms,
	    .settings = mock_settings,
	    .settings_n = 1};
	assert_int_equal(broker_open(&p, &b), OK);
	return b;
}

#endif

/* Inside the broker: librdkafka's handles, and what both of them are given. */
#ifndef CRUMB_SRC_BROKER_RD_H
#define CRUMB_SRC_BROKER_RD_H

#include "crumb/broker/broker.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

#define BROKER_WHY 240

/* A producer, with what its reports are noted in. Only the thread that polls it touches it. */
struct producer {
	rd_kafka_t *rd;
	rd_kafka_topic_t *topic;
	struct broker_record *records; /* of the send under way; NULL: its reports are of no use */
	size_t left;		       /* reports that are awaited */
	rd_kafka_resp_err_t failed;    /* the first that was bad */
	char why[BROKER_WHY];	       /* the cluster's latest trouble, as librdkafka words it */
};

struct listener {
	struct broker *broker;
	rd_kafka_t *rd;
	pthread_t thread;
	_Atomic bool stop;
	struct broker_ears ears;
};

struct broker {
	/* constant */
	char *brokers, *topic;
	uint32_t partitions;
	unsigned timeout_ms;
	struct broker_setting *settings; /* copies */
	unsigned settings_n;
	/* the sender's */
	struct producer *producer; /* NULL: none could be made after the last failed */
	/* whoever listens */
	struct listener *listener;
};

/* What librdkafka is told for both; *out is its for rd_kafka_new(). */
enum err rd_settings(const char *brokers, const struct broker_setting *settings, unsigned n,
    rd_kafka_type_t type, rd_kafka_conf_t **out) MUST_CHECK;
/* ERR_USAGE: one of them is ours to set, since a promise rests on it. */
enum err rd_allowed(const struct broker_setting *settings, unsigned n) MUST_CHECK;
enum err rd_set(rd_kafka_conf_t *c, const char *name, const char *value) MUST_CHECK;
/* Destroys it on a thread of its own, which is left behind after some seconds. Takes `rd`. */
void rd_end(rd_kafka_t *rd);

enum err producer_new(struct broker *b, struct producer **out) MUST_CHECK;
enum err producer_have(struct broker *b) MUST_CHECK; /* makes one where there is none */
void producer_end(struct producer *p);		     /* NULL is fine */

#endif

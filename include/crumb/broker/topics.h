/* The two topics of a log on Kafka, and whether they keep what crumb promises.
 *
 *     topics_make()     makes those that are missing, as they must be
 *     topics_read()     asks the brokers what is there: partitions, replicas, settings
 *     topics_faults()   compares that with what must be; a table of rules in topics.c
 *
 * A fault is what would break a promise: a setting by which an answered hit could be lost, or by
 * which what was erased stays in the brokers' files for longer than a day. Each names the command
 * that mends it, since settings of a topic that is there are its operator's.
 *
 * Any thread; a call waits for the brokers, for timeout_ms at each question. What is read lives in
 * the arena of struct topics, until topics_done(). */
#ifndef CRUMB_BROKER_TOPICS_H
#define CRUMB_BROKER_TOPICS_H

#include "crumb/base/arena.h"
#include "crumb/broker/broker.h"

#define TOPIC_REPLICAS 3 /* wanted, where there are as many brokers */

enum topic_job {
	TOPIC_LOG,     /* hits; a partition for each shard */
	TOPIC_CONTROL, /* what nodes tell each other; one partition */
	TOPIC_JOBS
};

/* Where, and what is wanted there. Borrowed while a call runs. */
struct topics_place {
	const char *brokers; /* "host:port,…" */
	const char *names[TOPIC_JOBS];
	unsigned partitions;		       /* of the log */
	const struct broker_setting *settings; /* as in struct broker_place */
	unsigned settings_n;
	int timeout_ms;
};

struct topic_setting {
	const char *name, *value;
};

struct topic {
	bool there;
	const char *unread; /* why its settings could not be read; NULL: they were */
	unsigned partitions;
	unsigned replicas; /* of the partition that has fewest */
	struct topic_replicas {
		const int32_t *brokers; /* the leader that is preferred comes first */
		unsigned n;
	} * of; /* each partition */
	struct topic_setting *settings;
	size_t settings_n;
};

struct topics {
	struct arena arena;
	const int32_t *brokers; /* ids of those that live, and of those that have a replica */
	unsigned brokers_n;
	struct topic topic[TOPIC_JOBS];
};

/* UNREAD: it may be as it must be, but nobody could see it. */
enum fault_kind { FAULT_MISSING, FAULT_WRONG, FAULT_UNREAD };

struct topic_fault {
	enum fault_kind kind;
	const char *topic;
	const char *setting; /* or "topic", "partitions", "replicas" */
	const char *is, *must;
	const char *why;  /* which promise would be broken */
	const char *mend; /* a command for a shell */
};

/* ERR_IO: no broker answers, with librdkafka's words; ERR_USAGE: it refuses a setting of `place`.
 * *out is filled only if it is OK; topics_done() it. */
enum err topics_read(const struct topics_place *place, struct topics *out) MUST_CHECK;
void topics_done(struct topics *t);

/* Makes the topics that are missing, with so many replicas (0: TOPIC_REPLICAS, or one for each
 * broker if there are fewer), and gives the log more partitions if it has too few. Nothing else of
 * a topic that is there is changed. Then reads as topics_read() does. ERR_USAGE: no topic can be
 * made so, such as with more replicas than brokers. */
enum err topics_make(
    const struct topics_place *place, unsigned replicas, struct topics *out) MUST_CHECK;

/* The faults, those of the log first; they live in the arena of `t`. NULL and 0: there is none. */
struct topic_fault *topics_faults(const struct topics_place *place, struct topics *t, size_t *n);

/* The settings that a new topic with so many replicas gets; as many as it returns, no more than
 * TOPIC_RULES. The values live in `a`. */
#define TOPIC_RULES 16
size_t topic_settings_new(
    enum topic_job job, unsigned replicas, struct arena *a, struct topic_setting out[TOPIC_RULES]);

#endif

/* A topic of Kafka: records out and in, as bytes. What they say is somebody else's (journal/).
 *
 *     one thread sends     broker_send() ──► partition ──► all in-sync replicas ──► it returns
 *     one thread listens   partition ──► ears.record(), ears.reached()
 *
 * A send is answered for when it returns OK: every record was acknowledged by all in-sync replicas
 * (acks=all), each once, and those of a partition in their order (enable.idempotence). When it
 * fails, each record may be on the topic or not. Then the producer is made anew, and nothing is
 * sent again by it: whoever reads tells records of a send that failed from those of others.
 *
 * librdkafka does the work (https://github.com/confluentinc/librdkafka), and has threads of its
 * own. So a broker is opened after a fork. Where crumb was built without it, broker_open() fails
 * with ERR_USAGE and says so.
 *
 * Threads: a broker is one thread's, and two threads never call at a time. Ears are called by a
 * thread of its own. */
#ifndef CRUMB_BROKER_BROKER_H
#define CRUMB_BROKER_BROKER_H

#include "crumb/base/err.h"
#include "crumb/base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct broker;

#define BROKER_RECORD_MOST 900000 /* bytes of a value: brokers take a megabyte */

struct broker_setting {
	const char *name, *value;
};
struct broker_place {
	const char *brokers; /* host:port, with commas between */
	const char *topic;
	uint32_t partitions; /* that the topic must have */
	unsigned timeout_ms; /* how long a send waits, by a clock of our own */
	/* of librdkafka, as they are. Those that a promise rests on are refused (ERR_USAGE). */
	const struct broker_setting *settings;
	unsigned settings_n;
};
/* Makes what sends and waits for nothing: no broker need be there yet. ERR_USAGE: a setting is not
 * one of librdkafka's, has a value that cannot be, or is ours to set. */
enum err broker_open(const struct broker_place *p, struct broker **out) MUST_CHECK;
/* Ends both threads' work. Bounded: what librdkafka does not end within seconds is left behind.
 * NULL is fine. */
void broker_close(struct broker *b);

struct broker_record {
	uint32_t partition;
	struct str key, value;
	int64_t offset; /* set by a send that returns OK */
};
/* Returns when all are acknowledged. ERR_IO: they were not within timeout_ms, or the cluster said
 * no; the words have its reason. */
enum err broker_send(struct broker *b, struct broker_record *records, size_t n) MUST_CHECK;
/* Is the cluster there, and the topic with its partitions? ERR_IO: it does not answer. ERR_USAGE:
 * there is no such topic, or it has another number of partitions. */
enum err broker_ask(struct broker *b) MUST_CHECK;
/* For each partition the first offset that there is, and the one that comes next. */
enum err broker_ends(struct broker *b, uint64_t *first, uint64_t *next) MUST_CHECK;

/* Called by the thread that listens. It may wait in record() for as long as it likes: nothing more
 * is fetched than librdkafka's queue holds (8 MB). */
struct broker_ears {
	/* False: no more; the thread ends. The views are valid during the call. */
	bool (*record)(
	    void *arg, uint32_t partition, uint64_t offset, struct str key, struct str value);
	/* All before `next` was handed over, and there is nothing more for now. Markers and what
	 * retention took leave gaps, so `next` may be more than one behind the last record. */
	void (*reached)(void *arg, uint32_t partition, uint64_t next);
	/* Something is wrong. ERR_NOT_FOUND: what comes next by the position is not on the topic
	 * any more, or never was; that partition is listened to no longer. Else it is tried again
	 * by itself. */
	void (*trouble)(void *arg, uint32_t partition, enum err e, const char *why);
	void *arg;
};
/* Listens from next[partition] on. One listener at a time. */
enum err broker_listen(
    struct broker *b, const uint64_t *next, const struct broker_ears *ears) MUST_CHECK;
/* Returns when the thread has ended; ears are called no more. */
void broker_listen_end(struct broker *b);

#endif

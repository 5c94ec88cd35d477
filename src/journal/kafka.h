/* Inside the journal: the kind whose log is on Kafka, in front of a journal of files.
 *
 *     journal_commit() ─ a record for each block ─► broker_send() ─► all in-sync replicas have it
 *                                                                     durable here
 *     Kafka ─► the listener: opened, put into the queue ─► arrived()
 *     journal_publish() ─ queue ─► local_take(): blocks and mark, one transaction a run
 *                                                                     readers see it
 *
 * kafka.c is what the writer's thread does: commits and publishing. arrivals.c is the queue, which
 * the listener's thread fills. What readers, cleaning and copies do is the inner journal's.
 *
 * A shard is a partition, and the control lane goes with partition 0. What this node sends comes
 * back to it like what others send: that is the only way into its files. */
#ifndef CRUMB_SRC_JOURNAL_KAFKA_H
#define CRUMB_SRC_JOURNAL_KAFKA_H

#include "crumb/broker/broker.h"
#include "kind.h"
#include "marks.h"
#include "sealed.h"

#include <pthread.h>

#define ARRIVALS_MOST (8u << 20) /* bytes; the listener waits for room beyond them */

/* A record that was opened, or (day 0) only how far its partition was heard. */
struct arrival {
	struct arrival *next;
	uint32_t partition;
	uint64_t offset; /* the one that comes next */
	uint64_t life, counter;
	uint16_t day, shard;
	uint8_t rules[16];
	uint32_t count, events;
	struct buf records;
};

/* The queue. One thread fills it, one takes. */
struct arrivals {
	pthread_mutex_t lock;
	pthread_cond_t room;
	/* under lock */
	struct arrival *first, **last;
	size_t bytes;
	bool stop;
	enum err err; /* nothing more is heard; why */
	char why[400];
	/* the listener's */
	struct keys *keys;
	unsigned lanes;
	struct opener opener;
	uint64_t *heard; /* per partition: the offset behind the last that was queued */
	struct told {
		uint64_t at_us; /* the log heard of it last; 0: never */
		uint64_t since; /* how many of it came since */
	} dropped, troubled;
	/* set before it listens */
	void (*arrived)(void *arg);
	void *arg;
};

enum err arrivals_init(struct arrivals *a, struct keys *keys, unsigned lanes) MUST_CHECK;
void arrivals_done(struct arrivals *a); /* what is queued is dropped: the log still has it */
/* The listener calls these; `arg` is the struct arrivals. */
extern const struct broker_ears arrivals_ears;
void arrivals_begin(struct arrivals *a);
void arrivals_stop(struct arrivals *a);
/* The first arrivals, which stay queued until arrivals_took() says that they are stored. NULL:
 * none. The list grows behind its end meanwhile; `next` of the last one is not to be looked at. */
struct arrival *arrivals_peek(struct arrivals *a, size_t *n);
void arrivals_took(struct arrivals *a, size_t n);
/* Above 0, too, when nothing more is heard: somebody has to ask why. */
size_t arrivals_bytes(struct arrivals *a);
/* ERR_IO and others: nothing more is heard, and the words say what to do. */
enum err arrivals_trouble(struct arrivals *a) MUST_CHECK;

#endif

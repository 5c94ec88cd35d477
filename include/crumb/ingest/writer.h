/* The journal thread: batches in, synced commits out, and only then the word back.
 *
 * A batch is what one collect thread gathered while the previous commit ran, or one slice of an
 * import. No commit waits for a timer: the thread takes everything that is queued, commits it,
 * tells the owners, and takes again; the disk sets the pace. What was committed is published to the
 * folds a moment later, or when somebody asks (writer_publish).
 *
 * A batch belongs to its owner until writer_submit(), then to the writer until `done` is called on
 * the journal thread, then to the owner again. */
#ifndef CRUMB_INGEST_WRITER_H
#define CRUMB_INGEST_WRITER_H

#include "crumb/model/record.h"
#include "crumb/store/store.h"

#include <stdatomic.h>

struct batch_part {
	uint16_t day, shard;
	uint32_t count, events; /* records, and how many of them are events that count */
	struct buf records;
};

struct batch {
	unsigned shards;
	struct batch_part *parts; /* for each day seen one of each shard, and one of the control
				     lane behind them */
	size_t parts_n, parts_cap;
	uint32_t count;		/* records in all parts */
	struct batch_part none; /* takes what there is no part for */
	struct vkey *erased;	/* visitors whom it erases */
	size_t erased_n, erased_cap;
	bool starved; /* there was no memory for a part: nothing of it is taken */
	enum err result;
	void (*done)(struct batch *b); /* on the journal thread; must not block */
	void *owner;
	struct batch *next;
};

void batch_init(struct batch *b, unsigned shards, void (*done)(struct batch *), void *owner);
void batch_clear(struct batch *b);
void batch_done(struct batch *b);
struct batch_part *batch_part(struct batch *b, uint16_t day, unsigned shard);
void batch_event(struct batch *b, const struct event *e);
/* A record of any other kind of a visitor or of the store, into the lane that its row says; with
 * what else is in the batch or not at all. Activations of rules the writer adds itself
 * (writer_rules), and erasures are also listed (batch_erase). */
void batch_record(struct batch *b, const struct record *r);
void batch_erase(struct batch *b, const struct vkey *visitor, uint32_t t);

struct writer;

/* Who is told, on the journal thread, that new blocks can be read. */
struct writer_told {
	void (*published)(void *arg); /* nobody had asked for them */
	void (*asked)(void *arg);     /* somebody waits for them (writer_publish) */
	void *arg;
};
enum err writer_start(
    struct store *s, const struct writer_told *told, struct writer **out) MUST_CHECK;
/* The same without a thread, for whoever has only one (tests/sim): what the thread would do is done
 * by writer_turn(). */
enum err writer_open(
    struct store *s, const struct writer_told *told, struct writer **out) MUST_CHECK;
void writer_turn(struct writer *w); /* one pass; never waits for work */
void writer_stop(struct writer *w); /* commits what is queued, then ends the thread */
void writer_submit(struct writer *w, struct batch *b);
void writer_publish(struct writer *w); /* somebody waits for what was committed */
/* From now on blocks name these rules, and their activation is in the journal of every day that is
 * written to. */
void writer_rules(struct writer *w, const uint8_t hash[16], struct str bundle);
/* Runs something on the journal thread, between commits, with everything published; returns when it
 * is done. False: it could not be published. */
bool writer_run(struct writer *w, void (*task)(void *arg), void *arg) MUST_CHECK;
/* Destroys the keys of days before `oldest` and unlinks them, on the journal thread. */
void writer_expire(struct writer *w, uint16_t oldest, uint16_t today);
/* Says what cannot be done now, and is tried again; false: all is well. */
bool writer_trouble(struct writer *w, char *out, size_t cap);
uint16_t writer_expired(const struct writer *w); /* the latest `oldest` that was carried out */

#endif

/* A batch: records on their way from a collect thread, or from an import, to the journal thread.
 *
 *	parts     day 20000: shard 0 │ shard 1 │ … │ shard n-1 │ control lane
 *	          day 19999: shard 0 │ …
 *
 * A record goes into the part of its day and shard, encoded as it will stand in the journal; one
 * that belongs to no visitor goes into the control lane. Most batches have one day; those of an
 * import may have ninety. A day is looked for from the first, so the common case costs one look.
 *
 * Memory: a part keeps its buffer, up to PART_KEEP bytes, from batch to batch. Without memory for a
 * part the batch is *starved*: records go nowhere, and the writer refuses the batch as a whole.
 *
 * A batch belongs to its owner, one thread, until writer_submit(). */
#ifndef CRUMB_INGEST_BATCH_H
#define CRUMB_INGEST_BATCH_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"
#include "crumb/model/record.h"

struct batch_part {
	uint16_t day, shard;	/* day 0: free; shard of the control lane: one behind the last */
	uint32_t count, events; /* records; those of them that are events that count */
	struct buf records;
};

struct batch {
	unsigned shards;
	struct batch_part *parts; /* shards + 1 for each day */
	size_t parts_n, parts_cap;
	uint32_t count;		/* records in all parts */
	struct batch_part none; /* takes what there is no part for */
	struct vkey *erased;	/* visitors whom the batch erases */
	size_t erased_n, erased_cap;
	bool starved;
	/* of the writer, until it calls done() */
	enum err result;	       /* what became of the batch */
	struct batch *next;	       /* in the writer's queue */
	void (*done)(struct batch *b); /* called on the journal thread; must not block */
	void *owner;		       /* for done() */
};

void batch_init(struct batch *b, unsigned shards, void (*done)(struct batch *), void *owner);
void batch_clear(struct batch *b); /* empty again */
void batch_done(struct batch *b);
/* The part of a day and shard, or of the control lane. */
struct batch_part *batch_part(struct batch *b, uint16_t day, unsigned shard);
void batch_event(struct batch *b, const struct event *e);
/* A record of any other kind, into the lane that its row says. It is written with all else in the
 * batch, or not at all. Activations of rules come from the writer itself (writer_rules()); erasures
 * go through batch_erase(), which lists them, too. */
void batch_record(struct batch *b, const struct record *r);
void batch_erase(struct batch *b, const struct vkey *visitor, uint32_t t);

#endif

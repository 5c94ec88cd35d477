/* Marks of the journal: what was set aside and released since. RECORD_TAKEN in the control lane
 * covers a shard's records up to a position; RECORD_RELEASED, which older versions wrote to shard
 * 0, covers those of all shards up to a time. A mark and the events that it releases are in one
 * commit.
 *
 * Zeroed: there are none. One thread at a time. */
#ifndef CRUMB_SRC_INGEST_ASIDE_MARKS_H
#define CRUMB_SRC_INGEST_ASIDE_MARKS_H

#include "crumb/journal/journal.h"
#include "crumb/model/record.h"

struct aside_mark {
	enum aside why;
	char pattern[256]; /* empty: any */
	bool of_shard;	   /* RECORD_TAKEN */
	unsigned shard;
	struct journal_pos upto; /* with of_shard: up to there */
	uint32_t t;		 /* else: up to this time, of all shards */
	bool fresh; /* aside_marks_note() has said so, and aside_marks_settle() not yet */
};
struct aside_marks {
	struct aside_mark
	    *list; /* one for each shard, reason and pattern: that which reaches furthest */
	size_t n, cap;
};

/* Notes a mark. True: it covers what none did that was noted before. */
bool aside_marks_note(struct aside_marks *m, const struct record *r);
void aside_marks_settle(struct aside_marks *m); /* none is fresh any more */
/* Does one cover the event, which is in the block behind which `pos` is? */
bool aside_marks_cover(
    const struct aside_marks *m, unsigned shard, struct journal_pos pos, const struct event *e);
void aside_marks_done(struct aside_marks *m);

#endif

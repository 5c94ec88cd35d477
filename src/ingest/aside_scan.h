/* Inside ingest: reading the journal for what was set aside.
 *
 * Events that were set aside are records of the journal (RECORD_ASIDE) and stay there. A release
 * writes them again as events that count, and marks them as released. So whoever reads goes
 *
 *	1. over the marks: RECORD_TAKEN in the control lane covers a shard's records up to a
 *	   position; RECORD_RELEASED, which older versions wrote to shard 0, covers all up to a time
 *	2. over the records of every shard: those that no mark covers are each()'s */
#ifndef CRUMB_SRC_INGEST_ASIDE_SCAN_H
#define CRUMB_SRC_INGEST_ASIDE_SCAN_H

#include "crumb/ingest/quarantine.h"
#include "crumb/model/record.h"

/* A mark. */
struct released {
	enum aside why;
	char pattern[256]; /* empty: any */
	bool of_shard;	   /* RECORD_TAKEN */
	unsigned shard;
	struct journal_pos upto; /* with of_shard: up to there */
	uint32_t t;		 /* else: up to this time, of all shards */
};

struct aside_scan {
	struct store *store;
	enum err (*each)(struct aside_scan *s, struct event *e); /* an event that no mark covers */
	enum err (*block_done)(struct aside_scan *s); /* after each block; NULL: nothing */
	void *arg;				      /* theirs */
	/* what is read now */
	unsigned shard;
	uint16_t day;
	struct journal_pos pos; /* of the block */
	struct record record;
	/* the marks that were read */
	struct released *released;
	size_t released_n, released_cap;
};

/* Reads all marks. *control: behind the last of the control lane. */
enum err aside_marks(struct aside_scan *s, struct journal_pos *control) MUST_CHECK;
/* Reads those behind *control, and moves it. */
enum err aside_new_marks(struct aside_scan *s, struct journal_pos *control, bool *any) MUST_CHECK;
/* Reads the events of a shard behind *pos, and moves it. */
enum err aside_events(struct aside_scan *s, unsigned shard, struct journal_pos *pos) MUST_CHECK;
void aside_scan_done(struct aside_scan *s); /* gives the marks back */

#endif

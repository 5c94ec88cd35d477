/* Events that were set aside are records of the journal (RECORD_ASIDE) and stay there. A release
 * writes them again as events that count, and marks them as released (aside_marks.h). It reads the
 * journal lane by lane: first marks, then of every shard the records that no mark covers.
 *
 * A mark and the events that it covers are in one commit. So a release that is cut off is never
 * done twice: the next one begins behind the last mark. */
#include "crumb/ingest/quarantine.h"

#include "aside_marks.h"

#include <stdlib.h>

#define FLUSH_RECORDS 50000 /* a batch of more records is flushed */

struct scan {
	struct store *store;
	struct aside_marks marks;
	unsigned shard;		/* the one that is read */
	struct journal_pos pos; /* of the block that is read */
	struct record record;
	enum aside why;
	struct str pattern;
	uint32_t now;
	struct batch *batch;
	enum err (*flush)(void *arg);
	void *arg;
	uint64_t events; /* put into the batch */
	uint64_t marked; /* those of them that a mark covers */
};

/* What becomes of a record of the kind that is looked for. */
static void take_record(struct scan *s)
{
	struct event *e = &s->record.event;
	if (s->record.kind != RECORD_ASIDE) {
		(void)aside_marks_note(&s->marks, &s->record);
		return;
	}
	if (e->aside != s->why || (s->pattern.n && !str_eq(s->pattern, e->pattern)) ||
	    aside_marks_cover(&s->marks, s->shard, s->pos, e))
		return;
	e->aside = ASIDE_NOT;
	batch_event(s->batch, e);
	s->events++;
}

/* After each block: a mark goes into the batch with the events of the block, and so into one commit
 * with them. */
static enum err mark(struct scan *s)
{
	if (s->events == s->marked)
		return OK;
	struct record taken = {.kind = RECORD_TAKEN,
	    .event = {.t = s->now, .aside = (uint8_t)s->why, .pattern = s->pattern},
	    .shard = (uint16_t)s->shard,
	    .seq = journal_pos_save(s->pos)};
	batch_record(s->batch, &taken);
	s->marked = s->events;
	return s->batch->count >= FLUSH_RECORDS ? s->flush(s->arg) : OK;
}

/* Reads one lane's records of a kind. A damaged block is passed over; the folds have said so. */
static enum err scan_lane(struct scan *s, unsigned lane, enum record_kind kind)
{
	struct journal_reader *r;
	struct buf records = {0};
	uint32_t count;
	uint16_t day;
	s->shard = lane;
	enum err e = journal_read(s->store->journal, lane, JOURNAL_START, &r);
	if (e)
		return e;
	while (!e) {
		buf_clear(&records);
		e = journal_next(r, &records, &s->pos, &count, &day);
		struct mp m = mp_over(e ? STR("") : buf_view(&records));
		while (!e && m.p < m.end && !m.bad)
			if (record_kind_at(&m) != kind)
				mp_skip(&m);
			else if (record_decode(&m, &s->record))
				take_record(s);
		if (!e)
			e = mark(s);
		if (e == ERR_CORRUPT)
			e = OK;
	}
	journal_read_end(r);
	buf_done(&records);
	return e == ERR_NOT_FOUND ? OK : e;
}

/* First the marks, then what they leave. */
static enum err scan(struct scan *s)
{
	enum err e = scan_lane(s, 0, RECORD_RELEASED);
	if (!e)
		e = scan_lane(s, journal_control(s->store->journal), RECORD_TAKEN);
	for (unsigned i = 0; i < s->store->shards && !e; i++)
		e = scan_lane(s, i, RECORD_ASIDE);
	aside_marks_done(&s->marks);
	return e;
}

enum err quarantine_release(struct store *store, enum aside why, struct str pattern, uint32_t now,
    struct batch *batch, enum err (*flush)(void *), void *arg, uint64_t *events)
{
	struct scan *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(ERR_NOMEM, "no memory to look at what was set aside");
	*s = (struct scan){.store = store,
	    .why = why,
	    .pattern = pattern,
	    .now = now,
	    .batch = batch,
	    .flush = flush,
	    .arg = arg};
	enum err e = scan(s);
	if (!e && batch->count)
		e = flush(arg);
	*events = s->events;
	free(s);
	return e;
}

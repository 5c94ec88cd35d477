/* Events that were set aside are records of the journal (RECORD_ASIDE) and stay there. A release
 * writes them again as events that count, and marks them as released. Both jobs read the journal
 * shard by shard:
 *
 *	1. the marks: RECORD_TAKEN in the control lane covers a shard's records up to a position;
 *	   RECORD_RELEASED, which older versions wrote to shard 0, covers all up to a time
 *	2. of every shard the records that no mark covers: counted, or released
 *
 * A mark and the events that it covers are in one commit. So a release that is cut off is never
 * done twice: the next one begins behind the last mark. */
#include "crumb/ingest/quarantine.h"

#include "crumb/base/array.h"
#include "crumb/base/map.h"

#include <stdio.h>
#include <stdlib.h>

#define FLUSH_RECORDS 50000 /* a batch of more records is flushed */
/* Patterns are hosts, too, and any client can make up hosts: beyond this many patterns they are
 * counted together. */
#define ROWS_MOST 1000

/* A mark. */
struct released {
	enum aside why;
	char pattern[256]; /* empty: any */
	bool of_shard;	   /* RECORD_TAKEN */
	unsigned shard;
	struct journal_pos upto; /* with of_shard: up to there */
	uint32_t t;		 /* else: up to this time, of all shards */
};

struct scan {
	struct store *store;
	struct released *released;
	size_t released_n, released_cap;
	unsigned shard;		/* the one that is read */
	struct journal_pos pos; /* of the block that is read */
	struct record record;
	enum err (*each)(struct scan *s, struct event *e); /* an event that no mark covers */
	enum err (*block_done)(struct scan *s);		   /* after each block; NULL: nothing */
	/* for quarantine_list() */
	struct aside_row *rows; /* ROWS_MOST, and one of others for each reason; never moved */
	struct map numbers;	/* of rows, by reason and pattern; keys lie in the rows */
	size_t rows_n;
	/* for quarantine_release() */
	enum aside why;
	struct str pattern;
	uint32_t now;
	struct batch *batch;
	enum err (*flush)(void *arg);
	void *arg;
	uint64_t events; /* put into the batch */
	uint64_t marked; /* those of them that a mark covers */
};

/* Does the mark cover the event of the block at s->pos? */
static bool pattern_covers(const struct released *r, const struct scan *s, const struct event *e)
{
	if (r->why != e->aside || (*r->pattern && !str_eq(str_c(r->pattern), e->pattern)))
		return false;
	if (r->of_shard)
		return s->shard == r->shard && !journal_pos_before(r->upto, s->pos);
	return e->t <= r->t;
}

static bool is_released(const struct scan *s, const struct event *e)
{
	for (size_t i = 0; i < s->released_n; i++)
		if (pattern_covers(&s->released[i], s, e))
			return true;
	return false;
}

static void note_release(struct scan *s)
{
	const struct event *e = &s->record.event;
	CHECK(array_room(s->released, s->released_cap, s->released_n + 1));
	struct released *r = &s->released[s->released_n++];
	*r = (struct released){.why = e->aside, .t = e->t};
	if ((r->of_shard = s->record.kind == RECORD_TAKEN)) {
		r->shard = s->record.shard;
		r->upto = journal_pos_load(s->record.seq);
	}
	snprintf(r->pattern, sizeof r->pattern, STR_FMT, STR_ARG(e->pattern));
}

/* Reads one lane's records of a kind: marks are noted, others go to each(). A damaged block is
 * passed over; the folds have said so. */
static enum err scan_shard(struct scan *s, unsigned shard, enum record_kind kind)
{
	struct journal_reader *r;
	struct buf records = {0};
	uint32_t count;
	uint16_t day;
	s->shard = shard;
	enum err e = journal_read(s->store->journal, shard, JOURNAL_START, &r);
	if (e)
		return e;
	while (!e) {
		buf_clear(&records);
		e = journal_next(r, &records, &s->pos, &count, &day);
		struct mp m = mp_over(e ? STR("") : buf_view(&records));
		while (!e && m.p < m.end && record_decode(&m, &s->record)) {
			if (s->record.kind != kind)
				continue;
			if (kind == RECORD_RELEASED || kind == RECORD_TAKEN)
				note_release(s);
			else if (!is_released(s, &s->record.event))
				e = s->each(s, &s->record.event);
		}
		if (!e && s->block_done)
			e = s->block_done(s);
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
	enum err (*block_done)(struct scan *) = s->block_done;
	s->block_done = NULL;
	enum err e = scan_shard(s, 0, RECORD_RELEASED);
	if (!e)
		e = scan_shard(s, journal_control(s->store->journal), RECORD_TAKEN);
	s->block_done = block_done;
	for (unsigned i = 0; i < s->store->shards && !e; i++)
		e = scan_shard(s, i, RECORD_ASIDE);
	free(s->released);
	return e;
}

/* The row of the event's reason and pattern. When there are too many, that of all other patterns of
 * the reason. */
static struct aside_row *row_of(struct scan *s, const struct event *e)
{
	char name[260];
	uint32_t number;
	struct str pattern = e->pattern;
	for (int tries = 0;; tries++) {
		int n = snprintf(name, sizeof name, "%c" STR_FMT, 'a' + e->aside, STR_ARG(pattern));
		struct str key =
		    str_make(name, (size_t)n < sizeof name ? (size_t)n : sizeof name - 1);
		if (map_get(&s->numbers, key, &number))
			return &s->rows[number];
		if (s->rows_n < ROWS_MOST || tries)
			break;
		pattern = STR(QUARANTINE_OTHERS);
	}
	struct aside_row *row = &s->rows[s->rows_n];
	*row = (struct aside_row){.why = e->aside, .first = day_of(e->t), .last = day_of(e->t)};
	snprintf(row->key, sizeof row->key, "%s", name);
	row->pattern = row->key + 1;
	map_put(&s->numbers, str_c(row->key), (uint32_t)s->rows_n++);
	return row;
}

static enum err count(struct scan *s, struct event *e)
{
	struct aside_row *row = row_of(s, e);
	uint16_t day = day_of(e->t);
	row->events++;
	row->first = day < row->first ? day : row->first;
	row->last = day > row->last ? day : row->last;
	return OK;
}

static int by_reason(const void *a, const void *b)
{
	const struct aside_row *x = a, *y = b;
	if (x->why != y->why)
		return x->why < y->why ? -1 : 1;
	if (x->events != y->events)
		return x->events > y->events ? -1 : 1;
	return strcmp(x->key, y->key);
}

enum err quarantine_list(struct store *store, struct aside_row **rows, size_t *n)
{
	struct scan *s = calloc(1, sizeof *s);
	struct aside_row *all = calloc(ROWS_MOST + ASIDE_MAX, sizeof *all);
	if (!s || !all) {
		free(s);
		free(all);
		return err_set(ERR_NOMEM, "no memory to count what was set aside");
	}
	s->store = store;
	s->each = count;
	s->rows = all;
	enum err e = scan(s);
	map_done(&s->numbers);
	if (s->rows_n)
		qsort(s->rows, s->rows_n, sizeof *s->rows, by_reason);
	for (size_t i = 0; i < s->rows_n; i++)
		s->rows[i].pattern = s->rows[i].key + 1; /* sorting has moved the row */
	if (e) {
		free(s->rows);
	} else {
		*rows = s->rows;
		*n = s->rows_n;
	}
	free(s);
	return e;
}

static enum err release(struct scan *s, struct event *e)
{
	if (e->aside != s->why || (s->pattern.n && !str_eq(s->pattern, e->pattern)))
		return OK;
	e->aside = ASIDE_NOT;
	batch_event(s->batch, e);
	s->events++;
	return OK;
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

enum err quarantine_release(struct store *store, enum aside why, struct str pattern, uint32_t now,
    struct batch *batch, enum err (*flush)(void *), void *arg, uint64_t *events)
{
	struct scan *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(ERR_NOMEM, "no memory to look at what was set aside");
	*s = (struct scan){.store = store,
	    .each = release,
	    .block_done = mark,
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

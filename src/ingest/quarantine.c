/* Releasing what was set aside, and reading the journal for it, which aside_kept.c does as well
 * (aside_scan.h draws it). A mark and the events that it covers are in one commit. So a release
 * that is cut off is never done twice: the next one begins behind the last mark. */
#include "aside_scan.h"

#include "crumb/base/array.h"

#include <stdio.h>
#include <stdlib.h>

#define FLUSH_RECORDS 50000 /* a batch of more records is flushed */

struct releasing {
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
static bool pattern_covers(
    const struct released *r, const struct aside_scan *s, const struct event *e)
{
	if (r->why != e->aside || (*r->pattern && !str_eq(str_c(r->pattern), e->pattern)))
		return false;
	if (r->of_shard)
		return s->shard == r->shard && !journal_pos_before(r->upto, s->pos);
	return e->t <= r->t;
}

static bool is_released(const struct aside_scan *s, const struct event *e)
{
	for (size_t i = 0; i < s->released_n; i++)
		if (pattern_covers(&s->released[i], s, e))
			return true;
	return false;
}

static enum err note_release(struct aside_scan *s)
{
	const struct event *e = &s->record.event;
	if (!array_room(s->released, s->released_cap, s->released_n + 1))
		return err_set(ERR_NOMEM, "no memory to look at what was set aside");
	struct released *r = &s->released[s->released_n++];
	*r = (struct released){.why = e->aside, .t = e->t};
	if ((r->of_shard = s->record.kind == RECORD_TAKEN)) {
		r->shard = s->record.shard;
		r->upto = journal_pos_load(s->record.seq);
	}
	snprintf(r->pattern, sizeof r->pattern, STR_FMT, STR_ARG(e->pattern));
	return OK;
}

/* A damaged block is passed over; the folds have said so. */
static enum err scan_lane(struct aside_scan *s, unsigned lane, struct journal_pos after,
    enum err (*take)(struct aside_scan *s), enum err (*block_done)(struct aside_scan *s))
{
	struct journal_reader *r;
	struct buf records = {0};
	uint32_t count;
	s->shard = lane;
	s->pos = after;
	enum err e = journal_read(s->store->journal, lane, after, &r);
	if (e)
		return e;
	while (!e) {
		buf_clear(&records);
		e = journal_next(r, &records, &s->pos, &count, &s->day);
		struct mp m = mp_over(e ? STR("") : buf_view(&records));
		while (!e && m.p < m.end && record_decode(&m, &s->record))
			e = take(s);
		if (!e && block_done)
			e = block_done(s);
		if (e == ERR_CORRUPT)
			e = OK;
	}
	journal_read_end(r);
	buf_done(&records);
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err take_mark(struct aside_scan *s)
{
	bool is = s->record.kind == RECORD_RELEASED || s->record.kind == RECORD_TAKEN;
	return is ? note_release(s) : OK;
}

enum err aside_marks(struct aside_scan *s, struct journal_pos *control)
{
	s->released_n = 0;
	enum err e = scan_lane(s, 0, JOURNAL_START, take_mark, NULL);
	if (!e)
		e = scan_lane(
		    s, journal_control(s->store->journal), JOURNAL_START, take_mark, NULL);
	*control = s->pos;
	return e;
}

enum err aside_new_marks(struct aside_scan *s, struct journal_pos *control, bool *any)
{
	size_t before = s->released_n;
	enum err e = scan_lane(s, journal_control(s->store->journal), *control, take_mark, NULL);
	*control = s->pos;
	*any = s->released_n > before;
	return e;
}

static enum err take_event(struct aside_scan *s)
{
	if (s->record.kind != RECORD_ASIDE || is_released(s, &s->record.event))
		return OK;
	return s->each(s, &s->record.event);
}

enum err aside_events(struct aside_scan *s, unsigned shard, struct journal_pos *pos)
{
	enum err e = scan_lane(s, shard, *pos, take_event, s->block_done);
	*pos = s->pos;
	return e;
}

void aside_scan_done(struct aside_scan *s)
{
	free(s->released);
	*s = (struct aside_scan){.store = s->store};
}

static enum err release(struct aside_scan *s, struct event *e)
{
	struct releasing *r = s->arg;
	if (e->aside != r->why || (r->pattern.n && !str_eq(r->pattern, e->pattern)))
		return OK;
	e->aside = ASIDE_NOT;
	batch_event(r->batch, e);
	r->events++;
	return OK;
}

/* After each block: a mark goes into the batch with the events of the block, and so into one commit
 * with them. */
static enum err mark(struct aside_scan *s)
{
	struct releasing *r = s->arg;
	if (r->events == r->marked)
		return OK;
	struct record taken = {.kind = RECORD_TAKEN,
	    .event = {.t = r->now, .aside = (uint8_t)r->why, .pattern = r->pattern},
	    .shard = (uint16_t)s->shard,
	    .seq = journal_pos_save(s->pos)};
	batch_record(r->batch, &taken);
	r->marked = r->events;
	return r->batch->count >= FLUSH_RECORDS ? r->flush(r->arg) : OK;
}

enum err quarantine_release(struct store *store, enum aside why, struct str pattern, uint32_t now,
    struct batch *batch, enum err (*flush)(void *), void *arg, uint64_t *events)
{
	struct releasing r = {
	    .why = why, .pattern = pattern, .now = now, .batch = batch, .flush = flush, .arg = arg};
	struct aside_scan s = {.store = store, .each = release, .block_done = mark, .arg = &r};
	struct journal_pos control;
	enum err e = aside_marks(&s, &control);
	for (unsigned i = 0; i < store->shards && !e; i++)
		e = aside_events(&s, i, &(struct journal_pos){0});
	if (!e && batch->count)
		e = flush(arg);
	*events = r.events;
	aside_scan_done(&s);
	return e;
}

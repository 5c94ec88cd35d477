/* Batches: a table of parts by day and shard, in which records are gathered as they will stand in
 * the journal. ingest/batch.h draws it. */
#include "crumb/ingest/batch.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"

#include <stdlib.h>

#define PART_KEEP (2u << 20) /* bytes that a part keeps; what a burst took beyond goes back */

void batch_init(struct batch *b, unsigned shards, void (*done)(struct batch *), void *owner)
{
	*b = (struct batch){.shards = shards, .done = done, .owner = owner};
}

/* Days go, but their parts and buffers stay for the next days. */
void batch_clear(struct batch *b)
{
	for (size_t i = 0; i < b->parts_n; i++) {
		if (b->parts[i].records.cap > PART_KEEP)
			buf_done(&b->parts[i].records);
		buf_clear(&b->parts[i].records);
		b->parts[i].count = b->parts[i].events = 0;
		b->parts[i].day = 0;
	}
	buf_done(&b->none.records);
	b->starved = false;
	b->count = 0;
	b->erased_n = 0;
	b->result = OK;
}

void batch_done(struct batch *b)
{
	for (size_t i = 0; i < b->parts_n; i++)
		buf_done(&b->parts[i].records);
	buf_done(&b->none.records);
	free(b->parts);
	free(b->erased);
	*b = (struct batch){0};
}

/* Looks for the day, or takes the first free row of parts, or makes one. */
struct batch_part *batch_part(struct batch *b, uint16_t day, unsigned shard)
{
	size_t at = 0;
	unsigned lanes = b->shards + 1;
	while (at < b->parts_n && b->parts[at].day && b->parts[at].day != day)
		at += lanes;
	if (at == b->parts_n) {
		if (!array_room_zeroed(b->parts, b->parts_cap, b->parts_n + lanes)) {
			b->starved = true;
			buf_clear(&b->none.records);
			return &b->none;
		}
		b->parts_n += lanes;
	}
	if (!b->parts[at].day)
		for (unsigned s = 0; s < lanes; s++) {
			b->parts[at + s].day = day;
			b->parts[at + s].shard = (uint16_t)s;
		}
	return &b->parts[at + shard];
}

void batch_event(struct batch *b, const struct event *e)
{
	struct batch_part *p = batch_part(b, day_of(e->t), vkey_shard(&e->visitor, b->shards));
	event_encode(e, &p->records);
	p->count++;
	p->events += e->aside == ASIDE_NOT;
	b->count++;
}

void batch_record(struct batch *b, const struct record *r)
{
	unsigned lane = record_row(r->kind)->whose == RECORD_OF_VISITOR
			    ? vkey_shard(&r->event.visitor, b->shards)
			    : b->shards;
	struct batch_part *p = batch_part(b, day_of(r->event.t), lane);
	record_encode(r, &p->records);
	p->count++;
	b->count++;
}

void batch_erase(struct batch *b, const struct vkey *visitor, uint32_t t)
{
	batch_record(
	    b, &(struct record){.kind = RECORD_ERASE, .event = {.visitor = *visitor, .t = t}});
	if (!array_room(b->erased, b->erased_cap, b->erased_n + 1)) {
		b->starved = true;
		return;
	}
	b->erased[b->erased_n++] = *visitor;
}

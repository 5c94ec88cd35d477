/* Pieces of files by their beginning. ingest/applied.h says how a piece is named.
 *
 * The map leads from a beginning to the latest piece with it; from there `next` leads to the
 * others. Several pieces begin alike when a file was imported, has grown, and was imported again.
 */
#include "crumb/ingest/applied.h"

#include "crumb/base/array.h"
#include "crumb/base/map.h"

#include <stdlib.h>

struct piece {
	struct slice_id id;
	uint16_t day;
	uint32_t next; /* number of the next with the same beginning, plus one; 0: none */
};

struct applied {
	struct piece **pieces; /* each stays where it is: the map borrows its beginning */
	size_t n, cap;
	struct map first; /* by beginning: number of the latest piece */
};

static struct str key_of(const uint8_t from[16])
{
	return str_make((const char *)from, 16);
}

/* The piece, if it is known: equal hashes up to the end mean equal bytes. */
static struct piece *find(const struct applied *a, const struct slice_id *id)
{
	uint32_t at;
	if (!map_get(&a->first, key_of(id->from), &at))
		return NULL;
	for (at++; at; at = a->pieces[at - 1]->next)
		if (memcmp(a->pieces[at - 1]->id.to, id->to, sizeof id->to) == 0)
			return a->pieces[at - 1];
	return NULL;
}

void batch_slice(struct batch *b, uint32_t t, const struct slice_id *id)
{
	batch_record(b, &(struct record){.kind = RECORD_SLICE, .event = {.t = t}, .slice = *id});
}

void applied_note(struct applied *a, const struct slice_id *id, uint16_t day)
{
	uint32_t before;
	struct piece *known = find(a, id);
	if (known) {
		known->day = day > known->day ? day : known->day;
		return;
	}
	CHECK(array_room(a->pieces, a->cap, a->n + 1));
	struct piece *p = malloc(sizeof *p);
	CHECK(p);
	bool any = map_get(&a->first, key_of(id->from), &before);
	*p = (struct piece){*id, day, any ? before + 1 : 0};
	if (any)
		map_set(&a->first, key_of(p->id.from), (uint32_t)a->n);
	else
		map_put(&a->first, key_of(p->id.from), (uint32_t)a->n);
	a->pieces[a->n++] = p;
}

static int by_length(const void *x, const void *y)
{
	const struct slice_id *a = x, *b = y;
	return a->bytes < b->bytes ? -1 : a->bytes > b->bytes;
}

unsigned applied_after(const struct applied *a, const uint8_t from[16], uint16_t oldest,
    struct slice_id *out, unsigned cap)
{
	uint32_t at;
	unsigned n = 0;
	if (!map_get(&a->first, key_of(from), &at))
		return 0;
	for (at++; at; at = a->pieces[at - 1]->next) {
		const struct piece *p = a->pieces[at - 1];
		unsigned shortest = 0;
		if (p->day < oldest)
			continue;
		for (unsigned i = 1; i < n; i++)
			if (out[i].bytes < out[shortest].bytes)
				shortest = i;
		if (n < cap)
			out[n++] = p->id;
		else if (p->id.bytes > out[shortest].bytes)
			out[shortest] = p->id;
	}
	if (n)
		qsort(out, n, sizeof *out, by_length);
	return n;
}

bool applied_has(const struct applied *a, const struct slice_id *id, uint16_t oldest)
{
	const struct piece *known = find(a, id);
	return known && known->day >= oldest;
}

/* Notes all pieces of the control lane. A damaged block is passed over: its pieces are imported
 * again. */
static enum err read_all(struct store *s, struct applied *a)
{
	struct journal_reader *r;
	struct buf records = {0};
	struct record *record = calloc(1, sizeof *record);
	struct journal_pos pos;
	uint32_t count;
	uint16_t day;
	CHECK(record);
	enum err e = journal_read(s->journal, journal_control(s->journal), JOURNAL_START, &r);
	if (e) {
		free(record);
		return e;
	}
	while (!e) {
		buf_clear(&records);
		e = journal_next(r, &records, &pos, &count, &day);
		struct mp m = mp_over(e ? STR("") : buf_view(&records));
		while (!e && m.p < m.end && record_decode(&m, record))
			if (record->kind == RECORD_SLICE)
				applied_note(a, &record->slice, day);
		if (e == ERR_CORRUPT)
			e = OK;
	}
	journal_read_end(r);
	buf_done(&records);
	free(record);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err applied_open(struct store *s, struct applied **out)
{
	struct applied *a = calloc(1, sizeof *a);
	CHECK(a);
	enum err e = read_all(s, a);
	if (e)
		applied_close(a);
	else
		*out = a;
	return e;
}

void applied_close(struct applied *a)
{
	if (!a)
		return;
	map_done(&a->first);
	for (size_t i = 0; i < a->n; i++)
		free(a->pieces[i]);
	free(a->pieces);
	free(a);
}

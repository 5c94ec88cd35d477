/* The list of erased visitors, found again: the journal keeps a record of each erasure for as long
 * as its day. */
#include "crumb/model/record.h"
#include "crumb/store/store.h"

#include <stdlib.h>

/* Goes through a shard's journal. A block that cannot be read is passed over: the journal tells of
 * its damage itself. */
static enum err recall_shard(struct store *s, unsigned shard, struct record *r, size_t *found)
{
	struct journal_reader *reader;
	struct buf records = {0};
	struct journal_pos pos;
	uint32_t count;
	uint16_t day;
	enum err e = journal_read(s->journal, shard, JOURNAL_START, &reader);
	if (e)
		return e;
	while (!e) {
		buf_clear(&records);
		e = journal_next(reader, &records, &pos, &count, &day);
		if (e == ERR_CORRUPT) {
			e = OK;
			continue;
		}
		struct mp m = mp_over(buf_view(&records));
		while (!e && m.p < m.end && record_decode(&m, r)) {
			if (r->kind != RECORD_ERASE ||
			    erased_since(s->erased, &r->event.visitor, day_of(r->event.t)))
				continue;
			++*found;
			e = erased_add(s->erased, &r->event.visitor, 1, day_of(r->event.t));
			erased_settle(s->erased, &r->event.visitor, 1, ERASED_DONE);
		}
	}
	journal_read_end(reader);
	buf_done(&records);
	return e == ERR_NOT_FOUND ? OK : e;
}

/* The list is written anew at the end, also where nothing was found: the file may have had entries
 * that could not be read. */
enum err erased_recall(struct store *s, size_t *found)
{
	struct record *r = calloc(1, sizeof *r);
	enum err e = r ? OK : err_set(ERR_NOMEM, "no memory");
	*found = 0;
	for (unsigned i = 0; i < s->shards && !e; i++)
		e = recall_shard(s, i, r, found);
	free(r);
	return e ? e : erased_save(s->erased);
}

/* The table of crossings of one shard: appended by folds, read by streams. Rows and gaps are told
 * in views/changes.h. */
#include "crumb/views/changes.h"

#include "crumb/views/fold.h"
#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"

#include <stdlib.h>

#define ROW_N 22 /* segment u16 │ t u32 │ visitor 16 */

void changes_note(struct crossing_list *l, uint16_t segment, const struct vkey *k)
{
	CHECK(array_room(l->list, l->cap, l->n + 1));
	l->list[l->n++] = (struct crossing){segment, *k};
}

/* Removes the oldest rows, up to `most` of them, while they are older than `before` (seconds). A
 * cursor does not live through a deletion, so each row is looked for anew; it is the first. */
static void forget(struct fold *f, struct db_txn *t, size_t most, uint32_t before)
{
	struct db_cursor c;
	struct str key, value;
	uint8_t copy[8];
	for (bool old = true; old && most-- > 0;) {
		db_walk(t, f->shard.changes, &c);
		old = db_next(&c, &key, &value) && key.n == 8 && value.n == ROW_N &&
		      get_u32((const uint8_t *)value.p + 2) < before;
		if (old)
			memcpy(copy, key.p, 8);
		db_walk_end(&c);
		if (old)
			db_del(t, f->shard.changes, str_make((char *)copy, 8));
	}
}

void changes_write(struct fold *f, struct db_txn *t, struct crossing_list *l)
{
	uint64_t seq = 0;
	uint32_t now = clock_now();
	uint8_t k[8], v[ROW_N];
	shard_meta_u64(&f->shard, t, "changes", &seq);
	for (size_t i = 0; i < l->n; i++) {
		put_u64(k, ++seq);
		put_u16(v, l->list[i].segment);
		put_u32(v + 2, now);
		memcpy(v + 6, l->list[i].visitor.b, 16);
		db_append(t, f->shard.changes, str_make((char *)k, 8), str_make((char *)v, ROW_N));
	}
	shard_meta_put_u64(&f->shard, t, "changes", seq);
	forget(f, t, 2 * l->n + 100, now - f->stream_keep_h * 3600);
	l->last = seq;
	l->n = 0;
}

enum err changes_read(struct fold *f, uint64_t after, uint32_t since, size_t most,
    void (*each)(void *, const struct crossing *), void *arg, uint64_t *last, bool *gap)
{
	struct db_txn t;
	struct db_cursor c;
	struct str key, value;
	uint8_t from[8];
	bool first = true;
	enum err e = db_begin(&f->shard.db, DB_READ, &t);
	if (e)
		return e;
	put_u64(from, after + 1);
	*last = after;
	*gap = false;
	db_walk(&t, f->shard.changes, &c);
	for (bool more = db_seek(&c, str_make((char *)from, 8), &key, &value); more && most > 0;
	     more = db_next(&c, &key, &value)) {
		struct crossing change;
		if (key.n != 8 || value.n != ROW_N)
			continue;
		*last = get_u64((const uint8_t *)key.p);
		*gap |= first && *last != after + 1;
		first = false;
		if (get_u32((const uint8_t *)value.p + 2) < since)
			continue;
		change.segment = get_u16((const uint8_t *)value.p);
		memcpy(change.visitor.b, value.p + 6, 16);
		each(arg, &change);
		most--;
	}
	db_walk_end(&c);
	e = t.err;
	db_abort(&t);
	return e;
}

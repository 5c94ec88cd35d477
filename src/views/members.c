/* Membership of segments in one shard: the changes of a transaction, sorted and written bitmap by
 * bitmap. Keys and values are drawn in views/members.h. */
#include "crumb/views/members.h"

#include "crumb/base/array.h"
#include "crumb/base/code.h"

#include <stdlib.h>

static struct str member_key(uint8_t b[4], uint16_t segment, uint32_t chunk)
{
	put_u16(b, segment);
	put_u16(b + 2, (uint16_t)chunk);
	return str_make((const char *)b, 4);
}

void members_note(struct member_changes *c, uint16_t segment, uint32_t ordinal, enum bitmap_bit bit)
{
	CHECK(array_room(c->list, c->cap, c->n + 1));
	c->list[c->n++] = (struct member_change){segment, (uint8_t)bit, ordinal};
}

/* By segment and ordinal; no two rows are equal. */
static int by_member(const void *a, const void *b)
{
	const struct member_change *x = a, *y = b;
	if (x->segment != y->segment)
		return x->segment < y->segment ? -1 : 1;
	return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

/* A bitmap that does not decode is damage of the environment, which is noted there. */
static void members_fail(struct shard *s, struct db_txn *t, enum err e)
{
	if (e == ERR_CORRUPT)
		db_found_damage(&s->db);
	if (!t->err)
		t->err = e;
}

/* Applies the changes [from, to), all of one segment and chunk. */
static void apply_chunk(struct shard *s, struct db_txn *t, const struct member_change *from,
    const struct member_change *to, struct buf *scratch)
{
	uint8_t k[4];
	struct str key = member_key(k, from->segment, from->ordinal >> 16), stored = STR("");
	struct bitmap *b;
	db_get(t, s->members, key, &stored);
	enum err e = t->err ? t->err : bitmap_read(stored, &b);
	if (e) {
		members_fail(s, t, e);
		return;
	}
	for (const struct member_change *c = from; c < to; c++)
		bitmap_set(b, (uint16_t)c->ordinal, (enum bitmap_bit)c->bit);
	if (bitmap_size(b) == 0) {
		db_del(t, s->members, key);
	} else {
		buf_clear(scratch);
		bitmap_write(b, scratch);
		db_put(t, s->members, key, buf_view(scratch));
	}
	bitmap_free(b);
}

/* Two runs within the sorted list: [i, seg_end) is one segment, [a, z) one chunk of it. */
void members_apply(struct shard *s, struct db_txn *t, struct member_changes *c, uint16_t day)
{
	struct buf scratch = {0};
	if (c->n)
		qsort(c->list, c->n, sizeof *c->list, by_member);
	for (size_t i = 0; i < c->n && !t->err;) {
		size_t seg_end = i;
		struct daily_segment change = {0};
		while (seg_end < c->n && c->list[seg_end].segment == c->list[i].segment) {
			change.entered += c->list[seg_end].bit == BITMAP_IN;
			change.left += c->list[seg_end].bit == BITMAP_OUT;
			seg_end++;
		}
		for (size_t a = i; a < seg_end && !t->err;) {
			size_t z = a;
			while (z < seg_end && c->list[z].ordinal >> 16 == c->list[a].ordinal >> 16)
				z++;
			apply_chunk(s, t, c->list + a, c->list + z, &scratch);
			a = z;
		}
		change.size = members_size(s, t, c->list[i].segment);
		shard_daily_segment(s, t, day, c->list[i].segment, &change);
		i = seg_end;
	}
	c->n = 0;
	buf_done(&scratch);
}

uint64_t members_size(struct shard *s, struct db_txn *t, uint16_t segment)
{
	uint64_t sum = 0;
	uint8_t k[4];
	struct db_cursor c;
	struct str key, value;
	db_walk(t, s->members, &c);
	for (bool more = db_seek(&c, member_key(k, segment, 0), &key, &value);
	     more && key.n == 4 && get_u16((const uint8_t *)key.p) == segment;
	     more = db_next(&c, &key, &value))
		sum += bitmap_stored_size(value);
	db_walk_end(&c);
	return sum;
}

bool members_has(struct shard *s, struct db_txn *t, uint16_t segment, uint32_t ordinal)
{
	uint8_t k[4];
	struct str stored;
	struct bitmap *b;
	if (!db_get(t, s->members, member_key(k, segment, ordinal >> 16), &stored))
		return false;
	enum err e = bitmap_read(stored, &b);
	if (e) {
		members_fail(s, t, e);
		return false;
	}
	bool has = bitmap_has(b, (uint16_t)ordinal);
	bitmap_free(b);
	return has;
}

enum err members_each(
    struct shard *s, struct db_txn *t, uint16_t segment, bool (*each)(void *, uint32_t), void *arg)
{
	uint8_t k[4];
	struct db_cursor c;
	struct str key, value;
	enum err e = OK;
	bool go_on = true;
	uint32_t *list = malloc(BITMAP_MOST * sizeof *list), n;
	if (!list)
		return err_set(ERR_NOMEM, "no memory for this now");
	db_walk(t, s->members, &c);
	for (bool more = db_seek(&c, member_key(k, segment, 0), &key, &value);
	     more && go_on && key.n == 4 && get_u16((const uint8_t *)key.p) == segment;
	     more = db_next(&c, &key, &value)) {
		uint32_t high = (uint32_t)get_u16((const uint8_t *)key.p + 2) << 16;
		if ((e = bitmap_stored_list(value, list, &n))) {
			members_fail(s, t, e);
			break;
		}
		for (uint32_t i = 0; i < n && go_on; i++)
			go_on = each(arg, high | list[i]);
	}
	db_walk_end(&c);
	free(list);
	return e ? e : t->err;
}

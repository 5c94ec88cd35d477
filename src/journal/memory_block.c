/* Blocks in memory: counted, kept in lanes, opened. What memory.c and memory_clean.c lean on. */
#include "memory_kind.h"

#include "crumb/base/array.h"

#include <stdlib.h>

void memory_let_go(struct kept *k)
{
	if (atomic_fetch_sub(&k->refs, 1) == 1)
		free(k);
}

enum memory_fate memory_fate_of(const struct memory *j, enum memory_act act)
{
	return j->of->fate ? j->of->fate(j->of->arg, act) : MEMORY_WORKS;
}

enum err memory_refuses(void)
{
	return err_set(ERR_IO, "journal: the memory refuses");
}

enum err memory_add_block(
    struct lane *l, const struct journal_block *b, struct str bytes, bool torn)
{
	if (!array_room(l->list, l->cap, l->n + 1))
		return err_set(ERR_NOMEM, "no memory");
	struct kept *k = malloc(sizeof *k + bytes.n);
	if (!k)
		return err_set(ERR_NOMEM, "no memory");
	*k = (struct kept){
	    .refs = 1, .day = b->day, .shard = b->shard, .torn = torn, .seq = b->seq, .n = bytes.n};
	memcpy(k->bytes, bytes.p, bytes.n);
	l->list[l->n++] = k;
	return OK;
}

size_t memory_first_behind(const struct lane *l, uint64_t seq)
{
	size_t lo = 0, hi = l->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (l->list[mid]->seq <= seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct str memory_bytes(const struct kept *k)
{
	return str_make((const char *)k->bytes, k->n);
}

enum err memory_open_block(
    struct memory_reader *r, const struct kept *k, struct buf *records, uint32_t *count)
{
	uint8_t place[PLACE_LEN];
	if (r->key_day != k->day) {
		r->key_day = 0;
		if (keys_day(r->keys, k->day, KEYS_DAY_FIND, r->key) != OK)
			return err_set(ERR_CORRUPT, "journal: the key of the day is gone");
		r->key_day = k->day;
	}
	sealed_place(k->shard, k->seq, place);
	return sealed_open(
	    &r->opener, r->key, sealed_bytes(place, PLACE_LEN), memory_bytes(k), records, count);
}

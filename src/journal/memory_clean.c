/* Cleaning of the kind that keeps blocks in memory. A day's blocks are listed, with references;
 * those that have records to drop get a fresh block each; the exchange puts the fresh ones in the
 * place of the old ones, all under one lock, if the day still has as many blocks as were listed.
 * Readers that have references to old blocks go on. */
#include "memory_kind.h"

#include "crumb/base/array.h"
#include "crumb/base/lock.h"

#include <stdlib.h>

struct memory_cleaned {
	uint16_t day;
	struct swapped {
		unsigned lane;
		struct kept *old, *fresh; /* a reference to each; fresh may be NULL */
	} * list;
	size_t n, cap;
	size_t blocks; /* that the day had when it was listed */
};

static void cleaned_free(struct memory_cleaned *c)
{
	for (size_t i = 0; i < c->n; i++) {
		memory_let_go(c->list[i].old);
		if (c->list[i].fresh)
			memory_let_go(c->list[i].fresh);
	}
	free(c->list);
	free(c);
}

/* Lists all blocks of the day, as of now. */
static enum err list_day(struct memory *j, struct memory_cleaned *c)
{
	enum err e = OK;
	pthread_mutex_lock(&j->of->lock);
	for (unsigned i = 0; i < j->base.lanes; i++)
		for (size_t k = 0; k < j->of->lanes[i].n && !e; k++) {
			struct kept *b = j->of->lanes[i].list[k];
			if (b->day != c->day || b->torn)
				continue;
			if (!array_room(c->list, c->cap, c->n + 1)) {
				e = err_set(ERR_NOMEM, "no memory");
				break;
			}
			atomic_fetch_add(&b->refs, 1);
			c->list[c->n++] = (struct swapped){.lane = i, .old = b};
		}
	pthread_mutex_unlock(&j->of->lock);
	c->blocks = c->n;
	return e;
}

struct cleaning {
	struct memory_reader reader; /* only its opener and key */
	struct sealer sealer;
	struct buf records, kept;
	bool (*drop)(void *arg, const struct vkey *visitor);
	void *arg;
};

/* Makes a fresh block without the records to drop, if there are any. A block that does not open
 * stays as it is. */
static enum err clean_block(struct cleaning *c, struct swapped *s, uint64_t *dropped)
{
	struct sifted n;
	uint32_t count;
	struct lane one = {.n = 0};
	buf_clear(&c->records);
	buf_clear(&c->kept);
	enum err e = memory_open_block(&c->reader, s->old, &c->records, &count);
	if (!e)
		e = journal_sift(buf_view(&c->records), c->drop, c->arg, &c->kept, &n);
	if (e == ERR_CORRUPT)
		return OK;
	if (e || n.gone == 0)
		return e;
	struct journal_block b = {
	    s->old->day, s->old->shard, n.left, buf_view(&c->kept), s->old->seq, 0};
	if (!b.records.p)
		b.records = STR("");
	uint8_t place[PLACE_LEN];
	sealed_place(b.shard, b.seq, place);
	if ((e = sealed_make(&c->sealer, &b, c->reader.key, sealed_bytes(place, PLACE_LEN),
		 sealed_rules(memory_bytes(s->old)))) ||
	    (e = memory_add_block(&one, &b, buf_view(&c->sealer.sealed), false)))
		return e;
	s->fresh = one.list[0];
	free(one.list);
	*dropped += n.gone;
	return OK;
}

enum err memory_clean(struct journal *base, uint16_t day, bool (*drop)(void *, const struct vkey *),
    void *arg, const _Atomic bool *stop, struct journal_cleaned **out, uint64_t *dropped)
{
	struct memory *j = (struct memory *)base;
	struct memory_cleaned *done = calloc(1, sizeof *done);
	struct cleaning c = {.drop = drop, .arg = arg, .reader = {.keys = j->keys}};
	*out = NULL;
	*dropped = 0;
	if (!done)
		return err_set(ERR_NOMEM, "no memory");
	done->day = day;
	enum err e = OK;
	if (!opener_init(&c.reader.opener) || !sealer_init(&c.sealer))
		e = err_set(ERR_NOMEM, "no memory");
	if (!e)
		e = list_day(j, done);
	for (size_t i = 0; i < done->n && !e; i++)
		if (atomic_load(stop))
			e = err_set(ERR_BUSY, "stopping");
		else
			e = clean_block(&c, &done->list[i], dropped);
	if (!e && *dropped)
		*out = (struct journal_cleaned *)done;
	else
		cleaned_free(done);
	opener_done(&c.reader.opener);
	sealer_done(&c.sealer);
	buf_done(&c.records);
	buf_done(&c.kept);
	sodium_memzero(c.reader.key, sizeof c.reader.key);
	return e;
}

/* Has the day as many blocks as when it was listed? Blocks only come, but for a day that ends. */
static bool is_same(const struct memory *j, const struct memory_cleaned *c)
{
	CHECK_HELD(&j->of->lock);
	size_t n = 0;
	for (unsigned i = 0; i < j->base.lanes; i++)
		for (size_t k = 0; k < j->of->lanes[i].n; k++)
			n += j->of->lanes[i].list[k]->day == c->day &&
			     !j->of->lanes[i].list[k]->torn;
	return n == c->blocks;
}

enum err memory_swap(struct journal *base, struct journal_cleaned *cleaned)
{
	struct memory *j = (struct memory *)base;
	struct memory_cleaned *c = (struct memory_cleaned *)cleaned;
	enum err e = memory_fate_of(j, MEMORY_SWAP) == MEMORY_WORKS ? OK : memory_refuses();
	pthread_mutex_lock(&j->of->lock);
	if (!e && !is_same(j, c))
		e = err_set(ERR_BUSY, "journal: a day has grown while it was written anew");
	for (size_t i = 0; i < c->n && !e; i++) {
		struct lane *l = &j->of->lanes[c->list[i].lane];
		for (size_t k = memory_first_behind(l, c->list[i].old->seq - 1);
		     c->list[i].fresh && k < l->n; k++) {
			if (l->list[k] != c->list[i].old)
				continue;
			l->list[k] = c->list[i].fresh;
			c->list[i].fresh = NULL;
			memory_let_go(c->list[i].old);
		}
	}
	pthread_mutex_unlock(&j->of->lock);
	cleaned_free(c);
	return e;
}

void memory_discard(struct journal *base, struct journal_cleaned *cleaned)
{
	(void)base;
	cleaned_free((struct memory_cleaned *)cleaned);
}

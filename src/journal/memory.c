/* The kind that keeps blocks in memory: the medium, writing and reading. memory_clean.c has
 * cleaning.
 *
 * A block is written once and then shared: the medium, and each reader that may come to it, hold a
 * reference. Lanes are arrays in order of sequence. While a commit is written its blocks are marked
 * as torn, and nobody is handed those:
 *
 *     commit        add_blocks() seals and adds them, torn; make_whole() makes all of them count
 *     publish       `last` becomes `committed`, for every lane
 *     take_back()   torn blocks go, before anything else is written
 */
#include "memory_kind.h"

#include "crumb/base/lock.h"

#include <stdlib.h>

/* --- the medium */

enum err journal_memory_new(struct journal_memory **out)
{
	struct journal_memory *m = calloc(1, sizeof *m);
	if (!m)
		return err_set(ERR_NOMEM, "no memory");
	pthread_mutex_init(&m->lock, NULL);
	*out = m;
	return OK;
}

void journal_memory_free(struct journal_memory *m)
{
	if (!m)
		return;
	for (unsigned i = 0; i < m->lanes_n; i++) {
		for (size_t k = 0; k < m->lanes[i].n; k++)
			memory_let_go(m->lanes[i].list[k]);
		free(m->lanes[i].list);
	}
	free(m->lanes);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

void journal_memory_fate(
    struct journal_memory *m, enum memory_fate (*fate)(void *, enum memory_act), void *arg)
{
	m->fate = fate;
	m->arg = arg;
}

void journal_memory_sum(struct journal_memory *m, struct journal_memory_sum *out)
{
	pthread_mutex_lock(&m->lock);
	*out = (struct journal_memory_sum){.commits = m->commits};
	for (unsigned i = 0; i < m->lanes_n; i++)
		for (size_t k = 0; k < m->lanes[i].n; k++) {
			const struct kept *b = m->lanes[i].list[k];
			out->torn += b->torn;
			out->blocks += !b->torn;
			out->records +=
			    b->torn ? 0 : sealed_count(str_make((const char *)b->bytes, b->n));
			if (!out->oldest || b->day < out->oldest)
				out->oldest = b->day;
		}
	pthread_mutex_unlock(&m->lock);
}

/* Keeps of each lane the blocks for which `stays` says so; the others go with their last reader. */
static void keep_only(
    struct journal_memory *m, bool (*stays)(const struct kept *k, uint16_t day), uint16_t day)
{
	CHECK_HELD(&m->lock);
	for (unsigned i = 0; i < m->lanes_n; i++) {
		struct lane *l = &m->lanes[i];
		size_t left = 0;
		for (size_t k = 0; k < l->n; k++)
			if (stays(l->list[k], day))
				l->list[left++] = l->list[k];
			else
				memory_let_go(l->list[k]);
		l->n = left;
	}
}

static bool is_whole(const struct kept *k, uint16_t day)
{
	(void)day;
	return !k->torn;
}

static bool is_not_before(const struct kept *k, uint16_t day)
{
	return k->day >= day;
}

/* --- writing */

/* Seals and adds the blocks, torn for now. `torn`: that is all, and it fails. */
static enum err add_blocks(struct memory *j, struct journal_block *blocks, size_t n,
    const uint8_t rules_hash[16], bool torn)
{
	enum err e = OK;
	for (size_t i = 0; i < n && !e; i++) {
		uint8_t key[32], place[PLACE_LEN];
		blocks[i].seq = j->next_seq++;
		sealed_place(blocks[i].shard, blocks[i].seq, place);
		if (!(e = keys_day(j->keys, blocks[i].day, KEYS_DAY_MAKE, key)))
			e = sealed_make(&j->sealer, &blocks[i], key, sealed_bytes(place, PLACE_LEN),
			    rules_hash);
		sodium_memzero(key, sizeof key);
		if (e)
			break;
		pthread_mutex_lock(&j->of->lock);
		e = memory_add_block(
		    &j->of->lanes[blocks[i].shard], &blocks[i], buf_view(&j->sealer.sealed), true);
		pthread_mutex_unlock(&j->of->lock);
	}
	if (e || torn) {
		j->torn = true;
		return e ? e : memory_refuses();
	}
	return OK;
}

/* A commit counts from here on, all of it. Its blocks are the last of their lanes. */
static void make_whole(struct memory *j, const struct journal_block *blocks, size_t n)
{
	pthread_mutex_lock(&j->of->lock);
	for (size_t i = 0; i < n; i++) {
		const struct lane *l = &j->of->lanes[blocks[i].shard];
		for (size_t k = l->n; k > 0 && l->list[k - 1]->torn; k--)
			l->list[k - 1]->torn = false;
		atomic_store(&j->base.committed[blocks[i].shard], blocks[i].seq);
	}
	j->of->commits++;
	pthread_mutex_unlock(&j->of->lock);
}

/* Removes what a commit that failed left, before anything else is written. */
static enum err take_back(struct memory *j)
{
	if (!j->torn)
		return OK;
	if (memory_fate_of(j, MEMORY_UNDO) != MEMORY_WORKS)
		return memory_refuses();
	pthread_mutex_lock(&j->of->lock);
	keep_only(j->of, is_whole, 0);
	pthread_mutex_unlock(&j->of->lock);
	j->torn = false;
	return OK;
}

static enum err memory_commit(
    struct journal *base, struct journal_block *blocks, size_t n, const uint8_t rules_hash[16])
{
	struct memory *j = (struct memory *)base;
	enum err e = take_back(j);
	if (e)
		return e;
	enum memory_fate fate = memory_fate_of(j, MEMORY_COMMIT);
	if (fate == MEMORY_FAILS)
		return memory_refuses();
	bool torn = fate == MEMORY_TORN;
	if (!(e = add_blocks(j, blocks, torn ? (n + 1) / 2 : n, rules_hash, torn)))
		make_whole(j, blocks, n);
	return e;
}

static enum err memory_publish(struct journal *base)
{
	struct memory *j = (struct memory *)base;
	enum err e = take_back(j);
	if (e)
		return e;
	if (memory_fate_of(j, MEMORY_PUBLISH) != MEMORY_WORKS)
		return memory_refuses();
	pthread_mutex_lock(&j->of->lock);
	for (unsigned i = 0; i < base->lanes; i++)
		atomic_store(&base->last[i], atomic_load(&base->committed[i]));
	pthread_mutex_unlock(&j->of->lock);
	return OK;
}

static enum err memory_try(struct journal *base, uint16_t day)
{
	(void)day;
	return memory_fate_of((struct memory *)base, MEMORY_TRY) == MEMORY_WORKS ? OK
										 : memory_refuses();
}

static size_t memory_unpublished(const struct journal *base)
{
	size_t n = ((const struct memory *)base)->torn;
	for (unsigned i = 0; i < base->lanes; i++)
		n += atomic_load(&base->committed[i]) > atomic_load(&base->last[i]);
	return n;
}

static void memory_wipe_log(struct journal *base)
{
	(void)base; /* there is none */
}

static void memory_expire(struct journal *base, uint16_t oldest)
{
	struct memory *j = (struct memory *)base;
	if (memory_fate_of(j, MEMORY_EXPIRE) != MEMORY_WORKS)
		return; /* as when the machine goes down between key and folder: the next opening
			   does it */
	pthread_mutex_lock(&j->of->lock);
	keep_only(j->of, is_not_before, oldest);
	pthread_mutex_unlock(&j->of->lock);
}

static void memory_floor(struct journal *base, unsigned shard, struct journal_pos seen)
{
	struct memory *j = (struct memory *)base;
	(void)shard;
	if (seen.at >= j->next_seq)
		j->next_seq = seen.at + 1;
}

/* --- reading */

static unsigned memory_days(struct journal *base, uint16_t *out, unsigned cap)
{
	struct memory *j = (struct memory *)base;
	uint8_t there[65536 / 8] = {0};
	unsigned n = 0;
	pthread_mutex_lock(&j->of->lock);
	for (unsigned i = 0; i < base->lanes; i++)
		for (size_t k = 0; k < j->of->lanes[i].n; k++) {
			uint16_t day = j->of->lanes[i].list[k]->day;
			if (j->of->lanes[i].list[k]->torn || there[day / 8] >> day % 8 & 1 ||
			    n == cap)
				continue;
			there[day / 8] |= (uint8_t)(1u << day % 8);
			out[n++] = day;
		}
	pthread_mutex_unlock(&j->of->lock);
	return n;
}

static void memory_read_end(struct journal_reader *base)
{
	struct memory_reader *r = (struct memory_reader *)base;
	for (size_t i = 0; i < r->n; i++)
		memory_let_go(r->list[i]);
	free(r->list);
	opener_done(&r->opener);
	sodium_memzero(r->key, sizeof r->key);
	free(r);
}

static enum err memory_read(
    struct journal *base, unsigned shard, struct journal_pos after, struct journal_reader **out)
{
	struct memory *j = (struct memory *)base;
	struct memory_reader *r = calloc(1, sizeof *r);
	if (!r)
		return err_set(ERR_NOMEM, "no memory");
	r->base.of = base;
	r->keys = j->keys;
	enum err e = opener_init(&r->opener) ? OK : err_set(ERR_NOMEM, "no memory");
	pthread_mutex_lock(&j->of->lock);
	const struct lane *l = &j->of->lanes[shard];
	uint64_t last = atomic_load(&base->last[shard]);
	size_t from = memory_first_behind(l, after.at), end = memory_first_behind(l, last);
	if (!e && end > from && !(r->list = malloc((end - from) * sizeof *r->list)))
		e = err_set(ERR_NOMEM, "no memory");
	for (size_t i = from; i < end && !e; i++) {
		if (l->list[i]->torn)
			continue;
		atomic_fetch_add(&l->list[i]->refs, 1);
		r->list[r->n++] = l->list[i];
	}
	pthread_mutex_unlock(&j->of->lock);
	if (e)
		memory_read_end(&r->base);
	else
		*out = &r->base;
	return e;
}

static enum err memory_next(struct journal_reader *base, struct buf *records,
    struct journal_pos *pos, uint32_t *count, uint16_t *day)
{
	struct memory_reader *r = (struct memory_reader *)base;
	if (r->at == r->n)
		return ERR_NOT_FOUND;
	const struct kept *k = r->list[r->at++];
	pos->at = k->seq;
	*day = k->day;
	return memory_open_block(r, k, records, count);
}

static enum err memory_count(
    struct journal *base, unsigned shard, struct journal_pos upto, uint64_t *records)
{
	struct memory *j = (struct memory *)base;
	uint64_t sum = 0;
	pthread_mutex_lock(&j->of->lock);
	const struct lane *l = &j->of->lanes[shard];
	for (size_t i = 0; i < l->n && l->list[i]->seq <= upto.at; i++)
		sum += l->list[i]->torn ? 0 : sealed_count(memory_bytes(l->list[i]));
	pthread_mutex_unlock(&j->of->lock);
	*records = sum;
	return OK;
}

/* There are no pages to look at: every block of every lane is opened. */
static enum err memory_verify(
    struct journal *base, void (*problem)(void *, const char *), void *arg)
{
	enum err e = OK;
	for (unsigned i = 0; i < base->lanes && !e; i++) {
		struct journal_reader *r;
		struct journal_pos pos;
		struct buf records = {0};
		uint32_t count;
		uint16_t day;
		e = memory_read(base, i, JOURNAL_START, &r);
		while (!e) {
			buf_clear(&records);
			if ((e = memory_next(r, &records, &pos, &count, &day)) == ERR_CORRUPT) {
				problem(arg, err_text());
				e = OK;
			}
		}
		if (e == ERR_NOT_FOUND) {
			memory_read_end(r);
			e = OK;
		}
		buf_done(&records);
	}
	return e;
}

/* --- opening */

static void memory_close(struct journal *base)
{
	struct memory *j = (struct memory *)base;
	sealer_done(&j->sealer);
	journal_end(&j->base);
	free(j);
}

static const struct journal_kind memory_kind = {
    .close = memory_close,
    .commit = memory_commit,
    .publish = memory_publish,
    .try = memory_try,
    .unpublished = memory_unpublished,
    .swap = memory_swap,
    .wipe_log = memory_wipe_log,
    .expire = memory_expire,
    .floor = memory_floor,
    .clean = memory_clean,
    .discard = memory_discard,
    .days = memory_days,
    .count = memory_count,
    .verify = memory_verify,
    .read = memory_read,
    .next = memory_next,
    .read_end = memory_read_end,
};

/* The medium gets its lanes from the first journal that is opened over it. */
static enum err give_lanes(struct journal_memory *m, unsigned lanes)
{
	if (m->lanes_n && m->lanes_n != lanes)
		return err_set(
		    ERR_USAGE, "this memory is of a store with %u shards", m->lanes_n - 1);
	if (!m->lanes && !(m->lanes = calloc(lanes, sizeof *m->lanes)))
		return err_set(ERR_NOMEM, "no memory");
	m->lanes_n = lanes;
	return OK;
}

/* Opening: torn blocks go, and days whose keys are gone. All that is left is seen by readers. */
static void begin_anew(struct memory *j)
{
	struct journal_memory *m = j->of;
	pthread_mutex_lock(&m->lock);
	keep_only(m, is_whole, 0);
	keep_only(m, is_not_before, keys_destroyed_before(j->keys));
	for (unsigned i = 0; i < m->lanes_n; i++) {
		uint64_t last = m->lanes[i].n ? m->lanes[i].list[m->lanes[i].n - 1]->seq : 0;
		atomic_store(&j->base.last[i], last);
		atomic_store(&j->base.committed[i], last);
		if (last >= j->next_seq)
			j->next_seq = last + 1;
	}
	pthread_mutex_unlock(&m->lock);
}

enum err memory_open(const struct journal_place *p, struct journal **out)
{
	struct memory *j = calloc(1, sizeof *j);
	if (!j)
		return err_set(ERR_NOMEM, "no memory");
	j->of = p->memory;
	j->keys = p->keys;
	j->next_seq = 1;
	enum err e = journal_begin(&j->base, &memory_kind, p->shards);
	if (!e && !sealer_init(&j->sealer))
		e = err_set(ERR_NOMEM, "no memory");
	if (!e)
		e = give_lanes(j->of, p->shards + 1);
	if (e) {
		memory_close(&j->base);
		return e;
	}
	begin_anew(j);
	*out = &j->base;
	return OK;
}

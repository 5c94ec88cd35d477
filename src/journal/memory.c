/* A block is written once and then shared: the medium, and each reader that may come to it, hold a
 * reference. Lanes are arrays in order of sequence. While a commit is written its blocks are marked
 * as torn, and nobody is handed those. */
#include "crumb/journal/in_memory.h"

#include "crumb/base/array.h"
#include "kind.h"
#include "sealed.h"

#include <pthread.h>
#include <stdlib.h>

struct kept {
	_Atomic unsigned refs;
	uint16_t day, shard;
	bool torn;
	uint64_t seq;
	size_t n;
	uint8_t bytes[];
};

struct lane {
	struct kept **list;
	size_t n, cap;
};

struct journal_memory {
	pthread_mutex_t lock; /* guards lanes, and their number */
	struct lane *lanes;
	unsigned lanes_n;
	uint64_t commits;
	enum memory_fate (*fate)(void *arg, enum memory_act act);
	void *arg;
};

struct memory {
	struct journal base;
	struct journal_memory *of;
	struct keys *keys;
	struct sealer sealer; /* the writer's */
	uint64_t next_seq;    /* the writer's */
	bool torn;	      /* something is to be taken back; the writer's */
};

struct memory_reader {
	struct journal_reader base;
	struct keys *keys;
	struct opener opener;
	struct kept **list; /* references */
	size_t n, at;
	uint16_t key_day; /* 0: none yet */
	uint8_t key[32];
};

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

static void let_go(struct kept *k)
{
	if (atomic_fetch_sub(&k->refs, 1) == 1)
		free(k);
}

void journal_memory_free(struct journal_memory *m)
{
	if (!m)
		return;
	for (unsigned i = 0; i < m->lanes_n; i++) {
		for (size_t k = 0; k < m->lanes[i].n; k++)
			let_go(m->lanes[i].list[k]);
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

static enum memory_fate fate_of(const struct memory *j, enum memory_act act)
{
	return j->of->fate ? j->of->fate(j->of->arg, act) : MEMORY_WORKS;
}

static enum err failed(void)
{
	return err_set(ERR_IO, "journal: the memory refuses");
}

/* Keeps of each lane what `stays`; the others go with their last reader. The lock is held. */
static void keep_only(
    struct journal_memory *m, bool (*stays)(const struct kept *k, uint16_t day), uint16_t day)
{
	for (unsigned i = 0; i < m->lanes_n; i++) {
		struct lane *l = &m->lanes[i];
		size_t left = 0;
		for (size_t k = 0; k < l->n; k++)
			if (stays(l->list[k], day))
				l->list[left++] = l->list[k];
			else
				let_go(l->list[k]);
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

static enum err add_block(
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

static enum err add_blocks(struct memory *j, struct journal_block *blocks, size_t n,
    const uint8_t rules_hash[16], bool torn)
{
	enum err e = OK;
	for (size_t i = 0; i < n && !e; i++) {
		uint8_t key[32];
		blocks[i].seq = j->next_seq++;
		if (!(e = keys_day(j->keys, blocks[i].day, KEYS_DAY_MAKE, key)))
			e = sealed_make(&j->sealer, &blocks[i], key, rules_hash);
		sodium_memzero(key, sizeof key);
		if (e)
			break;
		pthread_mutex_lock(&j->of->lock);
		e = add_block(
		    &j->of->lanes[blocks[i].shard], &blocks[i], buf_view(&j->sealer.sealed), true);
		pthread_mutex_unlock(&j->of->lock);
	}
	if (e || torn) {
		j->torn = true;
		return e ? e : failed();
	}
	return OK;
}

/* A commit counts from here on, all of it. Its blocks are the last ones of their lanes. */
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

/* Before anything else is written. */
static enum err take_back(struct memory *j)
{
	if (!j->torn)
		return OK;
	if (fate_of(j, MEMORY_UNDO) != MEMORY_WORKS)
		return failed();
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
	enum memory_fate fate = fate_of(j, MEMORY_COMMIT);
	if (fate == MEMORY_FAILS)
		return failed();
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
	if (fate_of(j, MEMORY_PUBLISH) != MEMORY_WORKS)
		return failed();
	pthread_mutex_lock(&j->of->lock);
	for (unsigned i = 0; i < base->lanes; i++)
		atomic_store(&base->last[i], atomic_load(&base->committed[i]));
	pthread_mutex_unlock(&j->of->lock);
	return OK;
}

static enum err memory_try(struct journal *base, uint16_t day)
{
	(void)day;
	return fate_of((struct memory *)base, MEMORY_TRY) == MEMORY_WORKS ? OK : failed();
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
	if (fate_of(j, MEMORY_EXPIRE) != MEMORY_WORKS)
		return; /* as when the machine goes down between key and folder: the next opening
			   removes them */
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

/* The first block of a lane behind a sequence. */
static size_t first_behind(const struct lane *l, uint64_t seq)
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

static void memory_read_end(struct journal_reader *base)
{
	struct memory_reader *r = (struct memory_reader *)base;
	for (size_t i = 0; i < r->n; i++)
		let_go(r->list[i]);
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
	size_t from = first_behind(l, after.at), end = first_behind(l, last);
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

static struct str bytes_of(const struct kept *k)
{
	return str_make((const char *)k->bytes, k->n);
}

static enum err open_block(
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
	return sealed_open(&r->opener, r->key, place, bytes_of(k), records, count);
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
	return open_block(r, k, records, count);
}

static enum err memory_count(
    struct journal *base, unsigned shard, struct journal_pos upto, uint64_t *records)
{
	struct memory *j = (struct memory *)base;
	uint64_t sum = 0;
	pthread_mutex_lock(&j->of->lock);
	const struct lane *l = &j->of->lanes[shard];
	for (size_t i = 0; i < l->n && l->list[i]->seq <= upto.at; i++)
		sum += l->list[i]->torn ? 0 : sealed_count(bytes_of(l->list[i]));
	pthread_mutex_unlock(&j->of->lock);
	*records = sum;
	return OK;
}

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

/* --- cleaning */

struct memory_cleaned {
	uint16_t day;
	struct swapped {
		unsigned lane;
		struct kept *old, *fresh; /* of the first a reference */
	} * list;
	size_t n, cap;
	size_t blocks; /* that the day had */
};

static void cleaned_free(struct memory_cleaned *c)
{
	for (size_t i = 0; i < c->n; i++) {
		let_go(c->list[i].old);
		if (c->list[i].fresh)
			let_go(c->list[i].fresh);
	}
	free(c->list);
	free(c);
}

/* All blocks of the day, as of now. */
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

static enum err clean_block(struct cleaning *c, struct swapped *s, uint64_t *dropped)
{
	struct sifted n;
	uint32_t count;
	struct lane one = {.n = 0};
	buf_clear(&c->records);
	buf_clear(&c->kept);
	enum err e = open_block(&c->reader, s->old, &c->records, &count);
	if (!e)
		e = journal_sift(buf_view(&c->records), c->drop, c->arg, &c->kept, &n);
	if (e == ERR_CORRUPT)
		return OK; /* stays as it is */
	if (e || n.gone == 0)
		return e;
	struct journal_block b = {
	    s->old->day, s->old->shard, n.left, buf_view(&c->kept), s->old->seq, 0};
	if (!b.records.p)
		b.records = STR("");
	if ((e = sealed_make(&c->sealer, &b, c->reader.key, sealed_rules(bytes_of(s->old)))) ||
	    (e = add_block(&one, &b, buf_view(&c->sealer.sealed), false)))
		return e;
	s->fresh = one.list[0];
	free(one.list);
	*dropped += n.gone;
	return OK;
}

static enum err memory_clean(struct journal *base, uint16_t day,
    bool (*drop)(void *, const struct vkey *), void *arg, const _Atomic bool *stop,
    struct journal_cleaned **out, uint64_t *dropped)
{
	struct memory *j = (struct memory *)base;
	struct memory_cleaned *done = calloc(1, sizeof *done);
	struct cleaning c = {.drop = drop, .arg = arg, .reader = {.keys = j->keys}};
	*out = NULL;
	*dropped = 0;
	if (!done)
		return err_set(ERR_NOMEM, "no memory");
	done->day = day;
	enum err e = opener_init(&c.reader.opener) && sealer_init(&c.sealer)
			 ? list_day(j, done)
			 : err_set(ERR_NOMEM, "no memory");
	for (size_t i = 0; i < done->n && !e; i++)
		e = atomic_load(stop) ? err_set(ERR_BUSY, "stopping")
				      : clean_block(&c, &done->list[i], dropped);
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

/* Is the day what it was when it was listed? The lock is held. */
static bool is_same(const struct memory *j, const struct memory_cleaned *c)
{
	size_t n = 0;
	for (unsigned i = 0; i < j->base.lanes; i++)
		for (size_t k = 0; k < j->of->lanes[i].n; k++)
			n += j->of->lanes[i].list[k]->day == c->day &&
			     !j->of->lanes[i].list[k]->torn;
	return n == c->blocks;
}

static enum err memory_swap(struct journal *base, struct journal_cleaned *cleaned)
{
	struct memory *j = (struct memory *)base;
	struct memory_cleaned *c = (struct memory_cleaned *)cleaned;
	enum err e = fate_of(j, MEMORY_SWAP) == MEMORY_WORKS ? OK : failed();
	pthread_mutex_lock(&j->of->lock);
	if (!e && !is_same(j, c))
		e = err_set(ERR_BUSY, "journal: a day has grown while it was written anew");
	for (size_t i = 0; i < c->n && !e; i++) {
		struct lane *l = &j->of->lanes[c->list[i].lane];
		for (size_t k = first_behind(l, c->list[i].old->seq - 1);
		     c->list[i].fresh && k < l->n; k++) {
			if (l->list[k] != c->list[i].old)
				continue;
			l->list[k] = c->list[i].fresh;
			c->list[i].fresh = NULL;
			let_go(c->list[i].old);
		}
	}
	pthread_mutex_unlock(&j->of->lock);
	cleaned_free(c);
	return e;
}

static void memory_discard(struct journal *base, struct journal_cleaned *cleaned)
{
	(void)base;
	cleaned_free((struct memory_cleaned *)cleaned);
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

/* The medium gets its lanes with the first journal. */
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

/* What was torn goes, and days whose keys are gone; all that counts is there for readers. */
static void recover(struct memory *j)
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
	recover(j);
	*out = &j->base;
	return OK;
}

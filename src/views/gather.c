/* From the journal to entries: reads blocks once, keeps of each record what its visitor needs, and
 * sorts by visitor. What entries, rests and lists are is drawn in folding.h.
 *
 * Records are decoded in the order of the journal, so the file is read ahead by the system, and
 * each profile is loaded and saved once in a pass, however many records the visitor has in it. */
#include "crumb/base/array.h"
#include "crumb/base/code.h"
#include "crumb/base/log.h"
#include "crumb/core/metric.h"
#include "folding.h"

#include <stdlib.h>

/* By visitor key, then by place in the journal: no two are equal, so any sort gives one order. */
static int by_visitor(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->hi != y->hi)
		return x->hi < y->hi ? -1 : 1;
	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return x->n < y->n ? -1 : x->n > y->n;
}

#define BUCKETS 65536	 /* by the first 16 bits of a key */
#define FEW_ENTRIES 1000 /* for which buckets do not pay */

/* Sorts by visitor, in place: American flag sort (McIlroy, Bostic, McIlroy: Engineering Radix Sort,
 * 1993) by the first 16 bits, then qsort() within each bucket. Keys are hashes, so 1,000,000
 * entries make buckets of about 15.
 *
 *     count     end[b] = entries of bucket b; then next[b] and end[b] are where b begins and ends
 *     permute   the entry at next[b] goes to the next free place of its own bucket, and the entry
 *               that was there comes here, until the entry that belongs here has come
 *
 * Each swap brings one entry home, so there are at most as many swaps as entries. */
static void sort_entries(struct fold_scratch *x)
{
	struct entry *list = x->entries;
	if (x->entries_n < FEW_ENTRIES) {
		if (x->entries_n)
			qsort(list, x->entries_n, sizeof *list, by_visitor);
		return;
	}
	uint32_t *next = calloc(2 * BUCKETS + 2, sizeof *next), *end = next + BUCKETS + 1;
	CHECK(next);
	for (size_t i = 0; i < x->entries_n; i++)
		end[list[i].hi >> 48]++;
	for (size_t i = 0, sum = 0; i < BUCKETS; i++) {
		next[i] = (uint32_t)sum;
		sum += end[i];
		end[i] = (uint32_t)sum;
	}
	for (size_t b = 0; b < BUCKETS; b++) {
		while (next[b] < end[b]) {
			struct entry e = list[next[b]];
			size_t home = e.hi >> 48;
			if (home == b) {
				next[b]++;
				continue;
			}
			list[next[b]] = list[next[home]];
			list[next[home]++] = e;
		}
	}
	for (size_t b = 0, from = 0; b < BUCKETS; from = end[b++])
		if (end[b] - from > 1)
			qsort(list + from, end[b] - from, sizeof *list, by_visitor);
	free(next);
}

static bool wanted(const struct fold_want *w, const struct vkey *k)
{
	uint64_t hi = get_u64(k->b);
	return hi >= w->lo && hi <= w->hi;
}

/* The number of an equal rest that was met lately, or of a new one. Rests with a value, bytes,
 * attributes or a first hit are hardly ever equal, so they are not looked for (`alone`). The memo
 * has one place a hash: a rest that lost its place is stored twice, which costs only memory. */
static uint32_t keep_rest(struct fold_scratch *x, const struct entry_rest *rest)
{
	bool alone = rest->has_v || rest->at || rest->attrs_n || (rest->flags & EVENT_NEW);
	uint32_t *memo = &x->rest_memo[hash_keyed64(&x->memo_key, rest, sizeof *rest) %
				       (sizeof x->rest_memo / sizeof *x->rest_memo)];
	if (!alone && *memo && memcmp(&x->rests[*memo - 1], rest, sizeof *rest) == 0)
		return *memo - 1;
	CHECK(array_room(x->rests, x->rests_cap, x->rests_n + 1));
	memcpy(&x->rests[x->rests_n], rest, sizeof *rest);
	if (!alone)
		*memo = (uint32_t)x->rests_n + 1;
	return (uint32_t)x->rests_n++;
}

/* Adds an entry for `x->record`, and keeps its bytes where its visitor will need them again. */
static void add_entry(struct fold *f, struct str bytes)
{
	struct fold_scratch *x = f->scratch;
	struct entry_rest rest;
	CHECK(array_room(x->entries, x->entries_cap, x->entries_n + 1));
	struct entry *e = &x->entries[x->entries_n];
	*e = fold_entry(f, &x->record, x->entries_n, &rest);
	if (rest.kind == RECORD_EVENT ? rest.attrs_n || (rest.flags & EVENT_NEW)
				      : fold_rows[rest.kind]->again) {
		rest.at = (uint32_t)x->raw.n;
		buf_str(&x->raw, bytes);
		CHECK(!x->raw.failed);
	}
	e->rest = keep_rest(x, &rest);
	x->entries_n++;
}

/* Takes the records of a block whose visitors are wanted. Others are skipped without decoding all
 * of them. A record that cannot be decoded is counted and ends the block, for nobody knows where
 * the next one begins. */
static void index_block(struct fold *f, const struct fold_want *w)
{
	struct fold_scratch *x = f->scratch;
	bool all = w->lo == 0 && w->hi == UINT64_MAX;
	struct mp m = mp_over(buf_view(&x->block));
	while (m.p < m.end) {
		const uint8_t *from = m.p;
		struct vkey k;
		if (!all && record_skip(&m, &k) && !wanted(w, &k))
			continue;
		m = mp_over(str_make((const char *)from, (size_t)(m.end - from)));
		if (!record_decode(&m, &x->record)) {
			metric_inc(M_FOLD_CORRUPT);
			return;
		}
		const struct fold_row *row =
		    x->record.kind == RECORD_EVENT ? NULL : fold_rows[x->record.kind];
		if (!row || row->visit)
			add_entry(f, str_make((const char *)from, (size_t)(m.p - from)));
		else if (row->note)
			row->note(f, &x->record);
	}
}

enum err fold_gather(struct fold *f, struct journal *j, const struct fold_want *w,
    struct journal_pos *last, bool *more)
{
	struct fold_scratch *x = f->scratch;
	struct journal_reader *r;
	buf_clear(&x->raw);
	if (x->lists.n > LISTS_MAX) {
		buf_clear(&x->lists);
		memset(x->memo, 0, sizeof x->memo);
	}
	x->entries_n = x->rests_n = 0;
	memset(x->rest_memo, 0, sizeof x->rest_memo);
	CHECK(array_room(x->entries, x->entries_cap, w->expect ? w->expect : 4096));
	*last = w->after;
	*more = false;
	if (!journal_pos_before(w->after, w->upto))
		return OK;
	enum err e = journal_read(j, f->shard.number, w->after, &r);
	if (e)
		return e;
	for (;;) {
		struct journal_pos pos;
		uint32_t count;
		uint16_t day;
		if (x->entries_n >= w->most || x->raw.n >= w->raw_most) {
			*more = true;
			break;
		}
		buf_clear(&x->block);
		e = journal_next(r, &x->block, &pos, &count, &day);
		if (e && e != ERR_CORRUPT && e != ERR_NOT_FOUND)
			goto out;
		if (e == ERR_NOT_FOUND || journal_pos_before(w->upto, pos)) {
			*last = w->upto; /* blocks up to there that are missing have expired */
			break;
		}
		*last = pos;
		if (e) {
			metric_inc(M_FOLD_CORRUPT);
			log_error("fold", "a block is skipped shard=%u position=%llu why=\"%s\"",
			    f->shard.number, (unsigned long long)journal_pos_save(pos), err_text());
			continue;
		}
		index_block(f, w);
	}
	e = OK;
	sort_entries(x);
out:
	journal_read_end(r);
	return e;
}

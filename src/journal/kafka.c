/* Commits to the log and what comes back of it, on the writer's thread (kafka.h draws both).
 *
 * Positions. A block has no position before it came back and was stored. Until then
 * journal_committed() tells a token: the top bit, and the offset behind the record. It is behind
 * every position, so that whoever waits for it waits; kafka_resolve() exchanges it for the position
 * once the record is stored.
 *
 *     token     1 │ offset + 1, 63 bits          stored up to there?  ─► journal_last() of the lane
 *
 * Once only. An id is a life and a counter. This node takes another life whenever a send has
 * failed: what that send may have left is told from what is sent next. Whatever comes twice, from
 * any node, is dropped by its id (window.h).
 *
 * A run is the longest beginning of the queue of one day and one rule set. It is stored in one
 * transaction, with the mark of just these records; when that fails the queue is as it was. */
#include "kafka.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/base/mp.h"
#include "crumb/core/metric.h"
#include "local.h"
#include "logged.h"

#include <stdlib.h>

#define TOKEN ((uint64_t)1 << 63)

struct kafka {
	struct journal base; /* `last` is the inner journal's */
	struct journal *inner;
	struct broker *broker;
	struct keys *keys;
	unsigned partitions;
	struct arrivals arrivals;
	bool listening;
	/* the writer's: of commits */
	uint64_t life, *counters; /* per partition */
	struct sealer sealer;
	struct buf values, keys_made; /* of the records of a commit, one behind the other */
	struct {
		size_t value, key; /* where they begin */
	} * at;
	struct broker_record *records;
	size_t n, cap, at_cap;
	/* the writer's: of what came back */
	struct log_mark mark;	   /* of all that is stored */
	_Atomic uint64_t *stored;  /* shared; per partition: the offset that comes next */
	struct buf *merged;	   /* per lane: records of a run */
	struct journal_block *run; /* per lane */
};

static unsigned partition_of(const struct kafka *j, unsigned lane)
{
	return lane < j->partitions ? lane : 0; /* the control lane */
}

/* --- commits */

static void begin_life(struct kafka *j)
{
	randombytes_buf(&j->life, sizeof j->life);
	memset(j->counters, 0, j->partitions * sizeof *j->counters);
}

static enum err add_record(
    struct kafka *j, const struct journal_block *b, const uint8_t key[32], const uint8_t rules[16])
{
	uint8_t id[LOGGED_KEY_LEN];
	unsigned p = partition_of(j, b->shard);
	if (!array_room(j->records, j->cap, j->n + 1) || !array_room(j->at, j->at_cap, j->n + 1))
		return err_set(ERR_NOMEM, "no memory");
	const struct logged_id next = {j->life, j->counters[p]};
	j->at[j->n].value = j->values.n;
	j->at[j->n].key = j->keys_made.n;
	enum err e = logged_make(&j->sealer, b, next, key, rules, &j->values);
	if (e)
		return e;
	logged_id_save(next, id);
	buf_add(&j->keys_made, id, sizeof id);
	if (j->keys_made.failed)
		return err_set(ERR_NOMEM, "no memory");
	j->counters[p]++;
	j->records[j->n++] = (struct broker_record){.partition = p};
	return OK;
}

/* Of a block that is too large for a record: pieces, at the borders of records. Sealed bytes are
 * hardly larger than what they are of. */
static enum err add_pieces(
    struct kafka *j, const struct journal_block *b, const uint8_t key[32], const uint8_t rules[16])
{
	struct mp m = mp_over(b->records);
	const char *from = b->records.p;
	uint32_t count = 0;
	enum err e = OK;
	while (!e && m.p < m.end) {
		const char *before = (const char *)m.p;
		mp_skip(&m);
		if (m.bad)
			return err_set(ERR_USAGE, "journal: a block of no records");
		bool full = count && (size_t)((const char *)m.p - from) > BROKER_RECORD_MOST;
		if (full) {
			struct journal_block piece = *b;
			piece.records = str_make(from, (size_t)(before - from));
			piece.count = count;
			e = add_record(j, &piece, key, rules);
			from = before;
			count = 0;
		}
		count++;
	}
	struct journal_block last = *b;
	last.records = str_make(from, (size_t)((const char *)m.end - from));
	last.count = count;
	return e ? e : add_record(j, &last, key, rules);
}

static enum err add_block(
    struct kafka *j, const struct journal_block *b, const uint8_t rules_hash[16])
{
	uint8_t day_key[32], key[32];
	enum err e = keys_day(j->keys, b->day, KEYS_DAY_MAKE, day_key);
	if (e)
		return e;
	logged_key(day_key, key);
	e = b->records.n > BROKER_RECORD_MOST ? add_pieces(j, b, key, rules_hash)
					      : add_record(j, b, key, rules_hash);
	sodium_memzero(day_key, sizeof day_key);
	sodium_memzero(key, sizeof key);
	return e;
}

static enum err send_records(struct kafka *j)
{
	uint64_t from = clock_mono_us();
	for (size_t i = 0; i < j->n; i++) {
		size_t end = i + 1 < j->n ? j->at[i + 1].value : j->values.n;
		j->records[i].value = str_make(j->values.p + j->at[i].value, end - j->at[i].value);
		j->records[i].key = str_make(j->keys_made.p + j->at[i].key, LOGGED_KEY_LEN);
	}
	enum err e = broker_send(j->broker, j->records, j->n);
	metric_took(H_LOG_SEND, clock_mono_us() - from, 1);
	return e;
}

/* A record that was not sent leaves a counter out, which does no harm. */
static enum err kafka_commit(
    struct journal *base, struct journal_block *blocks, size_t n, const uint8_t rules_hash[16])
{
	struct kafka *j = (struct kafka *)base;
	enum err e = arrivals_trouble(&j->arrivals);
	j->n = 0;
	buf_clear(&j->values);
	buf_clear(&j->keys_made);
	for (size_t i = 0; i < n && !e; i++)
		e = add_block(j, &blocks[i], rules_hash);
	if (!e && (e = send_records(j)))
		begin_life(j);
	for (size_t i = 0; i < n && !e; i++) {
		unsigned p = partition_of(j, blocks[i].shard);
		uint64_t behind = 0;
		for (size_t r = 0; r < j->n; r++)
			if (j->records[r].partition == p &&
			    (uint64_t)j->records[r].offset + 1 > behind)
				behind = (uint64_t)j->records[r].offset + 1;
		atomic_store(&j->base.committed[blocks[i].shard], TOKEN | behind);
	}
	return e;
}

/* A block without records: as far as a hit would go. */
static enum err kafka_try(struct journal *base, uint16_t day)
{
	static const uint8_t no_rules[16];
	struct journal_block b = {.day = day, .records = STR("")};
	return kafka_commit(base, &b, 1, no_rules);
}

static struct journal_pos kafka_resolve(
    const struct journal *base, unsigned lane, struct journal_pos at)
{
	const struct kafka *j = (const struct kafka *)base;
	if (!(at.at & TOKEN) || atomic_load(&j->stored[partition_of(j, lane)]) < (at.at & ~TOKEN))
		return at;
	return (struct journal_pos){atomic_load(&j->inner->last[lane])};
}

/* --- what comes back */

/* Notes that the record came. *is: had it come before? */
static enum err note_id(
    struct kafka *j, struct log_mark *run, const struct arrival *x, enum window_is *is)
{
	struct log_life *l = log_mark_find(run, x->partition, x->life);
	if (!l) {
		const struct log_life *known = log_mark_find(&j->mark, x->partition, x->life);
		const struct log_life fresh = {.partition = x->partition, .life = x->life};
		enum err e = log_mark_life(run, known ? known : &fresh);
		if (e)
			return e;
		l = log_mark_find(run, x->partition, x->life);
	}
	*is = window_take(&l->w, x->counter);
	return OK;
}

/* A block that is stored. It was opened before its day's key went, or its day is none. */
static bool has_block(const struct kafka *j, const struct arrival *x)
{
	return x->day >= keys_destroyed_before(j->keys) && x->day;
}

static bool goes_with(const struct kafka *j, const struct arrival *first, const struct arrival *x)
{
	return !first || !has_block(j, x) ||
	       (x->day == first->day && memcmp(x->rules, first->rules, sizeof x->rules) == 0);
}

static void begin_run(struct kafka *j)
{
	for (unsigned i = 0; i < j->base.lanes; i++) {
		buf_clear(&j->merged[i]);
		j->run[i] = (struct journal_block){.shard = (uint16_t)i};
	}
}

/* Adds an arrival to the run; its mark, and its records if they are new. */
static enum err add_arrival(struct kafka *j, struct log_mark *mark, const struct arrival *x)
{
	enum window_is is = COUNTER_AGAIN;
	struct journal_block *b = &j->run[x->shard];
	enum err e = log_mark_at(mark, x->partition, x->offset);
	if (e || !has_block(j, x))
		return e;
	e = note_id(j, mark, x, &is);
	if (e)
		return e;
	if (is != COUNTER_NEW) {
		metric_inc(M_LOG_AGAIN);
		return OK;
	}
	buf_str(&j->merged[x->shard], buf_view(&x->records));
	if (j->merged[x->shard].failed)
		return err_set(ERR_NOMEM, "no memory");
	b->day = x->day;
	b->count += x->count;
	b->events += x->events;
	return OK;
}

/* The lanes that got something, in the front of j->run. */
static size_t blocks_of_run(struct kafka *j)
{
	size_t n = 0;
	for (unsigned i = 0; i < j->base.lanes; i++) {
		if (!j->run[i].count)
			continue;
		j->run[i].records = buf_view(&j->merged[i]);
		j->run[n++] = j->run[i];
	}
	return n;
}

/* The mark of the run is stored: it is ours now. Room was made before. */
static void stored(struct kafka *j, const struct log_mark *run, uint16_t day)
{
	log_mark_join(&j->mark, run, day);
	for (size_t i = 0; i < run->at_n; i++)
		atomic_store(&j->stored[run->at[i].partition], run->at[i].next);
}

/* Stores the first run of `n` arrivals; *took says how many these were. */
static enum err take_run(struct kafka *j, const struct arrival *x, size_t n, size_t *took)
{
	static const uint8_t no_rules[16];
	struct log_mark mark = {.at_n = 0};
	const struct arrival *first = NULL;
	enum err e = OK;
	size_t i = 0;
	begin_run(j);
	for (; i < n && !e && goes_with(j, first, x); i++) {
		e = add_arrival(j, &mark, x);
		if (!first && has_block(j, x))
			first = x;
		if (i + 1 < n)
			x = x->next;
	}
	size_t blocks = e ? 0 : blocks_of_run(j);
	if (!e)
		e = log_mark_room(&j->mark, &mark);
	if (!e)
		e = local_take(j->inner, j->run, blocks, first ? first->rules : no_rules, &mark);
	if (!e) {
		stored(j, &mark, first ? first->day : 0);
		metric_add(M_LOG_TAKEN, i);
		*took = i;
	}
	log_mark_done(&mark);
	return e;
}

/* Only what is there now: more comes while this goes on. That nothing more is heard is told when
 * there is nothing to store, so that readers hear of what was stored before. */
static enum err kafka_publish(struct journal *base)
{
	struct kafka *j = (struct kafka *)base;
	size_t n, took = 0;
	const struct arrival *x = arrivals_peek(&j->arrivals, &n);
	enum err e = n ? OK : arrivals_trouble(&j->arrivals);
	if (j->inner->kind->unpublished(j->inner)) {
		enum err inner = j->inner->kind->publish(j->inner);
		if (inner)
			return inner;
	}
	while (n) {
		enum err run = take_run(j, x, n, &took);
		if (run)
			return run;
		n -= took;
		for (size_t i = 0; i < took && n; i++)
			x = x->next;
		arrivals_took(&j->arrivals, took);
	}
	return e;
}

/* --- what the inner journal does */

static struct journal *inner_of(const struct journal *base)
{
	return ((const struct kafka *)base)->inner;
}

static size_t kafka_unpublished(const struct journal *base)
{
	const struct kafka *j = (const struct kafka *)base;
	return j->inner->kind->unpublished(j->inner); /* what is queued the log still has */
}

static enum err kafka_swap(struct journal *base, struct journal_cleaned *c)
{
	return inner_of(base)->kind->swap(inner_of(base), c);
}

static void kafka_discard(struct journal *base, struct journal_cleaned *c)
{
	inner_of(base)->kind->discard(inner_of(base), c);
}

static void kafka_wipe_log(struct journal *base)
{
	inner_of(base)->kind->wipe_log(inner_of(base));
}

static void kafka_expire(struct journal *base, uint16_t oldest)
{
	struct kafka *j = (struct kafka *)base;
	j->inner->kind->expire(j->inner, oldest);
	log_mark_expire(&j->mark, oldest);
}

static void kafka_floor(struct journal *base, unsigned shard, struct journal_pos seen)
{
	inner_of(base)->kind->floor(inner_of(base), shard, seen);
}

static enum err kafka_clean(struct journal *base, uint16_t day,
    bool (*drop)(void *, const struct vkey *), void *arg, const _Atomic bool *stop,
    struct journal_cleaned **out, uint64_t *dropped)
{
	return inner_of(base)->kind->clean(inner_of(base), day, drop, arg, stop, out, dropped);
}

static unsigned kafka_days(struct journal *base, uint16_t *out, unsigned cap)
{
	return inner_of(base)->kind->days(inner_of(base), out, cap);
}

static enum err kafka_count(
    struct journal *base, unsigned shard, struct journal_pos upto, uint64_t *records)
{
	return inner_of(base)->kind->count(inner_of(base), shard, upto, records);
}

static enum err kafka_verify(struct journal *base, void (*problem)(void *, const char *), void *arg)
{
	return inner_of(base)->kind->verify(inner_of(base), problem, arg);
}

/* The reader is the inner journal's, and so are its other calls (journal_reader.of). */
static enum err kafka_read(
    struct journal *base, unsigned shard, struct journal_pos after, struct journal_reader **out)
{
	return inner_of(base)->kind->read(inner_of(base), shard, after, out);
}

static enum err kafka_copy(struct journal *base, uint16_t day, uint64_t moment, const char *folder)
{
	return inner_of(base)->kind->copy(inner_of(base), day, moment, folder);
}

static uint64_t kafka_moment(struct journal *base)
{
	return inner_of(base)->kind->moment(inner_of(base));
}

static enum err kafka_cut(const struct journal *base, const char *folder, uint64_t moment)
{
	return inner_of(base)->kind->cut(inner_of(base), folder, moment);
}

static void kafka_expect(struct journal *base, const uint16_t *days, unsigned n)
{
	inner_of(base)->kind->expect(inner_of(base), days, n);
}

/* --- opening */

static enum err kafka_follow(struct journal *base, void (*arrived)(void *), void *arg)
{
	struct kafka *j = (struct kafka *)base;
	struct broker_ears ears = arrivals_ears;
	uint64_t *next = calloc(j->partitions, sizeof *next);
	if (!next)
		return err_set(ERR_NOMEM, "no memory");
	ears.arg = &j->arrivals;
	arrivals_begin(&j->arrivals);
	j->arrivals.arrived = arrived;
	j->arrivals.arg = arg;
	for (unsigned i = 0; i < j->partitions; i++)
		next[i] = j->arrivals.heard[i] = atomic_load(&j->stored[i]);
	enum err e = broker_listen(j->broker, next, &ears);
	j->listening = !e;
	free(next);
	return e;
}

static void kafka_unfollow(struct journal *base)
{
	struct kafka *j = (struct kafka *)base;
	if (!j->listening)
		return;
	arrivals_stop(&j->arrivals);
	broker_listen_end(j->broker);
	j->listening = false;
}

static size_t kafka_arrived(struct journal *base)
{
	return arrivals_bytes(&((struct kafka *)base)->arrivals);
}

/* Where the log begins and ends decides whether this store can follow it. What it has not yet is
 * waited for like a commit of our own. */
static enum err look_at_log(struct kafka *j)
{
	enum err e = broker_ask(j->broker);
	uint64_t *first = calloc(2 * (size_t)j->partitions, sizeof *first),
		 *next = first ? first + j->partitions : NULL;
	if (!e)
		e = first ? broker_ends(j->broker, first, next) : err_set(ERR_NOMEM, "no memory");
	for (unsigned i = 0; i < j->partitions && !e; i++) {
		uint64_t at = atomic_load(&j->stored[i]);
		if (first[i] > at)
			e = err_set(ERR_USAGE,
			    "log.topic: partition %u begins at %llu, and this store has it up to "
			    "%llu: it was away for longer than the log is kept, or it is new and "
			    "the log is not. Put back a backup of a store of this log that is "
			    "younger than the log's beginning; nothing was changed",
			    i, (unsigned long long)first[i], (unsigned long long)at);
		else if (next[i] < at)
			e = err_set(ERR_USAGE,
			    "log.topic: partition %u ends at %llu, and this store has it up to "
			    "%llu: the topic is not the one that it followed; nothing was changed",
			    i, (unsigned long long)next[i], (unsigned long long)at);
		else if (next[i] > at)
			atomic_store(&j->base.committed[i], TOKEN | next[i]);
		if (!e && i == 0 && next[i] > at) /* or it is of the control lane */
			atomic_store(&j->base.committed[j->base.lanes - 1], TOKEN | next[i]);
	}
	free(first);
	return e;
}

static void kafka_close(struct journal *base)
{
	struct kafka *j = (struct kafka *)base;
	kafka_unfollow(base);
	broker_close(j->broker);
	if (j->arrivals.last)
		arrivals_done(&j->arrivals);
	if (j->inner)
		j->inner->kind->close(j->inner);
	log_mark_done(&j->mark);
	sealer_done(&j->sealer);
	buf_done(&j->values);
	buf_done(&j->keys_made);
	for (unsigned i = 0; j->merged && i < j->base.lanes; i++)
		buf_done(&j->merged[i]);
	free(j->merged);
	free(j->run);
	free(j->records);
	free(j->at);
	free(j->counters);
	free(j->stored);
	free(j->base.committed);
	free(j);
}

static const struct journal_kind kafka_kind = {
    .close = kafka_close,
    .commit = kafka_commit,
    .publish = kafka_publish,
    .try = kafka_try,
    .unpublished = kafka_unpublished,
    .swap = kafka_swap,
    .wipe_log = kafka_wipe_log,
    .expire = kafka_expire,
    .floor = kafka_floor,
    .follow = kafka_follow,
    .unfollow = kafka_unfollow,
    .clean = kafka_clean,
    .discard = kafka_discard,
    .days = kafka_days,
    .count = kafka_count,
    .verify = kafka_verify,
    .read = kafka_read,
    .arrived = kafka_arrived,
    .resolve = kafka_resolve,
    .copy = kafka_copy,
    .moment = kafka_moment,
    .cut = kafka_cut,
    .expect = kafka_expect,
};

/* Memory for all lanes and partitions. */
static enum err room_for_lanes(struct kafka *j, unsigned lanes)
{
	j->base.lanes = lanes;
	j->partitions = lanes - 1;
	j->base.committed = calloc(lanes, sizeof *j->base.committed);
	j->counters = calloc(lanes, sizeof *j->counters);
	j->stored = calloc(lanes, sizeof *j->stored);
	j->merged = calloc(lanes, sizeof *j->merged);
	j->run = calloc(lanes, sizeof *j->run);
	bool all = j->base.committed && j->counters && j->stored && j->merged && j->run &&
		   sealer_init(&j->sealer);
	return all ? OK : err_set(ERR_NOMEM, "no memory");
}

static enum err learn_stored(struct kafka *j)
{
	enum err e = local_log_marks(j->inner, &j->mark);
	for (unsigned i = 0; i < j->partitions && !e; i++)
		atomic_store(&j->stored[i], log_mark_next(&j->mark, i));
	for (unsigned i = 0; i < j->base.lanes && !e; i++)
		atomic_store(&j->base.committed[i], atomic_load(&j->inner->last[i]));
	return e;
}

enum err kafka_open(const struct journal_place *p, struct journal **out)
{
	struct kafka *j = calloc(1, sizeof *j);
	if (!j)
		return err_set(ERR_NOMEM, "no memory");
	j->base.kind = &kafka_kind;
	j->keys = p->keys;
	enum err e = local_open(p, &j->inner);
	if (!e)
		e = room_for_lanes(j, j->inner->lanes);
	if (!e) {
		j->base.last = j->inner->last;
		begin_life(j);
		e = arrivals_init(&j->arrivals, p->keys, j->base.lanes);
	}
	if (!e)
		e = learn_stored(j);
	struct broker_place log = p->log ? *p->log : (struct broker_place){.brokers = NULL};
	log.partitions = j->partitions;
	if (!e)
		e = broker_open(&log, &j->broker);
	if (!e)
		e = look_at_log(j);
	if (e)
		kafka_close(&j->base);
	else
		*out = &j->base;
	return e;
}

#include "crumb/ask/ask.h"

#include "crumb/base/thread.h"
#include "crumb/views/adopt.h"
#include "crumb/views/each_visitor.h"
#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "crumb/core/metric.h"
#include "crumb/condition/block.h"
#include "crumb/condition/eval.h"
#include "crumb/rules/like.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS_MAX 16

/* --- all shards at once */

struct work {
	unsigned shards;
	_Atomic unsigned taken;
	enum err (*shard)(void *arg, unsigned shard, void *own);
	void *arg;
};

struct worker {
	struct work *w;
	void *own; /* this thread's part of the result */
	enum err err;
	char why[200];
	pthread_t thread;
};

static void *work(void *arg)
{
	struct worker *me = arg;
	if (!me->own) {
		me->err = ERR_NOMEM;
		snprintf(me->why, sizeof me->why, "no memory for this now");
		return NULL;
	}
	for (unsigned s; !me->err && (s = atomic_fetch_add(&me->w->taken, 1)) < me->w->shards;)
		if ((me->err = me->w->shard(me->w->arg, s, me->own)) || (me->err = memory_check()))
			snprintf(me->why, sizeof me->why, "%s", err_text());
	return NULL;
}

/* Runs over all shards; `own` gives each thread `size` zeroed bytes, which `add` then joins. */
static enum err over_shards(unsigned shards, enum err (*shard)(void *, unsigned, void *), void *arg,
    size_t size, void (*add)(void *arg, void *own))
{
	struct work w = {shards, 0, shard, arg};
	struct worker workers[THREADS_MAX];
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (unsigned)cores;
	n = n > shards ? shards : n;
	enum err e = OK;
	for (unsigned i = 0; i < n; i++) {
		workers[i] = (struct worker){.w = &w, .own = calloc(1, size)};
		if (i && !workers[i].own) {
			n = i; /* fewer do as much */
			break;
		}
		if (i && thread_start(&workers[i].thread, "ask", work, &workers[i]) != OK) {
			free(workers[i].own);
			n = i;
		}
	}
	work(&workers[0]);
	for (unsigned i = 0; i < n; i++) {
		if (i)
			pthread_join(workers[i].thread, NULL);
		if (workers[i].err && !e)
			e = err_set(workers[i].err, "%s", workers[i].why);
		if (!e)
			add(arg, workers[i].own);
		free(workers[i].own);
	}
	return e;
}

/* --- how many */

/* A set of visitors of one shard, by ordinal. */
struct set {
	uint64_t *words;
	size_t n; /* words there are; those that nobody set are zero */
};

struct sizing {
	struct generation *g;
	const struct rules *rules;
	struct set *sets; /* per shard: the answer */
	int root;
	uint32_t now;
	size_t segments;
	uint64_t *wanted; /* categories that the condition looks at */
	uint64_t *sum; /* visitors, size, then for each segment its size and what it shares with the
			  answer */
};

static void set_add(struct set *s, uint32_t ordinal)
{
	size_t word = ordinal / 64;
	if (!array_room_zeroed(s->words, s->n, word + 1))
		return;
	s->words[word] |= 1ull << ordinal % 64;
}

static uint64_t sets_apart(const struct set *a, const struct set *b, unsigned shards)
{
	uint64_t apart = 0;
	for (unsigned i = 0; i < shards; i++) {
		size_t n = a[i].n > b[i].n ? a[i].n : b[i].n;
		for (size_t w = 0; w < n; w++)
			apart += (uint64_t)__builtin_popcountll(
			    (w < a[i].n ? a[i].words[w] : 0) ^ (w < b[i].n ? b[i].words[w] : 0));
	}
	return apart;
}

static void sets_free(struct set *s, unsigned shards)
{
	for (unsigned i = 0; s && i < shards; i++)
		free(s[i].words);
	free(s);
}

static enum err size_shard(void *arg, unsigned shard, void *own)
{
	struct sizing *a = arg;
	struct each_visitor v;
	uint64_t *sums = own;
	uint16_t today = day_of(a->now);
	enum err e = each_visitor_begin(&v, a->g, shard, a->now, a->wanted, NULL);
	if (e)
		return e;
	while (each_visitor(&v)) {
		const struct profile *p = v.profile;
		bool in = a->root >= 0 && rules_holds(a->rules, a->root, p, today);
		if (in)
			set_add(&a->sets[shard], p->ordinal);
		sums[0]++;
		sums[1] += in;
		const uint16_t *segments = p->segments;
		for (size_t i = 0, n = p->segments_n; i < n; i++) {
			sums[2 + 2 * segments[i]]++;
			sums[3 + 2 * segments[i]] += in;
		}
	}
	return each_visitor_end(&v, OK);
}

static void size_add(void *arg, void *own)
{
	struct sizing *a = arg;
	for (size_t i = 0; i < 2 + 2 * a->segments; i++)
		a->sum[i] += ((uint64_t *)own)[i];
}

/* --- what was asked before */

#define MEMORY_MOST 512		 /* questions of a day */
#define MEMORY_KEPT 4096	 /* questions */
#define MEMORY_BYTES (64u << 20) /* of sets */
#define MEMORY_S DAY_S		 /* at least so long */
#define MEMORY_KEPT_S (30 * DAY_S)
#define HARDLY_APART (KGATE_STEP / 2) /* visitors: two such groups have one number */

struct asked {
	struct shown told;
	bool own; /* it was near to nothing: the number is its own */
	uint32_t when, lineage;
	unsigned shards;
	size_t bytes;
	struct set *sets;
};

struct ask_memory {
	pthread_mutex_t lock;
	struct asked asked[MEMORY_KEPT]; /* oldest first */
	unsigned n;
	size_t bytes;
};

struct ask_memory *ask_memory_new(void)
{
	struct ask_memory *m = calloc(1, sizeof *m);
	CHECK(m);
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

void ask_memory_free(struct ask_memory *m)
{
	if (!m)
		return;
	for (unsigned i = 0; i < m->n; i++)
		sets_free(m->asked[i].sets, m->asked[i].shards);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static bool is_old(const struct asked *a, uint32_t now)
{
	return now - a->when >= MEMORY_S;
}

/* Takes out those that are over, and those whose ordinals mean nothing any more. */
static void memory_clean(struct ask_memory *m, uint32_t lineage, uint32_t now)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < m->n; i++) {
		struct asked *a = &m->asked[i];
		if (a->lineage == lineage && now - a->when < MEMORY_KEPT_S) {
			m->asked[kept++] = *a;
			continue;
		}
		m->bytes -= a->bytes;
		sets_free(a->sets, a->shards);
	}
	m->n = kept;
}

/* Room for one more: the oldest go, but none of the last day. */
static bool memory_room(struct ask_memory *m, size_t bytes, uint32_t now)
{
	unsigned old = 0, gone = 0;
	while (old < m->n && is_old(&m->asked[old], now))
		old++;
	if (m->n - old >= MEMORY_MOST)
		return false;
	while (gone < old && (m->n - gone == MEMORY_KEPT || m->bytes + bytes > MEMORY_BYTES)) {
		m->bytes -= m->asked[gone].bytes;
		sets_free(m->asked[gone].sets, m->asked[gone].shards);
		gone++;
	}
	m->n -= gone;
	memmove(m->asked, m->asked + gone, m->n * sizeof *m->asked);
	return m->bytes + bytes <= MEMORY_BYTES;
}

/* Keeps the sets; false: there is no room. */
static bool memory_add(struct ask_memory *m, const struct sizing *s, struct shown told, bool own)
{
	size_t bytes = 0;
	for (unsigned i = 0; i < s->g->shards; i++)
		bytes += s->sets[i].n * sizeof *s->sets[i].words;
	if (!memory_room(m, bytes, s->now))
		return false;
	m->asked[m->n++] =
	    (struct asked){told, own, s->now, s->g->lineage, s->g->shards, bytes, s->sets};
	m->bytes += bytes;
	return true;
}

/* How near a group must be to have the number of one that was asked about. Numbers that were had
 * from others, or are old, hold for what is hardly apart only, and for as long as they are not far
 * from the truth: else each would lead to the next. */
static uint64_t reach_of(const struct asked *a, uint64_t size, uint64_t k, uint32_t now)
{
	if (a->own && !is_old(a, now))
		return k;
	uint64_t told = a->told.told ? a->told.n : 0, off = told > size ? told - size : size - told;
	uint64_t most = is_old(a, now) ? (a->told.told ? KGATE_STEP : k + KGATE_STEP - 1) : 2 * k;
	return off <= most ? HARDLY_APART + 1 : 0;
}

/* The nearest group that has a number speaks for whatever is too near to it: everybody, the
 * segments, what was asked before. Every group that is none of those is remembered, also when it
 * gets the number of another: of two questions that differ in one visitor the second gets the
 * number of the first, whichever groups are about as near as each other. */
static struct shown nearest(
    struct sizing *s, const struct kgate *gate, struct ask_memory *memory, bool *refused)
{
	uint64_t size = s->sum[1], k = kgate_k(gate), distance = k;
	struct shown told = kgate_show(gate, size);
	*refused = false;
	if (s->sum[0] - size < distance)
		told = kgate_show(gate, s->sum[0]), distance = s->sum[0] - size;
	for (size_t i = 0; i < s->segments; i++) {
		uint64_t theirs = s->sum[2 + 2 * i], apart = size + theirs - 2 * s->sum[3 + 2 * i];
		if (apart < distance)
			told = kgate_show_group(gate, 's', s->g->rules->segments[i].id, theirs),
			distance = apart;
	}
	if (!memory)
		return told;
	pthread_mutex_lock(&memory->lock);
	memory_clean(memory, s->g->lineage, s->now);
	for (unsigned i = 0; i < memory->n && distance; i++) {
		const struct asked *a = &memory->asked[i];
		uint64_t apart = sets_apart(s->sets, a->sets, s->g->shards);
		if (apart <= distance &&
		    apart < reach_of(a, size, k, s->now)) /* of two that are as near, the later: it
							     may have been the same question */
			told = a->told, distance = apart;
	}
	if (distance) {
		*refused = !memory_add(memory, s, told, distance == k);
		if (!*refused)
			s->sets = NULL;
	}
	pthread_mutex_unlock(&memory->lock);
	return *refused ? (struct shown){false, 0} : told;
}

enum err ask_size(struct generation *g, const struct rules *rules, const struct kgate *gate,
    struct ask_memory *memory, int root, uint32_t now, struct answer *out)
{
	struct sizing a = {
	    .g = g, .rules = rules, .root = root, .now = now, .segments = g->rules->segments_n};
	size_t bytes = (2 + 2 * a.segments) * sizeof *a.sum;
	a.sum = calloc(1, bytes);
	a.wanted = calloc(65536 / 64, sizeof *a.wanted);
	a.sets = calloc(g->shards, sizeof *a.sets);
	enum err e =
	    a.sum && a.wanted && a.sets ? OK : err_set(ERR_NOMEM, "no memory for this now");
	if (!e && root >= 0)
		rules_asks(rules, root, a.wanted);
	if (!e)
		e = over_shards(g->shards, size_shard, &a, bytes, size_add);
	if (!e) {
		out->visitors = kgate_show(gate, a.sum[0]);
		out->size = nearest(&a, gate, memory, &out->refused);
	}
	sets_free(a.sets, g->shards);
	free(a.wanted);
	free(a.sum);
	return e;
}

/* --- who moves */

struct diffing {
	const struct ask_side *before, *after;
	uint32_t now;
	struct move *moves;
	size_t n;
	uint16_t *old_map,
	    *new_map;  /* categories of the generations under the rules that are asked about */
	uint64_t *sum; /* for each move: enter, stay, leave */
};

/* One side's walk over a shard. */
struct side {
	const struct ask_side *of;
	struct shard *shard;
	const uint16_t *map;
	struct db_txn t;
	struct each_stored at;
	struct profile p;
	struct block *block;
	uint8_t *in; /* per segment of its rules */
};

static enum err side_open(
    struct side *s, const struct ask_side *of, const uint16_t *map, unsigned shard)
{
	struct shard *sh = &of->generation->fold[shard].shard;
	memset(s, 0, sizeof *s);
	s->of = of;
	s->shard = sh;
	s->map = map;
	s->in = calloc(of->rules->segments_n + 1, 1);
	if (!s->in)
		return err_set(ERR_NOMEM, "no memory for this now");
	s->block = rules_block_begin(of->rules);
	enum err e = db_begin(&sh->db, DB_READ, &s->t);
	if (e)
		return e;
	each_stored_begin(&s->at, sh, &s->t, NULL);
	each_stored(&s->at);
	return OK;
}

static void side_close(struct side *s)
{
	if (s->t.txn) {
		each_stored_end(&s->at);
		db_abort(&s->t);
	}
	rules_block_end(s->block);
	profile_done(&s->p);
	free(s->in);
}

/* Memberships of the visitor at hand, who is there or not, and on to the next. Whose profile is
 * damaged is in nothing. */
static enum err side_evaluate(struct side *s, bool there, uint32_t now, unsigned retention)
{
	uint16_t today = day_of(now);
	size_t n = s->of->rules->segments_n;
	memset(s->in, 0, n);
	if (!there)
		return OK;
	if (profile_load(&s->p, s->at.bytes) && fold_fits(s->of->generation->rules, &s->p)) {
		s->p.segments_n = 0;
		profile_expire(&s->p, oldest_day(today, retention));
		adopt_rows(s->of->rules, s->map, &s->p);
		rules_block_clear(s->block, today);
		rules_block_add(s->block, &s->p);
		for (size_t i = 0; i < n; i++)
			s->in[i] = rules_block_segment(s->block, (uint16_t)i) & 1;
	} else {
		shard_bad_profile(s->shard);
	}
	each_stored(&s->at);
	return memory_check();
}

static enum err diff_shard(void *arg, unsigned shard, void *own)
{
	struct diffing *d = arg;
	struct side *a = calloc(2, sizeof *a), *b = a + 1;
	uint64_t *sums = own;
	unsigned retention = d->before->generation->fold[shard].retention;
	if (!a)
		return err_set(ERR_NOMEM, "no memory for this now");
	enum err e = side_open(a, d->before, d->old_map, shard);
	if (!e)
		e = side_open(b, d->after, d->new_map, shard);
	while (!e && (a->at.there || b->at.there)) {
		int order = each_stored_order(&a->at, &b->at);
		if ((e = side_evaluate(a, order <= 0, d->now, retention)) ||
		    (e = side_evaluate(b, order >= 0, d->now, retention)))
			break;
		for (size_t i = 0; i < d->n; i++) {
			bool was = d->moves[i].was >= 0 && a->in[d->moves[i].was],
			     will = d->moves[i].will >= 0 && b->in[d->moves[i].will];
			sums[3 * i] += !was && will;
			sums[3 * i + 1] += was && will;
			sums[3 * i + 2] += was && !will;
		}
	}
	side_close(a);
	side_close(b);
	free(a);
	return e;
}

static void diff_add(void *arg, void *own)
{
	struct diffing *d = arg;
	for (size_t i = 0; i < 3 * d->n; i++)
		d->sum[i] += ((uint64_t *)own)[i];
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct move *)a)->id, ((const struct move *)b)->id);
}

/* The segment of `old` that is gone and had the members that `s` has, whatever it is called; each
 * stands for one. -1: none. */
static int called_before(
    const struct rules *old, const struct rules *fresh, const struct segment *s, bool *taken)
{
	for (size_t i = 0; i < old->segments_n; i++) {
		const struct segment *o = &old->segments[i];
		bool same = memcmp(&o->definition, &s->definition, sizeof s->definition) == 0 &&
			    !o->like == !s->like;
		if (taken[i] || !same || (s->like && strcmp(o->like->seed, s->like->seed) != 0) ||
		    rules_segment(fresh, str_c(o->id)) >= 0)
			continue;
		taken[i] = true;
		return (int)i;
	}
	return -1;
}

static struct move *list_moves(const struct rules *old, const struct rules *fresh, size_t *n)
{
	struct move *moves = calloc(old->segments_n + fresh->segments_n + 1, sizeof *moves);
	bool *taken = calloc(old->segments_n + 1, sizeof *taken);
	*n = 0;
	for (size_t i = 0; moves && taken && i < fresh->segments_n; i++) {
		uint16_t number;
		const struct segment *s = &fresh->segments[i];
		int was = rules_segment(old, str_c(s->id)),
		    before = was < 0 ? called_before(old, fresh, s, taken) : -1;
		moves[(*n)++] = (struct move){.id = s->id,
		    .was = before >= 0 ? before : was,
		    .will = (int)i,
		    .same = before >= 0 || segment_unchanged(old, fresh, (uint16_t)i, &number)};
	}
	for (size_t i = 0; moves && taken && i < old->segments_n; i++)
		if (!taken[i] && rules_segment(fresh, str_c(old->segments[i].id)) < 0)
			moves[(*n)++] =
			    (struct move){.id = old->segments[i].id, .was = (int)i, .will = -1};
	if (*n)
		qsort(moves, *n, sizeof *moves, by_id);
	if (!taken) {
		free(moves);
		moves = NULL;
	}
	free(taken);
	return moves;
}

/* What is withheld counts as nothing in the other numbers, so that no difference between them tells
 * it. */
static void show_move(
    struct move *m, const struct kgate *gate, uint64_t enter, uint64_t stay, uint64_t leave)
{
	m->before = kgate_show(gate, stay + leave);
	m->enter = kgate_show(gate, enter);
	m->leave = kgate_show(gate, leave);
	uint64_t kept = (m->before.told ? stay + leave : 0) - (m->leave.told ? leave : 0);
	m->stay = kgate_show(gate, kept);
	m->after = kgate_show(gate, kept + (m->enter.told ? enter : 0));
}

enum err ask_diff(const struct ask_side *before, const struct ask_side *after,
    const struct kgate *gate, uint32_t now, struct move **moves, size_t *n)
{
	struct diffing d = {.before = before, .after = after, .now = now};
	d.moves = list_moves(before->rules, after->rules, &d.n);
	d.old_map = adopt_map(before->generation->rules, before->rules);
	d.new_map = adopt_map(after->generation->rules, after->rules);
	d.sum = calloc(3 * d.n + 1, sizeof *d.sum);
	enum err e = d.moves && d.old_map && d.new_map && d.sum
			 ? OK
			 : err_set(ERR_NOMEM, "no memory for this now");
	if (!e)
		e = over_shards(before->generation->shards, diff_shard, &d,
		    (3 * d.n + 1) * sizeof *d.sum, diff_add);
	for (size_t i = 0; i < d.n && !e; i++)
		show_move(&d.moves[i], gate, d.sum[3 * i], d.sum[3 * i + 1], d.sum[3 * i + 2]);
	free(d.old_map);
	free(d.new_map);
	free(d.sum);
	if (e) {
		free(d.moves);
	} else {
		*moves = d.moves;
		*n = d.n;
	}
	return e;
}

/* --- who had a category lately */

struct recent {
	struct generation *g;
	uint16_t from;
	uint64_t *sum;
};

static enum err recent_shard(void *arg, unsigned shard, void *own)
{
	struct recent *r = arg;
	struct shard *s = &r->g->fold[shard].shard;
	struct db_txn t;
	struct each_stored w;
	struct str memberships;
	struct profile p = {0};
	uint64_t *sums = own;
	enum err e = db_begin(&s->db, DB_READ, &t);
	if (e)
		return e;
	each_stored_begin(&w, s, &t, NULL);
	while (!memory_short() && each_stored(&w)) {
		if (!profile_view(&p, w.bytes, NULL, &memberships))
			shard_bad_profile(s), p.rows_n = 0;
		for (size_t i = p.rows_n;
		     i-- > 0;) /* the last row of a category is its latest day */
			if ((i + 1 == p.rows_n || p.rows[i + 1].cat != p.rows[i].cat) &&
			    p.rows[i].day >= r->from)
				sums[p.rows[i].cat]++;
	}
	each_stored_end(&w);
	e = t.err;
	db_abort(&t);
	profile_done(&p);
	return e;
}

static void recent_add(void *arg, void *own)
{
	struct recent *r = arg;
	for (size_t i = 0; i < 65536; i++)
		r->sum[i] += ((uint64_t *)own)[i];
}

enum err ask_recent(struct generation *g, uint32_t now, unsigned days, uint64_t **visitors)
{
	struct recent r = {g, oldest_day(day_of(now), days), calloc(65536, sizeof *r.sum)};
	if (!r.sum)
		return err_set(ERR_NOMEM, "no memory for this now");
	enum err e = over_shards(g->shards, recent_shard, &r, 65536 * sizeof *r.sum, recent_add);
	if (e)
		free(r.sum);
	else
		*visitors = r.sum;
	return e;
}

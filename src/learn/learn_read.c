/* Reading everybody's profile for a training: what may be learned from, who has it, and a sample.
 *
 * Shard by shard on as many threads as there are cores. What shards found is joined in their order,
 * or does not depend on it: counts are sums, facts are sorted, and whom the sample takes is drawn
 * by a keyed hash of the visitor's key.
 *
 * There are two readings, for who is how active can be counted only when it is known which
 * categories count: those of which some feature is used. The second reading counts that and takes
 * the sample at once. */
#include "crumb/base/array.h"
#include "crumb/rules/fact.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/lock.h"
#include "crumb/base/spread.h"
#include "crumb/core/metric.h"
#include "crumb/privacy/kgate.h"
#include "crumb/condition/eval.h"
#include "crumb/views/each_visitor.h"
#include "learning.h"

#include <stdio.h>
#include <stdlib.h>

#define OTHERS_MOST 150000	    /* visitors in the sample */
#define SEEDS_MOST 100000	    /* visitors in the sample */
#define ROWS_LEAST 20000	    /* of each, as far as there are so many, whatever it takes */
#define ITEMS_MOST 100000000	    /* features of all rows: 400 MB */
#define CATEGORY_WORDS (65536 / 64) /* a bit for each number of a category */
#define RATE_ALL 4294967296.0	    /* of 2^32: everybody */

static const struct feature kinds[PER_CATEGORY] = {{.kind = FEATURE_DAYS, .window = 0},
    {.kind = FEATURE_DAYS, .window = 30}, {.kind = FEATURE_DAYS, .window = 7},
    {.kind = FEATURE_COUNT, .n = 2}, {.kind = FEATURE_COUNT, .n = 5},
    {.kind = FEATURE_COUNT, .n = 15}};
static const uint32_t active_kinds[ACTIVE_KINDS] = {2, 3, 5, 8, 12, 20, 40, 80};

enum err learning_no_memory(void)
{
	return err_set(ERR_NOMEM, "no memory to learn: fewer features or a smaller store would do");
}

enum err learning_stopped(const struct learning *x)
{
	return x->stop && atomic_load(x->stop) ? err_set(ERR_BUSY, "stopped") : OK;
}

/* --- what may be learned from */

/* Nothing is learned from the category, from those above it, and from those below it: an event of a
 * child counts for its parents. */
static void forbid(struct learning *x, uint16_t cat)
{
	struct str id = str_c(x->r->categories[cat].id);
	for (int up = cat; up > 0; up = x->r->categories[up].parent)
		x->allowed[up] = false;
	for (size_t i = 1; i < x->r->categories_n; i++) {
		struct str other = str_c(x->r->categories[i].id);
		if (other.n > id.n && str_starts(other, id) && other.p[id.n] == '.')
			x->allowed[i] = false;
	}
}

/* What the seed's own condition asks for, and the lookalike's: whom it leaves out has none of that,
 * while the seed may. Then what the rules exclude, and what is sensitive. */
static enum err choose_categories(struct learning *x)
{
	const struct rules *r = x->r;
	const struct lookalike *like = r->segments[x->segment].like;
	uint64_t *defines = calloc(CATEGORY_WORDS, sizeof *defines);
	if (!defines)
		return learning_no_memory();
	for (size_t i = 1; i < r->categories_n; i++)
		x->allowed[i] = true;
	if (r->segments[x->seed].root >= 0)
		rules_asks(r, r->segments[x->seed].root, defines);
	if (x->condition >= 0)
		rules_asks(r, x->condition, defines);
	for (size_t i = 1; i < r->categories_n; i++)
		if (defines[i / 64] >> i % 64 & 1)
			forbid(x, (uint16_t)i);
	for (unsigned i = 0; like && i < like->ignore_n; i++) {
		int cat = rules_category(r, like->ignore[i]);
		uint32_t part;
		if (cat <= 0 && map_get(&r->last_parts, like->ignore[i], &part) &&
		    part != RULES_AMBIGUOUS)
			cat = (int)part;
		if (cat > 0)
			forbid(x, (uint16_t)cat);
	}
	for (size_t i = 1; i < r->categories_n; i++)
		if (r->categories[i].sensitive && !(like && like->sensitive))
			forbid(x, (uint16_t)i);
	free(defines);
	return OK;
}

enum err learning_new(struct generation *g, const struct config *c, uint16_t segment, uint32_t now,
    struct learning **out)
{
	const struct rules *r = g->rules;
	struct learning *x = calloc(1, sizeof *x);
	if (!x)
		return learning_no_memory();
	*x = (struct learning){.g = g,
	    .r = r,
	    .c = c,
	    .segment = segment,
	    .seed = segment,
	    .condition = -1,
	    .now = now,
	    .today = day_of(now)};
	pthread_mutex_init(&x->lock, NULL);
	const struct lookalike *like = r->segments[segment].like;
	if (like) {
		x->seed = (uint16_t)rules_segment(r, str_c(like->seed));
		x->condition = r->nodes[r->segments[segment].root].left;
	}
	x->active_at = r->categories_n * PER_CATEGORY;
	x->facts_at = x->active_at + ACTIVE_KINDS;
	x->raws = x->facts_at + FACTS_MOST;
	x->allowed = calloc(r->categories_n + 1, sizeof *x->allowed);
	x->known = calloc(r->categories_n + 1, sizeof *x->known);
	x->have = calloc(x->raws, sizeof *x->have);
	x->seed_have = calloc(x->raws, sizeof *x->seed_have);
	x->number = calloc(x->raws, sizeof *x->number);
	x->raw = calloc(x->raws, sizeof *x->raw);
	enum err e = x->allowed && x->known && x->have && x->seed_have && x->number && x->raw
			 ? choose_categories(x)
			 : learning_no_memory();
	if (e)
		learning_free(x);
	else
		*out = x;
	return e;
}

void learning_free(struct learning *x)
{
	pthread_mutex_destroy(&x->lock);
	free(x->allowed);
	free(x->known);
	free(x->have);
	free(x->seed_have);
	free(x->number);
	free(x->raw);
	free(x->sample.from);
	free(x->sample.items);
	free(x->sample.seed);
	free(x->sample.activity);
	free(x->sample.lot);
	free(x->sample.fold);
	free(x->start);
	free(x->directions);
	free(x);
}

uint32_t learning_k(const struct learning *x)
{
	struct kgate gate = kgate_of(x->c);
	return kgate_k(&gate);
}

struct feature learning_feature(const struct learning *x, uint32_t raw)
{
	if (raw >= x->facts_at)
		return (struct feature){.kind = FEATURE_FACT,
		    .fact = x->facts[raw - x->facts_at].fact,
		    .word = str_c(x->facts[raw - x->facts_at].word)};
	if (raw >= x->active_at)
		return (struct feature){
		    .kind = FEATURE_ACTIVE, .n = active_kinds[raw - x->active_at]};
	struct feature f = kinds[raw % PER_CATEGORY];
	f.cat = (uint16_t)(raw / PER_CATEGORY);
	return f;
}

/* --- features of a profile */

static unsigned fact_number(const struct fact_word *facts, unsigned n, enum fact f, struct str word)
{
	unsigned i = 0;
	while (i < n && !(facts[i].fact == f && str_ieq(word, str_c(facts[i].word))))
		i++;
	return i;
}

/* The raw features of categories that hold; returns how many. *activity: different categories,
 * whether learned from or not; *known: those of which some feature is used. Rows of a profile are
 * sorted by category and day, so the last row of a category is its latest day. */
static unsigned category_features(const struct learning *x, const struct profile *p, uint32_t *out,
    uint32_t *activity, uint32_t *known)
{
	unsigned n = 0;
	*activity = *known = 0;
	for (size_t i = 0, z; i < p->rows_n; i = z) {
		uint16_t cat = p->rows[i].cat;
		uint64_t count = 0;
		for (z = i; z < p->rows_n && p->rows[z].cat == cat; z++)
			count += p->rows[z].count;
		if (cat == CATEGORY_ALL || cat >= x->r->categories_n || !x->allowed[cat])
			continue;
		*activity += x->r->categories[cat].named;
		*known += x->known[cat];
		uint16_t last = p->rows[z - 1].day;
		for (unsigned k = 0;
		     k < PER_CATEGORY && n < LEARNING_ROW_MOST - ACTIVE_KINDS - FACT_MAX; k++) {
			bool holds = kinds[k].kind == FEATURE_COUNT && count >= kinds[k].n;
			if (kinds[k].kind == FEATURE_DAYS)
				holds = last >= rules_window_start(kinds[k].window, x->today);
			if (holds)
				out[n++] = cat * PER_CATEGORY + k;
		}
	}
	return n;
}

static struct str fact_of(const struct profile *p, unsigned f)
{
	return rule_facts[f].learned ? rules_fact(p, (enum fact)f) : STR("");
}

/* The used numbers of what holds: raw features, thresholds of activity, facts. `out` has the raw
 * numbers first, and is written over from its beginning. */
static unsigned used_features(const struct learning *x, const struct profile *p, uint32_t *out,
    uint32_t *activity, uint32_t *known)
{
	unsigned raws = category_features(x, p, out, activity, known), n = 0;
	for (unsigned i = 0; i < raws; i++)
		if (x->number[out[i]])
			out[n++] = x->number[out[i]] - 1;
	for (unsigned i = 0; i < ACTIVE_KINDS && *known >= active_kinds[i]; i++)
		if (x->number[x->active_at + i])
			out[n++] = x->number[x->active_at + i] - 1;
	for (unsigned f = 0; f < FACT_MAX; f++) {
		struct str word = fact_of(p, f);
		unsigned at =
		    word.n ? fact_number(x->facts, x->facts_n, (enum fact)f, word) : x->facts_n;
		if (at < x->facts_n && x->number[x->facts_at + at])
			out[n++] = x->number[x->facts_at + at] - 1;
	}
	return n;
}

unsigned learning_row(const struct learning *x, const struct profile *p, uint32_t *out)
{
	uint32_t activity, known;
	return used_features(x, p, out, &activity, &known);
}

/* --- reading a shard */

#define LOOK_UP 4096 /* visitors between two looks at whether to stop */

enum err learning_walk(struct learning *x, unsigned shard, learning_look each, void *arg)
{
	struct each_visitor v;
	unsigned n = 0;
	enum err e = each_visitor_begin(&v, x->g, shard, x->now, NULL, NULL);
	if (e)
		return e;
	while (!e && each_visitor(&v)) {
		const struct profile *p = v.profile;
		if (n++ % LOOK_UP == 0 && (e = learning_stopped(x)))
			break;
		bool seed = profile_in_segment(p, x->seed),
		     admitted =
			 x->condition < 0 ? !seed : rules_holds(x->r, x->condition, p, x->today);
		if (seed || admitted)
			e = each(x, arg, &v.stored.key, p, seed, admitted);
	}
	return each_visitor_end(&v, e);
}

/* --- counting */

struct tally {
	uint64_t *have, *seed_have; /* of categories, then of facts */
	struct fact_word facts[FACTS_MOST];
	unsigned facts_n;
	uint64_t seeds, others, population;
	uint32_t raw[LEARNING_ROW_MOST];
};

/* Words beyond FACTS_MOST are not learned from. */
static void count_fact(struct tally *t, size_t facts_at, enum fact f, struct str word, bool seed)
{
	unsigned at = fact_number(t->facts, t->facts_n, f, word);
	if (at == t->facts_n) {
		if (at == FACTS_MOST || word.n >= sizeof t->facts[0].word)
			return;
		t->facts[at].fact = f;
		snprintf(t->facts[at].word, sizeof t->facts[0].word, STR_FMT, STR_ARG(word));
		t->facts_n++;
	}
	t->have[facts_at + at]++;
	t->seed_have[facts_at + at] += seed;
}

static enum err count_one(struct learning *x, void *arg, const struct vkey *k,
    const struct profile *p, bool seed, bool admitted)
{
	struct tally *t = arg;
	uint32_t activity, known;
	(void)k;
	t->seeds += seed;
	t->others += admitted && !seed;
	t->population += admitted;
	unsigned n = category_features(x, p, t->raw, &activity, &known);
	for (unsigned i = 0; i < n; i++) {
		t->have[t->raw[i]]++;
		t->seed_have[t->raw[i]] += seed;
	}
	for (unsigned f = 0; f < FACT_MAX; f++) {
		struct str word = fact_of(p, f);
		if (word.n)
			count_fact(t, x->facts_at, (enum fact)f, word, seed);
	}
	return OK;
}

/* What a shard has counted, to what others have. The lock is held. */
static void add_tally(struct learning *x, const struct tally *t)
{
	CHECK_HELD(&x->lock);
	x->seeds += t->seeds;
	x->others += t->others;
	x->population += t->population;
	for (size_t i = 0; i < x->active_at; i++) {
		x->have[i] += t->have[i];
		x->seed_have[i] += t->seed_have[i];
	}
	for (unsigned i = 0; i < t->facts_n; i++) {
		unsigned at =
		    fact_number(x->facts, x->facts_n, t->facts[i].fact, str_c(t->facts[i].word));
		if (at == FACTS_MOST)
			continue;
		if (at == x->facts_n)
			x->facts[x->facts_n++] = t->facts[i];
		x->have[x->facts_at + at] += t->have[x->facts_at + i];
		x->seed_have[x->facts_at + at] += t->seed_have[x->facts_at + i];
	}
}

static enum err count_shard(void *arg, unsigned shard)
{
	struct learning *x = arg;
	struct tally *t = calloc(1, sizeof *t);
	enum err e = OK;
	if (t) {
		t->have = calloc(x->raws, sizeof *t->have);
		t->seed_have = calloc(x->raws, sizeof *t->seed_have);
	}
	if (!t || !t->have || !t->seed_have)
		e = learning_no_memory();
	else
		e = learning_walk(x, shard, count_one, t);
	if (!e) {
		pthread_mutex_lock(&x->lock);
		add_tally(x, t);
		pthread_mutex_unlock(&x->lock);
	}
	if (t) {
		free(t->have);
		free(t->seed_have);
	}
	free(t);
	return e;
}

/* Shards end in any order, so facts get an order of their own: by insertion, with their counts. */
static void sort_facts(struct learning *x)
{
	for (unsigned i = 1; i < x->facts_n; i++)
		for (unsigned k = i; k > 0; k--) {
			struct fact_word *a = &x->facts[k - 1], *b = &x->facts[k];
			uint64_t *have = x->have + x->facts_at + k,
				 *seed_have = x->seed_have + x->facts_at + k, n;
			if (a->fact < b->fact ||
			    (a->fact == b->fact && strcmp(a->word, b->word) <= 0))
				break;
			struct fact_word word = *a;
			*a = *b;
			*b = word;
			n = have[-1], have[-1] = have[0], have[0] = n;
			n = seed_have[-1], seed_have[-1] = seed_have[0], seed_have[0] = n;
		}
}

static void use(struct learning *x, size_t raw)
{
	x->raw[x->used++] = (uint32_t)raw;
	x->number[raw] = x->used;
}

/* A feature is used if at least k visitors have it, if k have it not, and if it says something else
 * than a simpler one. */
static void choose_features(struct learning *x)
{
	uint32_t k = learning_k(x);
	uint64_t all = x->seeds + x->others;
	/* each is contained in the ones before it of its sort: as many means the same visitors */
	static const int wider[PER_CATEGORY] = {-1, 0, 1, 0, 3, 4};
	for (size_t i = 0; i < x->raws; i++) {
		unsigned kind = (unsigned)(i % PER_CATEGORY);
		bool used = x->have[i] >= k && all - x->have[i] >= k;
		for (int w = i < x->active_at ? wider[kind] : -1; used && w >= 0; w = wider[w])
			used = x->have[i] != x->have[i - kind + (unsigned)w];
		if (i >= x->active_at && i < x->facts_at)
			use(x, i); /* who has it is not known yet: drop_thin() looks again */
		else if (used)
			use(x, i);
		if (used && i < x->active_at)
			x->known[i / PER_CATEGORY] = true;
	}
}

enum err learning_count(struct learning *x)
{
	enum err e = spread(x->g->shards, count_shard, x);
	if (e)
		return e;
	sort_facts(x);
	if (x->seeds < LEARN_SEED_FLOOR)
		return err_set(ERR_USAGE,
		    "the seed '%s' has fewer than %d members: too few to learn from",
		    x->r->segments[x->seed].id, LEARN_SEED_FLOOR);
	if (x->others < LEARN_SEED_FLOOR)
		return err_set(ERR_USAGE, "fewer than %d visitors are left to find anybody among",
		    LEARN_SEED_FLOOR);
	const struct lookalike *like = x->r->segments[x->segment].like;
	if (like && x->population)
		x->reach = like->size ? (double)like->size / (double)x->population : like->reach;
	choose_features(x);
	if (x->used <= ACTIVE_KINDS)
		return err_set(ERR_USAGE,
		    "there is nothing to learn from: no category besides those that define the "
		    "seed has enough visitors (privacy.k, %u)",
		    learning_k(x));
	return OK;
}

/* --- the sample */

/* What one shard gives. */
struct piece {
	struct learning *x;
	size_t n, cap, items_n, items_cap;
	struct piece_row {
		uint32_t items, activity;
		uint16_t lot;
		uint8_t fold;
		bool seed;
	} * rows;
	uint32_t *items;
	uint64_t have[ACTIVE_KINDS], seed_have[ACTIVE_KINDS];
	uint32_t row[LEARNING_ROW_MOST];
};

static enum err take_one(struct learning *x, void *arg, const struct vkey *k,
    const struct profile *p, bool seed, bool admitted)
{
	static const struct key16 key = {"crumb/learning/1"};
	struct piece *to = arg;
	uint32_t activity, known;
	unsigned n = used_features(x, p, to->row, &activity, &known);
	for (unsigned i = 0; i < ACTIVE_KINDS && known >= active_kinds[i]; i++) {
		to->have[i]++;
		to->seed_have[i] += seed;
	}
	uint64_t dice = hash_keyed64(&key, k->b, sizeof k->b);
	if ((!seed && !admitted) || (dice & UINT32_MAX) >= (seed ? x->seeds_rate : x->others_rate))
		return OK;
	if (!array_room(to->rows, to->cap, to->n + 1) ||
	    !array_room(to->items, to->items_cap, to->items_n + n + 1))
		return learning_no_memory();
	memcpy(to->items + to->items_n, to->row, n * sizeof *to->items);
	to->items_n += n;
	to->rows[to->n++] = (struct piece_row){
	    n, activity, (uint16_t)(dice >> 48), (uint8_t)(dice >> 32 & 0xff), seed};
	return OK;
}

static enum err take_shard(void *arg, unsigned shard)
{
	struct piece *to = (struct piece *)arg + shard;
	return learning_walk(to->x, shard, take_one, to);
}

/* Thresholds of activity that too few have, or have not, go after all: the numbers behind them move
 * up. *moved: old number -> new + 1. */
static void drop_thin(struct learning *x, uint32_t *moved)
{
	uint32_t k = learning_k(x);
	uint64_t all = x->seeds + x->others, before = 0;
	unsigned n = 0;
	for (unsigned i = 0; i < x->used; i++) {
		uint32_t raw = x->raw[i];
		bool active = raw >= x->active_at && raw < x->facts_at;
		bool keep = !active || (x->have[raw] >= k && all - x->have[raw] >= k &&
					   x->have[raw] != before);
		if (active)
			before = x->have[raw];
		moved[i] = keep ? n + 1 : 0;
		x->number[raw] = moved[i];
		if (keep)
			x->raw[n++] = raw;
	}
	x->used = n;
}

/* The pieces become one sample, in the order of shards, with the numbers that features have now. */
static enum err join_pieces(struct learning *x, const struct piece *pieces, const uint32_t *moved)
{
	struct sample *s = &x->sample;
	size_t n = 0, items = 0, row = 0, at = 0;
	for (unsigned i = 0; i < x->g->shards; i++) {
		n += pieces[i].n;
		items += pieces[i].items_n;
	}
	s->from = malloc((n + 1) * sizeof *s->from);
	s->items = malloc((items + 1) * sizeof *s->items);
	s->seed = malloc((n + 1) * sizeof *s->seed);
	s->activity = malloc((n + 1) * sizeof *s->activity);
	s->lot = malloc((n + 1) * sizeof *s->lot);
	s->fold = malloc((n + 1) * sizeof *s->fold);
	if (!s->from || !s->items || !s->seed || !s->activity || !s->lot || !s->fold)
		return learning_no_memory();
	for (unsigned i = 0; i < x->g->shards; i++) {
		const uint32_t *item = pieces[i].items;
		for (size_t k = 0; k < pieces[i].n; k++, row++) {
			const struct piece_row *r = &pieces[i].rows[k];
			s->from[row] = (uint32_t)at;
			s->seed[row] = r->seed;
			s->activity[row] = r->activity;
			s->lot[row] = r->lot;
			s->fold[row] = r->fold;
			s->seeds += r->seed;
			for (uint32_t end = r->items; end > 0; end--, item++)
				if (moved[*item])
					s->items[at++] = moved[*item] - 1;
		}
	}
	s->from[row] = (uint32_t)at;
	s->n = n;
	s->seed_stands = s->seeds ? (double)x->seeds / (double)s->seeds : 1;
	s->other_stands = n > s->seeds ? (double)x->others / (double)(n - s->seeds) : 1;
	return OK;
}

static uint64_t rate(double want, uint64_t of)
{
	return want >= (double)of ? 1ull << 32 : (uint64_t)(want / (double)of * RATE_ALL);
}

/* Which part of seeds and others the sample takes: as many as are of use, but fewer if they have so
 * many features that they would fill the memory. For example, with 400 features each there is room
 * for 245,000 visitors; others make room first. */
static void choose_rates(struct learning *x, bool rows)
{
	double items = 0, all = (double)(x->seeds + x->others), seeds = SEEDS_MOST,
	       others = OTHERS_MOST;
	for (unsigned i = 0; i < x->used; i++)
		items += (double)x->have[x->raw[i]];
	double most = ITEMS_MOST / (items / all + ACTIVE_KINDS);
	if (seeds + others > most) {
		others = most - seeds > ROWS_LEAST ? most - seeds : ROWS_LEAST;
		seeds = most - others > ROWS_LEAST ? most - others : ROWS_LEAST;
	}
	x->seeds_rate = rows ? rate(seeds, x->seeds) : 0;
	x->others_rate = rows ? rate(others, x->others) : 0;
}

enum err learning_take(struct learning *x, bool rows)
{
	struct piece *pieces = calloc(x->g->shards, sizeof *pieces);
	uint32_t *moved = calloc(x->used + 1, sizeof *moved);
	enum err e = pieces && moved ? OK : learning_no_memory();
	choose_rates(x, rows);
	for (unsigned i = 0; i < x->g->shards && !e; i++)
		pieces[i].x = x;
	if (!e)
		e = spread(x->g->shards, take_shard, pieces);
	for (unsigned i = 0; i < x->g->shards && !e; i++)
		for (unsigned a = 0; a < ACTIVE_KINDS; a++) {
			x->have[x->active_at + a] += pieces[i].have[a];
			x->seed_have[x->active_at + a] += pieces[i].seed_have[a];
		}
	if (!e) {
		drop_thin(x, moved);
		e = join_pieces(x, pieces, moved);
	}
	for (unsigned i = 0; pieces && i < x->g->shards; i++) {
		free(pieces[i].rows);
		free(pieces[i].items);
	}
	free(pieces);
	free(moved);
	return e;
}

/* Which groups of a segment are worth telling. A walk over all visitors counts, for each segment,
 * how many of its members have each category, device and country, and are in each other segment;
 * and the same for everybody. Of that are chosen
 *
 *     categories   those that tell most: share of the segment × log (share of the segment ÷ share
 *                  of everybody). Of 1,000 members 400 looked at coats, and 10 % of everybody:
 *                  0.4 × log 4 = 0.55. 990 looked at anything, and 95 % of everybody: 0.04
 *     countries    the largest
 *     nearest      segments by overlap: those who are in both, of those who are in either
 *
 * All of it is computed from numbers as they would be told: of groups of k at least, rounded, and
 * of a group that fewer than k visitors tell apart from the segment or from the category it is that
 * one's number. Of two that are equal the first by id is taken. What was chosen stands in the order
 * of ids, and is told in the order of the numbers that are told. So neither the choice nor the
 * order says what the numbers do not say.
 *
 * A table has a row for each segment of the pass, and a cell in it for each *thing*: category,
 * segment, device, country. A pass takes as many segments as fit into TABLES_MOST. Visitors are
 * added some 2,000 at a time, in one of two ways, whichever is cheaper for these:
 *
 *     one by one    for each segment of a visitor, each of his things: 10 segments and 20 other
 *                   things are 10 × 30 additions
 *     by bits       a row of bits for each thing, a bit for each visitor; for each segment and
 *                   thing the bits that both have are counted, 64 at a time. With 1,000 segments
 *                   of which a visitor is in 200 that is a sixth of the work */
#include "making.h"

#include "crumb/ask/over_shards.h"
#include "crumb/base/array.h"
#include "crumb/base/memory.h"

#include <math.h>
#include <stdlib.h>

/* Where cells lie in a row; the first row is everybody's, whose cell of a segment is its size. */
struct choosing {
	struct making *m;
	size_t from, to; /* segments of the pass */
	size_t segments_at, devices_at, countries_at, row;
	uint32_t *sum; /* all rows, of all threads */
};

static size_t cells_of(const struct choosing *c)
{
	return (1 + c->to - c->from) * c->row + 1; /* and one for the visitors */
}

/* --- some visitors at a time */

#define BITS_MOST (768u << 10) /* bytes of all rows of bits, which a processor has at hand */
#define LOT_WORDS 32

/* A thread's. */
struct lot {
	const struct choosing *c;
	uint32_t *cells;
	uint32_t *things; /* of the visitors, one after the other */
	size_t things_n, things_cap;
	uint32_t ends[LOT_WORDS * 64]; /* where each visitor's end */
	unsigned n, words;
	uint64_t one_by_one; /* additions that would be */
	uint64_t *bits;	     /* `words` for each thing */
	uint32_t *here;	     /* things that somebody has */
	size_t here_n;
	bool *is_here; /* by thing */
};

static enum err lot_new(struct lot *l, const struct choosing *c, uint32_t *cells)
{
	*l = (struct lot){.c = c, .cells = cells, .words = LOT_WORDS};
	while (l->words > 1 && l->words * c->row * sizeof *l->bits > BITS_MOST)
		l->words /= 2;
	l->bits = calloc(c->row * l->words, sizeof *l->bits);
	l->here = calloc(c->row, sizeof *l->here);
	l->is_here = calloc(c->row, sizeof *l->is_here);
	return l->bits && l->here && l->is_here ? OK
						: err_set(ERR_NOMEM, "no memory for the report");
}

static void lot_done(struct lot *l)
{
	free(l->things);
	free(l->bits);
	free(l->here);
	free(l->is_here);
}

static bool in_pass(const struct choosing *c, uint32_t thing)
{
	return thing >= c->segments_at + c->from && thing < c->segments_at + c->to;
}

static uint32_t *pass_row(const struct lot *l, uint32_t thing)
{
	const struct choosing *c = l->c;
	return l->cells + (1 + thing - c->segments_at - c->from) * c->row;
}

static void list_here(struct lot *l, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (l->is_here[i])
			l->here[l->here_n++] = (uint32_t)i;
}

/* Turns the lot round: who has a thing. Segments of the pass come first among those that are here,
 * in order; returns how many these are. */
static size_t lot_turn(struct lot *l)
{
	const struct choosing *c = l->c;
	for (size_t v = 0, i = 0; v < l->n; v++)
		for (; i < l->ends[v]; i++) {
			uint32_t thing = l->things[i];
			l->is_here[thing] = true;
			l->bits[thing * (size_t)l->words + v / 64] |= 1ull << v % 64;
		}
	l->here_n = 0;
	list_here(l, c->segments_at + c->from, c->segments_at + c->to);
	size_t segments = l->here_n;
	list_here(l, 0, c->segments_at + c->from);
	list_here(l, c->segments_at + c->to, c->row);
	return segments;
}

static inline ALWAYS unsigned in_both(const uint64_t *a, const uint64_t *b, unsigned words)
{
	uint64_t n = 0;
	for (unsigned w = 0; w < words; w++)
		n += (uint64_t)__builtin_popcountll(a[w] & b[w]);
	return (unsigned)n;
}

/* Each pair once: of two segments of the pass the first one's row has it (mirror()). */
static inline ALWAYS void add_by_bits(const struct lot *l, size_t segments)
{
	for (size_t i = 0; i < segments; i++) {
		const uint64_t *mine = &l->bits[l->here[i] * (size_t)l->words];
		uint32_t *row = pass_row(l, l->here[i]);
		for (size_t k = i; k < l->here_n; k++) {
			const uint64_t *theirs = &l->bits[l->here[k] * (size_t)l->words];
			row[l->here[k]] += in_both(mine, theirs, l->words);
		}
	}
}

#if defined __x86_64__
static COUNTS_BITS void add_by_bits_fast(const struct lot *l, size_t segments)
{
	add_by_bits(l, segments);
}

/* Eight words at a time. */
static COUNTS_MANY_BITS void add_by_bits_wide(const struct lot *l, size_t segments)
{
	add_by_bits(l, segments);
}
#endif

static void add_all_by_bits(const struct lot *l, size_t segments)
{
#if defined __x86_64__
	if (__builtin_cpu_supports("avx512vpopcntdq")) {
		add_by_bits_wide(l, segments);
		return;
	}
	if (__builtin_cpu_supports("popcnt")) {
		add_by_bits_fast(l, segments);
		return;
	}
#endif
	add_by_bits(l, segments);
}

static void add_one_by_one(const struct lot *l)
{
	for (size_t v = 0, from = 0; v < l->n; from = l->ends[v++])
		for (size_t i = from; i < l->ends[v]; i++) {
			if (!in_pass(l->c, l->things[i]))
				continue;
			uint32_t *row = pass_row(l, l->things[i]);
			for (size_t k = from; k < l->ends[v]; k++)
				if (k >= i || !in_pass(l->c, l->things[k]))
					row[l->things[k]]++;
		}
}

static void lot_end(struct lot *l)
{
	size_t segments = lot_turn(l);
	/* a pair takes half as long for each word as an addition, and each is looked at once */
	if (l->one_by_one < segments * (l->here_n - segments / 2) * l->words / 2)
		add_one_by_one(l);
	else
		add_all_by_bits(l, segments);
	for (size_t i = 0; i < l->here_n; i++) {
		l->is_here[l->here[i]] = false;
		memset(&l->bits[l->here[i] * (size_t)l->words], 0, l->words * sizeof *l->bits);
	}
	l->n = 0;
	l->things_n = 0;
	l->one_by_one = 0;
}

/* No memory: the walk ends (base/memory.h). */
static void lot_add(struct lot *l, const struct profile *p)
{
	const struct choosing *c = l->c;
	size_t from = l->things_n, members = 0;
	if (!array_room(l->things, l->things_cap, from + p->rows_n + p->segments_n + 2))
		return;
	for (size_t i = 0; i < p->rows_n; i++)
		if (i == 0 || p->rows[i].cat != p->rows[i - 1].cat)
			l->things[l->things_n++] = p->rows[i].cat;
	for (size_t i = 0; i < p->segments_n; i++) {
		uint32_t thing = (uint32_t)(c->segments_at + p->segments[i]);
		members += in_pass(c, thing);
		l->things[l->things_n++] = thing;
	}
	l->things[l->things_n++] =
	    (uint32_t)(c->devices_at +
		       (p->agent.device < DEVICE_MAX ? p->agent.device : DEVICE_UNKNOWN));
	l->things[l->things_n++] = (uint32_t)(c->countries_at + country_number(&p->place));
	for (size_t i = from; i < l->things_n; i++)
		l->cells[l->things[i]]++;
	l->one_by_one += members * (l->things_n - from);
	l->ends[l->n++] = (uint32_t)l->things_n;
	if (l->n == l->words * 64)
		lot_end(l);
}

static enum err choose_shard(void *arg, unsigned shard, void *own)
{
	const struct choosing *c = arg;
	struct making *m = c->m;
	uint32_t *cells = own, *visitors = cells + cells_of(c) - 1;
	struct each_visitor v;
	struct lot l;
	enum err e = lot_new(&l, c, cells);
	if (!e)
		e = each_visitor_begin(&v, m->g, shard, m->now, m->wanted, NULL);
	if (e) {
		lot_done(&l);
		return e;
	}
	while (!e && each_visitor(&v)) {
		lot_add(&l, v.profile);
		if (++*visitors % 1024 == 0)
			e = making_stopped(m);
	}
	lot_end(&l);
	lot_done(&l);
	return each_visitor_end(&v, e);
}

static void choose_add(void *arg, void *own)
{
	struct choosing *c = arg;
	const uint32_t *cells = own;
	for (size_t i = 0, n = cells_of(c); i < n; i++)
		c->sum[i] += cells[i];
}

/* --- choosing */

/* As the number would be told; 0: it would not. */
static double as_told(const struct making *m, uint64_t n)
{
	return (double)kgate_show(m->gate, n).n;
}

/* The same of those who are in both of two groups. */
static double both_as_told(const struct making *m, uint64_t both, uint64_t one, uint64_t other)
{
	if (both < m->k)
		return 0;
	if (one - both < m->k)
		return as_told(m, one);
	return as_told(m, other - both < m->k ? other : both);
}

static int by_number(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void sort_numbers(uint16_t *list, size_t n)
{
	qsort(list, n, sizeof *list, by_number);
}

/* The best so far, best first. */
struct best {
	uint16_t *list;
	double score[CATEGORIES_MOST];
	unsigned n, most;
};

static void offer(struct best *b, uint16_t what, double score)
{
	unsigned at = b->n;
	while (at && b->score[at - 1] < score)
		at--;
	if (at == b->most)
		return;
	if (b->n < b->most)
		b->n++;
	for (unsigned i = b->n - 1; i > at; i--) {
		b->list[i] = b->list[i - 1];
		b->score[i] = b->score[i - 1];
	}
	b->list[at] = what;
	b->score[at] = score;
}

/* How many of each kind may be told, where there are too many segments for all (making.h). */
struct limits {
	unsigned categories, countries, nearest, clauses;
};

/* A segment's row, and the sizes that are compared with it. */
struct looked {
	const uint32_t *row;
	uint64_t size;
	double told, visitors; /* as told: the segment, everybody */
};

static void choose_categories_of(
    const struct choosing *c, const struct looked *s, unsigned most, struct plan *p)
{
	struct best b = {.list = p->categories, .most = most};
	for (size_t i = 1; i < c->m->r->categories_n; i++) {
		double n = both_as_told(c->m, s->row[i], s->size, c->sum[i]);
		double all = as_told(c->m, c->sum[i]);
		if (n > 0 && all > 0)
			offer(
			    &b, (uint16_t)i, n / s->told * log(n / s->told / (all / s->visitors)));
	}
	p->categories_n = (uint8_t)b.n;
	sort_numbers(p->categories, b.n);
}

static void choose_nearest_of(
    const struct choosing *c, size_t segment, const struct looked *s, unsigned most, struct plan *p)
{
	struct best b = {.list = p->nearest, .most = most};
	for (size_t i = 0; i < c->m->r->segments_n; i++) {
		uint64_t other = c->sum[c->segments_at + i];
		double both = both_as_told(c->m, s->row[c->segments_at + i], s->size, other);
		double theirs = as_told(c->m, other);
		if (i != segment && both > 0 && theirs > 0)
			offer(&b, (uint16_t)i, both / fmax(s->told + theirs - both, both));
	}
	p->nearest_n = (uint8_t)b.n;
	sort_numbers(p->nearest, b.n);
}

static void choose_countries_of(
    const struct choosing *c, const struct looked *s, unsigned most, struct plan *p)
{
	struct best b = {.list = p->countries, .most = most};
	for (size_t i = 0; i < COUNTRIES; i++) {
		size_t at = c->countries_at + i;
		double n = both_as_told(c->m, s->row[at], s->size, c->sum[at]);
		if (n > 0)
			offer(&b, (uint16_t)i, n);
	}
	p->countries_n = (uint8_t)b.n;
	sort_numbers(p->countries, b.n);
}

static void choose_of(
    const struct choosing *c, size_t segment, const struct limits *most, struct plan *p)
{
	struct looked s = {c->sum + (1 + segment - c->from) * c->row,
	    c->sum[c->segments_at + segment], 0, as_told(c->m, c->sum[cells_of(c) - 1])};
	s.told = as_told(c->m, s.size);
	if (s.told <= 0 || s.visitors <= 0)
		return;
	choose_categories_of(c, &s, most->categories, p);
	choose_nearest_of(c, segment, &s, most->nearest, p);
	choose_countries_of(c, &s, most->countries, p);
}

/* The clauses of a condition but the last, which is the segment itself. */
static void choose_clauses(
    const struct making *m, size_t segment, const struct limits *most, struct plan *p)
{
	struct clause_parts parts;
	if (m->r->segments[segment].root < 0)
		return;
	clause_parts_of(m->r, m->r->segments[segment].root, &parts);
	while (p->clauses_n + 1u < parts.n && p->clauses_n < most->clauses) {
		p->upto[p->clauses_n] = parts.list[p->clauses_n].upto;
		p->clauses_n++;
	}
	clause_parts_done(&parts);
}

/* What the sketches leave room for, of the smallest that k allows. */
static struct limits limits_of(const struct making *m)
{
	size_t per =
	    DEVICE_MAX + CATEGORIES_MOST + COUNTRIES_MOST + NEAREST_MOST + CLAUSE_PARTS_MAX;
	size_t others = 1 + m->r->categories_n + m->r->segments_n + DEVICE_MAX + COUNTRIES;
	size_t most = SKETCHES_MOST / sizeof(uint64_t) / sketch_words_least(m->k);
	for (size_t i = 0; i < m->r->journeys_n; i++)
		others += journey_groups(&m->r->journeys[i]);
	double share = 1;
	if (others + per * m->r->segments_n > most)
		share =
		    most > others ? (double)(most - others) / (double)(per * m->r->segments_n) : 0;
	return (struct limits){(unsigned)(CATEGORIES_MOST * share),
	    (unsigned)(COUNTRIES_MOST * share), (unsigned)(NEAREST_MOST * share),
	    (unsigned)(CLAUSE_PARTS_MAX * share)};
}

/* As many segments as the tables of all threads, and the sum of them, leave room for. */
static size_t segments_of_a_pass(const struct choosing *c, unsigned shards)
{
	size_t tables = over_shards_threads(shards) + 1;
	size_t rows = c->m->tables_most / (tables * c->row * sizeof *c->sum);
	return rows > 2 ? rows - 1 : 1;
}

/* What only the first of two segments' rows has, the other one's gets, too. */
static void mirror(const struct choosing *c)
{
	for (size_t a = c->from; a < c->to; a++)
		for (size_t b = a + 1; b < c->to; b++)
			c->sum[(1 + b - c->from) * c->row + c->segments_at + a] =
			    c->sum[(1 + a - c->from) * c->row + c->segments_at + b];
}

static enum err choose_pass(struct choosing *c, const struct limits *most)
{
	struct making *m = c->m;
	c->sum = calloc(cells_of(c), sizeof *c->sum);
	if (!c->sum)
		return err_set(ERR_NOMEM, "no memory for the report");
	enum err e =
	    over_shards(m->g->shards, choose_shard, c, cells_of(c) * sizeof *c->sum, choose_add);
	mirror(c);
	for (size_t s = c->from; s < c->to && !e; s++)
		choose_of(c, s, most, &m->plans[s]);
	free(c->sum);
	return e;
}

enum err choose_groups(struct making *m)
{
	const struct rules *r = m->r;
	struct limits most = limits_of(m);
	struct choosing c = {.m = m, .segments_at = r->categories_n};
	c.devices_at = c.segments_at + r->segments_n;
	c.countries_at = c.devices_at + DEVICE_MAX;
	c.row = c.countries_at + COUNTRIES;
	size_t pass = segments_of_a_pass(&c, m->g->shards);
	enum err e = OK;
	m->plans = calloc(r->segments_n + 1, sizeof *m->plans);
	if (!m->plans)
		return err_set(ERR_NOMEM, "no memory for the report");
	for (size_t s = 0; s < r->segments_n; s++)
		choose_clauses(m, s, &most, &m->plans[s]);
	for (; c.from < r->segments_n && !e; c.from = c.to) {
		c.to = c.from + pass < r->segments_n ? c.from + pass : r->segments_n;
		e = choose_pass(&c, &most);
	}
	return e ? e : memory_check();
}

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
 * All of it is computed from numbers as they would be told, rounded, and of groups of k at least;
 * of two that are equal the first by id is taken. So which groups are chosen, and their order, says
 * nothing that the numbers do not say.
 *
 * A table has a row for each segment of the pass, of 4 bytes for each category, segment, device and
 * country. A pass takes as many segments as fit into TABLES_MOST. */
#include "making.h"

#include "crumb/ask/over_shards.h"
#include "crumb/base/memory.h"

#include <math.h>
#include <stdlib.h>

/* Where cells lie in a row; the first row is everybody's, whose cell of a segment is its size. */
struct choosing {
	struct making *m;
	size_t from, to; /* segments of the pass */
	size_t segments_at, devices_at, countries_at, row;
	uint32_t *sum;	   /* all rows, of all threads */
	uint64_t visitors; /* shared by none: added up at the end */
};

static size_t cells_of(const struct choosing *c)
{
	return (1 + c->to - c->from) * c->row + 1; /* and one for the visitors */
}

/* Room for the categories of the visitor at hand. */
struct having {
	uint16_t *categories;
	size_t n;
};

static void list_categories_of(struct having *h, const struct profile *p)
{
	h->n = 0;
	for (size_t i = 0; i < p->rows_n; i++)
		if (i == 0 || p->rows[i].cat != p->rows[i - 1].cat)
			h->categories[h->n++] = p->rows[i].cat;
}

static void add_visitor(
    const struct choosing *c, uint32_t *row, const struct profile *p, const struct having *h)
{
	for (size_t i = 0; i < h->n; i++)
		row[h->categories[i]]++;
	for (size_t i = 0; i < p->segments_n; i++)
		row[c->segments_at + p->segments[i]]++;
	row[c->devices_at + (p->agent.device < DEVICE_MAX ? p->agent.device : DEVICE_UNKNOWN)]++;
	row[c->countries_at + country_number(&p->place)]++;
}

static enum err choose_shard(void *arg, unsigned shard, void *own)
{
	const struct choosing *c = arg;
	struct making *m = c->m;
	uint32_t *cells = own, *visitors = cells + cells_of(c) - 1;
	struct each_visitor v;
	struct having h = {calloc(m->r->categories_n, sizeof *h.categories), 0};
	if (!h.categories)
		return err_set(ERR_NOMEM, "no memory for the report");
	enum err e = each_visitor_begin(&v, m->g, shard, m->now, m->wanted, NULL);
	if (e) {
		free(h.categories);
		return e;
	}
	while (!e && each_visitor(&v)) {
		const struct profile *p = v.profile;
		list_categories_of(&h, p);
		add_visitor(c, cells, p, &h);
		for (size_t i = 0; i < p->segments_n; i++)
			if (p->segments[i] >= c->from && p->segments[i] < c->to)
				add_visitor(
				    c, cells + (1 + p->segments[i] - c->from) * c->row, p, &h);
		if (++*visitors % 1024 == 0)
			e = making_stopped(m);
	}
	free(h.categories);
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

static void choose_categories_of(const struct choosing *c, const uint32_t *row, double size,
    double visitors, unsigned most, struct plan *p)
{
	struct best b = {.list = p->categories, .most = most};
	for (size_t i = 1; i < c->m->r->categories_n; i++) {
		double n = as_told(c->m, row[i]), all = as_told(c->m, c->sum[i]);
		if (n > 0 && all > 0)
			offer(&b, (uint16_t)i, n / size * log(n / size / (all / visitors)));
	}
	p->categories_n = (uint8_t)b.n;
}

static void choose_nearest_of(const struct choosing *c, size_t segment, const uint32_t *row,
    double size, unsigned most, struct plan *p)
{
	struct best b = {.list = p->nearest, .most = most};
	for (size_t i = 0; i < c->m->r->segments_n; i++) {
		double both = as_told(c->m, row[c->segments_at + i]);
		double theirs = as_told(c->m, c->sum[c->segments_at + i]);
		if (i != segment && both > 0 && theirs > 0)
			offer(&b, (uint16_t)i, both / fmax(size + theirs - both, both));
	}
	p->nearest_n = (uint8_t)b.n;
}

static void choose_of(
    const struct choosing *c, size_t segment, const struct limits *most, struct plan *p)
{
	const uint32_t *row = c->sum + (1 + segment - c->from) * c->row;
	double visitors = as_told(c->m, c->sum[cells_of(c) - 1]);
	double size = as_told(c->m, c->sum[c->segments_at + segment]);
	if (size <= 0 || visitors <= 0)
		return;
	choose_categories_of(c, row, size, visitors, most->categories, p);
	choose_nearest_of(c, segment, row, size, most->nearest, p);
	struct best b = {.list = p->countries, .most = most->countries};
	for (size_t i = 0; i < COUNTRIES; i++)
		if (row[c->countries_at + i] >= c->m->k)
			offer(&b, (uint16_t)i, as_told(c->m, row[c->countries_at + i]));
	p->countries_n = (uint8_t)b.n;
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
	size_t rows = TABLES_MOST / (tables * c->row * sizeof *c->sum);
	return rows > 2 ? rows - 1 : 1;
}

static enum err choose_pass(struct choosing *c, const struct limits *most)
{
	struct making *m = c->m;
	c->sum = calloc(cells_of(c), sizeof *c->sum);
	if (!c->sum)
		return err_set(ERR_NOMEM, "no memory for the report");
	enum err e =
	    over_shards(m->g->shards, choose_shard, c, cells_of(c) * sizeof *c->sum, choose_add);
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

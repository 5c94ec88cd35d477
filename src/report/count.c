/* Counting the groups that were chosen, and drawing a sketch of each: one walk over all visitors,
 * 64 at a time. A block of visitors is turned round into words, bit i being visitor i:
 *
 *     word of each segment, category, kind of device, country, path of a journey
 *     word of each clause of a condition          condition/block.h works them out
 *
 * A group is then an AND of two words at most: "members of keen who looked at coats" is the word of
 * keen & the word of coats. Its bits are counted, and put upon its sketch with one exclusive or.
 * Only words that are not 0 are looked at.
 *
 * Each shard is read in one transaction, and a visitor is in one shard: so all groups are counted
 * over the same visitors in the same state, whatever comes in meanwhile. What the first walk
 * counted is a little older, and is not told. */
#include "making.h"

#include "crumb/ask/over_shards.h"
#include "crumb/base/code.h"
#include "crumb/base/memory.h"
#include "crumb/condition/block.h"

#include <stdlib.h>

/* Words of one kind of thing, and which of them are not 0. */
struct words {
	uint64_t *words;
	uint32_t *here;
	size_t here_n;
};

/* A thread's: the block of visitors at hand. */
struct crowd {
	struct making *m;
	uint32_t *counts; /* by group */
	unsigned shard, n;
	uint64_t blocks; /* of the shard, so far */
	struct block *block;
	struct words segments, categories, countries, steps;
	uint64_t devices[DEVICE_MAX];
};

static bool words_new(struct words *w, size_t n)
{
	w->words = calloc(n + 1, sizeof *w->words);
	w->here = calloc(n + 1, sizeof *w->here);
	return w->words && w->here;
}

static void words_done(struct words *w)
{
	free(w->words);
	free(w->here);
}

static inline void words_set(struct words *w, uint32_t what, uint64_t bit)
{
	if (!w->words[what])
		w->here[w->here_n++] = what;
	w->words[what] |= bit;
}

static void words_clear(struct words *w)
{
	for (size_t i = 0; i < w->here_n; i++)
		w->words[w->here[i]] = 0;
	w->here_n = 0;
}

/* --- a visitor */

/* Adds to a counter that all threads share, and that stays at its end. */
static void add_some(_Atomic uint32_t *at, uint32_t n)
{
	if (atomic_fetch_add_explicit(at, n, memory_order_relaxed) > UINT32_MAX - n)
		atomic_store(at, UINT32_MAX);
}

/* The rows: categories, and events and visitors of each complete day. */
static void add_rows(struct crowd *c, const struct profile *p, uint64_t bit)
{
	struct making *m = c->m;
	for (size_t i = 0; i < p->rows_n; i++) {
		const struct cat_day *row = &p->rows[i];
		unsigned back = (unsigned)(m->today - row->day);
		words_set(&c->categories, row->cat, bit);
		if (row->day >= m->today || back > DAILY_DAYS)
			continue;
		size_t at = (size_t)row->cat * DAILY_DAYS + DAILY_DAYS - back;
		add_some(&m->day_events[at], row->count);
		add_some(&m->day_visitors[at], 1);
	}
}

/* The first day from `from` to `to` on which the category was seen; 0: none. */
static uint16_t first_day(const struct profile *p, uint16_t category, uint16_t from, uint16_t to)
{
	size_t n;
	const struct cat_day *rows = profile_span(p, category, &n);
	for (size_t i = 0; i < n; i++)
		if (rows[i].day >= from)
			return rows[i].day <= to ? rows[i].day : 0;
	return 0;
}

/* The step that comes next, behind those that were taken; false: the way ends here. Of two on the
 * same day the one that is listed first. */
static bool next_step(const struct journey *j, const struct profile *p, uint16_t from, uint16_t to,
    unsigned *taken, unsigned *step, uint16_t *day)
{
	*day = 0;
	for (unsigned i = 0; i < j->steps_n; i++) {
		uint16_t first = *taken >> i & 1 ? 0 : first_day(p, j->steps[i], from, to);
		if (first && (!*day || first < *day)) {
			*day = first;
			*step = i;
		}
	}
	*taken |= *day ? 1u << *step : 0;
	return *day != 0;
}

static void take_step(struct crowd *c, uint32_t group, unsigned days, uint64_t bit)
{
	uint32_t at = group - c->m->first_step[0];
	words_set(&c->steps, at, bit);
	add_some(&c->m->step_days[(size_t)at * STEP_DAYS + days], 1);
}

/* Groups of a journey: who began; then, with n steps, path a at 1 + a, path a b at 1 + n + a n + b,
 * and so on. */
static void go(struct crowd *c, size_t journey, const struct profile *p, uint64_t bit)
{
	const struct journey *j = &c->m->r->journeys[journey];
	uint16_t begun = first_day(p, j->from, 1, c->m->today), day;
	uint32_t group = c->m->first_step[journey], at = 0, width = 1, base = 0;
	unsigned taken = 0, step;
	if (!begun)
		return;
	uint16_t from = begun, to = (uint16_t)(begun + j->within - 1);
	take_step(c, group, 0, bit);
	for (int depth = 0; depth < STEPS_MOST && next_step(j, p, from, to, &taken, &step, &day);
	     depth++, from = day) {
		base += width;
		width *= j->steps_n;
		at = at * j->steps_n + step;
		take_step(c, group + base + at, (unsigned)(day - begun), bit);
	}
}

static void add_to_crowd(struct crowd *c, const struct profile *p)
{
	uint64_t bit = 1ull << c->n;
	add_rows(c, p, bit);
	for (size_t i = 0; i < p->segments_n; i++)
		words_set(&c->segments, p->segments[i], bit);
	c->devices[p->agent.device < DEVICE_MAX ? p->agent.device : DEVICE_UNKNOWN] |= bit;
	words_set(&c->countries, country_number(&p->place), bit);
	for (size_t i = 0; i < c->m->r->journeys_n; i++)
		go(c, i, p, bit);
	rules_block_add(c->block, p);
	c->n++;
}

/* --- a block of visitors */

/* Where the block's visitors are in sketches. */
struct spot {
	uint64_t *words; /* by group: one word of each sketch */
	unsigned turn;
	bool shared; /* threads of other shards have the word, too */
};

static struct spot spot_of(const struct crowd *c)
{
	const struct making *m = c->m;
	uint64_t at[2] = {c->shard, c->blocks};
	uint64_t h = hash_keyed64(&m->sketch_key, at, sizeof at);
	unsigned own = m->sketch_words / m->g->shards; /* words of a shard */
	struct spot s = {.turn = (unsigned)(h >> 32) % 64, .shared = own == 0};
	size_t word = own ? c->shard * own + (uint32_t)h % own : (uint32_t)h % m->sketch_words;
	s.words = &m->sketches[word * m->groups_n];
	return s;
}

static inline ALWAYS void mark(struct crowd *c, const struct spot *s, uint32_t group, uint64_t who)
{
	if (!who)
		return;
	uint64_t *word = &s->words[group];
	uint64_t turned = who << s->turn | who >> (64 - s->turn) % 64;
	c->counts[group] += (uint32_t)__builtin_popcountll(who);
	if (s->shared)
		__atomic_fetch_xor(word, turned, __ATOMIC_RELAXED);
	else
		*word ^= turned;
}

static inline ALWAYS void mark_segment(
    struct crowd *c, const struct spot *s, const struct plan *p, uint64_t who)
{
	for (unsigned i = 0; i < DEVICE_MAX; i++)
		mark(c, s, plan_device(p, i), who & c->devices[i]);
	for (unsigned i = 0; i < p->countries_n; i++)
		mark(c, s, plan_country(p, i), who & c->countries.words[p->countries[i]]);
	for (unsigned i = 0; i < p->categories_n; i++)
		mark(c, s, plan_category(p, i), who & c->categories.words[p->categories[i]]);
	for (unsigned i = 0; i < p->nearest_n; i++)
		mark(c, s, plan_near(p, i), who & c->segments.words[p->nearest[i]]);
}

static inline ALWAYS void mark_all(struct crowd *c)
{
	const struct making *m = c->m;
	struct spot s = spot_of(c);
	mark(c, &s, 0, c->n < 64 ? (1ull << c->n) - 1 : UINT64_MAX);
	for (size_t i = 0; i < c->categories.here_n; i++) {
		uint32_t category = c->categories.here[i];
		mark(c, &s, m->first_category + category, c->categories.words[category]);
	}
	for (unsigned i = 0; i < DEVICE_MAX; i++)
		mark(c, &s, m->first_device + i, c->devices[i]);
	for (size_t i = 0; i < c->countries.here_n; i++) {
		uint32_t country = c->countries.here[i];
		mark(c, &s, m->first_country + country, c->countries.words[country]);
	}
	for (size_t i = 0; i < c->segments.here_n; i++) {
		uint32_t segment = c->segments.here[i];
		mark(c, &s, group_of_segment(segment), c->segments.words[segment]);
		mark_segment(c, &s, &m->plans[segment], c->segments.words[segment]);
	}
	for (size_t i = 0; i < m->r->segments_n; i++)
		for (unsigned k = 0; k < m->plans[i].clauses_n; k++)
			mark(c, &s, plan_clause(&m->plans[i], k),
			    rules_block_node(c->block, m->plans[i].upto[k]));
	for (size_t i = 0; i < c->steps.here_n; i++)
		mark(c, &s, m->first_step[0] + c->steps.here[i], c->steps.words[c->steps.here[i]]);
}

#if defined __x86_64__
static COUNTS_BITS void mark_fast(struct crowd *c)
{
	mark_all(c);
}
#endif
static void mark_plain(struct crowd *c)
{
	mark_all(c);
}

static void end_block(struct crowd *c)
{
	if (c->n == 0)
		return;
#if defined __x86_64__
	if (__builtin_cpu_supports("popcnt"))
		mark_fast(c);
	else
#endif
		mark_plain(c);
	words_clear(&c->segments);
	words_clear(&c->categories);
	words_clear(&c->countries);
	words_clear(&c->steps);
	memset(c->devices, 0, sizeof c->devices);
	rules_block_clear(c->block, c->m->today);
	c->n = 0;
	c->blocks++;
}

/* --- a shard */

static enum err crowd_new(struct crowd *c)
{
	const struct rules *r = c->m->r;
	size_t steps = c->m->groups_n - c->m->first_step[0];
	c->block = rules_block_begin(r);
	rules_block_clear(c->block, c->m->today);
	bool fine = words_new(&c->segments, r->segments_n) &&
		    words_new(&c->categories, r->categories_n) &&
		    words_new(&c->countries, COUNTRIES) && words_new(&c->steps, steps);
	return fine ? OK : err_set(ERR_NOMEM, "no memory for the report");
}

static void crowd_done(struct crowd *c)
{
	rules_block_end(c->block);
	words_done(&c->segments);
	words_done(&c->categories);
	words_done(&c->countries);
	words_done(&c->steps);
}

static enum err count_groups_in(void *arg, unsigned shard, void *own)
{
	struct making *m = arg;
	struct crowd c = {.m = m, .counts = own, .shard = shard};
	struct each_visitor v;
	enum err e = crowd_new(&c);
	if (!e)
		e = each_visitor_begin(&v, m->g, shard, m->now, m->wanted, NULL);
	if (e) {
		crowd_done(&c);
		return e;
	}
	while (!e && each_visitor(&v)) {
		add_to_crowd(&c, v.profile);
		if (c.n == BLOCK_MAX) {
			end_block(&c);
			e = making_stopped(m);
		}
	}
	end_block(&c);
	crowd_done(&c);
	return each_visitor_end(&v, e);
}

static void count_add(void *arg, void *own)
{
	struct making *m = arg;
	const uint32_t *counts = own;
	for (size_t i = 0; i < m->groups_n; i++)
		m->groups[i].n += counts[i];
}

/* Gives each group its place. */
static void place_groups(struct making *m)
{
	const struct rules *r = m->r;
	size_t n = 1 + r->segments_n;
	m->first_category = (uint32_t)n;
	m->first_device = (uint32_t)(n += r->categories_n);
	m->first_country = (uint32_t)(n += DEVICE_MAX);
	n += COUNTRIES;
	for (size_t i = 0; i < r->segments_n; i++) {
		m->plans[i].first = (uint32_t)n;
		n = plan_clause(&m->plans[i], m->plans[i].clauses_n);
	}
	for (size_t i = 0; i < r->journeys_n; i++) {
		m->first_step[i] = (uint32_t)n;
		n += journey_groups(&r->journeys[i]);
	}
	m->groups_n = n;
	if (!r->journeys_n)
		m->first_step[0] = (uint32_t)n;
	m->sketch_words = sketch_words_least(m->k);
	while (m->sketch_words < SKETCH_WORDS &&
	       n * m->sketch_words * 2 * sizeof *m->sketches <= SKETCHES_MOST)
		m->sketch_words *= 2;
}

enum err count_groups(struct making *m)
{
	const struct rules *r = m->r;
	m->first_step = calloc(r->journeys_n + 1, sizeof *m->first_step);
	if (!m->first_step)
		return err_set(ERR_NOMEM, "no memory for the report");
	place_groups(m);
	size_t steps = m->groups_n - m->first_step[0], days = r->categories_n * DAILY_DAYS;
	m->groups = calloc(m->groups_n, sizeof *m->groups);
	m->sketches = calloc(m->groups_n * m->sketch_words, sizeof *m->sketches);
	m->step_days = calloc(steps * STEP_DAYS + 1, sizeof *m->step_days);
	m->day_events = calloc(days, sizeof *m->day_events);
	m->day_visitors = calloc(days, sizeof *m->day_visitors);
	if (!m->groups || !m->sketches || !m->step_days || !m->day_events || !m->day_visitors)
		return err_set(ERR_NOMEM, "no memory for the report");
	randombytes_buf(m->sketch_key.b, sizeof m->sketch_key.b);
	return over_shards(
	    m->g->shards, count_groups_in, m, m->groups_n * sizeof(uint32_t), count_add);
}

/* What of the groups of a report is told, and as which number.
 *
 * The danger. Every number of a report is of k visitors at least, and rounded. But "keen" may be
 * told as 1,230, and "keen with a mobile" as 1,220: then ten visitors or so of keen have none, and
 * whoever knows one of them knows what he is. With 70 groups for each segment there are millions of
 * such pairs. So each group is compared with all that were told before it, and
 *
 *     1  fewer than k: withheld. From k to k + 9: withheld, too, if it was told and fell
 *        (told_before.h)
 *     2  near to groups that have a number, which is when fewer than k visitors are in one of the
 *        two and not in both: it gets that number. Everybody, segments and categories come first,
 *        with the numbers that lists tell. If the groups near it have two different numbers, or
 *        one of them is withheld though it has k members, the group is withheld
 *     3  near to all visitors without a group that has a number: it gets the difference
 *     4  parts of a whole (kinds of device, countries, next steps): where the numbers say that
 *        somebody is left, and it is fewer than k, the smallest part is withheld, too
 *
 * So no two numbers of a report that are different belong to groups that are fewer than k apart.
 *
 * Example with k = 50:
 *
 *     everybody 50,210     keen 1,234       boots (a category) 1,240
 *
 *     keen with a mobile        1,221  13 apart from keen             told as 1,230, keen's number
 *     keen who saw boots        1,200  34 from keen, 40 from boots;   withheld
 *                                      1,230 and 1,240 are two
 *     keen with a computer          9                                 withheld
 *     keen who saw coats          600  far from all                   told as 600
 *     without a mobile, of all  8,100  all but those with one,        told as 50,210 − 42,110
 *                                      who are told as 42,110
 *
 * Why rule 4 looks at the numbers. Segment "near" has 1,000 members, 600 with a mobile, 370 with a
 * computer, 30 with a tablet. The numbers 1,000, 600 and 370 say that 30 are left, give or take the
 * rounding; so 370 is withheld, and what is left is 400. Were it withheld as soon as one visitor
 * is left, the one who makes the difference between none and one would be seen: whoever knows that
 * Anna alone has a tablet would see her come. So nothing is withheld while the numbers leave open
 * whether anybody is left: the rest is at least 1,000 − 5 less the parts + 4 each.
 *
 * How near pairs are found. Groups of k members at least stand by size; two whose sizes differ by k
 * or more are that far apart. Of the others the sketches are compared, folded to eight words first
 * (sketch.h): they never say "far" of what is near. What they take for near by chance is treated as
 * near. A group with more than CROWD_MOST others of its size is withheld.
 *
 * What is left: the same as for lists (docs/PRIVACY.md): numbers are rounded without noise, so one
 * visitor decides now and then whether a number is this ten or the next, or a pair is near. */
#include "making.h"

#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "told_before.h"

#include <stdlib.h>

#define FOLDED 8	   /* words */
#define CROWD_MOST 131072u /* groups that one is compared with */

struct gating {
	struct making *m;
	struct told_before *before;
	uint32_t *by_size; /* groups of k members at least, smallest first */
	size_t sized_n;
	uint64_t *folded;     /* FOLDED words for each of them, in that order */
	uint64_t all[FOLDED]; /* everybody's */
};

/* --- who is near */

static void fold_sketch(const struct making *m, uint32_t group, uint64_t out[FOLDED])
{
	memset(out, 0, FOLDED * sizeof *out);
	for (unsigned i = 0; i < m->sketch_words; i++)
		out[i % FOLDED] ^= m->sketches[i * m->groups_n + group];
}

static int by_size(const void *a, const void *b, void *groups)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct group *g = groups;
	if (g[x].n != g[y].n)
		return g[x].n < g[y].n ? -1 : 1;
	return x < y ? -1 : x > y;
}

static enum err sort_groups(struct gating *x)
{
	struct making *m = x->m;
	x->by_size = calloc(m->groups_n, sizeof *x->by_size);
	if (!x->by_size)
		return err_set(ERR_NOMEM, "no memory for the report");
	for (size_t i = 0; i < m->groups_n; i++)
		if (m->groups[i].n >= m->k)
			x->by_size[x->sized_n++] = (uint32_t)i;
	qsort_r(x->by_size, x->sized_n, sizeof *x->by_size, by_size, m->groups);
	x->folded = calloc(x->sized_n + 1, FOLDED * sizeof *x->folded);
	if (!x->folded)
		return err_set(ERR_NOMEM, "no memory for the report");
	for (size_t i = 0; i < x->sized_n; i++)
		fold_sketch(m, x->by_size[i], &x->folded[i * FOLDED]);
	fold_sketch(m, 0, x->all);
	return OK;
}

/* The first place whose group has at least n members. */
static size_t place_of(const struct gating *x, uint64_t n)
{
	size_t lo = 0, hi = x->sized_n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (x->m->groups[x->by_size[mid]].n < n)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* What the groups say that are near. */
struct said {
	bool any, two; /* somebody said something; two said different things */
	int64_t number;
};

static void hear(struct said *s, int64_t number)
{
	s->two |= s->any && s->number != number;
	s->any = true;
	s->number = number;
}

/* Asks all earlier groups whose sizes are at most k − 1 from `size` and which are near `group`, or,
 * with `all`, near to everybody but the group. */
static void ask_near(
    const struct gating *x, uint32_t group, uint64_t size, const uint64_t *all, struct said *s)
{
	const struct making *m = x->m;
	const struct group *g = m->groups;
	unsigned k = (unsigned)m->k, words = m->sketch_words;
	size_t from = place_of(x, size >= k ? size - k + 1 : 0), to = place_of(x, size + k);
	uint64_t mine[FOLDED];
	fold_sketch(m, group, mine);
	for (unsigned i = 0; all && i < FOLDED; i++)
		mine[i] ^= x->all[i];
	s->two |= to - from > CROWD_MOST;
	for (size_t i = from; i < to && !s->two; i++) {
		uint32_t other = x->by_size[i];
		int64_t number = g[other].told;
		if (all)
			number = number == WITHHELD ? WITHHELD : g[0].told - number;
		if (other >= group || (s->any && s->number == number))
			continue;
		if (sketch_apart(mine, &x->folded[i * FOLDED], NULL, FOLDED, 1, k) < k &&
		    sketch_apart(
			&m->sketches[group], &m->sketches[other], all, words, m->groups_n, k) < k)
			hear(s, number);
	}
}

/* --- one group */

static int64_t shown_number(struct shown s)
{
	return s.told ? (int64_t)s.n : WITHHELD;
}

/* The group's own number, if nothing is near. */
static int64_t own_number(const struct gating *x, const struct group *g)
{
	const struct making *m = x->m;
	if (g->n < m->k + KGATE_STEP && told_before_fell(x->before, g->name))
		return WITHHELD;
	return shown_number(kgate_show(m->gate, g->n));
}

static void gate_one(struct gating *x, uint32_t group)
{
	struct making *m = x->m;
	struct group *g = &m->groups[group];
	struct said s = {0};
	g->told = WITHHELD;
	if (g->n < m->k)
		return;
	ask_near(x, group, g->n, NULL, &s);
	if (!s.two && m->groups[0].told != WITHHELD)
		ask_near(x, group, m->groups[0].n - g->n, m->sketches, &s);
	if (!s.two)
		g->told = s.any ? s.number : own_number(x, g);
	if (g->told < (int64_t)m->k)
		g->told = WITHHELD;
}

/* Rule 4: `n` groups from `first` on are parts of a whole. */
static void gate_rest(struct gating *x, uint32_t whole, uint32_t first, uint32_t n)
{
	struct group *g = x->m->groups;
	int64_t left = g[whole].told - KGATE_STEP / 2;
	uint64_t told = 0;
	uint32_t smallest = NO_GROUP;
	for (uint32_t i = first; i < first + n; i++) {
		if (g[i].told == WITHHELD)
			continue;
		told += g[i].n;
		left -= g[i].told + KGATE_STEP / 2 - 1;
		if (smallest == NO_GROUP || g[i].told < g[smallest].told)
			smallest = i;
	}
	bool few = told >= g[whole].n || g[whole].n - told < x->m->k;
	if (smallest != NO_GROUP && g[whole].told != WITHHELD && few && left >= 1)
		g[smallest].told = WITHHELD;
}

static void gate_parts(struct gating *x, uint32_t whole, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++)
		gate_one(x, i);
	gate_rest(x, whole, first, n);
}

/* --- all of them, in the order of the groups */

/* Everybody, segments and categories have the numbers of lists. */
static void gate_named(struct making *m)
{
	const struct rules *r = m->r;
	struct group *g = m->groups;
	g[0].told = shown_number(kgate_show(m->gate, g[0].n));
	for (size_t i = 0; i < r->segments_n; i++) {
		struct group *s = &g[group_of_segment(i)];
		s->told = shown_number(kgate_show_group(m->gate, 's', r->segments[i].id, s->n));
	}
	g[m->first_category].told = g[0].told;
	for (size_t i = 1; i < r->categories_n; i++) {
		struct group *c = &g[m->first_category + i];
		c->told = shown_number(kgate_show_group(m->gate, 'c', r->categories[i].id, c->n));
	}
}

static void gate_segment(struct gating *x, size_t segment)
{
	const struct plan *p = &x->m->plans[segment];
	uint32_t whole = group_of_segment(segment);
	gate_parts(x, whole, plan_device(p, 0), DEVICE_MAX);
	gate_parts(x, whole, plan_country(p, 0), p->countries_n);
	for (uint32_t i = plan_category(p, 0); i < plan_clause(p, p->clauses_n); i++)
		gate_one(x, i);
}

/* Who began, then the next steps of each path. */
static void gate_journey(struct gating *x, size_t journey)
{
	uint32_t first = x->m->first_step[journey], n = x->m->r->journeys[journey].steps_n;
	uint32_t width = 1, whole = first, at = first + 1;
	gate_one(x, first);
	for (int depth = 0; depth < STEPS_MOST; depth++, width *= n)
		for (uint32_t i = 0; i < width; i++, whole++, at += n)
			gate_parts(x, whole, at, n);
}

static void note_told(const struct gating *x)
{
	const struct making *m = x->m;
	for (size_t i = m->first_device; i < m->groups_n; i++)
		if (m->groups[i].told != WITHHELD)
			told_before_note(x->before, m->groups[i].name, m->today);
}

enum err gate_groups(struct making *m, struct told_before *before)
{
	struct gating x = {.m = m, .before = before};
	enum err e = sort_groups(&x);
	if (!e) {
		gate_named(m);
		gate_parts(&x, 0, m->first_device, DEVICE_MAX);
		gate_parts(&x, 0, m->first_country, COUNTRIES);
	}
	for (size_t i = 0; i < m->r->segments_n && !e; i++) {
		gate_segment(&x, i);
		e = making_stopped(m);
	}
	for (size_t i = 0; i < m->r->journeys_n && !e; i++)
		gate_journey(&x, i);
	if (!e)
		note_told(&x);
	free(x.by_size);
	free(x.folded);
	return e ? e : memory_check();
}

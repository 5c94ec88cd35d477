/* The smallest change that would bring a visitor into a segment.
 *
 * A plan is a list of steps with a cost; solve() makes one for a node that should hold, or should
 * not hold, from the plans of its parts: `and` needs both, `or` the cheaper one. Costs only rank:
 *
 *     an event                   1        so 3 events are 3
 *     events on another day      2        each; it takes days
 *     a value                    3        one event that is worth enough
 *     waiting                    50 and 1 for each day
 *     another place or device    10,000   what the visitor would have to be
 *     what cannot be             1e9
 *
 * Example: "coats >= 3 in 7d and (purchase or country = US)" and a visitor from DE with one coat.
 * Coats: 2 events. Purchase costs 1, the country 10,000, so purchase. Both: 3, "2 more of coats, 1
 * purchase".
 *
 * Plans of two parts may share steps (both(), share_events()), and a step for one part may spoil
 * another: events of boots are events of footwear, which may have an upper bound. So the plan is
 * tried on a copy of the profile in the end (tried()), and `sure` says whether it works. */
#include "crumb/condition/explain.h"

#include <stdlib.h>

bool rules_part_holds(const struct rules *r, int node, const struct profile *p, uint16_t today)
{
	return p->rows_n > 0 && rules_holds(r, node, p, today);
}

/* A profile that may be changed: its own rows and sums. */
static struct profile *copy_of(const struct profile *from)
{
	struct profile *p = malloc(sizeof *p);
	CHECK(p);
	*p = *from;
	p->rows = NULL, p->sums = NULL;
	p->rows_cap = p->sums_cap = 0;
	p->rows_n = p->sums_n = 0;
	for (size_t i = 0; i < from->rows_n; i++)
		profile_add(p, from->rows[i].cat, from->rows[i].day, from->rows[i].count);
	for (size_t i = 0; i < from->sums_n; i++)
		profile_add_value(p, from->sums[i].cat, from->sums[i].day,
		    (double)from->sums[i].millionths / 1e6);
	return p;
}

static void copy_done(struct profile *p)
{
	free(p->rows);
	free(p->sums);
	free(p);
}

uint16_t rules_part_flips(
    const struct rules *r, int node, const struct profile *from, uint16_t today, unsigned retention)
{
	struct profile *p = copy_of(from);
	bool now = rules_part_holds(r, node, p, today);
	uint16_t day = 0;
	for (uint32_t d = today + 1u; d <= today + retention && !day; d++) {
		profile_expire(p, (uint16_t)(d - retention + 1));
		if (p->rows_n == 0)
			break;
		if (rules_part_holds(r, node, p, (uint16_t)d) != now)
			day = (uint16_t)d;
	}
	copy_done(p);
	return day;
}

/* --- the smallest change */

#define COST_FACT 10000.0
#define COST_NEVER 1e9

struct plan {
	double cost;
	struct step steps[STEPS_MAX];
	unsigned n;
};

struct solver {
	const struct rules *r;
	const struct profile *p;
	uint16_t today;
	unsigned retention;
};

static struct plan never(void)
{
	return (struct plan){.cost = COST_NEVER};
}

static struct plan one_step(double cost, struct step s)
{
	return (struct plan){cost, {s}, 1};
}

static struct plan wait_for(const struct solver *s, int node)
{
	uint16_t day = rules_part_flips(s->r, node, s->p, s->today, s->retention);
	return day ? one_step(
			 50.0 + day - s->today, (struct step){STEP_WAIT, 0, day, 0, node, true})
		   : never();
}

static struct plan events(uint16_t cat, int64_t n, int node)
{
	return one_step((double)n, (struct step){STEP_EVENTS, cat, 0, n, node, true});
}

/* Both plans: steps of one kind about one category are one step, as large as the larger. */
static struct plan both(struct plan a, const struct plan *b)
{
	a.cost += b->cost;
	for (unsigned i = 0; i < b->n; i++) {
		const struct step *s = &b->steps[i];
		struct step *same = NULL;
		for (unsigned k = 0; k < a.n; k++)
			if (a.steps[k].kind == s->kind &&
			    (s->kind == STEP_WAIT ||
				(s->kind != STEP_FACT && a.steps[k].cat == s->cat)))
				same = &a.steps[k];
		if (!same && a.n < STEPS_MAX) {
			a.steps[a.n++] = *s;
		} else if (same && s->kind == STEP_WAIT) {
			same->day = s->day > same->day ? s->day : same->day;
		} else if (same && s->n > same->n) {
			a.cost -= (double)same->n;
			same->n = s->n;
		} else if (same) {
			a.cost -= (double)s->n;
		} else {
			a.cost = COST_NEVER;
		}
	}
	return a;
}

/* A plan for an amount of at least `least` and at most `most`. Too much goes by waiting only. */
static struct plan amount_between(const struct solver *s, int node, int64_t least, int64_t most)
{
	const struct rule_node *n = &s->r->nodes[node];
	int64_t have = rules_amount(s->p, n, s->today).n;
	if (have > most)
		return wait_for(s, node);
	if (have >= least || most < least)
		return never(); /* nothing is wrong with it, yet it does not hold */
	if (n->kind == NODE_COUNT)
		return events(n->cat, least - have, node);
	if (n->kind == NODE_SUM)
		return one_step(3, (struct step){STEP_VALUE, n->cat, 0, least - have, node, true});
	size_t rows;
	const struct cat_day *r = profile_span(s->p, n->cat, &rows);
	bool today = rows && r[rows - 1].day == s->today;
	if (least - have == 1 && !today)
		return events(n->cat, 1, node);
	return one_step(2.0 * (double)(least - have),
	    (struct step){STEP_DAYS, n->cat, 0, least - have, node, true});
}

/* A plan for a comparison to hold, or not to hold. Where both directions would do, such as for !=,
 * it is the upper one: more events. */
static struct plan amount_plan(const struct solver *s, int node, bool want)
{
	const struct rule_node *n = &s->r->nodes[node];
	const int64_t far = INT64_MAX / 4;
	switch (n->op) {
	case OP_GE:
		return want ? amount_between(s, node, n->n, far)
			    : amount_between(s, node, -far, n->n - 1);
	case OP_GT:
		return want ? amount_between(s, node, n->n + 1, far)
			    : amount_between(s, node, -far, n->n);
	case OP_LE:
		return want ? amount_between(s, node, -far, n->n)
			    : amount_between(s, node, n->n + 1, far);
	case OP_LT:
		return want ? amount_between(s, node, -far, n->n - 1)
			    : amount_between(s, node, n->n, far);
	case OP_EQ:
		return want ? amount_between(s, node, n->n, n->n)
			    : amount_between(s, node, n->n + 1, far);
	case OP_NE:
		return want ? amount_between(s, node, n->n + 1, far)
			    : amount_between(s, node, n->n, n->n);
	case OP_BETWEEN:
		return want ? amount_between(s, node, n->n, n->n2)
			    : amount_between(s, node, n->n2 + 1, far);
	}
	return never();
}

/* A then B: only B where A is recent enough, else both today. */
static struct plan then_plan(const struct solver *s, int node, bool want)
{
	const struct rule_node *n = &s->r->nodes[node];
	size_t rows;
	const struct cat_day *r = profile_span(s->p, n->cat, &rows);
	if (!want)
		return wait_for(s, node);
	struct plan second = events(n->then, 1, node);
	for (size_t i = 0; i < rows; i++)
		if (r[i].day <= s->today && r[i].day + n->window > s->today)
			return second;
	return both(events(n->cat, 1, node), &second);
}

/* The cheapest plan that is found for a node to be as wanted. */
static struct plan solve(const struct solver *s, int node, bool want)
{
	const struct rule_node *n = &s->r->nodes[node];
	struct plan a, b;
	if (rules_part_holds(s->r, node, s->p, s->today) == want)
		return (struct plan){.cost = 0};
	switch (n->kind) {
	case NODE_NOT:
		return solve(s, n->left, !want);
	case NODE_AND:
	case NODE_OR:
		a = solve(s, n->left, want);
		b = solve(s, n->right, want);
		if ((n->kind == NODE_AND) == want)
			return both(a, &b);
		return a.cost <= b.cost ? a : b;
	case NODE_SEGMENT: {
		const struct segment *g = &s->r->segments[n->segment];
		return g->until && s->today > g->until ? never() : solve(s, g->root, want);
	}
	case NODE_COUNT:
	case NODE_DAYS:
	case NODE_SUM:
		return amount_plan(s, node, want);
	case NODE_FIRST: {
		size_t rows;
		profile_span(s->p, n->cat, &rows);
		return want && rows == 0 ? events(n->cat, 1, node) : wait_for(s, node);
	}
	case NODE_THEN:
		return then_plan(s, node, want);
	case NODE_FACT:
	case NODE_ATTR:
		return one_step(COST_FACT, (struct step){STEP_FACT, 0, 0, 0, node, want});
	case NODE_LIKE: /* what would bring them in is the model's to know */
	case NODE_NEVER:
		break;
	}
	return never();
}

/* Adds events of a category to a profile, and so of its parents and of all. */
static void add_up(const struct rules *r, struct profile *p, uint16_t cat, uint16_t day,
    uint32_t count, double value)
{
	for (int up = cat; up >= 0; up = r->categories[up].parent) {
		if (up == CATEGORY_ALL)
			break;
		profile_add(p, (uint16_t)up, day, count);
		if (value != 0)
			profile_add_value(p, (uint16_t)up, day, value);
	}
	profile_add(p, CATEGORY_ALL, day, count);
}

/* Events of a child are events of its parents: what the parent still wants is less by them. */
static void share_events(const struct rules *r, struct plan *p)
{
	for (unsigned i = 0; i < p->n; i++)
		for (unsigned k = 0; k < p->n; k++) {
			if (i == k || p->steps[i].kind != STEP_EVENTS ||
			    p->steps[k].kind != STEP_EVENTS)
				continue;
			for (int up = r->categories[p->steps[k].cat].parent; up >= 0;
			     up = r->categories[up].parent)
				if (up == p->steps[i].cat)
					p->steps[i].n -= p->steps[k].n;
		}
	unsigned kept = 0;
	for (unsigned i = 0; i < p->n; i++)
		if (p->steps[i].kind != STEP_EVENTS || p->steps[i].n > 0)
			p->steps[kept++] = p->steps[i];
	p->n = kept;
}

/* Is the visitor in the segment after these steps? Steps of facts cannot be tried: false. */
static bool tried(const struct solver *s, uint16_t segment, const struct plan *plan)
{
	struct profile *p = copy_of(s->p);
	uint32_t day = s->today;
	bool facts = false;
	for (unsigned i = 0; i < plan->n; i++) {
		const struct step *x = &plan->steps[i];
		facts |= x->kind == STEP_FACT;
		if (x->kind == STEP_EVENTS)
			add_up(s->r, p, x->cat, s->today, (uint32_t)x->n, 0);
		else if (x->kind == STEP_VALUE)
			add_up(s->r, p, x->cat, s->today, 1, (double)x->n / 1e6);
		else if (x->kind == STEP_DAYS) {
			/* one a day, from today or, if today counts already, from tomorrow */
			size_t rows;
			const struct cat_day *r = profile_span(p, x->cat, &rows);
			uint32_t from = s->today + (rows && r[rows - 1].day == s->today ? 1u : 0u);
			for (int64_t k = 0; k < x->n; k++)
				add_up(s->r, p, x->cat, (uint16_t)(from + k), 1, 0);
			if (from + x->n - 1 > day)
				day = (uint32_t)(from + x->n - 1);
		} else if (x->kind == STEP_WAIT && x->day > day)
			day = x->day;
	}
	profile_expire(p, (uint16_t)(day - s->retention + 1));
	bool in = !facts && rules_eval(s->r, segment, p, (uint16_t)day);
	copy_done(p);
	return in;
}

struct change rules_change(const struct rules *r, uint16_t segment, const struct profile *p,
    uint16_t today, unsigned retention)
{
	struct solver s = {r, p, today, retention};
	const struct segment *g = &r->segments[segment];
	struct plan plan = g->until && today > g->until ? never() : solve(&s, g->root, true);
	struct change out = {.possible = plan.cost < COST_NEVER};
	if (!out.possible)
		return out;
	share_events(r, &plan);
	out.sure = tried(&s, segment, &plan);
	out.n = plan.n;
	memcpy(out.steps, plan.steps, plan.n * sizeof *plan.steps);
	return out;
}

/* Can a condition hold at all?
 *
 * 1. The condition is written as cases, a disjunctive normal form: it holds when some case holds,
 * and a case when all of its tests do, each as it is or negated. Segments are written out.
 *
 *        coats >= 3 in 7d and (coats < 2 in 30d or country = US)
 *        case 1: coats >= 3 in 7d, coats < 2 in 30d        case 2: coats >= 3 in 7d, country = US
 *
 *    More than CASES_MAX cases, or a case of more than TESTS_MAX tests, is UNDECIDED.
 *
 * 2. In a case each (kind, category, window) is a variable with an interval, which tests narrow:
 *
 *        events of coats in 7 days     [3, ∞)
 *        events of coats in 30 days    [0, 1]
 *        days of any event             [1, 90]      whoever is looked at has visited
 *
 * 3. What is known of counts narrows one interval by another, until one is empty or nothing
 * changes:
 *
 *        a child's count is at most its parent's           a window's at most that of a longer one
 *        days are at most events, and at most the window   there are days where there are events
 *        without events there is no sum                    with a sum there are events
 *
 *    Here 7 days are at most 30 days: [3, ∞) becomes [3, 1], which is empty. Case 1 is impossible.
 *
 * 4. A fact or an attribute has one value: some listed word must pass all tests about it. Case 2
 * can hold, so the condition can, with a dead case; blame() finds the two tests of case 1.
 *
 * Cost: 388 bytes a test list, so at most 100 KB of cases, and 10 KB of variables. */
#include "crumb/base/array.h"
#include "crumb/condition/logic.h"

#include "crumb/base/text.h"

#include <stdlib.h>

#define CASES_MAX 256
#define TESTS_MAX 48	/* of a case */
#define NOT_THESE_MAX 8 /* numbers that a variable may not be; more are left out */
#define ROUNDS_MAX 200	/* of narrowing; then what is not empty yet counts as possible */

/* A test in a case. */
struct literal {
	int node;
	bool negated;
};
struct one_case {
	struct literal list[TESTS_MAX];
	unsigned n;
};
struct cases {
	struct one_case *list;
	unsigned n;
	size_t cap;
	bool too_many;
};

/* --- cases */

static void add_case(struct cases *c, const struct one_case *one)
{
	if (c->n == CASES_MAX) {
		c->too_many = true;
		return;
	}
	CHECK(array_room(c->list, c->cap, c->n + 1));
	c->list[c->n++] = *one;
}

static struct cases cases_of(const struct rules *r, int at, bool negated);

/* a and b: each case of one with each of the other. Takes both lists. */
static struct cases cross(struct cases a, struct cases b)
{
	struct cases out = {NULL, 0, 0, false};
	out.too_many = a.too_many || b.too_many;
	for (unsigned i = 0; i < a.n && !out.too_many; i++)
		for (unsigned k = 0; k < b.n && !out.too_many; k++) {
			struct one_case both = a.list[i];
			for (unsigned t = 0; t < b.list[k].n; t++) {
				bool known = false;
				for (unsigned x = 0; x < both.n; x++)
					known |= both.list[x].node == b.list[k].list[t].node &&
						 both.list[x].negated == b.list[k].list[t].negated;
				if (known)
					continue;
				if (both.n == TESTS_MAX) {
					out.too_many = true;
					break;
				}
				both.list[both.n++] = b.list[k].list[t];
			}
			add_case(&out, &both);
		}
	free(a.list);
	free(b.list);
	return out;
}

/* a or b: the cases of both. Takes both lists. */
static struct cases either(struct cases a, struct cases b)
{
	for (unsigned i = 0; i < b.n; i++)
		add_case(&a, &b.list[i]);
	a.too_many |= b.too_many;
	free(b.list);
	return a;
}

/* The cases of a node, or of its opposite: "not" goes down to the tests by De Morgan's laws. A
 * segment that ends is a test of its own. */
static struct cases cases_of(const struct rules *r, int at, bool negated)
{
	const struct rule_node *n = &r->nodes[at];
	if (n->kind == NODE_NOT)
		return cases_of(r, n->left, !negated);
	if (n->kind == NODE_AND || n->kind == NODE_OR) {
		struct cases a = cases_of(r, n->left, negated);
		if (a.too_many)
			return a;
		struct cases b = cases_of(r, n->right, negated);
		return (n->kind == NODE_AND) != negated ? cross(a, b) : either(a, b);
	}
	if (n->kind == NODE_SEGMENT && r->segments[n->segment].root >= 0 &&
	    !r->segments[n->segment].until)
		return cases_of(r, r->segments[n->segment].root, negated);
	struct cases c = {NULL, 0, 0, false};
	add_case(&c, &(struct one_case){{{at, negated}}, 1});
	return c;
}

/* --- intervals */

struct variable {
	enum node_kind kind; /* COUNT, DAYS, SUM */
	uint16_t cat;
	unsigned window;
	int64_t lo, hi;
	int64_t not_this[NOT_THESE_MAX];
	unsigned not_n;
};
struct variables {
	struct variable list[2 * TESTS_MAX + 2];
	unsigned n;
};

/* Finds or adds a variable. A count is at least 0, days are at most the window. Each test adds two
 * at most, so there is room. */
static struct variable *variable(
    struct variables *v, enum node_kind kind, uint16_t cat, unsigned window)
{
	if (window == 0)
		window = RETENTION_MAX;
	for (unsigned i = 0; i < v->n; i++)
		if (v->list[i].kind == kind && v->list[i].cat == cat && v->list[i].window == window)
			return &v->list[i];
	struct variable *x = &v->list[v->n++];
	*x = (struct variable){
	    kind, cat, window, kind == NODE_SUM ? INT64_MIN : 0, INT64_MAX, {0}, 0};
	if (kind == NODE_DAYS)
		x->hi = window;
	return x;
}

static void at_least(struct variable *v, int64_t n)
{
	if (n > v->lo)
		v->lo = n;
}

static void at_most(struct variable *v, int64_t n)
{
	if (n < v->hi)
		v->hi = n;
}

static void not_equal(struct variable *v, int64_t n)
{
	if (v->not_n < NOT_THESE_MAX)
		v->not_this[v->not_n++] = n;
}

/* What a comparison, or its opposite, says of a variable. */
static void narrow(struct variable *v, const struct rule_node *n, bool negated)
{
	static const enum node_op opposite[] = {[OP_GE] = OP_LT,
	    [OP_GT] = OP_LE,
	    [OP_LE] = OP_GT,
	    [OP_LT] = OP_GE,
	    [OP_EQ] = OP_NE,
	    [OP_NE] = OP_EQ,
	    [OP_BETWEEN] = OP_BETWEEN};
	switch (negated ? opposite[n->op] : n->op) {
	case OP_GE:
		at_least(v, n->n);
		return;
	case OP_GT:
		at_least(v, n->n + 1);
		return;
	case OP_LE:
		at_most(v, n->n);
		return;
	case OP_LT:
		at_most(v, n->n - 1);
		return;
	case OP_EQ:
		at_least(v, n->n);
		at_most(v, n->n);
		return;
	case OP_NE:
		not_equal(v, n->n);
		return;
	case OP_BETWEEN:
		if (negated)
			return; /* two intervals: left open */
		at_least(v, n->n);
		at_most(v, n->n2);
		return;
	}
}

/* Is every event of `a` one of `b`? */
static bool part_of(const struct rules *r, uint16_t a, uint16_t b)
{
	if (b == CATEGORY_ALL)
		return true;
	for (int up = a; up >= 0; up = r->categories[up].parent)
		if (up == b)
			return true;
	return false;
}

/* What one variable says about another; true when an interval changed. */
static bool relate(const struct rules *r, struct variable *a, struct variable *b)
{
	int64_t a_lo = a->lo, a_hi = a->hi, b_lo = b->lo, b_hi = b->hi;
	if (!part_of(r, a->cat, b->cat) || a->window > b->window)
		return false;
	if (a->kind != NODE_SUM && a->kind == b->kind) {
		at_least(b, a->lo);
		at_most(a, b->hi);
	}
	if (a->kind == NODE_DAYS && b->kind == NODE_COUNT) {
		at_least(b, a->lo);
		at_most(a, b->hi);
	}
	if (a->kind == NODE_COUNT && b->kind == NODE_DAYS) {
		if (a->lo >= 1)
			at_least(b, 1);
		if (b->hi <= 0)
			at_most(a, 0);
	}
	if (a->kind == NODE_SUM && b->kind != NODE_SUM) {
		if (b->hi <= 0) {
			at_least(a, 0);
			at_most(a, 0);
		}
		if (a->lo > 0 || a->hi < 0)
			at_least(b, 1);
	}
	return a_hi != a->hi || a_lo != a->lo || b_lo != b->lo || b_hi != b->hi;
}

/* Is the interval empty, also without the numbers that it may not be at its ends? */
static bool empty(struct variable *v)
{
	for (bool again = true; again;) {
		again = false;
		for (unsigned i = 0; i < v->not_n; i++) {
			if (v->lo == v->not_this[i] && v->lo < INT64_MAX)
				v->lo++, again = v->lo <= v->hi;
			if (v->hi == v->not_this[i] && v->hi > INT64_MIN)
				v->hi--, again = v->lo <= v->hi;
		}
	}
	return v->lo > v->hi;
}

/* --- facts and attributes: one value each */

static bool word_allowed(const struct rule_node *n, struct str word)
{
	double v;
	if (n->numeric)
		return rules_number(word, &v) && range_has(&n->range, v);
	for (unsigned i = 0; i < n->words_n; i++)
		if (text_eq(n->words[i], word))
			return true;
	return false;
}

static bool about_same(const struct rule_node *a, const struct rule_node *b)
{
	return a->kind == b->kind &&
	       (a->kind == NODE_FACT ? a->fact == b->fact && a->fact != FACT_REGION
				     : a->kind == NODE_ATTR && str_eq(a->attr, b->attr));
}

/* Some value passes all tests of the case that are about the same fact as the first of them. */
static bool values_possible(const struct rules *r, const struct one_case *c, unsigned first)
{
	const struct rule_node *f = &r->nodes[c->list[first].node], *listed = NULL;
	struct range left = {-1e308, 1e308, false, false};
	bool positive = false;
	for (unsigned i = 0; i < c->n; i++) {
		const struct rule_node *n = &r->nodes[c->list[i].node];
		if (!about_same(f, n) || c->list[i].negated)
			continue;
		positive = true;
		if (!n->numeric) {
			listed = n;
			continue;
		}
		if (n->range.lo > left.lo || (n->range.lo == left.lo && n->range.lo_out))
			left.lo = n->range.lo, left.lo_out = n->range.lo_out;
		if (n->range.hi < left.hi || (n->range.hi == left.hi && n->range.hi_out))
			left.hi = n->range.hi, left.hi_out = n->range.hi_out;
	}
	if (!positive)
		return true; /* only what it is not */
	if (!listed)
		return left.lo < left.hi || (left.lo == left.hi && !left.lo_out && !left.hi_out);
	for (unsigned w = 0; w < listed->words_n; w++) {
		bool fits = true;
		for (unsigned i = 0; i < c->n && fits; i++) {
			const struct rule_node *n = &r->nodes[c->list[i].node];
			if (about_same(f, n))
				fits = word_allowed(n, listed->words[w]) != c->list[i].negated;
		}
		if (fits)
			return true;
	}
	return false;
}

/* --- one case */

static bool same_test(const struct rule_node *a, const struct rule_node *b)
{
	return a->kind == b->kind && a->cat == b->cat && a->then == b->then &&
	       a->segment == b->segment && a->window == b->window;
}

/* Can all tests of a case hold of one visitor? */
static bool possible(const struct rules *r, const struct one_case *c)
{
	struct variables *v = calloc(1, sizeof *v);
	CHECK(v);
	bool fine = true;
	at_least(variable(v, NODE_DAYS, CATEGORY_ALL, 0), 1);
	for (unsigned i = 0; i < c->n; i++) {
		const struct rule_node *n = &r->nodes[c->list[i].node];
		bool negated = c->list[i].negated;
		if (n->kind == NODE_COUNT || n->kind == NODE_DAYS || n->kind == NODE_SUM)
			narrow(variable(v, n->kind, n->cat, n->window), n, negated);
		else if (n->kind == NODE_FIRST && !negated)
			at_least(variable(v, NODE_COUNT, n->cat, n->window), 1);
		else if (n->kind == NODE_THEN && !negated) {
			at_least(variable(v, NODE_COUNT, n->cat, 0), 1);
			at_least(variable(v, NODE_COUNT, n->then, 0), 1);
		} else if (n->kind == NODE_FACT || n->kind == NODE_ATTR)
			fine &= values_possible(r, c, i);
		if (n->kind == NODE_NEVER && !negated)
			fine = false;
		for (unsigned k = 0; k < i && (n->kind == NODE_FIRST || n->kind == NODE_THEN ||
						  n->kind == NODE_SEGMENT);
		     k++)
			fine &= c->list[k].negated == negated ||
				!same_test(n, &r->nodes[c->list[k].node]);
	}
	for (int round = 0; round < ROUNDS_MAX && fine; round++) {
		bool changed = false;
		for (unsigned a = 0; a < v->n; a++)
			for (unsigned b = 0; b < v->n; b++)
				changed |= a != b && relate(r, &v->list[a], &v->list[b]);
		for (unsigned a = 0; a < v->n; a++)
			fine &= !empty(&v->list[a]);
		if (!changed)
			break;
	}
	free(v);
	return fine;
}

/* The test, or the two, that make a case impossible. */
static void blame(const struct rules *r, const struct one_case *c, struct logic *out)
{
	out->a = out->b = -1;
	for (unsigned i = 0; i < c->n; i++)
		if (!possible(r, &(struct one_case){{c->list[i]}, 1})) {
			out->a = c->list[i].node;
			out->a_not = c->list[i].negated;
			return;
		}
	for (unsigned i = 0; i < c->n; i++)
		for (unsigned k = i + 1; k < c->n; k++)
			if (!possible(r, &(struct one_case){{c->list[i], c->list[k]}, 2})) {
				out->a = c->list[i].node;
				out->a_not = c->list[i].negated;
				out->b = c->list[k].node;
				out->b_not = c->list[k].negated;
				return;
			}
}

/* A test of counts that holds of everybody: its opposite is impossible. */
static int always_true(const struct rules *r, int at)
{
	const struct rule_node *n = &r->nodes[at];
	int found = -1;
	if (n->kind == NODE_AND || n->kind == NODE_OR) {
		found = always_true(r, n->left);
		return found >= 0 ? found : always_true(r, n->right);
	}
	if (n->kind == NODE_NOT)
		return always_true(r, n->left);
	if ((n->kind == NODE_COUNT || n->kind == NODE_DAYS) && n->op != OP_BETWEEN &&
	    !possible(r, &(struct one_case){{{at, true}}, 1}))
		return at;
	return -1;
}

struct logic rules_logic(const struct rules *r, int root)
{
	struct logic out = {.verdict = LOGIC_NEVER, .a = -1, .b = -1, .always = -1};
	struct cases c = cases_of(r, root, false);
	if (c.too_many) {
		out.verdict = LOGIC_UNDECIDED;
	} else {
		for (unsigned i = 0; i < c.n; i++) {
			if (possible(r, &c.list[i])) {
				out.verdict = LOGIC_CAN;
			} else if (!out.dead) {
				out.dead = true;
				blame(r, &c.list[i], &out);
			}
		}
		/* "visits" alone holds of everybody, and is a way to say just that: no slip */
		int always = always_true(r, root);
		if (always >= 0 && !(r->nodes[always].cat == CATEGORY_ALL &&
				       r->nodes[always].op == OP_GE && r->nodes[always].n == 1))
			out.always = always;
	}
	free(c.list);
	return out;
}

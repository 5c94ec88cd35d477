/* The evaluator of 64 visitors at a time. How it works is drawn with numbers in condition/block.h.
 *
 * Building: all nodes that look at a category are sorted by it, by window and by what they say
 * (by_question()), so equal ones are neighbours and get one word. Windows and atoms lie in two
 * arrays in the order in which they are walked:
 *
 *     cats[coats] ─► windows 0 … 2 ─► atoms 0 │ 1 2 │ 3        others: nodes for rules_holds()
 *     cats[boots] ─► window  3     ─► atom  4
 *
 * A comparison is an interval [lo, hi], kept as lo and span = hi − lo, so that one subtraction and
 * one comparison of unsigned numbers decide it: n is in it when n − lo <= span, for below lo it
 * wraps round. "!=" is the interval of one number, turned round (`flip`). */
#include "crumb/condition/block.h"
#include "crumb/rules/fact.h"

#include "crumb/condition/eval.h"

#include <stdlib.h>

/* A comparison of a count, the same wherever it is written. Its word has the bit of each visitor
 * for whom it says something else than of somebody who never had the category. */
struct atom {
	int64_t lo;
	uint64_t span; /* lo … lo + span satisfy it */
	uint32_t word;
	bool days; /* it counts days; false: events */
	bool flip; /* the bit is set where the count is outside */
};

struct window {
	uint8_t days;	   /* 0: everything */
	uint16_t from;	   /* its first day, as of the day of the block */
	uint32_t first, n; /* which atoms */
};

struct cat_atoms {
	uint32_t windows, windows_n; /* shortest first */
	uint32_t others, others_n;   /* nodes for rules_holds(): sums, orders, firsts */
};

/* What a node of a condition reads. */
struct leaf {
	uint32_t word;
	bool inverted; /* it holds of whoever never had the category: the word is read as ~word */
};

struct block {
	/* constant, but for the first days of windows */
	const struct rules *r;
	struct leaf *leaves; /* by node */
	struct atom *atoms;
	struct window *windows;
	size_t windows_n;
	struct cat_atoms *cats;
	int *others; /* nodes */
	int *facts;  /* nodes that are asked of everybody */
	size_t facts_n;
	/* of the visitors that were added */
	uint16_t today;
	unsigned n;
	uint64_t alive; /* bits of visitors of whom something is known */
	uint64_t *words;
	size_t words_n;
};

/* --- making it */

static bool is_counted(const struct rule_node *n)
{
	return n->kind == NODE_COUNT || n->kind == NODE_DAYS;
}

static bool wants_profile(const struct rule_node *n)
{
	return n->kind == NODE_SUM || n->kind == NODE_FIRST || n->kind == NODE_THEN;
}

/* The category whose rows wake a node: without B, "A then B" does not hold. */
static uint16_t cat_of(const struct rule_node *n)
{
	return n->kind == NODE_THEN ? n->then : n->cat;
}

/* A node that looks at a category, while the tables are made. */
struct wanted {
	const struct rule_node *n;
	int at;
};

/* Days; a window without end is longer than any other. */
static unsigned window_length(const struct rule_node *n)
{
	return n->window ? n->window : UINT8_MAX + 1u;
}

/* 0 where there is none, so that what was left in the field makes no difference. */
static int64_t upper_bound(const struct rule_node *n)
{
	return n->op == OP_BETWEEN ? n->n2 : 0;
}

/* By category; counts before others; then by window, shortest first; then by what is asked, so that
 * what says the same stands together: 0 is "the same question". */
static int by_question(const void *a, const void *b)
{
	const struct rule_node *x = ((const struct wanted *)a)->n,
			       *y = ((const struct wanted *)b)->n;
	unsigned xw = window_length(x), yw = window_length(y);
	int64_t xn2 = upper_bound(x), yn2 = upper_bound(y);
	if (cat_of(x) != cat_of(y))
		return cat_of(x) < cat_of(y) ? -1 : 1;
	if (is_counted(x) != is_counted(y))
		return is_counted(x) ? -1 : 1;
	if (xw != yw)
		return xw < yw ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->op != y->op)
		return x->op < y->op ? -1 : 1;
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return xn2 < yn2 ? -1 : xn2 > yn2;
}

/* The interval of a comparison. */
static struct atom make_atom(const struct rule_node *n, struct leaf leaf)
{
	struct atom a = {.lo = n->n,
	    .word = leaf.word,
	    .days = n->kind == NODE_DAYS,
	    .flip = leaf.inverted ^ (n->op == OP_NE)};
	int64_t hi = n->n;
	if (n->op == OP_GT && n->n < INT64_MAX)
		a.lo++;
	if (n->op == OP_LT && n->n > INT64_MIN)
		hi--;
	if (n->op == OP_GE || n->op == OP_GT)
		hi = INT64_MAX;
	if (n->op == OP_LE || n->op == OP_LT)
		a.lo = INT64_MIN;
	if (n->op == OP_BETWEEN)
		hi = n->n2;
	if (hi < a.lo) /* nothing is between: an interval that no count is in */
		a.lo = hi = INT64_MIN;
	a.span = (uint64_t)hi - (uint64_t)a.lo;
	return a;
}

/* A count: a new atom and word, or those of the node before if it asks the same. */
static void add_counted(
    struct block *b, const struct wanted *p, const struct wanted *before, size_t *atoms_n)
{
	struct cat_atoms *c = &b->cats[p->n->cat];
	struct leaf *leaf = &b->leaves[p->at];
	leaf->inverted = rules_compare(p->n, 0);
	if (before && is_counted(before->n) && by_question(p, before) == 0) {
		leaf->word = b->leaves[before->at].word;
		return;
	}
	leaf->word = (uint32_t)b->words_n++;
	if (c->windows_n == 0 || b->windows[b->windows_n - 1].days != p->n->window) {
		if (c->windows_n++ == 0)
			c->windows = (uint32_t)b->windows_n;
		b->windows[b->windows_n++] =
		    (struct window){.days = p->n->window, .first = (uint32_t)*atoms_n};
	}
	b->windows[b->windows_n - 1].n++;
	b->atoms[(*atoms_n)++] = make_atom(p->n, *leaf);
}

/* A node for rules_holds(). A sum may hold of whoever has none: "sum(v of A) < 5". */
static void add_other(struct block *b, const struct wanted *p, size_t *others_n)
{
	struct cat_atoms *c = &b->cats[cat_of(p->n)];
	b->leaves[p->at] =
	    (struct leaf){(uint32_t)b->words_n++, p->n->kind == NODE_SUM && rules_compare(p->n, 0)};
	if (c->others_n++ == 0)
		c->others = (uint32_t)*others_n;
	b->others[(*others_n)++] = p->at;
}

struct block *rules_block_begin(const struct rules *r)
{
	struct block *b = calloc(1, sizeof *b);
	size_t nodes = r->nodes_n + 1, n = 0, atoms_n = 0, others_n = 0;
	struct wanted *places = calloc(nodes, sizeof *places);
	CHECK(b && places);
	b->r = r;
	b->leaves = calloc(nodes, sizeof *b->leaves);
	b->atoms = calloc(nodes, sizeof *b->atoms);
	b->windows = calloc(nodes, sizeof *b->windows);
	b->cats = calloc(r->categories_n, sizeof *b->cats);
	b->others = calloc(nodes, sizeof *b->others);
	b->facts = calloc(nodes, sizeof *b->facts);
	CHECK(b->leaves && b->atoms && b->windows && b->cats && b->others && b->facts);
	for (size_t i = 0; i < r->nodes_n; i++) {
		const struct rule_node *node = &r->nodes[i];
		if (is_counted(node) || wants_profile(node)) {
			places[n++] = (struct wanted){node, (int)i};
		} else if (node->kind == NODE_FACT || node->kind == NODE_ATTR ||
			   node->kind == NODE_LIKE) {
			b->leaves[i] = (struct leaf){(uint32_t)b->words_n++, false};
			b->facts[b->facts_n++] = (int)i;
		}
	}
	if (n)
		qsort(places, n, sizeof *places, by_question);
	for (size_t i = 0; i < n; i++) {
		if (is_counted(places[i].n))
			add_counted(b, &places[i], i ? &places[i - 1] : NULL, &atoms_n);
		else
			add_other(b, &places[i], &others_n);
	}
	free(places);
	b->words = calloc(b->words_n + 1, sizeof *b->words);
	CHECK(b->words);
	return b;
}

void rules_block_end(struct block *b)
{
	if (!b)
		return;
	free(b->leaves);
	free(b->atoms);
	free(b->windows);
	free(b->cats);
	free(b->others);
	free(b->facts);
	free(b->words);
	free(b);
}

/* --- using it */

void rules_block_clear(struct block *b, uint16_t today)
{
	memset(b->words, 0, b->words_n * sizeof *b->words);
	b->n = 0;
	b->alive = 0;
	for (size_t i = 0; b->today != today && i < b->windows_n; i++)
		b->windows[i].from = rules_window_start(b->windows[i].days, today);
	b->today = today;
}

/* The rows [i, z) of a category, from the newest back: each window goes on where the shorter one
 * stopped. Windows too short for any row keep the bit 0: there the visitor is like nobody. */
static void count_rows(
    struct block *b, const struct cat_atoms *c, const struct cat_day *rows, size_t i, size_t z)
{
	int64_t amount[2] = {0, 0}; /* events, days */
	const struct window *win = b->windows + c->windows, *end = win + c->windows_n;
	while (z > i && rows[z - 1].day > b->today)
		z--;
	if (z == i)
		return;
	while (win < end && win->from > rows[z - 1].day)
		win++;
	for (; win < end; win++) {
		for (; z > i && rows[z - 1].day >= win->from; z--) {
			amount[0] += rows[z - 1].count;
			amount[1]++;
		}
		for (const struct atom *a = b->atoms + win->first, *last = a + win->n; a < last;
		     a++) {
			bool in = (uint64_t)amount[a->days] - (uint64_t)a->lo <= a->span;
			b->words[a->word] |= (uint64_t)(in ^ a->flip) << b->n;
		}
	}
}

void rules_block_add(struct block *b, const struct profile *p)
{
	uint64_t bit = (uint64_t)1 << b->n;
	CHECK(b->n < BLOCK_MAX);
	for (size_t i = 0, z; i < p->rows_n; i = z) {
		uint16_t cat = p->rows[i].cat;
		for (z = i + 1; z < p->rows_n && p->rows[z].cat == cat; z++)
			;
		if (cat >= b->r->categories_n)
			continue;
		const struct cat_atoms *c = &b->cats[cat];
		if (c->windows_n)
			count_rows(b, c, p->rows, i, z);
		for (uint32_t k = c->others; k < c->others + c->others_n; k++) {
			struct leaf leaf = b->leaves[b->others[k]];
			if (rules_holds(b->r, b->others[k], p, b->today) != leaf.inverted)
				b->words[leaf.word] |= bit;
		}
	}
	for (size_t k = 0; k < b->facts_n && p->rows_n; k++)
		if (rules_holds(b->r, b->facts[k], p, b->today))
			b->words[b->leaves[b->facts[k]].word] |= bit;
	if (p->rows_n)
		b->alive |= bit;
	b->n++;
}

/* The visitors for whom a node holds. Bits of places without a visitor are whatever comes out. */
static uint64_t word_of(const struct block *b, int at)
{
	const struct rule_node *n = &b->r->nodes[at];
	uint64_t left;
	switch (n->kind) {
	case NODE_AND:
		left = word_of(b, n->left);
		return left ? left & word_of(b, n->right) : 0;
	case NODE_OR:
		return word_of(b, n->left) | word_of(b, n->right);
	case NODE_NOT:
		return ~word_of(b, n->left);
	case NODE_NEVER:
		return 0;
	case NODE_SEGMENT: {
		const struct segment *s = &b->r->segments[n->segment];
		if (s->root < 0 || (s->until && b->today > s->until))
			return 0;
		return word_of(b, s->root);
	}
	default:
		return b->words[b->leaves[at].word] ^ (b->leaves[at].inverted ? UINT64_MAX : 0);
	}
}

uint64_t rules_block_segment(struct block *b, uint16_t segment)
{
	const struct segment *s = &b->r->segments[segment];
	if (!b->alive || (s->until && b->today > s->until))
		return 0;
	return word_of(b, s->root) & b->alive;
}

uint64_t rules_block_node(const struct block *b, int node)
{
	return b->alive ? word_of(b, node) & b->alive : 0;
}

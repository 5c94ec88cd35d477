/* What is derived once everything is read, and the mistakes that only show then.
 *
 *     per category    definition: a hash of its patterns and its children's definitions
 *                     segments: a bit for each segment that a change of its counts can change
 *                     windows: the days after which a row leaves some window
 *                     summed: some condition asks for sum(v of it); sensitive: it, an ancestor or a
 *                     descendant is on the list
 *     per segment     definition: a hash of its condition, with all that this refers to
 *
 * Example: "warm: coats >= 3 in 7d" and "keen: segment(warm) or boots in 30d". Coats get the bits
 * of warm and keen and the window 7, boots the bit of keen and the window 30. So a view of boots
 * has keen evaluated and not warm, and the sweep comes 7 days after a view of coats.
 *
 * A definition is equal when the same events belong to the category, and the same visitors to the
 * segment, whatever they are called otherwise: adoption (views/adopt.h) and rules diff rely on it.
 *
 * Mistakes: segments that refer to each other in a circle or too deeply, conditions that are too
 * large with what they refer to, and those that hold of somebody who never did anything. */
#include "crumb/base/code.h"
#include "crumb/condition/parse.h"
#include "crumb/condition/eval.h"
#include "crumb/rules/like.h"
#include "sensitive.h"

#include <stdio.h>
#include <stdlib.h>

#define NESTING_MAX 32	  /* segments within segments */
#define WEIGHT_MAX 100000 /* parts of a condition with all that it refers to */
#define COUNT_TEXT_OF(n) #n
#define COUNT_TEXT(n) COUNT_TEXT_OF(n)

struct linker {
	struct rules *r;
	struct report *report;
	enum { UNSEEN, ON_PATH, DONE } * state;
	unsigned *depth, *weight;
	bool *sensitive; /* per category: it, something above or something below is */
	bool bad;
};

/* --- definitions of categories */

static void put_clauses(
    struct buf *b, const struct rules *r, const char *kind, const struct clauses *c)
{
	uint8_t name[8];
	buf_addf(b, "%s %u;", kind, c->n);
	for (unsigned i = 0; i < c->n; i++)
		for (unsigned t = 0; t < c->list[i].tests_n; t++) {
			const struct test *test = &c->list[i].tests[t];
			buf_addf(b, "%u %u %u;", i, t, test->any_n);
			for (unsigned k = 0; k < test->any_n; k++) {
				put_u64(name, r->patterns[test->any[k]].leaf);
				buf_add(b, name, sizeof name);
			}
		}
}

/* Hashes of what makes an event belong to a category. */
static void define_categories(struct rules *r)
{
	struct buf *own = calloc(r->categories_n, sizeof *own);
	CHECK(own);
	/* children come behind their parents in order of id, so going backwards every child is done
	 * before its parent */
	for (size_t i = r->categories_n; i-- > 1;) {
		struct category *c = &r->categories[i];
		buf_addf(&own[i], "%s ", c->id);
		size_t from = own[i].n; /* before it stand its children */
		buf_addf(&own[i], "%d;", c->named);
		put_clauses(&own[i], r, "any", &c->any);
		put_clauses(&own[i], r, "all", &c->all);
		put_clauses(&own[i], r, "none", &c->none);
		CHECK(!own[i].failed);
		c->definition = hash_content(buf_view(&own[i]));
		c->own = hash_content(str_skip(buf_view(&own[i]), from));
		if (c->parent >= 0)
			buf_add(&own[c->parent], c->definition.b, sizeof c->definition.b);
		buf_done(&own[i]);
	}
	/* Children were added in order of their ids, backwards: the same for the same rules. */
	buf_done(&own[0]);
	free(own);
}

/* Per category: is it sensitive itself, or by an ancestor or a descendant? Children come behind
 * their parents. free() it. */
static bool *spread_sensitive(struct rules *r)
{
	bool *s = calloc(r->categories_n + 1, sizeof *s),
	     *below = calloc(r->categories_n + 1, sizeof *below);
	CHECK(s && below);
	struct sensitive list;
	sensitive_init(&list);
	for (size_t i = 1; i < r->categories_n; i++)
		r->categories[i].sensitive |=
		    sensitive_has(&list, r->categories[i].id, r->categories[i].iab);
	sensitive_done(&list);
	for (size_t i = 1; i < r->categories_n; i++) /* down the tree */
		s[i] = r->categories[i].sensitive ||
		       (r->categories[i].parent >= 0 && s[r->categories[i].parent]);
	for (size_t i = r->categories_n; i-- > 1;) { /* up the tree */
		below[i] |= r->categories[i].sensitive;
		if (below[i] && r->categories[i].parent >= 0)
			below[r->categories[i].parent] = true;
	}
	for (size_t i = 1; i < r->categories_n; i++)
		s[i] |= below[i];
	free(below);
	return s;
}

/* --- conditions */

/* Adds a window to those of a category, which are sorted. */
static void note_window(struct category *c, uint8_t window)
{
	if (window == 0)
		return;
	unsigned at = c->windows_n;
	while (at > 0 && c->windows[at - 1] > window)
		at--;
	if (at > 0 && c->windows[at - 1] == window)
		return;
	memmove(c->windows + at + 1, c->windows + at, c->windows_n - at);
	c->windows[at] = window;
	c->windows_n++;
}

/* The segment can change when the category's counts do. */
static void depends(struct rules *r, uint16_t cat, uint16_t segment)
{
	struct category *c = &r->categories[cat];
	if (!c->segments)
		c->segments =
		    arena_alloc(&r->arena, (r->segments_n / 64 + 1) * sizeof *c->segments);
	c->segments[segment / 64] |= 1ull << (segment % 64);
}

/* A model asks for presence in windows: they are windows like those of conditions, so that
 * memberships are right on every day. */
static void link_model(struct linker *l, const struct like_model *m, uint16_t segment)
{
	struct rules *r = l->r;
	for (unsigned i = 0; m && i < m->facts_at; i++) {
		const struct feature *f = &m->weights[i].f;
		depends(r, f->cat, segment);
		note_window(&r->categories[f->cat], f->window);
		r->segments[segment].sensitive |= l->sensitive[f->cat];
	}
	if (m && m->facts_at < m->n)
		r->fact_segments[segment / 64] |= 1ull << (segment % 64);
}

/* Notes for a segment what the condition at `at` depends on, through nested segments too. */
static void link_node(struct linker *l, int at, uint16_t segment)
{
	struct rules *r = l->r;
	const struct rule_node *n = &r->nodes[at];
	switch (n->kind) {
	case NODE_AND:
	case NODE_OR:
		link_node(l, n->left, segment);
		link_node(l, n->right, segment);
		return;
	case NODE_NOT:
		link_node(l, n->left, segment);
		return;
	case NODE_THEN:
		depends(r, n->then, segment);
		depends(r, n->cat, segment);
		r->segments[segment].sensitive |= l->sensitive[n->then] || l->sensitive[n->cat];
		return;
	case NODE_SUM:
	case NODE_COUNT:
	case NODE_DAYS:
	case NODE_FIRST:
		depends(r, n->cat, segment);
		note_window(&r->categories[n->cat], n->window);
		r->categories[n->cat].summed |= n->kind == NODE_SUM;
		r->segments[segment].sensitive |= l->sensitive[n->cat];
		return;
	case NODE_FACT:
	case NODE_ATTR:
		r->fact_segments[segment / 64] |= 1ull << (segment % 64);
		return;
	case NODE_SEGMENT:
		if (r->segments[n->segment].root >= 0)
			link_node(l, r->segments[n->segment].root, segment);
		return;
	case NODE_LIKE:
		link_model(l, r->segments[n->segment].like->model, segment);
		return;
	case NODE_NEVER:
		return;
	}
}

void rules_link_nodes(struct rules *r, int root)
{
	const struct rule_node *n = &r->nodes[root];
	if (n->kind == NODE_AND || n->kind == NODE_OR) {
		rules_link_nodes(r, n->left);
		rules_link_nodes(r, n->right);
	} else if (n->kind == NODE_NOT) {
		rules_link_nodes(r, n->left);
	} else if (n->kind == NODE_COUNT || n->kind == NODE_DAYS || n->kind == NODE_SUM ||
		   n->kind == NODE_FIRST) {
		note_window(&r->categories[n->cat], n->window);
	}
}

static void complain_segment(struct linker *l, const struct segment *s, const char *code,
    const char *hint, const char *message)
{
	report_add(l->report, &s->when_at, SEVERITY_ERROR, code, hint, "%s", message);
	l->bad = true;
}

static void visit_segment(struct linker *l, uint16_t segment);

/* Depth and weight of a condition, visiting the segments that it names first. */
static void weigh(struct linker *l, int at, uint16_t segment)
{
	struct rules *r = l->r;
	const struct rule_node *n = &r->nodes[at];
	char words[400];
	l->weight[segment] += 1;
	if (n->kind == NODE_AND || n->kind == NODE_OR || n->kind == NODE_NOT) {
		weigh(l, n->left, segment);
		if (n->kind != NODE_NOT)
			weigh(l, n->right, segment);
	}
	if (n->kind != NODE_SEGMENT)
		return;
	if (l->state[n->segment] == ON_PATH) {
		snprintf(words, sizeof words, "segment '%.150s' depends on itself%s%.150s%s",
		    r->segments[segment].id, n->segment == segment ? "" : " through '",
		    n->segment == segment ? "" : r->segments[n->segment].id,
		    n->segment == segment ? "" : "'");
		complain_segment(
		    l, &r->segments[segment], "cycle", "take one of the references out", words);
		return;
	}
	visit_segment(l, n->segment);
	l->weight[segment] += l->weight[n->segment];
	if (l->depth[n->segment] + 1 > l->depth[segment])
		l->depth[segment] = l->depth[n->segment] + 1;
}

static void visit_segment(struct linker *l, uint16_t segment)
{
	const struct segment *s = &l->r->segments[segment];
	if (l->state[segment] != UNSEEN)
		return;
	l->state[segment] = ON_PATH;
	if (s->root >= 0)
		weigh(l, s->root, segment);
	if (l->depth[segment] > NESTING_MAX)
		complain_segment(l, s, "too-deep", "write the condition out",
		    "segments are nested more than " COUNT_TEXT(NESTING_MAX) " deep");
	if (l->weight[segment] > WEIGHT_MAX) {
		complain_segment(l, s, "too-large", "fewer references to other segments",
		    "with all that it refers to, this condition has more than " COUNT_TEXT(
			WEIGHT_MAX) " parts");
		l->weight[segment] = WEIGHT_MAX;
	}
	l->state[segment] = DONE;
}

/* Appends what a condition means: nodes in order, with what they compare. Categories stand by their
 * definition and segments by their condition, so names do not matter. */
static void put_node(struct buf *b, const struct rules *r, int at)
{
	const struct rule_node *n = &r->nodes[at];
	buf_addf(b, "(%d %d %d %lld %lld %d %d %.17g %.17g %d%d ", n->kind, n->op, n->window,
	    (long long)n->n, (long long)n->n2, (int)n->fact, n->numeric, n->range.lo, n->range.hi,
	    n->range.lo_out, n->range.hi_out);
	buf_str(b, n->attr);
	for (unsigned i = 0; i < n->words_n; i++) {
		buf_add(b, "", 1);
		buf_str(b, n->words[i]);
	}
	if (n->kind == NODE_AND || n->kind == NODE_OR || n->kind == NODE_NOT)
		put_node(b, r, n->left);
	if (n->kind == NODE_AND || n->kind == NODE_OR)
		put_node(b, r, n->right);
	if (n->kind == NODE_COUNT || n->kind == NODE_DAYS || n->kind == NODE_SUM ||
	    n->kind == NODE_FIRST || n->kind == NODE_THEN)
		buf_add(b, r->categories[n->cat].definition.b, 16);
	if (n->kind == NODE_THEN)
		buf_add(b, r->categories[n->then].definition.b, 16);
	if (n->kind == NODE_LIKE && r->segments[n->segment].like->model)
		buf_add(b, r->segments[n->segment].like->model->hash.b, 16);
	if (n->kind == NODE_SEGMENT) { /* what it stands for, not its name */
		buf_addf(b, "%u ", r->segments[n->segment].until);
		if (r->segments[n->segment].root >= 0)
			put_node(b, r, r->segments[n->segment].root);
	}
	buf_c(b, ")");
}

static struct hash16 define(const struct rules *r, int root, uint16_t until)
{
	struct buf b = {0};
	buf_addf(&b, "%u ", until);
	put_node(&b, r, root);
	CHECK(!b.failed);
	struct hash16 h = hash_content(buf_view(&b));
	buf_done(&b);
	return h;
}

struct hash16 rules_definition(const struct rules *r, int root)
{
	return define(r, root, 0);
}

void rules_link(struct rules *r, struct report *report)
{
	size_t n = r->segments_n;
	r->fact_segments = arena_alloc(&r->arena, (n / 64 + 1) * sizeof *r->fact_segments);
	define_categories(r);
	struct linker l = {.r = r, .report = report};
	l.state = calloc(n + 1, sizeof *l.state);
	l.depth = calloc(n + 1, sizeof *l.depth);
	l.weight = calloc(n + 1, sizeof *l.weight);
	l.sensitive = spread_sensitive(r);
	CHECK(l.state && l.depth && l.weight);
	for (size_t i = 0; i < n; i++)
		visit_segment(&l, (uint16_t)i);
	r->tangled = l.bad;
	for (size_t i = 0; i < n && !l.bad; i++) {
		struct segment *s = &r->segments[i];
		if (s->root < 0)
			continue;
		link_node(&l, s->root, (uint16_t)i);
		s->definition = define(r, s->root, s->until);
	}
	for (size_t i = 0; i < n && !l.bad; i++) {
		const struct segment *s = &r->segments[i];
		if (s->root >= 0 && rules_holds_of_nobody(r, s->root))
			report_add(report, &s->when_at, SEVERITY_ERROR, "holds-of-nobody",
			    "add what they did: visits and …",
			    "the condition is true of somebody who never did anything");
	}
	free(l.state);
	free(l.depth);
	free(l.weight);
	free(l.sensitive);
}

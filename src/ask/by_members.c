/* How many satisfy a condition that is made up of whole segments, from the memberships that are
 * stored: no profile is read but those that are overdue.
 *
 *     segment(a) and segment(b)     bits of a, and-ed with those of b
 *     segment(a) and not …          bits of a without the others
 *     coats >= 3 in 7d              the bits of a segment whose condition means the same, if there
 *                                   is one
 *
 * What else asks for something that no segment has is counted by a walk over all profiles
 * (ask.c). Both come to the same numbers (tests/unit/ask/by_members.c). Memberships are of the last
 * fold or sweep. So visitors whose due hour is over are taken out of the bits, and are put in by
 * what they are now:
 *
 *     who satisfies it = (bits − overdue) + overdue of whom it holds
 *
 * The gate wants to know how near each segment is: size + theirs − 2 both. Sets are at least as far
 * apart as their sizes are. So where the sizes of a shard are k or more apart, the most that they
 * can have in common stands for what they have: the segment stays k or more away, which is too far
 * to matter, and its bits are not read. */
#include "asking.h"

#include "crumb/condition/parse.h"
#include "crumb/views/members.h"

#include <stdlib.h>
#include <string.h>

/* --- which conditions */

static bool is_not(const struct sizing *a, int at)
{
	return a->stands[at] < 0 && a->nodes[at].kind == NODE_NOT;
}

/* Can who satisfies it be found in the bits of segments? What is left of a `not` alone is
 * everybody else, of whom there are no bits. */
static bool in_bits(const struct sizing *a, int at)
{
	const struct rule_node *n = &a->nodes[at];
	if (a->stands[at] >= 0)
		return true;
	if (n->kind == NODE_OR)
		return in_bits(a, n->left) && in_bits(a, n->right);
	if (n->kind != NODE_AND || (is_not(a, n->left) && is_not(a, n->right)))
		return false;
	int left = is_not(a, n->left) ? a->nodes[n->left].left : n->left,
	    right = is_not(a, n->right) ? a->nodes[n->right].left : n->right;
	return in_bits(a, left) && in_bits(a, right);
}

bool by_members_can(const struct sizing *a)
{
	return a->root >= 0 && a->stands && in_bits(a, a->root);
}

/* The segment that has a condition of this meaning; -1: none. One that ends some day has another
 * definition than its condition alone. */
static int32_t segment_of(const struct sizing *a, int at)
{
	const struct rule_node *n = &a->nodes[at];
	if (n->kind == NODE_SEGMENT)
		return n->segment;
	const struct hash16 means = rules_definition(a->rules, at);
	for (size_t i = 0; i < a->segments; i++) {
		const struct segment *s = &a->g->rules->segments[i];
		if (memcmp(&s->definition, &means, sizeof means) == 0)
			return (int32_t)i;
	}
	return -1;
}

static void find_below(struct sizing *a, int at)
{
	const struct rule_node *n = &a->nodes[at];
	a->stands[at] = segment_of(a, at);
	if (a->stands[at] >= 0 ||
	    (n->kind != NODE_AND && n->kind != NODE_OR && n->kind != NODE_NOT))
		return;
	find_below(a, n->left);
	if (n->kind != NODE_NOT)
		find_below(a, n->right);
}

enum err by_members_find(struct sizing *a)
{
	a->stands = calloc(a->rules->nodes_n + 1, sizeof *a->stands);
	if (!a->stands)
		return err_set(ERR_NOMEM, "no memory for this now");
	find_below(a, a->root);
	return OK;
}

/* --- one shard */

struct looking {
	struct sizing *a;
	struct shard *s;
	struct db_txn *t;
	struct set *in;		/* who satisfies it and is not overdue */
	struct set overdue, of; /* overdue visitors; those of them of whom it holds */
	uint64_t *stale;	/* by segment: its overdue members, as they are stored */
	uint64_t *sums;
};

static bool add_member(void *set, uint32_t ordinal)
{
	set_add(set, ordinal);
	return true;
}

/* Who satisfies a node, by the bits; adds to `out`, which is empty. */
static enum err bits_of(struct looking *l, int at, struct set *out)
{
	const struct sizing *a = l->a;
	const struct rule_node *n = &a->nodes[at];
	if (a->stands[at] >= 0)
		return members_each(l->s, l->t, (uint16_t)a->stands[at], add_member, out);
	int first = n->left, second = n->right;
	if (is_not(a, first))
		first = n->right, second = n->left;
	bool without = is_not(a, second);
	if (without)
		second = a->nodes[second].left;
	struct set other = {0};
	enum err e = bits_of(l, first, out);
	if (!e)
		e = bits_of(l, second, &other);
	if (!e && without)
		set_without(out, &other);
	else if (!e && n->kind == NODE_AND)
		set_meet(out, &other);
	else if (!e)
		set_join(out, &other);
	free(other.words);
	return e;
}

static bool is_member(const struct profile *p, int32_t segment)
{
	for (size_t i = 0; i < p->segments_n; i++)
		if (p->segments[i] == segment)
			return true;
	return false;
}

static bool holds_of(const struct sizing *a, int at, const struct profile *p)
{
	const struct rule_node *n = &a->nodes[at];
	if (a->stands[at] >= 0)
		return is_member(p, a->stands[at]);
	if (n->kind == NODE_NOT)
		return !holds_of(a, n->left, p);
	if (n->kind == NODE_AND)
		return holds_of(a, n->left, p) && holds_of(a, n->right, p);
	return holds_of(a, n->left, p) || holds_of(a, n->right, p);
}

/* An overdue visitor: out of what is stored, and into the sums as of now. */
static enum err look_afresh(
    void *arg, const struct vkey *k, const struct profile *stored, const struct profile *fresh)
{
	struct looking *l = arg;
	struct sizing *a = l->a;
	(void)k;
	set_add(&l->overdue, stored->ordinal);
	for (size_t i = 0; i < stored->segments_n; i++)
		if (stored->segments[i] < a->segments)
			l->stale[stored->segments[i]]++;
	if (!fresh->rows_n) {
		l->sums[0]--;
		return OK;
	}
	bool in = holds_of(a, a->root, fresh);
	if (in)
		set_add(&l->of, stored->ordinal);
	l->sums[1] += in;
	for (size_t i = 0; i < fresh->segments_n; i++) {
		l->sums[2 + 2 * fresh->segments[i]]++;
		l->sums[3 + 2 * fresh->segments[i]] += in;
	}
	return OK;
}

struct common {
	const struct set *in;
	uint64_t n;
};

static bool count_common(void *arg, uint32_t ordinal)
{
	struct common *c = arg;
	c->n += set_has(c->in, ordinal);
	return true;
}

/* Counts a segment's members, and who of them satisfy it, but for the overdue. */
static enum err look_at_segment(struct looking *l, uint16_t segment, uint64_t size)
{
	uint64_t theirs = members_size(l->s, l->t, segment), stale = l->stale[segment];
	theirs -= theirs < stale ? theirs : stale; /* more are stale than there are: damage */
	uint64_t least = size < theirs ? size : theirs;
	struct common c = {l->in, 0};
	enum err e = OK;
	if (size + theirs - 2 * least >= l->a->k)
		c.n = least;
	else
		e = members_each(l->s, l->t, segment, count_common, &c);
	l->sums[2 + 2 * segment] += theirs;
	l->sums[3 + 2 * segment] += c.n;
	return e;
}

static enum err look(struct looking *l, struct fold *f, uint32_t now)
{
	struct sizing *a = l->a;
	enum err e = view_each_overdue(a->g, f, l->t, now, look_afresh, l);
	if (!e)
		e = bits_of(l, a->root, l->in);
	if (e)
		return e;
	set_without(l->in, &l->overdue);
	uint64_t size = set_size(l->in);
	l->sums[0] += db_count(l->t, l->s->visitors);
	l->sums[1] += size;
	for (size_t i = 0; i < a->segments && !e; i++)
		e = look_at_segment(l, (uint16_t)i, size);
	set_join(l->in, &l->of);
	return e ? e : l->t->err;
}

enum err by_members_shard(void *arg, unsigned shard, void *own)
{
	struct sizing *a = arg;
	struct fold *f = &a->g->fold[shard];
	struct db_txn t;
	struct looking l = {.a = a, .s = &f->shard, .t = &t, .in = &a->sets[shard], .sums = own};
	l.stale = calloc(a->segments + 1, sizeof *l.stale);
	if (!l.stale)
		return err_set(ERR_NOMEM, "no memory for this now");
	enum err e = db_begin(&f->shard.db, DB_READ, &t);
	if (!e) {
		e = look(&l, f, a->now);
		db_abort(&t);
	}
	free(l.overdue.words);
	free(l.of.words);
	free(l.stale);
	return e;
}

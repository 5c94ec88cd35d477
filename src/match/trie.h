/* Inside match: path globs as a trie of path segments.
 *
 * A segment of a path is what stands between two slashes. An edge of the trie takes one segment: a
 * literal edge the segment that it names, '*' any segment, a glob edge those that the glob matches.
 * '**' stands for any number of segments, none among them: it is an edge that takes nothing, to a
 * node that stays alive over any segment. With the patterns 1 (coats, then *), 2 (coats, then **)
 * and 3 (sale-*, then x):
 *
 *                            ┌── * ──> [2] ends 1
 *     [0] ─┬── coats ──> [1] ┤
 *          │                 └── ** ─> [3] ends 2, stays alive
 *          └── sale-* ─> [4] ── x ───> [5] ends 3
 *
 * Matching walks along all edges at once and keeps the list of the nodes that are alive. The path
 * /coats/a: {0}; behind "coats" {1, 3}; behind "a" {2, 3}. So 1 and 2 match. The cost is bounded by
 * segments × nodes alive, whatever the path: nothing is ever tried twice.
 *
 * Cost: 20 bytes a node, 24 a glob edge, an entry of the map a literal edge; a walk 12 bytes a
 * node.
 *
 * One thread fills a trie. Then any thread may match, each with a walk of its own. */
#ifndef CRUMB_SRC_MATCH_TRIE_H
#define CRUMB_SRC_MATCH_TRIE_H

#include "crumb/base/map.h"

#define TRIE_NONE UINT32_MAX

struct trie_node {	     /* TRIE_NONE: there is none */
	uint32_t star, deep; /* the child behind '*', and the one behind two stars */
	uint32_t globs;	     /* the first of its glob edges */
	uint32_t end;	     /* the first pattern that ends here */
	bool loops;	     /* it stays alive over any segment */
};
struct trie_edge { /* a glob edge; `next` is the next one of the same node */
	struct str glob;
	uint32_t child, next;
};
struct trie {
	struct trie_node *nodes;
	struct trie_edge *edges;
	size_t nodes_n, nodes_cap, edges_n, edges_cap;
	struct map literals; /* node number and segment -> child */
	uint32_t *next_end;  /* per pattern: the next one that ends at the same node */
};
struct trie_walk {		/* scratch of one thread, for one trie */
	uint32_t *alive, *then; /* nodes before and behind the segment at hand */
	uint32_t *stamp;	/* by node: the latest epoch in which it came alive */
	uint32_t epoch;
};

struct rules;
void trie_init(struct trie *t, size_t patterns); /* how many there may be */
/* `id` is below that number. The pattern lives as long as the trie; keys of literals are kept in
 * the arena of the rules. */
void trie_add(struct trie *t, struct rules *memory, struct str pattern, uint32_t id);
void trie_done(struct trie *t);
/* After the last trie_add(). False: no memory; trie_walk_done() is called all the same. */
bool trie_walk_init(struct trie_walk *w, const struct trie *t);
void trie_walk_done(struct trie_walk *w);
/* Calls `found` for every pattern that matches the path, each once. */
void trie_match(const struct trie *t, struct trie_walk *w, struct str path,
    void (*found)(void *arg, uint32_t id), void *arg);

#endif

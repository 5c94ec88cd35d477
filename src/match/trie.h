/* Inside match: path globs as a trie of path segments. '*' is an edge for any one segment, '**' one
 * to a node that stays alive over any number of them, a segment with a '*' inside an edge with a
 * glob. Matching follows all of them at once, so that its cost is bounded by segments × nodes
 * alive, whatever the path. */
#ifndef CRUMB_SRC_MATCH_TRIE_H
#define CRUMB_SRC_MATCH_TRIE_H

#include "crumb/base/map.h"

#define TRIE_NONE UINT32_MAX

struct trie_node {
	uint32_t star, deep, globs; /* child, child, first edge */
	uint32_t end;		    /* first pattern that ends here */
	bool loops;		    /* stays alive over any segment */
};
struct trie_edge {
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
struct trie_walk { /* scratch of one thread */
	uint32_t *alive, *then, *stamp;
	uint32_t epoch;
};

struct rules;
void trie_init(struct trie *t, size_t patterns);
void trie_add(struct trie *t, struct rules *memory, struct str pattern, uint32_t id);
void trie_done(struct trie *t);
bool trie_walk_init(struct trie_walk *w, const struct trie *t);
void trie_walk_done(struct trie_walk *w);
void trie_match(const struct trie *t, struct trie_walk *w, struct str path,
    void (*found)(void *arg, uint32_t id), void *arg);

#endif

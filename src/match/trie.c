/* The trie of path segments; trie.h draws it. Nodes and edges stand in arrays and name each other
 * by number. Literal edges, of which a node may have thousands, stand in one map for all nodes, by
 * node and segment; glob edges, of which it has few, in a list. */
#include "trie.h"

#include "crumb/base/array.h"
#include "crumb/base/code.h"
#include "crumb/match/match.h"

#include <stdlib.h>

/* Bytes of a segment; paths of events are shorter (EVENT_PATH_MAX). */
#define SEGMENT_MAX 600

/* /a/b/ and a/b are the same path; "" and / have no segment. */
static struct str without_slashes(struct str path)
{
	if (path.n && path.p[0] == '/')
		path = str_skip(path, 1);
	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	return path.n ? path : (struct str){NULL, 0};
}

static uint32_t node_new(struct trie *t)
{
	CHECK(array_room_zeroed(t->nodes, t->nodes_cap, t->nodes_n + 1));
	t->nodes[t->nodes_n] =
	    (struct trie_node){TRIE_NONE, TRIE_NONE, TRIE_NONE, TRIE_NONE, false};
	return (uint32_t)t->nodes_n++;
}

void trie_init(struct trie *t, size_t patterns)
{
	*t = (struct trie){NULL, NULL, 0, 0, 0, 0, {NULL, 0, 0}, NULL};
	t->next_end = calloc(patterns + 1, sizeof *t->next_end);
	CHECK(t->next_end);
	node_new(t);
}

void trie_done(struct trie *t)
{
	free(t->nodes);
	free(t->edges);
	free(t->next_end);
	map_done(&t->literals);
}

static struct str literal_key(uint32_t node, struct str segment, char *out)
{
	put_u32((uint8_t *)out, node);
	memcpy(out + 4, segment.p, segment.n);
	return str_make(out, segment.n + 4);
}

static uint32_t child_literal(
    struct trie *t, struct rules *memory, uint32_t node, struct str segment)
{
	char text[SEGMENT_MAX + 4];
	uint32_t child;
	if (segment.n > SEGMENT_MAX)
		segment.n = SEGMENT_MAX; /* no path has one so long: it never matches either way */
	struct str key = literal_key(node, segment, text);
	if (map_get(&t->literals, key, &child))
		return child;
	child = node_new(t);
	map_put(&t->literals, arena_keep(&memory->arena, key), child);
	return child;
}

static uint32_t child_glob(struct trie *t, uint32_t node, struct str segment)
{
	for (uint32_t i = t->nodes[node].globs; i != TRIE_NONE; i = t->edges[i].next)
		if (str_eq(t->edges[i].glob, segment))
			return t->edges[i].child;
	CHECK(array_room_zeroed(t->edges, t->edges_cap, t->edges_n + 1));
	uint32_t child = node_new(t);
	t->edges[t->edges_n] = (struct trie_edge){segment, child, t->nodes[node].globs};
	t->nodes[node].globs = (uint32_t)t->edges_n++;
	return child;
}

/* The node behind the segment, made if it is not there. */
static uint32_t child_of(struct trie *t, struct rules *memory, uint32_t node, struct str segment)
{
	uint32_t child;
	if (str_eq(segment, STR("**"))) {
		if (t->nodes[node].loops)
			return node; /* two in a row are one */
		if (t->nodes[node].deep != TRIE_NONE)
			return t->nodes[node].deep;
		child = node_new(t);
		t->nodes[child].loops = true;
		t->nodes[node].deep = child;
		return child;
	}
	if (str_eq(segment, STR("*"))) {
		if (t->nodes[node].star == TRIE_NONE) {
			child = node_new(t);
			t->nodes[node].star = child;
		}
		return t->nodes[node].star;
	}
	return str_find(segment, '*') < segment.n ? child_glob(t, node, segment)
						  : child_literal(t, memory, node, segment);
}

void trie_add(struct trie *t, struct rules *memory, struct str pattern, uint32_t id)
{
	struct str rest = without_slashes(pattern), segment;
	uint32_t node = 0;
	while (str_cut(&rest, '/', &segment))
		node = child_of(t, memory, node, segment);
	t->next_end[id] = t->nodes[node].end;
	t->nodes[node].end = id;
}

bool trie_walk_init(struct trie_walk *w, const struct trie *t)
{
	w->alive = calloc(t->nodes_n, sizeof *w->alive);
	w->then = calloc(t->nodes_n, sizeof *w->then);
	w->stamp = calloc(t->nodes_n, sizeof *w->stamp);
	w->epoch = 0;
	return w->alive && w->then && w->stamp;
}

void trie_walk_done(struct trie_walk *w)
{
	free(w->alive);
	free(w->then);
	free(w->stamp);
}

/* Makes a node alive, and the one behind its '**', which may stand for no segment at all. */
static size_t enter(
    const struct trie *t, struct trie_walk *w, uint32_t node, uint32_t *list, size_t n)
{
	for (; node != TRIE_NONE && w->stamp[node] != w->epoch; node = t->nodes[node].deep) {
		w->stamp[node] = w->epoch;
		list[n++] = node;
	}
	return n;
}

/* No node is alive on the list that is made next. */
static void next_epoch(const struct trie *t, struct trie_walk *w)
{
	if (++w->epoch == 0) {
		memset(w->stamp, 0, t->nodes_n * sizeof *w->stamp);
		w->epoch = 1;
	}
}

/* One round for each segment: whatever is alive goes along each of its edges that takes the
 * segment. */
void trie_match(const struct trie *t, struct trie_walk *w, struct str path,
    void (*found)(void *, uint32_t), void *arg)
{
	struct str rest = without_slashes(path), segment;
	char text[SEGMENT_MAX + 4];
	next_epoch(t, w);
	size_t n = enter(t, w, 0, w->alive, 0);
	while (n && str_cut(&rest, '/', &segment)) {
		size_t then_n = 0;
		next_epoch(t, w);
		for (size_t i = 0; i < n; i++) {
			uint32_t child;
			const struct trie_node *node = &t->nodes[w->alive[i]];
			if (node->loops)
				then_n = enter(t, w, w->alive[i], w->then, then_n);
			then_n = enter(t, w, node->star, w->then, then_n);
			for (uint32_t e = node->globs; e != TRIE_NONE; e = t->edges[e].next)
				if (str_glob(t->edges[e].glob, segment))
					then_n = enter(t, w, t->edges[e].child, w->then, then_n);
			if (segment.n < SEGMENT_MAX &&
			    map_get(&t->literals, literal_key(w->alive[i], segment, text), &child))
				then_n = enter(t, w, child, w->then, then_n);
		}
		uint32_t *swap = w->alive;
		w->alive = w->then;
		w->then = swap;
		n = then_n;
	}
	for (size_t i = 0; i < n; i++)
		for (uint32_t id = t->nodes[w->alive[i]].end; id != TRIE_NONE; id = t->next_end[id])
			found(arg, id);
}

/* One pattern and one path, for whoever has no trie. The latest ** is where it goes on after a
 * mismatch, with one segment more: as in a glob of bytes, the latest is enough. */
bool rules_path_glob(struct str pattern, struct str path)
{
	struct str p = without_slashes(pattern), s = without_slashes(path);
	struct str p_rest = p.n ? p : (struct str){NULL, 0},
		   s_rest = s.n ? s : (struct str){NULL, 0};
	struct str p_star = {NULL, 0}, s_mark = {NULL, 0}, part, seg;
	bool starred = false;
	for (;;) {
		struct str p_try = p_rest, s_try = s_rest;
		bool have_p = str_cut(&p_try, '/', &part);
		if (have_p && str_eq(part, STR("**"))) {
			p_star = p_rest = p_try;
			s_mark = s_rest;
			starred = true;
			continue;
		}
		bool have_s = str_cut(&s_try, '/', &seg);
		if (!have_s && !have_p)
			return true;
		if (have_s && have_p && str_glob(part, seg)) {
			p_rest = p_try, s_rest = s_try;
			continue;
		}
		if (!starred || !str_cut(&s_mark, '/', &seg))
			return false;
		p_rest = p_star, s_rest = s_mark; /* let the last ** take one segment more */
	}
}

/* The memory of a rule set: blocks that are filled one after the other and freed with the set. Nothing of it moves, and nothing is freed alone, so
 * whatever is made of rules may point into it. */
#include "crumb/rules/rules.h"

#include <stdlib.h>

struct arena_block {
	struct arena_block *next;
	size_t used, cap;
	_Alignas(16) char bytes[];
};

void *rules_alloc(struct rules *r, size_t n)
{
	n = (n + 15) & ~(size_t)15;
	if (!r->arena || r->arena->cap - r->arena->used < n) {
		size_t cap = n > 65536 ? n : 65536;
		struct arena_block *b = calloc(1, sizeof *b + cap);
		CHECK(b);
		b->next = r->arena;
		b->cap = cap;
		r->arena = b;
	}
	void *p = r->arena->bytes + r->arena->used;
	r->arena->used += n;
	return p;
}

struct str rules_keep(struct rules *r, struct str s)
{
	char *p = rules_alloc(r, s.n + 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	return str_make(p, s.n);
}

void rules_free_arena(struct rules *r)
{
	while (r->arena) {
		struct arena_block *next = r->arena->next;
		free(r->arena);
		r->arena = next;
	}
}

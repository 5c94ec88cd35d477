/* Blocks of 64 KB, or of the size of what is larger, in a list from the newest to the oldest. The
 * newest block is filled. Blocks come from calloc(), so that pieces are zeroed without a memset: of
 * a fresh block the system has the zeros already. */
#include "crumb/base/arena.h"

#include "crumb/base/err.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_LEAST 65536 /* bytes */

struct arena_block {
	struct arena_block *next;
	size_t used, cap;
	_Alignas(16) char bytes[];
};

void *arena_alloc(struct arena *a, size_t n)
{
	n = (n + 15) & ~(size_t)15;
	if (!a->newest || a->newest->cap - a->newest->used < n) {
		size_t cap = n > BLOCK_LEAST ? n : BLOCK_LEAST;
		struct arena_block *b = calloc(1, sizeof *b + cap);
		CHECK(b);
		b->next = a->newest;
		b->cap = cap;
		a->newest = b;
	}
	void *p = a->newest->bytes + a->newest->used;
	a->newest->used += n;
	return p;
}

struct str arena_keep(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	return str_make(p, s.n);
}

void arena_done(struct arena *a)
{
	while (a->newest) {
		struct arena_block *next = a->newest->next;
		free(a->newest);
		a->newest = next;
	}
}

/* An arena: memory that is freed all at once. Blocks are filled one after the other; nothing in
 * them moves and nothing is freed alone, so whatever is kept in an arena may point into it. A
 * zeroed one is empty. It belongs to whoever made it; one thread fills it, and any may read what it
 * holds. */
#ifndef CRUMB_BASE_ARENA_H
#define CRUMB_BASE_ARENA_H

#include "crumb/base/str.h"

struct arena_block;
struct arena {
	struct arena_block *newest; /* the block that is being filled */
};

void *arena_alloc(struct arena *a,
    size_t n); /* zeroed, for any type; never NULL: without memory the process ends */
struct str arena_keep(struct arena *a, struct str s); /* a copy, with a zero behind it */
void arena_done(struct arena *a); /* frees all of it; the arena is empty again */

#endif

/* An arena: memory that is freed all at once.
 *
 * An arena is a list of blocks. The newest block is filled from its start to its end; the older
 * blocks are only kept. Nothing in a block moves, and nothing is freed alone, so whatever is kept
 * in an arena may point into the arena.
 *
 *     newest ─> ┌──────┬─────────┐ next ┌──────┬─────────┐ next ┌──────┬─────────┐ next
 *               │ used │ free    │ ───> │ used    │ lost │ ───> │ used       │   │ ───> NULL
 *               └──────┴─────────┘      └─────────┴──────┘      └────────────┴───┘
 *
 * A piece takes a multiple of 16 bytes, so that any type may stand in a piece. A piece that does
 * not fit into the newest block begins a block of 64 KB, or of the size of the piece if that is
 * larger; what was free in the block before is lost. For example, 1,000 texts of 20 bytes take 32
 * bytes each, with the zero behind a text, and all stand in one block.
 *
 * Cost: an addition and a comparison a piece; 32 bytes a block.
 *
 * A zeroed arena is empty. An arena belongs to whoever made it: one thread fills it, and any thread
 * may read what it holds. */
#ifndef CRUMB_BASE_ARENA_H
#define CRUMB_BASE_ARENA_H

#include "crumb/base/str.h"

struct arena_block;
struct arena {
	struct arena_block *newest; /* the block that is being filled */
};

/* Zeroed bytes, for any type. Never NULL: without memory the process ends. */
void *arena_alloc(struct arena *a, size_t n);
struct str arena_keep(struct arena *a, struct str s); /* a copy, with a zero behind it */
void arena_done(struct arena *a); /* frees all of it; the arena is empty again */

#endif

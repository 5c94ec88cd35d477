/* A map from byte strings to numbers: open addressing with linear probing, at most half full.
 *
 * A key's place is its hash modulo the number of slots. If another key stands there, the next slot
 * is tried, and so on. A look-up ends at the key, or at a free slot: then the key is not there. A
 * slot keeps a tag, bits 32 to 63 of the hash, so that a look-up hardly ever compares the bytes of
 * another key. With 16 slots, "coat" and "hat" of place 2, "shoe" of place 5:
 *
 *     slot     0     1     2        3        4     5        6    …  15
 *            ┌─────┬─────┬────────┬────────┬─────┬────────┬─────┬───┐
 *     key    │     │     │ coat   │ hat    │     │ shoe   │     │   │
 *     value  │     │     │ 0      │ 3      │     │ 7      │     │   │
 *     tag    │     │     │ of coat│ of hat │     │ of shoe│     │   │
 *            └─────┴─────┴────────┴────────┴─────┴────────┴─────┴───┘
 *
 * At half full a look-up sees 1.5 slots on average if the key is there and 2.5 if not (Knuth,
 * volume 3, 6.4). Nothing is ever taken out.
 *
 * Cost: 24 bytes a slot, and the slots double when half of them are taken, so 48 to 96 bytes a key:
 * 1,000 keys take 2,048 slots, 48 KB. The bytes of the keys are borrowed: whoever owns them
 * outlives the map.
 *
 * A zeroed map is empty. One thread fills a map; once it is filled any thread may read. */
#ifndef CRUMB_BASE_MAP_H
#define CRUMB_BASE_MAP_H

#include "crumb/base/str.h"

struct map_slot {
	struct str key;	     /* p NULL: free */
	uint32_t value, tag; /* tag: bits 32 to 63 of the key's hash */
};
struct map {
	struct map_slot *slots;
	size_t cap, n; /* slots, a power of two or 0; those that are taken */
};

bool map_get(const struct map *m, struct str key, uint32_t *value); /* false: not there */
/* Makes room for one key more. False: there is no memory; map_put() would end the program then. */
bool map_room(struct map *m);
/* False: the key is there already, and nothing changed. */
bool map_put(struct map *m, struct str key, uint32_t value);
/* Gives a key that is there another value. */
void map_set(struct map *m, struct str key, uint32_t value);
void map_done(struct map *m);

#endif

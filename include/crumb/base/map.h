/* A map from byte strings to numbers: open addressing, linear probing, at most half full. Keys are
 * borrowed: whoever owns their bytes outlives the map. Filled by one thread; once filled any thread
 * may read. */
#ifndef CRUMB_BASE_MAP_H
#define CRUMB_BASE_MAP_H

#include "crumb/base/str.h"

struct map_slot {
	struct str key; /* p NULL: free */
	uint32_t value, tag;
};
struct map {
	struct map_slot *slots;
	size_t cap, n;
};

bool map_get(const struct map *m, struct str key, uint32_t *value); /* false: not there */
bool map_room(struct map
	*m); /* for one more, without which map_put() would end the program; false: no memory */
bool map_put(
    struct map *m, struct str key, uint32_t value); /* false: there already, nothing changed */
void map_set(
    struct map *m, struct str key, uint32_t value); /* a key that is there gets another value */
void map_done(struct map *m);

#endif

/* Open addressing with linear probing; base/map.h draws it. Every look-up ends, since at least half
 * of the slots are free. */
#include "crumb/base/map.h"

#include "crumb/base/err.h"

#include <stdlib.h>

/* Eight bytes at a time, each mixed in by a multiplication with 2^64 divided by the golden ratio
 * (Knuth, volume 3, 6.4), and the high bits folded down, since the slot is told by the low ones.
 * The keys that are stored come from rules and programs, never from visitors: nobody outside can
 * make keys collide. */
static size_t hash(struct str s)
{
	const uint64_t odd = 0x9e3779b97f4a7c15;
	uint64_t h = s.n * odd, w;
	for (; s.n >= sizeof w; s = str_skip(s, sizeof w)) {
		memcpy(&w, s.p, sizeof w);
		h = (h ^ w) * odd;
		h ^= h >> 32;
	}
	w = 0;
	if (s.n)
		memcpy(&w, s.p, s.n);
	h = (h ^ w) * odd;
	return (size_t)(h ^ h >> 29);
}

/* What a slot keeps of the hash: most keys that are not there are told by it, without looking at
 * another key's bytes. */
static uint32_t tag_of(size_t h)
{
	return (uint32_t)(h >> 32);
}

/* The slot of the key, or the free slot where the key would go. */
static struct map_slot *slot_of(const struct map *m, struct str key, size_t h)
{
	size_t at = h & (m->cap - 1);
	while (
	    m->slots[at].key.p && (m->slots[at].tag != tag_of(h) || !str_eq(m->slots[at].key, key)))
		at = (at + 1) & (m->cap - 1);
	return &m->slots[at];
}

bool map_get(const struct map *m, struct str key, uint32_t *value)
{
	if (m->n == 0)
		return false;
	const struct map_slot *s = slot_of(m, key, hash(key));
	if (!s->key.p)
		return false;
	*value = s->value;
	return true;
}

static bool grow(struct map *m)
{
	struct map bigger = {.cap = m->cap ? 2 * m->cap : 16, .n = m->n};
	bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].key.p)
			*slot_of(&bigger, m->slots[i].key, hash(m->slots[i].key)) = m->slots[i];
	free(m->slots);
	*m = bigger;
	return true;
}

bool map_room(struct map *m)
{
	return 2 * (m->n + 1) <= m->cap || grow(m);
}

bool map_put(struct map *m, struct str key, uint32_t value)
{
	CHECK(map_room(m));
	size_t h = hash(key);
	struct map_slot *s = slot_of(m, key, h);
	if (s->key.p)
		return false;
	*s = (struct map_slot){key.p ? key : STR(""), value, tag_of(h)};
	m->n++;
	return true;
}

void map_set(struct map *m, struct str key, uint32_t value)
{
	struct map_slot *s = slot_of(m, key, hash(key));
	CHECK(s->key.p);
	s->value = value;
}

void map_done(struct map *m)
{
	free(m->slots);
	*m = (struct map){NULL, 0, 0};
}

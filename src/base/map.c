#include "crumb/base/map.h"

#include "crumb/base/err.h"

#include <stdlib.h>

/* FNV-1a, 64 bits (isthe.com/chongo/tech/comp/fnv). The keys that are stored are our own, so nobody can make them collide. */
static size_t hash(struct str s)
{
	uint64_t h = 0xcbf29ce484222325;
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (uint8_t)s.p[i]) * 0x100000001b3;
	return (size_t)(h ^ h >> 32);
}

static struct map_slot *slot_of(const struct map *m, struct str key)
{
	size_t at = hash(key) & (m->cap - 1);
	while (m->slots[at].key.p && !str_eq(m->slots[at].key, key))
		at = (at + 1) & (m->cap - 1);
	return &m->slots[at];
}

bool map_get(const struct map *m, struct str key, uint32_t *value)
{
	if (m->n == 0)
		return false;
	const struct map_slot *s = slot_of(m, key);
	if (!s->key.p)
		return false;
	*value = s->value;
	return true;
}

static void grow(struct map *m)
{
	struct map bigger = {.cap = m->cap ? 2 * m->cap : 16, .n = m->n};
	bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
	CHECK(bigger.slots);
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].key.p)
			*slot_of(&bigger, m->slots[i].key) = m->slots[i];
	free(m->slots);
	*m = bigger;
}

bool map_put(struct map *m, struct str key, uint32_t value)
{
	if (2 * (m->n + 1) > m->cap)
		grow(m);
	struct map_slot *s = slot_of(m, key);
	if (s->key.p)
		return false;
	*s = (struct map_slot){key.p ? key : STR(""), value};
	m->n++;
	return true;
}

void map_set(struct map *m, struct str key, uint32_t value)
{
	struct map_slot *s = slot_of(m, key);
	CHECK(s->key.p);
	s->value = value;
}

void map_done(struct map *m)
{
	free(m->slots);
	*m = (struct map){NULL, 0, 0};
}

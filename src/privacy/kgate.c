#include "crumb/privacy/kgate.h"

#include "crumb/base/err.h"
#include "crumb/base/map.h"
#include "crumb/core/config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

uint32_t kgate_k(const struct kgate *g)
{
	return g->k < K_FLOOR ? K_FLOOR : g->k;
}

struct shown kgate_show(const struct kgate *g, uint64_t visitors)
{
	if (visitors < kgate_k(g))
		return (struct shown){false, 0};
	return (struct shown){true, (visitors + KGATE_STEP / 2) / KGATE_STEP * KGATE_STEP};
}

/* --- memory */

enum { TOLD = 1, FELL = 2 };

struct kgate_memory {
	pthread_mutex_t lock;
	struct map state; /* of "kind id" */
};

struct kgate_memory *kgate_memory_new(void)
{
	struct kgate_memory *m = calloc(1, sizeof *m);
	CHECK(m);
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

void kgate_memory_free(struct kgate_memory *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->state.cap; i++)
		free((void *)(uintptr_t)m->state.slots[i].key.p);
	map_done(&m->state);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static void remember(struct kgate_memory *m, struct str key, bool known, uint32_t state)
{
	if (known) {
		map_set(&m->state, key, state);
		return;
	}
	char *own = str_dup(key);
	CHECK(own);
	map_put(&m->state, str_make(own, key.n), state);
}

struct shown kgate_show_group(const struct kgate *g, char kind, const char *id, uint64_t visitors)
{
	char name[256];
	struct shown n = kgate_show(g, visitors);
	if (!g->memory)
		return n;
	int length = snprintf(name, sizeof name, "%c %s", kind, id);
	struct str key = str_make(name, (size_t)length < sizeof name ? (size_t)length : sizeof name - 1);
	uint32_t state = 0;
	pthread_mutex_lock(&g->memory->lock);
	bool known = map_get(&g->memory->state, key, &state);
	if (n.told && state == FELL && visitors < kgate_k(g) + KGATE_STEP)
		n = (struct shown){false, 0};
	else if (n.told && state != TOLD)
		remember(g->memory, key, known, TOLD);
	else if (!n.told && state == TOLD)
		remember(g->memory, key, known, FELL);
	pthread_mutex_unlock(&g->memory->lock);
	return n;
}

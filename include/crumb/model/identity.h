/* The secrets that turn ids into visitor keys, as the store hands them to the wall. Never in a
 * log; on a wire only to a node with our cluster.key, sealed (cluster/handed.h). */
#ifndef CRUMB_MODEL_IDENTITY_H
#define CRUMB_MODEL_IDENTITY_H

#include "crumb/model/event.h"

#define COOKIE_DAYS 90
#define GENERATION_DAYS 30
#define GENERATIONS_MAX 8

/* Filled by the store; whoever has them wipes them. */
struct identity_keys {
	struct key16 cookie, imported, exported;
	struct {
		uint16_t first_day; /* 0: no key in this place */
		struct key16 key;
	} generations[GENERATIONS_MAX];
};

static inline uint16_t generation_of(uint16_t day)
{
	return (uint16_t)(day / GENERATION_DAYS * GENERATION_DAYS);
}

#endif

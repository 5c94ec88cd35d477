/* A training without a store: rows of chance, of which some features tell the seed. */
#ifndef CRUMB_TESTS_TRAINED_H
#define CRUMB_TESTS_TRAINED_H

#include "unit.h"

#include "src/learn/learn_judge.h"

#include <stdlib.h>

static uint64_t dice = 1;

static inline double lot(void)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (double)(dice >> 11) / 9007199254740992.0;
}

/* Who is of the kind has each of the first `telling` features in 0.2 + apart of the cases, anybody
 * has each in 0.2; of the kind are `share`, and half of them are the seed. *kind, if wanted, says
 * who is. */
static inline struct learning *made(
    size_t n, unsigned features, unsigned telling, double apart, double share, bool *kind)
{
	struct learning *x = calloc(1, sizeof *x);
	struct sample *s = &x->sample;
	pthread_mutex_init(&x->lock, NULL);
	x->used = features;
	x->have = calloc(features, sizeof *x->have);
	x->seed_have = calloc(features, sizeof *x->seed_have);
	x->raw = calloc(features, sizeof *x->raw);
	s->from = calloc(n + 1, sizeof *s->from);
	s->items = calloc(n * features + 1, sizeof *s->items);
	s->seed = calloc(n, sizeof *s->seed);
	s->activity = calloc(n, sizeof *s->activity);
	s->lot = calloc(n, sizeof *s->lot);
	s->fold = calloc(n, sizeof *s->fold);
	s->n = n;
	s->seed_stands = s->other_stands = 1;
	for (unsigned i = 0; i < features; i++)
		x->raw[i] = i;
	uint32_t at = 0;
	for (size_t i = 0; i < n; i++) {
		bool of_kind = lot() < share;
		s->seed[i] = of_kind && lot() < 0.5;
		s->seeds += s->seed[i];
		s->fold[i] = (uint8_t)(lot() * 256);
		s->lot[i] = (uint16_t)(lot() * LOTS);
		if (kind)
			kind[i] = of_kind;
		for (unsigned k = 0; k < features; k++)
			if (lot() < 0.2 + (of_kind && k < telling ? apart : 0)) {
				s->items[at++] = k;
				x->have[k]++;
				x->seed_have[k] += s->seed[i];
			}
		s->from[i + 1] = at;
		s->activity[i] = at - s->from[i];
	}
	x->seeds = s->seeds;
	x->others = x->population = n - s->seeds;
	return x;
}

#endif

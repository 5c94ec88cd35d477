/* Why a visitor is in a segment or not, when that ends by time alone, and the smallest change that
 * would bring them in. Pure functions; any thread. */
#ifndef CRUMB_CONDITION_EXPLAIN_H
#define CRUMB_CONDITION_EXPLAIN_H

#include "crumb/condition/eval.h"

/* Does one part of a condition hold, on its own? */
bool rules_part_holds(const struct rules *r, int node, const struct profile *p, uint16_t today);
/* The first day after `today` on which that changes if nothing more is observed; 0: not before the
 * visitor is forgotten. */
uint16_t rules_part_flips(
    const struct rules *r, int node, const struct profile *p, uint16_t today, unsigned retention);

enum step_kind {
	STEP_EVENTS, /* `n` more events of the category, today */
	STEP_DAYS,   /* events of it on `n` more days */
	STEP_VALUE,  /* an event of it that is worth `n` millionths */
	STEP_WAIT,   /* nothing, until `day` */
	STEP_FACT    /* what `node` says would have to be so, or not so: `wanted` */
};
struct step {
	enum step_kind kind;
	uint16_t cat, day;
	int64_t n;
	int node;
	bool wanted;
};
#define STEPS_MAX 16
struct change {
	bool possible; /* false: nothing the visitor or time can do */
	bool sure;     /* tried out: with these steps the visitor is in */
	struct step steps[STEPS_MAX];
	unsigned n;
};
/* What would bring a visitor who is out into the segment. */
struct change rules_change(const struct rules *r, uint16_t segment, const struct profile *p,
    uint16_t today, unsigned retention);

#endif

/* What somebody meant who wrote a word where numbers can stand: ranges in the ways of other
 * languages and tools, decimal commas. */
#ifndef CRUMB_CONDITION_MEANT_RANGE_H
#define CRUMB_CONDITION_MEANT_RANGE_H

#include "crumb/base/str.h"

#define MEANT_NUMBER 40

struct meant {
	char lo[MEANT_NUMBER], hi[MEANT_NUMBER]; /* "": without end */
	bool single;				 /* one number: lo */
};

/* 100-200, 100 to 200, between 100 and 200, 100...200, 100+, ≥ 100, 12,50, 1,000; and 100..200
 * where that is not how a range is written. False: it is a word like any other, or already
 * understood. */
bool number_meant(struct str s, bool dots, struct meant *out);
/* As a pattern is written: 100..200. */
void meant_pattern(const struct meant *m, char out[100]);
/* As a condition on `attr` is: between 100 and 200. */
void meant_condition(const struct meant *m, char out[120]);
/* The hint for what stands at `at` in a condition, with what belongs to it on both sides. */
bool meant_at(struct str condition, size_t at, char hint[160]);

#endif

/* What somebody meant who wrote a word where numbers can stand: ranges in the ways of other
 * languages and tools, decimal commas. Only hints are made of it. Pure functions; any thread. */
#ifndef CRUMB_CONDITION_MEANT_RANGE_H
#define CRUMB_CONDITION_MEANT_RANGE_H

#include "crumb/base/str.h"

#define MEANT_NUMBER 40

struct meant {
	char lo[MEANT_NUMBER], hi[MEANT_NUMBER]; /* "": without end */
	bool single;				 /* one number: lo */
};

/* 100-200, 100 to 200, between 100 and 200, 100...200, 100+, ≥ 100, 12,50, 1,000; and in a
 * condition 100..200, which only a pattern is written with. False: it is a word like any other, or
 * already understood. */
enum meant_where { MEANT_IN_CONDITION, MEANT_IN_PATTERN };
bool number_meant(struct str s, enum meant_where where, struct meant *out);
/* As a pattern is written: 100..200. */
void meant_pattern(const struct meant *m, char out[100]);
/* As a condition on `attr` is: between 100 and 200. */
void meant_condition(const struct meant *m, char out[120]);
/* The hint for what stands at `at` in a condition, with what belongs to it on both sides. */
bool meant_at(struct str condition, size_t at, char hint[160]);

#endif

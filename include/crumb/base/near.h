/* Names that look alike: what a slip of the pen may have meant. */
#ifndef CRUMB_BASE_NEAR_H
#define CRUMB_BASE_NEAR_H

#include "crumb/base/str.h"

/* The candidate that looks most like `word`, if one is near enough to be a slip; else an empty string. ASCII case aside. */
struct near {
	struct str word, best;
	unsigned distance;
};
struct near near_begin(struct str word);
void near_try(struct near *n, struct str candidate);
/* "did you mean 'x'?" into `out`, or "" */
const char *near_hint(const struct near *n, char *out, size_t cap);

#endif

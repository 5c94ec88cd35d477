/* Names that look alike: what a slip of the pen may have meant. */
#ifndef CRUMB_BASE_NEAR_H
#define CRUMB_BASE_NEAR_H

#include "crumb/base/err.h"
#include "crumb/base/str.h"

/* The candidate that looks most like `word`, if one is near enough to be a slip; else an empty
 * string. ASCII case aside. */
struct near {
	struct str word, best;
	unsigned distance;
};
struct near near_begin(struct str word);
void near_try(struct near *n, struct str candidate);
/* "did you mean 'x'?" into `out`, or "" */
const char *near_hint(const struct near *n, char *out, size_t cap);
/* ERR_NOT_FOUND: "there is no KIND 'word'", and what may have been meant, of the `n` names that
 * at(arg, i) gives. */
enum err near_missing(const char *kind, struct str word,
    struct str (*at)(const void *arg, size_t i), const void *arg, size_t n) MUST_CHECK;

#endif

/* Names that look alike: what a slip of the pen may have meant. A struct near belongs to one
 * thread, and keeps views of the word and of the candidates. */
#ifndef CRUMB_BASE_NEAR_H
#define CRUMB_BASE_NEAR_H

#include "crumb/base/err.h"
#include "crumb/base/str.h"

/* `best` is the candidate that looks most like `word`, if one is near enough to be a slip; else it
 * is empty. ASCII case aside. `distance` is its number of edits, or the least number that is no
 * slip any more. */
struct near {
	struct str word, best;
	unsigned distance;
};
struct near near_begin(struct str word);
void near_try(struct near *n, struct str candidate);
/* Writes "did you mean 'x'?" to `out`, or "". Returns `out`. */
const char *near_hint(const struct near *n, char *out, size_t cap);
/* Returns ERR_NOT_FOUND with the words "there is no KIND 'word'", and behind them which of the `n`
 * names that at(arg, i) gives may have been meant. */
enum err near_missing(const char *kind, struct str word,
    struct str (*at)(const void *arg, size_t i), const void *arg, size_t n) MUST_CHECK;

#endif

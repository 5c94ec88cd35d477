/* A word is a slip for another when few edits lie between them: one in a word of up to three
 * letters, two in one of up to nine, three in a longer one, and fewer than the longer of both has
 * letters. The nearest candidate wins; of two that are as near, the first. */
#include "crumb/base/near.h"

#include <stdio.h>

#define NEAR_MAX 40

/* Edits between two words: a letter inserted, left out or changed, or two neighbours swapped
 * (optimal string alignment; Boytsov 2011, section 2.2). Row i, column k of the table are the edits
 * between the first i letters of a and the first k of b. A row needs the two above it, so three are
 * kept. */
static unsigned edits(struct str a, struct str b)
{
	unsigned rows[3][NEAR_MAX + 1], *before = rows[0], *above = rows[1], *row = rows[2];
	for (unsigned k = 0; k <= b.n; k++)
		above[k] = k;
	for (unsigned i = 1; i <= a.n; i++) {
		row[0] = i;
		for (unsigned k = 1; k <= b.n; k++) {
			char x = chr_lower(a.p[i - 1]), y = chr_lower(b.p[k - 1]);
			unsigned best = above[k - 1] + (x != y);
			if (above[k] + 1 < best)
				best = above[k] + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			if (i > 1 && k > 1 && x == chr_lower(b.p[k - 2]) &&
			    y == chr_lower(a.p[i - 2]) && before[k - 2] + 1 < best)
				best = before[k - 2] + 1;
			row[k] = best;
		}
		unsigned *free_row = before;
		before = above;
		above = row;
		row = free_row;
	}
	return above[b.n];
}

struct near near_begin(struct str word)
{
	unsigned too_many = 4;
	if (word.n < 10)
		too_many = word.n < 4 ? 2 : 3;
	return (struct near){word, {NULL, 0}, too_many};
}

void near_try(struct near *n, struct str candidate)
{
	size_t longer = candidate.n > n->word.n ? candidate.n : n->word.n,
	       shorter = candidate.n + n->word.n - longer;
	if (longer > NEAR_MAX || longer - shorter >= n->distance || candidate.n == 0 ||
	    n->word.n == 0)
		return;
	unsigned d = edits(n->word, candidate);
	if (d < n->distance && d < longer) {
		n->distance = d;
		n->best = candidate;
	}
}

const char *near_hint(const struct near *n, char *out, size_t cap)
{
	if (n->best.n)
		snprintf(out, cap, "did you mean '" STR_FMT "'?", STR_ARG(n->best));
	else if (cap)
		out[0] = 0;
	return out;
}

enum err near_missing(const char *kind, struct str word,
    struct str (*at)(const void *arg, size_t i), const void *arg, size_t n)
{
	char hint[200];
	struct near near = near_begin(word);
	for (size_t i = 0; i < n; i++)
		near_try(&near, at(arg, i));
	near_hint(&near, hint, sizeof hint);
	return err_set(ERR_NOT_FOUND, "there is no %s '" STR_FMT "'%s%s", kind, STR_ARG(word),
	    *hint ? ": " : "", hint);
}

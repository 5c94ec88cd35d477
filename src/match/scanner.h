/* Inside match: many literals and regular expressions looked for in one text at once, by
 * vectorscan. Nothing else includes its headers.
 *
 * A scan is built once and then read by any thread, each with a scratch of its own. */
#ifndef CRUMB_SRC_MATCH_SCANNER_H
#define CRUMB_SRC_MATCH_SCANNER_H

#include "crumb/base/err.h"
#include "crumb/base/str.h"

struct scan; /* the databases of one field */

struct scan_input {
	struct str text; /* a literal, ASCII case aside; or an expression with its slashes */
	uint32_t id;
	bool regex, case_matters; /* case_matters: of an expression */
};

/* Compiles, with up to all cores. On failure *culprit is the id of the expression that cannot be
 * used. */
enum err scan_build(
    const struct scan_input *in, size_t n, struct scan **out, uint32_t *culprit) MUST_CHECK;
void scan_free(struct scan *s);

/* What scanning writes to: one thread's. Makes *scratch if it is NULL, or enlarges it, so that it
 * is enough for this scan, too. */
struct scan_scratch;
enum err scan_scratch_for(const struct scan *s, struct scan_scratch **scratch) MUST_CHECK;
void scan_scratch_free(struct scan_scratch *x);

/* Calls `found` for every id that occurs, at least once each. */
void scan_run(const struct scan *s, struct scan_scratch *x, struct str text,
    void (*found)(void *arg, uint32_t id), void *arg);

#endif

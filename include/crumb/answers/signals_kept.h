/* The signals of a day and its rules (answers/signals.h), read once and told alike to all: reading
 * them takes seconds, and telling what is kept a moment. In memory; a start begins without.
 *
 * One struct for each node. Any thread calls the functions below. */
#ifndef CRUMB_ANSWERS_SIGNALS_KEPT_H
#define CRUMB_ANSWERS_SIGNALS_KEPT_H

#include "crumb/answers/signals.h"

struct signals_kept;

struct signals_kept *signals_kept_new(void);
void signals_kept_free(struct signals_kept *k); /* NULL is fine */

/* Reads the journal, unless the kept ones are of the day of `of` and its rules. One reading is
 * under way at a time, and whoever wants another waits for it. One that is given up (ERR_BUSY)
 * leaves what was kept. */
enum err signals_kept_make(struct signals_kept *k, const struct signals_of *of) MUST_CHECK;

/* The answer of answer_signals() that is kept, or with empty lists when there is none, and besides
 * "made" (a time, or null), "current" (of today and these rules?) and "running". *out is for
 * json_decref(). */
enum err signals_kept_told(struct signals_kept *k, const struct rules *rules, uint16_t today,
    struct json_t **out) MUST_CHECK;
bool signals_kept_current(struct signals_kept *k, const struct rules *rules, uint16_t today);

#endif

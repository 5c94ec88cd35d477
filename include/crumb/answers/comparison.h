/* What a change of rules would do, and to whom, as JSON:
 *
 *     {"categories":[{"id","change","was"}], "attributes":[{"id","change"}],
 *      "segments":[{"id","change","before","after","enter","stay","leave", …}],
 *      "from_journal":bool}
 *
 * Numbers are visitors, or null where they are withheld. Where categories change, profiles are made
 * from the journal for the comparison, which takes as long as a backfill.
 *
 * Any thread. What a struct comparing names is the caller's, for as long as the call. */
#ifndef CRUMB_ANSWERS_COMPARISON_H
#define CRUMB_ANSWERS_COMPARISON_H

#include "crumb/ask/ask.h"
#include "crumb/views/trial.h"

struct json_t;

struct comparing {
	struct store *store; /* with its journal open */
	const struct config *config;
	struct generation *serving;
	const struct kgate *gate;
	struct ask_memory *memory; /* NULL: none, for who may read the store; else `old` serves */
	uint32_t now;
	const char *folder; /* in which a temporary folder is made */
	struct trial_watch watch;
};

/* ERR_BUSY: the day's questions are used up, or it was stopped; ERR_IO: there is no temporary
 * folder. */
enum err changes_json(const struct comparing *c, struct rules *old, struct rules *fresh,
    struct json_t **out) MUST_CHECK;
/* Is the journal replayed for these rules? */
bool changes_replay(const struct comparing *c, struct rules *rules);
/* Removes what a crash has left of comparisons in a folder. */
void changes_clean(const char *folder);

#endif

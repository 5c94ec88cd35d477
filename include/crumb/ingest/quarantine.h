/* What was set aside: counted by reason and pattern, and released when a list was wrong. Counting
 * reads the whole journal, and what is kept of it only what is new. */
#ifndef CRUMB_INGEST_QUARANTINE_H
#define CRUMB_INGEST_QUARANTINE_H

#include "crumb/ingest/writer.h"

#define QUARANTINE_OTHERS "(others)"

struct aside_row {
	enum aside why;
	const char *pattern; /* within key; QUARANTINE_OTHERS beyond a thousand different ones */
	char key[260];
	uint64_t events; /* those that were not released */
	uint16_t first, last;
};

/* By reason, then most events first; free() the rows. From the beginning of the journal. */
enum err quarantine_list(struct store *s, struct aside_row **rows, size_t *n) MUST_CHECK;

/* Counts that are kept, in memory: the same rows, by reading what came since. The first list, and
 * the first after a release or after aside_kept_forget(), reads all of the journal, unless
 * aside_kept_warm() did before. Any thread. */
struct aside_kept;
enum err aside_kept_new(struct store *s, struct aside_kept **out) MUST_CHECK;
void aside_kept_free(struct aside_kept *k); /* NULL is fine */
enum err aside_kept_list(struct aside_kept *k, struct aside_row **rows, size_t *n) MUST_CHECK;
/* Reads the journal when nothing is kept. For a thread that may be a low one. */
enum err aside_kept_warm(struct aside_kept *k) MUST_CHECK;
/* Records have left the journal before their day ended: cleaning (journal_swap()). */
void aside_kept_forget(struct aside_kept *k);

/* Writes what was set aside for this reason and pattern (empty: any) as events that count into
 * `batch`, and marks it as released. `flush` brings the batch to the journal and empties it; it is
 * called whenever the batch is large, and at the end. *events counts what was put into the batch.
 * After an error a second call goes on behind what has reached the journal. */
enum err quarantine_release(struct store *s, enum aside why, struct str pattern, uint32_t now,
    struct batch *batch, enum err (*flush)(void *arg), void *arg, uint64_t *events) MUST_CHECK;

#endif

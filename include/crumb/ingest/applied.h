/* Which pieces of files were imported already.
 *
 * A piece is named by its content: the hash of all bytes before it in the file (from), and the hash
 * of all bytes up to its end (to).
 *
 *	file      │ piece 1        │ piece 2        │ piece 3 …
 *	name      (h(""), h(1))    (h(1), h(1+2))   (h(1+2), h(1+2+3))
 *
 * So a file is known again when it is compressed or renamed, and of a file that has grown only the
 * new end is read. A name is in the journal, in the same commit as the events of its piece: both
 * are there, or neither is. It goes when its day expires.
 *
 * One thread at a time. Cost: some 100 bytes for each piece of 8 MB. */
#ifndef CRUMB_INGEST_APPLIED_H
#define CRUMB_INGEST_APPLIED_H

#include "crumb/ingest/writer.h"

struct applied;

/* Reads the names from the journal, where everything must be published. */
enum err applied_open(struct store *s, struct applied **out) MUST_CHECK;
void applied_close(struct applied *a);

/* The pieces that begin at `from`, shortest first. When there are more than `cap`, the longest.
 * Those of days before `oldest` count as gone. */
unsigned applied_after(const struct applied *a, const uint8_t from[16], uint16_t oldest,
    struct slice_id *out, unsigned cap);
bool applied_has(const struct applied *a, const struct slice_id *id, uint16_t oldest);
/* The name is in the journal of this day. Of several days the last counts. */
void applied_note(struct applied *a, const struct slice_id *id, uint16_t day);
/* Puts the name into the batch with the piece's events. */
void batch_slice(struct batch *b, uint32_t t, const struct slice_id *id);

#endif

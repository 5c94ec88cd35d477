/* Which pieces of files were imported. A piece is named by its content: the hash of everything
 * before it in the file, and the hash of everything up to its end; so a file is known again
 * compressed, renamed or grown. The names are in the journal, each in the same commit as the events
 * of its piece, and go with its day. One thread at a time. */
#ifndef CRUMB_INGEST_APPLIED_H
#define CRUMB_INGEST_APPLIED_H

#include "crumb/ingest/writer.h"

struct applied;

/* Reads the journal, where everything must be published. */
enum err applied_open(struct store *s, struct applied **out) MUST_CHECK;
void applied_close(struct applied *a);

/* The pieces that begin behind `from`, shortest first; at most `cap`, the longest ones. */
unsigned applied_after(const struct applied *a, const uint8_t from[16], uint16_t oldest,
    struct slice_id *out, unsigned cap);
bool applied_has(const struct applied *a, const struct slice_id *id, uint16_t oldest);
void applied_note(struct applied *a, const struct slice_id *id,
    uint16_t day); /* it is in the journal; again: until its last day */
void batch_slice(struct batch *b, uint32_t t,
    const struct slice_id *id); /* its name, in one commit with what else is in the batch */

#endif

/* What was set aside is released when a list was wrong (ingest/asides.h counts it). That reads the
 * whole journal. One thread at a time. */
#ifndef CRUMB_INGEST_QUARANTINE_H
#define CRUMB_INGEST_QUARANTINE_H

#include "crumb/ingest/writer.h"

/* Writes what was set aside for this reason and pattern (empty: any) as events that count into
 * `batch`, and marks it as released. `flush` brings the batch to the journal and empties it; it is
 * called whenever the batch is large, and at the end. *events counts what was put into the batch.
 * After an error a second call goes on behind what has reached the journal. */
enum err quarantine_release(struct store *s, enum aside why, struct str pattern, uint32_t now,
    struct batch *batch, enum err (*flush)(void *arg), void *arg, uint64_t *events) MUST_CHECK;

#endif

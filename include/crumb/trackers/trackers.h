/* The trackers that crumb understands: for each a file src/trackers/NAME.c with one row, and a line
 * here (docs/add-a-tracker.md). A tracker reads its own messages, fills the hit
 * (collect/collecting.h) and decides nothing else: consent, scrubbing, junk and the visitor's key
 * are those of every hit. Rows are constant; a tracker runs on the collect threads. */
#ifndef CRUMB_TRACKERS_TRACKERS_H
#define CRUMB_TRACKERS_TRACKERS_H

#include "crumb/collect/collect.h"

/* One line for each: NAME of tracker_NAME. */
#define TRACKERS(X) X(segment)

#define TRACKER_DECLARED(name) extern const struct tracker tracker_##name;
TRACKERS(TRACKER_DECLARED)
#undef TRACKER_DECLARED
extern const struct tracker *const trackers[]; /* NULL behind the last */

#endif

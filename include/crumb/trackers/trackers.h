/* The trackers that crumb speaks for: one file each, and a row here and in trackers.c. A tracker reads its own messages, fills the hit
 * (collect/collecting.h) and decides nothing else: consent, scrubbing, junk and the visitor's key are those of every hit. */
#ifndef CRUMB_TRACKERS_TRACKERS_H
#define CRUMB_TRACKERS_TRACKERS_H

#include "crumb/collect/collect.h"

extern const struct tracker tracker_segment; /* cdp.c */

/* All of them, NULL behind the last; constant. */
extern const struct tracker *const trackers[];

#endif

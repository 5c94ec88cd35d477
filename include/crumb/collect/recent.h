/* Ids of messages that were taken lately, so that what a client sends again is counted once.
 * Bounded: of the oldest nothing is known any more. Any thread. */
#ifndef CRUMB_COLLECT_RECENT_H
#define CRUMB_COLLECT_RECENT_H

#include "crumb/base/str.h"

struct recent_ids;

struct recent_ids *recent_new(void);
bool recent_add(struct recent_ids *r, struct str id); /* false: it was there */
void recent_clear(struct recent_ids *r);
void recent_free(struct recent_ids *r);

#endif

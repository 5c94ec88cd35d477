/* Ids of messages that were taken lately, so that a message which a client sends again is counted
 * once.
 *
 * An id is kept as a hash of 64 bits with a random key. The hash says in which of 16,384 rows it
 * stands; a row has 8 places, and the ninth id of a row drives out the oldest. So the latest
 * 131,072 ids or fewer are known, in 1 MB. Any thread; it has a lock of its own. */
#ifndef CRUMB_COLLECT_RECENT_H
#define CRUMB_COLLECT_RECENT_H

#include "crumb/base/str.h"

struct recent_ids;

struct recent_ids *recent_new(void);
bool recent_add(struct recent_ids *r, struct str id); /* false: it was there */
void recent_clear(struct recent_ids *r);
void recent_free(struct recent_ids *r);

#endif

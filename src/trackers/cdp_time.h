/* When a message of Segment's API happened.
 *
 * A device says when by its own clock, which may never have been set, and when it sent the message
 * by the same clock: what lies between is right, so the message is so much older than its coming
 * here. Without "sentAt" its own clock is believed. Where Segment itself has passed it on
 * ("receivedAt"), "timestamp" is right already. Times are ISO 8601: without a zone they are UTC,
 * "+0000" and "+00" are zones, seconds may be missing. */
#ifndef CRUMB_SRC_TRACKERS_CDP_TIME_H
#define CRUMB_SRC_TRACKERS_CDP_TIME_H

#include "crumb/base/str.h"

#include <jansson.h>

bool cdp_time_read(struct str text, int64_t *t); /* seconds */

/* What the message lacks, its batch may say. False: there is a time, and it cannot be read. */
bool cdp_time(const json_t *message, const json_t *batch, int64_t now, int64_t *t);

#endif

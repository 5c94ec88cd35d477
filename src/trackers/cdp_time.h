/* When a message of Segment's API happened.
 *
 * A device tells two times by its own clock, which may never have been set: when the message
 * happened (originalTimestamp), and when it was sent (sentAt). The time between them is right, so
 * the message is so much older than its arrival here:
 *
 *	device    originalTimestamp 1970-01-03 10:00:00, sentAt 1970-01-03 10:00:07
 *	here      arrives 2026-05-04 12:30:20, so it happened at 12:30:13
 *
 * Without sentAt the device's clock is believed. Where Segment itself has passed a message on
 * (receivedAt), "timestamp" is right already. Times are ISO 8601. Without a zone they are UTC;
 * "+0000" and "+00" are zones; seconds may be missing. Pure functions, for any thread. */
#ifndef CRUMB_SRC_TRACKERS_CDP_TIME_H
#define CRUMB_SRC_TRACKERS_CDP_TIME_H

#include "crumb/base/str.h"

#include <jansson.h>

bool cdp_time_read(struct str text, int64_t *t); /* seconds */

/* *t in seconds. The batch may have what the message lacks; NULL: there is none. `now` when nothing
 * says a time. False: a time is there and cannot be read. */
bool cdp_time(const json_t *message, const json_t *batch, int64_t now, int64_t *t);

#endif

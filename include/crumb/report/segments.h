/* All segments by day: size, entered, left, from what the views keep. Any thread; the caller frees
 * *out with json_decref(). */
#ifndef CRUMB_REPORT_SEGMENTS_H
#define CRUMB_REPORT_SEGMENTS_H

#include "crumb/views/view.h"

struct json_t;

#define SEGMENT_DAYS 90 /* that a report goes back at most */

/* {"days":[…],"segments":[{"id","recorded_since":day,"size":[…],"entered":[…],"left":[…]}]} for the
 * last `days` days up to today, oldest first; null is withheld or was not recorded. */
enum err segments_report(struct generation *g, const struct kgate *gate, uint32_t now,
    unsigned days, struct json_t **out) MUST_CHECK;

#endif

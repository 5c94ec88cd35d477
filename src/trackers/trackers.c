/* The list of trackers. */
#include "crumb/trackers/trackers.h"

#define TRACKER_LISTED(name) &tracker_##name,
const struct tracker *const trackers[] = {TRACKERS(TRACKER_LISTED) NULL};

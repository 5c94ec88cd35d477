/* The list of trackers, made from the names in trackers.h; the program hands it to collect. */
#include "crumb/trackers/trackers.h"

#define TRACKER_LISTED(name) &tracker_##name,
const struct tracker *const trackers[] = {TRACKERS(TRACKER_LISTED) NULL};

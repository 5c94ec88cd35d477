/* The table of trackers. */
#include "crumb/trackers/trackers.h"

const struct tracker *const trackers[] = {&tracker_segment, NULL};

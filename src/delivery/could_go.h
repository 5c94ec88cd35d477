/* Inside delivery: how many members of a segment could be sent to a destination, for whoever only
 * wants to know whether they are enough. */
#ifndef CRUMB_SRC_DELIVERY_COULD_GO_H
#define CRUMB_SRC_DELIVERY_COULD_GO_H

#include "crumb/delivery/plan.h"
#include "crumb/privacy/cookie.h"

#define LOOKED_MOST 20000 /* members that are looked at for one answer */

/* Counts members whom the purposes of consent, the sources and the split let go, and stops at
 * `most`. After LOOKED_MOST members it stops, too: whoever was not found by then is not counted, so
 * the number may be too low and is never too high. Reads a profile for each member it looks at:
 * with k = 50 and nobody left out, 60 of them. Any thread. */
enum err could_go(const struct plan_wish *w, const struct identity_keys *keys, uint16_t segment,
    uint64_t most, uint64_t *out) MUST_CHECK;

#endif

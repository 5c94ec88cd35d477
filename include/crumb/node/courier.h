/* Deliveries on schedule, on a thread of their own: each destination of etc/destinations.yaml when
 * its time has come, and what waits to be tried again. One after the other, so that a slow partner
 * delays others but nothing else. */
#ifndef CRUMB_NODE_COURIER_H
#define CRUMB_NODE_COURIER_H

#include "crumb/node/node.h"

struct courier;

enum err courier_start(struct node *n, struct courier **out) MUST_CHECK;
void courier_stop(struct courier *c); /* what is under way goes on at the next start */

/* Has a schedule of so many seconds, from so many seconds behind midnight on, come round since it
 * was last kept? */
bool courier_due(uint32_t every_s, uint32_t at_s, uint32_t last, uint32_t now);

#endif

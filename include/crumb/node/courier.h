/* Deliveries on schedule: each destination of etc/destinations.yaml when its time has come, and
 * what waits to be tried again. They run on a thread of their own, one after the other, so that a
 * slow partner delays other partners and nothing else. Whoever starts the courier stops it. */
#ifndef CRUMB_NODE_COURIER_H
#define CRUMB_NODE_COURIER_H

#include "crumb/node/node.h"

struct courier;

enum err courier_start(struct node *n, struct courier **out) MUST_CHECK;
/* Ends the thread. A delivery that is under way goes on at the next start. NULL is fine. */
void courier_stop(struct courier *c);

/* Is a delivery due? The schedule is every `every_s` seconds, counted from `at_s` seconds after
 * midnight of 1970-01-01 UTC; 0: never. Every 6 hours from 2:30 on, that is 2:30, 8:30, 14:30 and
 * 20:30; with `last` at 8:31 it is due from 14:30 on. Pure. */
bool courier_due(uint32_t every_s, uint32_t at_s, uint32_t last, uint32_t now);

#endif

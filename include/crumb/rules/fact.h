/* What conditions and models ask of a profile: where a window begins, and what is known of the
 * visitor. Pure functions; any thread. */
#ifndef CRUMB_RULES_FACT_H
#define CRUMB_RULES_FACT_H

#include "crumb/rules/rules.h"

/* The first day that a window of so many days reaches back to; 0 days: everything. */
uint16_t rules_window_start(uint8_t window, uint16_t today);
struct str rules_fact(const struct profile *p, enum fact f); /* empty: unknown */

#endif

/* The list of the tables of routes: src/admin/NAME.c has routes_NAME, which ends with a zero
 * row. */
#ifndef CRUMB_SRC_ADMIN_ROUTES_H
#define CRUMB_SRC_ADMIN_ROUTES_H

#include "job.h"

#define ROUTE_TABLES(X)                                                                            \
	X(health)                                                                                  \
	X(metrics)                                                                                 \
	X(segments)                                                                                \
	X(report)                                                                                  \
	X(by_day)                                                                                  \
	X(rules)                                                                                   \
	X(ask)                                                                                     \
	X(lookalikes)                                                                              \
	X(deliveries)                                                                              \
	X(stream)                                                                                  \
	X(live)                                                                                    \
	X(import)                                                                                  \
	X(visitors)                                                                                \
	X(quarantine)                                                                              \
	X(store)                                                                                   \
	X(clock)                                                                                   \
	X(history)                                                                                 \
	X(login)

#define X(name) extern const struct route routes_##name[];
ROUTE_TABLES(X)
#undef X

#endif

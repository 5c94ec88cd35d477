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
	X(rule_files)                                                                              \
	X(rule_category)                                                                           \
	X(publishing)                                                                              \
	X(ask)                                                                                     \
	X(lookalikes)                                                                              \
	X(deliveries)                                                                              \
	X(analysis)                                                                                \
	X(stream)                                                                                  \
	X(live)                                                                                    \
	X(import)                                                                                  \
	X(visitors)                                                                                \
	X(quarantine)                                                                              \
	X(store)                                                                                   \
	X(clock)                                                                                   \
	X(history)                                                                                 \
	X(login)

/* A finding of a check (rule_files.c). */
extern const struct shape finding_shape[];
#define RULES_TEXT_MOST (4u << 20) /* bytes of a file of rules that is sent */

#define X(name) extern const struct route routes_##name[];
ROUTE_TABLES(X)
#undef X

extern const struct shape shape_segment_row[]; /* a row of /v1/segments (segments.c) */

#endif

/* Rules from files to where they can serve: read, compiled, and checked against what this
 * installation is. */
#ifndef CRUMB_INGEST_DEPLOY_H
#define CRUMB_INGEST_DEPLOY_H

#include "crumb/core/config.h"
#include "crumb/check/check.h"

/* What the checker must know: retention, k, today, the wall's habits, whether the place file has
 * regions. */
struct rules_policy deploy_policy(const struct config *c);
/* Reads a folder or file, compiles, checks. Mistakes go to `report` (NULL: the first becomes
 * err_text()); warnings refuse nothing. */
enum err deploy_rules(
    const struct config *c, const char *path, struct report *report, struct rules **out) MUST_CHECK;

#endif

/* Rules are read from files, compiled, and checked against this installation, so that they can
 * serve. Any thread. */
#ifndef CRUMB_INGEST_DEPLOY_H
#define CRUMB_INGEST_DEPLOY_H

#include "crumb/core/config.h"
#include "crumb/check/check.h"

/* What the checker has to know about this installation: retention, k, today, what the wall scrubs
 * and drops, and whether the place file has regions. */
struct rules_policy deploy_policy(const struct config *c);
/* Reads a folder or file, compiles, checks. Mistakes go to `report`; with NULL the first becomes
 * err_text(). Warnings refuse nothing. The caller gets a reference in *out. */
enum err deploy_rules(
    const struct config *c, const char *path, struct report *report, struct rules **out) MUST_CHECK;

#endif

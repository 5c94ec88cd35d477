/* Rules are read from files, compiled, and checked against this installation, so that they can
 * serve. Any thread. */
#ifndef CRUMB_INGEST_DEPLOY_H
#define CRUMB_INGEST_DEPLOY_H

#include "crumb/base/file.h"
#include "crumb/core/config.h"
#include "crumb/check/check.h"

/* What the checker has to know about this installation: retention, k, today, what the wall scrubs
 * and drops, and whether the place file has regions. */
struct rules_policy deploy_policy(const struct config *c);
/* Reads a folder or file, compiles, checks. Mistakes go to `report`; with NULL the first becomes
 * err_text(). Warnings refuse nothing. The caller gets a reference in *out. */
enum err deploy_rules(
    const struct config *c, const char *path, struct report *report, struct rules **out) MUST_CHECK;
/* The same for a bundle (load/load.h) that is not what lies in the folder. `report` is wanted. */
enum err deploy_bundle(const struct config *c, struct str bundle, struct report *report,
    struct rules **out) MUST_CHECK;
/* The folder of this installation's models of lookalikes. */
void deploy_models(const struct config *c, char out[FILE_PATH_MAX]);

#endif

/* Sites that are ours, by the option `sites`. Any thread; costs a comparison for each site that is
 * configured. */
#ifndef CRUMB_PRIVACY_SITE_H
#define CRUMB_PRIVACY_SITE_H

#include "crumb/core/config.h"

/* Is `host` one of the configured sites (all are, when none is configured)? */
bool site_is_ours(const struct config *c, struct str host);
/* Is `origin` (scheme://host[:port]) one that may read answers with credentials? */
bool origin_is_ours(const struct config *c, struct str origin);

#endif

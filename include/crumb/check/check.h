/* The checker: what is wrong with rules that load. Contradictions, patterns that can never match or
 * never matter, audiences that may not go where they are sent.
 *
 * Whoever loads rules to serve them checks them too; stored rules are loaded without, for they were
 * checked when they came. */
#ifndef CRUMB_CHECK_CHECK_H
#define CRUMB_CHECK_CHECK_H

#include "crumb/partners/destinations.h"

/* What rules are checked against, of the configuration and the destinations. Borrowed. */
struct rules_policy {
	unsigned retention_days;
	uint32_t k;				 /* smallest group that is told */
	uint16_t today;				 /* for dates that are over */
	const char *sensitive_destinations;	 /* comma list: where sensitive audiences may go */
	const struct destinations *destinations; /* NULL: nothing is known of them */
	/* does the place file know any? */
	enum { REGIONS_UNKNOWN, REGIONS_NONE, REGIONS_SOME } regions;
	/* Would the scrubber replace this segment of a path, and by what? */
	bool (*scrubs)(struct str segment, const char **by);
	/* Does the wall drop attributes of this name? */
	bool (*drops)(struct str attr);
};

/* Loads as rules_load() does and checks too, so that mistakes of both kinds are found in one go.
 * The matcher is made, so that expressions that do not compile are found. policy NULL: no checks.
 * Any thread. */
enum err rules_load_checked(struct str bundle, const struct rules_policy *policy,
    struct report *report, struct rules **out) MUST_CHECK;

#endif

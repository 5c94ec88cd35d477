/* Options that cannot work, beyond what is seen when each is set: networks, listeners, folders, and
 * options that contradict each other. Nothing is opened or written. Each finding says what was
 * meant, where that can be guessed. */
#ifndef CRUMB_INGEST_OPTIONS_H
#define CRUMB_INGEST_OPTIONS_H

#include "crumb/core/config.h"
#include "crumb/partners/destinations.h"

#define OPTIONS_FOUND_MOST 64

struct options_found {
	unsigned n, wrong;
	struct option_finding {
		const char *option;
		bool warning; /* it works, but hardly as it was meant */
		char text[500];
	} list[OPTIONS_FOUND_MOST];
};

/* `d` may be NULL: what has to do with destinations is not looked at. */
void options_check(const struct config *c, const struct destinations *d, struct options_found *out);
bool options_loopback(const char *listen); /* nobody but this machine can reach it */

#endif

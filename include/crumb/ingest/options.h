/* Finds options that cannot work, beyond what is seen when each is set: networks, listeners,
 * folders, and options that contradict each other. Folders are looked at; nothing is opened or
 * written. A finding says what was probably meant. Any thread. */
#ifndef CRUMB_INGEST_OPTIONS_H
#define CRUMB_INGEST_OPTIONS_H

#include "crumb/core/config.h"
#include "crumb/partners/destinations.h"

#define OPTIONS_FOUND_MOST 64

struct options_found {
	unsigned n, wrong;
	struct option_finding {
		const char *option;
		bool warning; /* the option works, but hardly as it was meant */
		char text[500];
	} list[OPTIONS_FOUND_MOST];
};

/* `d` NULL: what has to do with destinations is not looked at. */
void options_check(const struct config *c, const struct destinations *d, struct options_found *out);
/* Can only this machine reach the listener? */
bool options_loopback(const char *listen);

#endif

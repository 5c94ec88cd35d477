/* How often wrong tokens came from an address in the last minute. A right token is not asked
 * about: it is taken whatever came before it.
 *
 *     the first WRONG_FREE of a minute     answered at once
 *     up to WRONG_MOST                     answered WRONG_WAIT_US later
 *     more                                 429, at once
 *
 * Addresses are networks of /32 (IPv4) and /64 (IPv6), in memory only. WRONG_PLACES are remembered;
 * the one that was quiet for longest goes for one more. The main thread's; a zeroed struct knows
 * none. 6 kB. */
#ifndef CRUMB_SRC_ADMIN_WRONG_H
#define CRUMB_SRC_ADMIN_WRONG_H

#include <stdint.h>

#define WRONG_FREE 20
#define WRONG_MOST 100
#define WRONG_WAIT_US UINT64_C(250000)
#define WRONG_WINDOW_S 60
#define WRONG_PLACES 256

enum wrong_how { WRONG_AT_ONCE, WRONG_LATER, WRONG_TOO_OFTEN };

struct wrong {
	struct wrong_place {
		uint8_t address[16];
		uint32_t since; /* seconds, monotonic: when its minute began */
		uint32_t n;	/* in that minute; 0: this place is free */
	} v[WRONG_PLACES];
};

/* One more came from there. */
enum wrong_how wrong_note(struct wrong *w, const uint8_t address[16], uint32_t now_s);

#endif

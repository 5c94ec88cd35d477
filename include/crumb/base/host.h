/* Names of hosts as people write them. Any thread. */
#ifndef CRUMB_BASE_HOST_H
#define CRUMB_BASE_HOST_H

#include "crumb/base/str.h"

#define HOST_MOST 254 /* bytes of a name, and the end of the text */

/* The name as it stands in requests: small letters, other alphabets as xn-- (IDNA 2008,
 * nontransitional), no dot at the end; an IPv6 address in brackets stays one. Returns how many
 * bytes, or 0: this is no host. */
size_t host_read(struct str name, char out[HOST_MOST]);
/* The same for a pattern: parts with '*' are taken as they are. */
size_t host_read_glob(struct str pattern, char out[HOST_MOST]);

/* What may stand around a host: [scheme://][user@]host[:port][/rest]. Views; scheme and port are
 * empty when they are not there. */
struct host_around {
	struct str scheme, user, host, port, rest;
};
struct host_around host_around(struct str text);

/* HOST:PORT of a listener. The host is empty for every address of the machine, and without the
 * brackets that IPv6 has; whether it is one is not looked at. False: it is not of that form. */
bool host_port(struct str text, struct str *host, uint16_t *port);

#endif

/* Where a page came from (the header Origin, RFC 6454), beside where it asks (Host). Pure
 * functions, for any thread.
 *
 *     Origin: https://shop.example        Host: shop.example:443       is at this host
 *     Origin: http://127.0.0.1:9000       Host: 127.0.0.1:8081         is not: another port
 *     Origin: null                        anything                     is not */
#ifndef CRUMB_HTTP_ORIGIN_H
#define CRUMB_HTTP_ORIGIN_H

#include "crumb/base/str.h"

/* "scheme://host[:port]" without the scheme; empty: it has none. */
struct str origin_authority(struct str origin);
/* Is the origin at this host? An origin leaves out the port of its scheme; Host may have it. */
bool origin_at(struct str host, struct str origin);

#endif

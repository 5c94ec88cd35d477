/* Options that hold hosts: what was meant is understood where there is no doubt, and else refused
 * with what to write. Any thread. */
#ifndef CRUMB_CORE_HOSTS_H
#define CRUMB_CORE_HOSTS_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"

/* A list of hosts (shop.example) and origins (https://shop.example:8443), as requests have them,
 * comma list. */
enum err hosts_sites(const char *option, struct str value, struct buf *out) MUST_CHECK;
/* One domain, for a cookie. */
enum err hosts_domain(const char *option, struct str value, struct buf *out) MUST_CHECK;
/* One page, https://HOST[:PORT][/…] or http: what may stand in a link. The host becomes what
 * requests have; the rest stays as it is. */
enum err hosts_page(const char *option, struct str value, struct buf *out) MUST_CHECK;

#endif

/* Options that hold hosts. What people write is understood where there is no doubt, and refused
 * with what to write where there is:
 *
 *     sites=HTTPS://Shop.Example:443/     https://shop.example
 *     sites=bücher.example                xn--bcher-kva.example
 *     sites=*.shop.example                refused: … list each host …
 *
 * Each function is the `read` of a row of core/config_rows.h: `option` is the row's name, and `out`
 * gets the value in the one form that requests have. Errors: ERR_USAGE. Any thread. */
#ifndef CRUMB_CORE_HOSTS_H
#define CRUMB_CORE_HOSTS_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"

/* A comma list of hosts (shop.example) and origins (https://shop.example:8443). */
enum err hosts_sites(const char *option, struct str value, struct buf *out) MUST_CHECK;
/* The same, for names of a listener of ours. */
enum err hosts_names(const char *option, struct str value, struct buf *out) MUST_CHECK;
/* One domain, for a cookie. */
enum err hosts_domain(const char *option, struct str value, struct buf *out) MUST_CHECK;
/* The address of one page, https://HOST[:PORT][/…] or http://…, that can be put into a link. The
 * host gets the form that requests have; the rest stays as it is. */
enum err hosts_page(const char *option, struct str value, struct buf *out) MUST_CHECK;

#endif

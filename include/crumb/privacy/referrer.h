/* Where a visitor came from, as one of five words. The referrer itself is dropped behind the wall;
 * which kind it was stays.
 *
 *     none      none was sent            internal  our own pages
 *     search    a search engine          social    a social network
 *     other     anything else */
#ifndef CRUMB_PRIVACY_REFERRER_H
#define CRUMB_PRIVACY_REFERRER_H

#include "crumb/core/config.h"
#include "crumb/model/event.h"

/* none, internal or other. `host` is the page's own, in lower case. When another host was there,
 * *outside is it, and referrer_of_host() says more. */
enum referrer referrer_class(
    const struct config *c, struct str referrer, struct str host, struct str *outside);
/* search, social or other. Looks through lists: remember the answer. */
enum referrer referrer_of_host(struct str host);

#endif

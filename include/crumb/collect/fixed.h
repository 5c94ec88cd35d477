/* Answers that are the same for everybody for as long as the options are: the tag, robots.txt, the
 * GPC declaration. Made at start and when privacy.keep_query changes, plain and compressed, each
 * with an entity tag of its own. Immutable; any thread. */
#ifndef CRUMB_COLLECT_FIXED_H
#define CRUMB_COLLECT_FIXED_H

#include "crumb/http/server.h"

struct fixed;

/* NULL without memory. The tag is told which keys of a page's query are kept (privacy.keep_query).
 */
struct fixed *fixed_new(const struct config *c);
void fixed_free(struct fixed *f);
void fixed_answer(
    const struct fixed *f, struct http_request *r); /* its path must be one of these */

#endif

/* Answers that are the same for everybody while the options are: the tag and its assistant,
 * robots.txt, the GPC declaration. Made at start and when `privacy.keep_query` changes, plain and
 * compressed, each with an entity tag of its own. Cost: both scripts twice, some 13 KB. Immutable;
 * any thread. */
#ifndef CRUMB_COLLECT_FIXED_H
#define CRUMB_COLLECT_FIXED_H

#include "crumb/http/server.h"

struct fixed;

/* NULL without memory. */
struct fixed *fixed_new(const struct config *c);
void fixed_free(struct fixed *f);
/* The request's path must be one of these. */
void fixed_answer(const struct fixed *f, struct http_request *r);

#endif

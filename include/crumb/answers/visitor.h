/* Everything that is known of one visitor, as JSON: the same for `visitor show` and for the
 * visitor's own page. A look-up: no group is told, so there is no k in it. Any thread. */
#ifndef CRUMB_ANSWERS_VISITOR_H
#define CRUMB_ANSWERS_VISITOR_H

#include "crumb/views/view.h"

struct json_t;

/* *out is NULL where nothing is known. "ends" has the first day on which each category and segment
 * is not there any more if nothing more is observed. */
enum err visitor_json(struct generation *g, unsigned retention, const struct vkey *k, uint32_t now,
    struct json_t **out) MUST_CHECK;

#endif

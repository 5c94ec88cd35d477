/* Why a visitor is in a segment or not, as JSON: the same for `rules explain` and for the API. A
 * look-up about one visitor: no group is told, so there is no k in it. Any thread. */
#ifndef CRUMB_ANSWERS_EXPLAIN_ANSWER_H
#define CRUMB_ANSWERS_EXPLAIN_ANSWER_H

#include "crumb/views/view.h"

struct json_t;

/* {"segment","in","state","until","tree",["change"]}; *out is for json_decref(). ERR_NOT_FOUND:
 * there is no such segment, or nothing is known of the visitor; ERR_USAGE: the segment is a
 * lookalike. `retention` in days. */
enum err answer_explain(struct generation *g, unsigned retention, const struct vkey *k,
    struct str segment, uint32_t now, struct json_t **out) MUST_CHECK;

#endif

/* What is told about groups, as JSON, the same for the command line and the API. Everything here
 * went through the k gate. */
#ifndef CRUMB_DELIVERY_LISTS_H
#define CRUMB_DELIVERY_LISTS_H

#include "crumb/views/view.h"

struct json_t;

/* Numbers of what `coming` rules change or add are marked ("complete": false) until their history
 * is there; NULL: none are coming. */
enum err list_segments(struct generation *g, const struct kgate *gate, uint32_t now,
    const struct rules *coming, struct json_t **out) MUST_CHECK;
enum err list_categories(struct generation *g, const struct kgate *gate, uint32_t now,
    const struct rules *coming, struct json_t **out) MUST_CHECK;
#define LIST_DAYS 30
/* One segment with its condition and the sizes of its last days; ERR_NOT_FOUND: there is none by
 * that id. */
enum err list_segment(struct generation *g, const struct kgate *gate, uint32_t now,
    const struct rules *coming, const char *id, unsigned days, struct json_t **out) MUST_CHECK;
/* Categories and attributes whose history does not reach as far back as others:
 * [{"what","id","from","why"}]. */
enum err list_partial(struct generation *g, uint32_t now, struct json_t **out) MUST_CHECK;

#endif

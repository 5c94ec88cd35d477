/* What is told about groups, as JSON, the same for the command line and the API. Every number went
 * through the k gate.
 *
 * Any thread. A generation is the caller's for as long as the call; the caller frees *out with
 * json_decref(). Memory that is short leaves holes in a list: callers begin with memory_begin() and
 * ask memory_check() at the end. */
#ifndef CRUMB_DELIVERY_LISTS_H
#define CRUMB_DELIVERY_LISTS_H

#include "crumb/views/view.h"

struct json_t;

/* `coming`: rules that are loaded, but whose views are still being made; NULL: there are none. What
 * they change or add is marked "complete": false. */
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

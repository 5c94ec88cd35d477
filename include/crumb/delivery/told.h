/* Destinations and deliveries as JSON, the same for the command line and the API. Numbers went
 * through the k gate.
 *
 * Any thread; what is pointed to is the caller's for as long as the call, *out is for
 * json_decref(). Callers begin with memory_begin() and ask memory_check() at the end. */
#ifndef CRUMB_DELIVERY_TOLD_H
#define CRUMB_DELIVERY_TOLD_H

#include "crumb/delivery/deliver.h"

struct json_t;

/* All destinations of the file, and those that need no entry where segments name them:
 * [{"id","partner","format","deliver","to","every","segments","last","members","with_id",
 * "match_rate"}]. `w` says of what; its destination is not looked at. */
enum err destinations_told(
    const struct plan_wish *w, const struct kgate *gate, struct json_t **out) MUST_CHECK;
/* {"deliveries":[…],"more":bool}: the rows of deliveries_list(), what is under way first, then the
 * newest first; `most` of them. */
enum err deliveries_newest(const char *store, const struct destinations *all,
    const char *destination, const struct kgate *gate, uint32_t now, size_t most,
    struct json_t **out) MUST_CHECK;
/* What became of one that was just made. ROWS_EXACT: numbers of rows are told as they are, to
 * whoever can read the files anyway. */
enum told_rows { ROWS_GATED, ROWS_EXACT };
struct json_t *delivery_told(const struct destination *d, const struct delivery *r,
    const struct kgate *gate, enum told_rows rows);

#endif

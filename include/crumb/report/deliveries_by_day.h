/* Deliveries by day, from what destinations' folders keep: rows that were said, and members with
 * and without an id of the partner. Any thread; *out is for json_decref(). */
#ifndef CRUMB_REPORT_DELIVERIES_BY_DAY_H
#define CRUMB_REPORT_DELIVERIES_BY_DAY_H

#include "crumb/partners/destinations.h"
#include "crumb/privacy/kgate.h"

struct json_t;

/* {"days":[…],"destinations":[{"id","members","with_id","added","removed","refused","failures"}]},
 * each a number for each of the last `days` days up to today. Rows are those of deliveries that the
 * partner took; null below k, and where there was none. Members are null on days on which nobody
 * counted them. `only` is the id of one destination; NULL: all of the file. ERR_NOT_FOUND. */
enum err deliveries_report(const char *store, const struct destinations *all, const char *only,
    const struct kgate *gate, unsigned days, uint32_t now, struct json_t **out) MUST_CHECK;

#endif

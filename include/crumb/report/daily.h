/* The report of the day: what one scan over all visitors told about every segment, category and
 * journey, through the k gate. It is made once a day and after a change of rules, kept in the
 * store, and told alike to everybody, so that asking for it a thousand times tells no more than
 * asking once. This header reads it; report/dailies.h makes it.
 *
 *     STORE/reports/daily       (disk/checked.h: its last line is a sum of all before it)
 *
 *     report 1
 *     h {"made":1796688000,"day":"2026-12-07","rules":"9f…","k":50}
 *     s coat-fans {"id":"coat-fans","words":…,"size":1230,"visitors":50210,"categories":[…],…}
 *     s keen {…}
 *     c apparel.coats {"id":"apparel.coats","name":"Coats","events":[…],"visitors":[…]}
 *     j coats-to-sale {…}
 *
 * A line is a group of numbers as they are told: there is no exact number in the file, and nothing
 * about one visitor. A null is withheld. `events` and `visitors` are of the DAILY_DAYS complete
 * days before the report's day, oldest first.
 *
 * In memory a report is its text and an index of the lines, so that one segment of 65,000 costs one
 * line. It is immutable and shared by reference count between threads; any thread calls the
 * functions below. What is returned as JSON is the caller's, for json_decref(); *out is untouched
 * on failure. */
#ifndef CRUMB_REPORT_DAILY_H
#define CRUMB_REPORT_DAILY_H

#include "crumb/rules/rules.h"

#define DAILY_DAYS 90

struct json_t;
struct daily;

/* The report that a store has. ERR_NOT_FOUND: it has none, or the file is damaged, or was made for
 * a smaller k than `k`, which comes to the same: the next one is made anew. `store` is the path of
 * the store's folder. */
enum err daily_open(const char *store, uint32_t k, struct daily **out) MUST_CHECK;
/* The same of a text that was just written; it takes the buffer's memory where it returns OK. */
enum err daily_take(struct buf *text, struct daily **out) MUST_CHECK;
struct daily *daily_ref(struct daily *d); /* NULL is fine */
void daily_unref(struct daily *d);	  /* NULL is fine */

uint16_t daily_day(const struct daily *d);
uint32_t daily_made(const struct daily *d); /* seconds */
uint32_t daily_k(const struct daily *d);    /* nothing of fewer visitors is in it */
/* Was it made on this day, of these rules? `d` may be NULL: no. */
bool daily_is_of(const struct daily *d, const struct rules *rules, uint16_t day);

/* Below, `d` may be NULL where there is no report: "made" is null then, and lists are empty.
 * `rules` are those that serve. */

/* {"made","day","rules","current"}; docs/PROTOCOL.md has the fields of all of them. */
enum err daily_json(const struct daily *d, const struct rules *rules, uint16_t today,
    struct json_t **out) MUST_CHECK;
/* {"id","made","words","size","visitors","categories","devices","countries","nearest","funnel"}.
 * ERR_NOT_FOUND: neither the report nor the rules have the segment, and the words name one that
 * may have been meant. */
enum err daily_segment_json(const struct daily *d, const struct rules *rules, struct str id,
    struct json_t **out) MUST_CHECK;
/* {"made","days","categories"}: the last `days` of them, of all categories or of one. */
enum err daily_categories_json(const struct daily *d, const struct rules *rules, struct str id,
    unsigned days, struct json_t **out) MUST_CHECK;
/* {"made","journeys"}, of all or of one. */
enum err daily_journeys_json(const struct daily *d, const struct rules *rules, struct str id,
    struct json_t **out) MUST_CHECK;

#endif

/* Tallies: what the counters of core/metric_rows.h counted on each day, for those whose rows say
 * BY_DAY. Counters begin at 0 with each start and know no days; a tally looks at them again and
 * again, and adds what came since the last look to the row of the day:
 *
 *     counters of all threads    10:00  40     10:01  47      start  0     10:07  5
 *     added to the day's row            +40           +7             -            +5
 *
 * A look costs a walk over some fifty counters of each thread. The rows are kept in STORE/tallies,
 * a checked file (disk/checked.h) that is replaced at most once a minute, when a day has ended and
 * at an orderly end. So what a crash loses is at most a minute's counts, and no hit.
 *
 *     crumb tallies 1
 *     since 2026-11-27                                    the first day that was counted
 *     2026-11-27 hits_total 1204                          a counter of a day; 0 is left out
 *     2026-11-27 refused_total.gpc 17
 *     check 0123456789abcdef
 *
 * Days end with `retention`, unless the clock is in doubt. Counters speak of hits, and a few
 * refused hits are those of a few people: reports pass the k gate (kgate_show_count()). A damaged
 * file is noted as damage, and counting begins anew.
 *
 * tally_tick() and tally_close() belong to one thread; the others are for any thread. The file is
 * written by a thread of the tally's own, so that a slow disk holds up nobody. */
#ifndef CRUMB_REPORT_TALLY_H
#define CRUMB_REPORT_TALLY_H

#include "crumb/base/err.h"
#include "crumb/core/metric.h"
#include "crumb/privacy/kgate.h"

struct damage;
struct json_t;
struct tally;

#define TALLY_DAYS 90 /* that a report goes back at most */

/* TALLY_ALONE: no thread is started, and tally_tick() writes by itself. */
enum tally_by { TALLY_THREAD, TALLY_ALONE };
/* Reads what was kept in the store's folder and counts from now on. */
enum err tally_open(const char *store, struct damage *damage, uint32_t now, enum tally_by by,
    struct tally **out) MUST_CHECK;
/* The same for reading alone: counts nothing and writes nothing. */
enum err tally_read(const char *store, uint32_t now, struct tally **out) MUST_CHECK;
/* Looks at the counters. Call about once a second. `retention` in days; 0: no day ends now. */
void tally_tick(struct tally *t, uint32_t now, unsigned retention);
/* Looks once more, and writes the file. NULL is fine. */
void tally_close(struct tally *t);

/* {"days":[…],"recorded_since":day,"rows":[{"what","reason","help","by_day":[N or null]}]} for the
 * last `days` days up to today, oldest first; looks at the counters first. A row for each counter
 * that is kept by day, in the order of metric_rows.h; `what` is its name without "_total". */
enum err tally_report(struct tally *t, const struct kgate *gate, unsigned days, uint32_t now,
    struct json_t **out) MUST_CHECK;
/* What was counted on a day, without the gate. */
uint64_t tally_of(struct tally *t, enum metric m, uint16_t day);

#endif

/* Making the report of the day (report/daily.h), and holding the one that is kept.
 *
 *     day and rules of the kept one = today's and those that serve?
 *
 *         yes ──► it is told                     no ──► scan ─► gate ─► STORE/reports/ ─► it is
 * told
 *
 * Nobody gets a report made twice for the same day and the same rules: two reports of one day could
 * differ by one visitor. A report about fewer than k visitors is not kept, so that a store that has
 * just begun is not left with an empty one until midnight.
 *
 * One struct for each node. Any thread calls the functions below; one report is made at a time, and
 * whoever wants another waits for it. */
#ifndef CRUMB_REPORT_DAILIES_H
#define CRUMB_REPORT_DAILIES_H

#include "crumb/privacy/kgate.h"
#include "crumb/report/daily.h"
#include "crumb/views/engine.h"

struct dailies;

/* Reads what the store has; a file that is damaged, or was made for a smaller k, is as if there
 * were none, but for a line in the log and dailies_lost(). */
struct dailies *dailies_new(const char *store, uint32_t k);
void dailies_free(struct dailies *d); /* NULL is fine */

struct daily *dailies_kept(struct dailies *d); /* a reference; NULL: there is none */
bool dailies_current(struct dailies *d, const struct rules *rules, uint16_t today);
/* Was there a file that could not be told, and has no report been kept since? */
bool dailies_lost(const struct dailies *d);
bool dailies_running(const struct dailies *d); /* is one being made? */

/* Makes the report of `now` from the generation, and keeps it, unless the kept one is of this day
 * and these rules. The work is done by threads of low priority (base/low.h). `stop` may be NULL;
 * when it becomes true the work is given up with ERR_BUSY. */
enum err dailies_make(struct dailies *d, struct generation *g, const struct kgate *gate,
    uint32_t now, const _Atomic bool *stop) MUST_CHECK;

#endif

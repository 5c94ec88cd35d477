/* The list of what cannot be read, or is gone, of a store. Whoever finds damage notes it here; the
 * log, /readyz, /metrics and `db verify` tell it.
 *
 *     where                   lost events     text
 *     "journal/2026-01-02"    312             "2 of its 95 blocks cannot be read"
 *     "erased"                0               "missing; 7 erasures were found again in the journal"
 *
 * A note stands for as long as the store is open. It is not written down: damage of the journal is
 * found again at each start, until its day ends. The list costs half a kilobyte a note, and has at
 * most one note a file. Any thread; the list has a lock of its own. */
#ifndef CRUMB_DISK_DAMAGE_H
#define CRUMB_DISK_DAMAGE_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"
#include "crumb/core/metric.h"

#include <stdint.h>

struct damage;
#define EVENTS_UNKNOWN UINT64_MAX

struct damage_sum {
	unsigned days;	      /* of the journal, with damage */
	unsigned others;      /* other files with damage */
	uint64_t lost_events; /* of the notes that know how many */
	bool unknown;	      /* some note does not know how many */
};

/* The views of a store, as whoever had them open found and left them: nobody opened them, all was
 * well, or damage was met. files_save() acts on it. */
enum store_views { STORE_VIEWS_UNSEEN, STORE_VIEWS_FINE, STORE_VIEWS_DAMAGED };

struct damage *damage_new(void);
void damage_free(struct damage *d);

/* Notes damage of `where`, a path below the store. A further note of the same place replaces the
 * first. A note that says something new is logged. EVENTS_UNKNOWN: nobody can count the lost. */
void damage_note(struct damage *d, const char *where, uint64_t lost_events, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
bool damage_noted(struct damage *d, const char *where);
void damage_sum(struct damage *d, struct damage_sum *out);
/* Adds one line for each note. */
void damage_print(struct damage *d, struct buf *out);
/* Calls `each` with one sentence for each note. The list's lock is held meanwhile: `each` does not
 * come back here. */
void damage_each(struct damage *d, void (*each)(void *arg, const char *text), void *arg);
extern const struct gauge damage_gauges[]; /* of a struct damage */

#endif

/* What of a store cannot be read or is gone: noted where it is found, told by the log, /readyz,
 * /metrics and `db verify`. A note stands for as long as the store is open; damage of the journal
 * is found again at each start, until its day ends. Any thread. */
#ifndef CRUMB_DISK_DAMAGE_H
#define CRUMB_DISK_DAMAGE_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"
#include "crumb/core/metric.h"

#include <stdint.h>

struct damage;
#define EVENTS_UNKNOWN UINT64_MAX

struct damage_sum {
	unsigned days;	      /* of the journal */
	unsigned others;      /* files beside them */
	uint64_t lost_events; /* that are known by number */
	bool unknown;	      /* and there are others */
};

/* The views of a store as whoever had them open found and left them. */
enum store_views { STORE_VIEWS_UNSEEN, STORE_VIEWS_FINE, STORE_VIEWS_DAMAGED };

struct damage *damage_new(void);
void damage_free(struct damage *d);

/* Damage of `where` ("journal/2026-01-02"); a further note of the same place takes the place of the
 * first. Said in the log when it is new. */
void damage_note(struct damage *d, const char *where, uint64_t lost_events, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
bool damage_noted(struct damage *d, const char *where);
void damage_sum(struct damage *d, struct damage_sum *out);
/* One line for each note. */
void damage_print(struct damage *d, struct buf *out);
void damage_each(struct damage *d, void (*each)(void *arg, const char *text), void *arg);
extern const struct gauge damage_gauges[]; /* of a struct damage */

#endif

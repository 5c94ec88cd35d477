/* How many of a destination's members its partner can be told of: those of whom the partner's id is
 * known, by all members. This is the match rate.
 *
 * Members are the visitors of the segments that may go there (delivery/plan.h: state, sensitive,
 * label, number), each once. A count of them all looks at each, so it is made by whoever looks at
 * each anyway: a delivery, and the night. It is kept in STORE/exports/DEST/reach, a line for each
 * day, 90 days back:
 *
 *     2026-11-27 1204 871           members, those with an id
 *
 * Where there are few members they are counted when somebody asks. Any thread; whoever writes holds
 * the lock of the outbox. */
#ifndef CRUMB_DELIVERY_REACH_H
#define CRUMB_DELIVERY_REACH_H

#include "crumb/delivery/plan.h"

struct reach {
	uint16_t day; /* on which it was counted; 0: it was not */
	uint64_t members, with_id;
};

/* Counts now. *left is how many members may still be looked at, and is lessened; where there are
 * more, out->day is 0. Memberships that have run out since the last sweep count, too. */
enum err reach_count(const struct plan_wish *w, uint64_t *left, struct reach *out) MUST_CHECK;
/* The latest count that was kept, up to `day`; false: there is none. */
bool reach_kept(const char *store, const char *destination, uint16_t day, struct reach *out);
/* All that are kept, oldest first; returns how many, RETENTION_MAX at most. */
unsigned reach_days(const char *store, const char *destination, struct reach *out);
/* Keeps a count in the place of another of its day. What cannot be kept is logged. */
void reach_note(const char *store, const char *destination, const struct reach *r);

/* As it may be told. Who has no id is a group, too: with fewer than k of them the number with an id
 * is withheld. So it is with fewer than k who have one, none among them. `d` without a partner of
 * its own has no ids. */
struct reach_shown {
	struct shown members, with_id;
	bool rated;  /* both are told */
	double rate; /* of 1, by the two numbers as they are told */
};
struct reach_shown reach_show(
    const struct kgate *gate, const struct destination *d, const struct reach *r);

#endif

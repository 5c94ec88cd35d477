/* Deliveries: an audience to a destination, whole or as changes, each exactly once as far as the
 * partner can tell.
 *
 *     STORE/exports/DEST/
 *         lock        held by whoever delivers: a server or a command
 *         held        what the partner has (delivery/held.h)
 *         held.before the same before it was last written: what is lost with a damaged `held` is
 * known from it pending/    a delivery under way: manifest.json, rows (delivery/held.h), files/,
 * acks, refused, state ended/      one that is through, on its way out log         one JSON line a
 * delivery that has ended, 90 days back dead/ID/    files that were given up, with what the partner
 * said of them; what was damaged made        the time in the name of the latest delivery last when
 * the schedule was last kept gone        since when the destination is not in the file any more
 *
 * A delivery is written whole before any of it is sent: first `held`, in which its rows are marked
 * as perhaps there, then the folder `pending` by one rename. It is sent file by file, each
 * acknowledgement is on disk before the next file goes. When all is through, what was acknowledged
 * becomes what is held. Whenever it is cut off, the same files go again from the first one that
 * nobody has acknowledged.
 *
 * To a folder, files appear under their names complete or not at all, the manifest last. Over HTTPS
 * each file is a request; the destination's `retries` bound how often one is tried, with pauses
 * that double; then the rest is put aside in dead/, and the next delivery says it again. What is
 * left of a delivery on another day is said again, too, by a new one: its lives of rows count from
 * when they arrive. */
#ifndef CRUMB_DELIVERY_DELIVER_H
#define CRUMB_DELIVERY_DELIVER_H

#include "crumb/delivery/plan.h"

struct json_t;

enum deliver_mode {
	DELIVER_AUTO /* whole the first time, then changes */,
	DELIVER_FULL,
	DELIVER_DELTA
};
enum delivery_state {
	DELIVERY_DONE,
	DELIVERY_NOTHING,  /* there is nothing to say */
	DELIVERY_WAITS,	   /* the partner did not take all of it: will be tried again */
	DELIVERY_REPLACED, /* inside: it was left over from another day, and what nobody took goes
			      with a new one */
	DELIVERY_FAILED	   /* given up; what was not acknowledged is in dead/ */
};

struct deliver_wish {
	struct plan_wish plan; /* `full` is set by the mode */
	enum deliver_mode mode;
	const char *folder;	  /* instead of where the destination says; NULL: there */
	const _Atomic bool *stop; /* becomes true: leave off; NULL: never */
	bool patient;		  /* what waits for its time to be tried again is left alone */
};
struct delivery {
	char id[128];
	bool full;
	enum delivery_state state;
	uint64_t adds, removes, refused, unusable;
	unsigned files, files_done, attempts;
	uint32_t next_try;
	char why[300]; /* it waits or failed */
	struct plan_result
	    plan; /* of the delivery that was made now; no segments if it only went on */
};

/* ERR_BUSY: somebody else delivers there now. */
enum err deliver(const struct deliver_wish *w, struct delivery *out) MUST_CHECK;
void delivery_done(struct delivery *d);

/* Takes note of who is no member any more, so that what cannot be delivered is given up in time;
 * nothing is sent. For a night's work. */
enum err deliver_tend(const struct plan_wish *w) MUST_CHECK;

/* Ledgers of destinations that are not in the file any more end after 90 days. */
void deliver_tend_gone(const char *store, const struct destinations *all, uint32_t now);

/* When the schedule was last kept; 0: never. */
uint32_t deliver_last(const char *store, const char *destination);
enum err deliver_save_last(const char *store, const char *destination, uint32_t t) MUST_CHECK;
/* When what waits may be tried again; 0: nothing waits. */
uint32_t deliver_next_try(const char *store, const char *destination, uint32_t now);

/* Deliveries of one destination or all (NULL), one after the other, of each the latest last,
 * through the gate: [{"delivery","destination","mode","state","ended",…}]. "owed": rows that the
 * partner may have and should not, as far as known. A destination that is not in the file any more,
 * and holds something, is "not_configured". */
enum err deliveries_list(const char *store, const struct destinations *all, const char *destination,
    const struct kgate *gate, uint32_t now, struct json_t **out) MUST_CHECK;
/* What became of each segment in a delivery that was made: [{"id","theirs","state","members"}] */
struct json_t *delivery_segments(const struct plan_result *r, const struct kgate *gate);

#endif

/* Deliveries: an audience to a destination, whole or as changes, each exactly once as far as the
 * partner can tell.
 *
 *     STORE/exports/DEST/      the folder of one destination
 *         lock         held by whoever delivers there: a server or a command
 *         held         what the partner has (delivery/held.h)
 *         held.before  the ledger as it was before it was last written
 *         making/      a delivery that is being written
 *         pending/     a delivery under way: manifest.json, rows, files/, acks, refused, state
 *         ended/       a delivery that is through, on its way out
 *         dead/ID/     files that were given up, and what the partner said; kept for a week
 *         log          one line of JSON a delivery that has ended, 90 days back
 *         reach        members, and those with the partner's id, by day (delivery/reach.h)
 *         made         the time in the name of the latest delivery
 *         last         when the schedule was last kept
 *         gone         since when the destination is not in the file of destinations any more
 *
 * How a delivery goes, and what is on disk at each step:
 *
 *     plan_write()      making/ has all files; `held` has the rows as MAYBE
 *     rename            making/ becomes pending/: from here on the delivery exists
 *     send, file by     acks: "N>" before file N is sent, "N+" or "N?" once it is acknowledged
 *     file              refused: the rows that the answer names; state: attempts, the next try
 *     pending_finish()  what was acknowledged is SURE in `held`; what was not goes to dead/
 *     rename            pending/ becomes ended/, and is removed: the delivery is over
 *
 * Cut off before the first rename, the delivery never was, and its MAYBE rows are said again. Cut
 * off later, the same files go again, with the same names and idempotency keys, from the first one
 * that nobody has acknowledged. Every step after that may be done twice.
 *
 * To a folder, files appear under their names complete or not at all, the manifest last. Over HTTPS
 * each file is a request. A delivery in which a request fails waits for 1, 2, 4 … minutes, at most
 * twelve hours. When more requests have failed than the destination's `retries`, the rest goes to
 * dead/, and the next delivery says it again. What is left of a delivery on another day is said
 * again, too, by a new delivery: partners count the life of a row from its arrival.
 *
 * Any thread. One at a time delivers to one destination: who comes second waits, or gets ERR_BUSY.
 * Whatever is pointed to by a wish stays the caller's, for as long as the call. */
#ifndef CRUMB_DELIVERY_DELIVER_H
#define CRUMB_DELIVERY_DELIVER_H

#include "crumb/delivery/plan.h"

struct json_t;

#define DELIVERY_WHY 300 /* bytes of what is told about one, with the zero */

enum deliver_mode {
	DELIVER_AUTO, /* whole the first time, then changes */
	DELIVER_FULL,
	DELIVER_DELTA
};
enum delivery_state {
	DELIVERY_DONE,
	DELIVERY_NOTHING,  /* there is nothing to say */
	DELIVERY_WAITS,	   /* the partner did not take all of it: will be tried again */
	DELIVERY_REPLACED, /* inside: left over from another day; a new delivery says the rest */
	DELIVERY_FAILED	   /* given up; what was not acknowledged is in dead/ */
};

struct deliver_wish {
	struct plan_wish plan; /* `extent` is set by the mode */
	enum deliver_mode mode;
	const char *folder;	  /* instead of where the destination says; NULL: there */
	const _Atomic bool *stop; /* becomes true: leave off; NULL: never */
	bool patient;		  /* what waits for its time to be tried again is left alone */
};
struct delivery {
	char id[DELIVERY_ID];
	enum format_extent extent;
	enum delivery_state state;
	uint64_t adds, removes, refused; /* rows */
	uint64_t unusable;		 /* ids that the format cannot write */
	unsigned files, files_done, attempts;
	uint32_t next_try;	 /* seconds since 1970; 0: nothing waits */
	char why[DELIVERY_WHY];	 /* why it waits or failed */
	struct plan_result plan; /* of a delivery that was made now; else without segments */
};

/* Goes on with what is under way, and then says what differs now. ERR_BUSY: somebody else delivers
 * there; ERR_USAGE: nobody says where the destination is. *out is for delivery_done(), unless this
 * fails. */
enum err deliver(const struct deliver_wish *w, struct delivery *out) MUST_CHECK;
void delivery_done(struct delivery *d);

/* Takes note of who is no member any more, so that a removal that nobody can deliver is given up in
 * time. Nothing is sent. For a night's work. */
enum err deliver_tend(const struct plan_wish *w) MUST_CHECK;

/* Ledgers of destinations that are not in the file any more end after 90 days. */
void deliver_tend_gone(const char *store, const struct destinations *all, uint32_t now);

/* When the schedule was last kept, in seconds since 1970; 0: never. */
uint32_t deliver_last(const char *store, const char *destination);
enum err deliver_save_last(const char *store, const char *destination, uint32_t t) MUST_CHECK;
/* When what waits may be tried again; 0: nothing waits. */
uint32_t deliver_next_try(const char *store, const char *destination, uint32_t now);

/* Deliveries of one destination or all (NULL), one destination after the other, of each the latest
 * last, through the k gate: [{"delivery","destination","mode","state","ended",…}]. "owed": rows
 * that the partner may have and should not, as far as known. A destination that is not in the file
 * any more, and holds something, has the state "not_configured". */
enum err deliveries_list(const char *store, const struct destinations *all, const char *destination,
    const struct kgate *gate, uint32_t now, struct json_t **out) MUST_CHECK;
/* The first file of a delivery, as it was written. */
struct delivered_file {
	char delivery[DELIVERY_ID];
	/* struct format_file; empty: the delivery is an older version's, which did not note it */
	char name[FORMAT_NAME_MOST], begins[65];
};
/* Of the latest delivery that arrived with files, by our own log. False: there is none. */
bool delivery_arrived(const char *store, const char *destination, struct delivered_file *out);
/* What became of each segment in a delivery that was made: [{"id","theirs","state","members"}] */
struct json_t *delivery_segments(const struct plan_result *r, const struct kgate *gate);

#endif

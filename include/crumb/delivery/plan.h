/* What a delivery has to say: the difference between who is in a destination's segments now and
 * what its partner holds (delivery/held.h).
 *
 * Who may. src/delivery/plan.c guards deliveries; export.c and stream.c check guards of their own.
 * A segment is open if all of these hold. Nobody is added to a segment that is not open. Members of
 * a segment that one of the first four guards closes count as out, so their rows are taken back;
 * members of a segment below k count as in, so their rows stay. A full delivery of a format with
 * REMOVAL_CHANGES leaves removals to the next delta.
 *
 *     rule            guard                                                        else
 *     state           the segment is active today                                  PLAN_STATE
 *     sensitive       it has no sensitive category, or the operator allows them    PLAN_SENSITIVE
 *     label           the destination may get every label of its data              PLAN_LABEL
 *     number          the file gives the partner's number, where one is needed     PLAN_NUMBER
 *     k gate          at least k members could be sent                             PLAN_SMALL
 *
 * A member is counted and sent if the purposes of consent and the source of the visitor allow it
 * (plan_may_go()), the partner has an id for the visitor where ids are the partner's, and the
 * segment's split does not hold the visitor out. Whoever stays is counted by the first reason that
 * holds (enum plan_stays).
 *
 * What differs. Both sides are sorted by id, so one pass over both finds what is on one side only.
 * Each row of an id is one of these (src/delivery/differ.c). "Owed" is the day on which the row was
 * first found to be no member's. "In full" is a delivery of all, not only of what has changed.
 *
 *     now   held               is said                               is held then
 *     in    no                 add, if open                          MAYBE; no, if not open
 *     in    SURE               nothing                               SURE
 *           in full, near its  add, if open                          MAYBE
 *           end, or the end
 *           is earlier now
 *     in    MAYBE, DENIED      add again, if open                    MAYBE; as before, if not open
 *     in    REFUSED            nothing for 7 days                    REFUSED
 *           then, or in full   add again, if open                    MAYBE
 *     out   SURE, MAYBE        remove                                MAYBE, owed
 *     out   REFUSED, had       remove                                MAYBE, owed; as before, if
 *                                                                    nothing is said (no package)
 *     out   REFUSED, not had   nothing                               no
 *     out   DENIED             nothing for 7 days                    DENIED, owed
 *           then, or in full   remove again                          MAYBE, owed
 *           owed for 90 days   nothing: the removal is given up      no
 *     any   any, and its end   as if the row was not held
 *           has come
 *
 * The last line holds where rows carry their ends (LIFE_IN_ROW). "Near its end" is so early
 * that the next delivery may fail: with a delivery each day four days before the end, with one a
 * week sixteen days.
 *
 * What the answer changes (plan_confirm()). A row of a file that nobody acknowledged stays MAYBE.
 *
 *     said      taken        refused
 *     add       SURE         REFUSED for 7 days; "had" if it was held before, or the file was sent
 *                            twice: the first time may have been taken
 *     remove    no           DENIED for 7 days, owed as before
 *
 * Memory: 24 bytes a visitor who may go, the visitor's id (32 bytes for a pseudonym), and 4 bytes a
 * row: a million visitors in two segments are 64 MB. The ledger is read and written as a stream.
 *
 * One thread a plan, which holds the destination's lock (outbox_open()). A generation that is given
 * is the caller's for as long as the call. plan_stays() and plan_may_go() are pure. */
#ifndef CRUMB_DELIVERY_PLAN_H
#define CRUMB_DELIVERY_PLAN_H

#include "crumb/views/view.h"
#include "crumb/delivery/held.h"
#include "crumb/delivery/package.h"

#define REFUSED_DAYS 7 /* the partner is asked again after, be it a row or its removal */
#define DENIED_DAYS 90 /* a removal that the partner keeps refusing is given up after */

struct plan_wish {
	struct generation *g;
	const struct config *config;
	const struct destinations *all;
	const struct destination *d;
	uint32_t now;
	enum format_extent extent;
	void (*progress)(const char *what, uint64_t done); /* NULL: nobody looks */
};

enum plan_why {
	PLAN_SENT,	/* the segment is open */
	PLAN_SMALL,	/* fewer than k could be sent */
	PLAN_STATE,	/* it is paused or has ended */
	PLAN_SENSITIVE, /* it uses a sensitive category */
	PLAN_LABEL,	/* of data that the destination may not get */
	PLAN_NUMBER,	/* the partner's number of it is not known */
	PLAN_UNROUTED	/* it does not go there under this name, but the partner
			   holds rows of it */
};
struct plan_segment {
	char id[HELD_ID], theirs[HELD_THEIRS];
	enum plan_why why;	/* why nobody is added */
	struct shown members;	/* how many could be sent */
	uint64_t adds, removes; /* rows that are said */
};
/* Why a member of open segments is not sent, in the order in which reasons are looked for. */
enum plan_stays {
	STAYS_NOT,	    /* the visitor may go */
	STAYS_NO_ID,	    /* the partner has no id for the visitor */
	STAYS_NO_CONSENT,   /* a purpose of the destination was not consented to */
	STAYS_OTHER_SOURCE, /* the import's source is not among the destination's labels */
	STAYS_HELD_OUT,	    /* the splits of all open segments the visitor is in */
	STAYS_N
};
struct plan_result {
	struct plan_segment *segments; /* plan_done() frees them */
	unsigned n;
	uint64_t visitors, with_id; /* members of open segments; those with the partner's id */
	uint64_t stays[STAYS_N];    /* of these visitors, each once */
	uint64_t adds, removes;	    /* rows that are said */
	uint64_t unusable;	    /* ids that the format cannot write */
	uint64_t given_up;	    /* removals that the partner refused for too long */
};

/* Writes the items into the package, the rows of the delivery to `rows`, and `held` anew, in which
 * these rows are MAYBE. Package NULL: nothing is said, and `held` takes note of who is no member
 * any more. On failure `held` is as it was, and so is *out. */
enum err plan_write(const struct plan_wish *w, const char *held, const char *rows,
    struct package *p, struct plan_result *out) MUST_CHECK;
void plan_done(struct plan_result *r);

/* What keeps this visitor from being added there: consent or the source, or nothing. A visitor with
 * a TC string must have consented to every purpose of the destination; a visitor who came with an
 * import must have come from a source that is among the destination's labels. `d` NULL: no
 * destination is known, and visitors of imports may not go. */
enum plan_stays plan_stays(const struct destination *d, const struct profile *v);
/* Does nothing of this keep the visitor? */
bool plan_may_go(const struct destination *d, const struct profile *v);

/* What became of the files of a delivery. */
struct plan_ack {
	const bool *acked;    /* by file: its rows were taken, but those that `refused` names */
	const unsigned *sent; /* by file: how often it was sent */
	unsigned files;	      /* of both lists */
	const struct map *refused; /* keys: id, tab, the partner's name of the segment, tab, file */
	uint16_t day;		   /* on which the delivery was made */
};
/* Takes what the partner has answered into the ledger. May be done twice: the second time changes
 * nothing. */
enum err plan_confirm(const char *held, const char *rows, const struct plan_ack *a) MUST_CHECK;

#endif

/* Inside delivery: the two halves of a delivery's plan, who may be told of (plan.c, planned.c) and
 * what there is to say (differ.c). delivery/plan.h has the rules of both.
 *
 * Members do not have their ids and rows with them, but where these stand in two lists:
 *
 *     members  │ prefix, id_at 32, id_n 32, rows_at 1, rows_n 2 │ …      24 bytes each
 *     ids      │ 32 bytes of another │ 32 bytes of this one     │ …      bytes, without zeros
 *     rows     │ segment, until │ segment, until │ segment, until │ …    4 bytes each
 *
 * So sorting moves 24 bytes, and a million members of one segment each are 60 MB.
 *
 * A plan belongs to the thread that makes it. */
#ifndef CRUMB_SRC_DELIVERY_PLANNING_H
#define CRUMB_SRC_DELIVERY_PLANNING_H

#include "crumb/delivery/plan.h"
#include "crumb/privacy/cookie.h"

#define PLAN_PROGRESS 10000 /* is told each time so many are done */

/* A visitor under the id that goes out. */
struct member {
	uint64_t prefix; /* the first eight bytes of the id, as a number */
	uint32_t id_at, rows_at;
	uint16_t rows_n, purposes;
	uint8_t id_n;
	bool consent; /* purposes come from a TC string */
};
struct member_row {
	uint16_t segment, until;
};

struct plan {
	const struct plan_wish *w;
	struct identity_keys keys;
	uint16_t today;
	bool rows_end; /* rows carry their ends, and the partner forgets them by itself */
	/* The plan's segments: first those that the rules send there, then those that the partner
	 * still holds. Five lists of `n`. */
	struct plan_segment *segments; /* becomes a part of the result */
	struct out_segment *out;       /* for the format */
	struct held_segment *names;    /* for the ledger */
	uint64_t *counts;	       /* of visitors who could be sent */
	bool *open;		       /* visitors may be added */
	unsigned n;
	uint64_t *wanted; /* bits of the rules' segments that may go, before the k gate */
	uint16_t *number; /* the rules' number of a segment -> the plan's */
	/* who is in them */
	struct member *members;
	size_t members_n, members_cap;
	size_t at; /* the next one for plan_next() */
	struct member_row *rows;
	size_t rows_n, rows_cap;
	struct buf ids;
	uint64_t seen;		 /* visitors so far */
	uint64_t with_id;	 /* of whom the partner has an id */
	uint64_t stays[STAYS_N]; /* of them, by the first reason that holds */
};

/* The first guard that closes the segment; PLAN_SENT: none but the k gate, which comes later.
 * `theirs` is the partner's name of it. */
enum plan_why plan_guard(const struct plan_wish *w, const struct segment *s, struct str theirs);
/* The order of members, for qsort_r(): by their ids, whose bytes are at `ids`. */
int plan_by_id(const void *a, const void *b, void *ids);
/* The next id, in order, with the rows of all visitors who have it: where two were matched with one
 * id it is in what either is in. False: there is none, or no memory. */
bool plan_next(struct plan *p, struct held_item *out, struct out_item *facts);
/* Writes what differs between `held` and who is in the plan: items into the package, rows of the
 * delivery and the ledger anew. Package NULL: the ledger alone. */
enum err plan_differ(struct plan *p, struct held_reader *held, const char *held_path,
    const char *rows_path, struct package *package, struct plan_result *out) MUST_CHECK;

#endif

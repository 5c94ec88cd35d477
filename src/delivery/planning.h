/* Inside delivery: the two halves of a delivery's plan, who may be told of (plan.c) and what there
 * is to say (differ.c). */
#ifndef CRUMB_SRC_DELIVERY_PLANNING_H
#define CRUMB_SRC_DELIVERY_PLANNING_H

#include "crumb/delivery/plan.h"
#include "crumb/privacy/cookie.h"

#define PLAN_PROGRESS 10000 /* is told each time so many are done */

/* A visitor under the id that goes out. */
struct member {
	uint64_t prefix; /* of the id, for sorting */
	uint32_t id_at, rows_at;
	uint16_t rows_n, purposes;
	uint8_t id_n;
	bool consent;
};
struct member_row {
	uint16_t segment, until;
};

struct plan {
	const struct plan_wish *w;
	struct identity_keys keys;
	uint16_t today;
	bool rows_end; /* rows carry their ends, and the partner forgets them by itself */
	/* segments: routed ones first, then those that the partner still holds */
	struct plan_segment *segments;
	struct out_segment *out;
	struct held_segment *names;
	unsigned n;
	uint64_t *counts;
	uint64_t *wanted; /* bits of the rules' segments */
	uint16_t *number; /* rules' segment -> ours */
	bool *open;
	/* who is in them */
	struct member *members;
	size_t members_n, members_cap, at;
	struct member_row *rows;
	size_t rows_n, rows_cap;
	struct buf ids;
	uint64_t seen;
};

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

/* What a delivery has to say: the difference between who is in a destination's segments now and
 * what its partner holds.
 *
 * Everything that guards an audience is here: the k gate (below k nobody is added, removals always
 * go out), labels, sensitive categories, states, hold-outs, purposes of consent, the partner's cap
 * on the life of a row. */
#ifndef CRUMB_DELIVERY_PLAN_H
#define CRUMB_DELIVERY_PLAN_H

#include "crumb/views/view.h"
#include "crumb/delivery/held.h"
#include "crumb/delivery/package.h"

#define DENIED_DAYS 90 /* a removal that the partner keeps refusing is given up after */

struct plan_wish {
	struct generation *g;
	const struct config *config;
	const struct destinations *all;
	const struct destination *d;
	uint32_t now;
	bool full;					   /* say all, not only what has changed */
	void (*progress)(const char *what, uint64_t done); /* NULL: nobody looks */
};

enum plan_why {
	PLAN_SENT,
	PLAN_SMALL,
	PLAN_STATE,
	PLAN_SENSITIVE,
	PLAN_LABEL,
	PLAN_NUMBER,
	PLAN_UNROUTED
};
struct plan_segment {
	char id[132], theirs[260];
	enum plan_why why;    /* why nobody is added */
	struct shown members; /* that could be sent */
	uint64_t adds, removes;
};
struct plan_result {
	struct plan_segment *segments;
	unsigned n;
	uint64_t adds, removes, unusable /* ids that the format cannot write */, given_up;
};

/* Writes the items into the package, the rows of the delivery to `rows`, and `held` anew, in which
 * they are MAYBE. Package NULL: only takes note of who is no member any more. */
enum err plan_write(const struct plan_wish *w, const char *held, const char *rows,
    struct package *p, struct plan_result *out) MUST_CHECK;
void plan_done(struct plan_result *r);

/* May this visitor be spoken of there at all? By the purposes of consent, and by where the visitor
 * was seen. NULL: no destination is known. */
bool plan_may_go(const struct destination *d, const struct profile *v);

/* The destination has answered: rows of files that are in `acked` were taken, but those that
 * `refused` names (id, tab, segment as the partner calls it, tab, file). */
struct plan_ack {
	const bool *acked;
	unsigned files;
	const struct map *refused;
	const unsigned
	    *sent; /* how often each file was: what is refused at last may have been taken before */
	uint16_t day; /* on which it was said: what is refused is asked again a week later */
};
enum err plan_confirm(const char *held, const char *rows, const struct plan_ack *a) MUST_CHECK;

#endif

/* Reading the views. Numbers about groups leave here only through the k gate; look-ups are about one visitor.
 *
 * All of it is exact at the given time, whether or not the sweep has come by: what is overdue is looked at afresh. Reads use
 * one short transaction per shard. Any thread. */
#ifndef CRUMB_AUDIENCE_VIEW_H
#define CRUMB_AUDIENCE_VIEW_H

#include "crumb/audience/engine.h"
#include "crumb/privacy/kgate.h"

struct group_sizes {
	struct shown *segments;	  /* by number */
	struct shown *categories; /* visitors who have it on a retained day; [0] is everybody */
};
enum err view_sizes(struct generation *g, const struct kgate *gate, uint32_t now, struct group_sizes *out) MUST_CHECK;
void view_sizes_done(struct group_sizes *s);

struct totals {
	uint64_t visitors, provisional, events;
};
enum err view_totals(struct generation *g, uint32_t now, struct totals *out) MUST_CHECK;

/* What is known of one visitor, as of `now`; ERR_NOT_FOUND: nothing. `profile->segments` are the memberships of now. */
enum err view_visitor(struct generation *g, const struct vkey *k, uint32_t now, struct profile *out) MUST_CHECK;
/* First hits of a provisional visitor that still counts; false: there is none. */
bool view_provisional(struct generation *g, const struct vkey *k, uint32_t now, uint32_t *hour);

/* Calls `each` for every member with the day on which the membership ends. Below k: calls nothing, *told is false. */
enum err view_members(struct generation *g, const struct kgate *gate, uint16_t segment, uint32_t now,
    enum err (*each)(void *arg, const struct vkey *k, uint16_t until), void *arg, bool *told) MUST_CHECK;

#endif

/* The visitors of a shard as they are at a time, one after the other, in order of their keys,
 * whether or not the sweep has come by.
 *
 *     struct each_visitor v;
 *     enum err e = each_visitor_begin(&v, g, shard, now, wanted, NULL);
 *     if (e)
 *             return e;
 *     while (!e && each_visitor(&v))
 *             e = … v.profile, v.stored.key …
 *     return each_visitor_end(&v, e);
 *
 * Nobody is handed out of whom nothing is left at `now`. A profile that does not decode, or that
 * the generation's rules cannot have made, is counted as damage and passed over; so no number in a
 * profile leads anywhere but to the rules. Where there is no memory the walk ends.
 *
 * One read transaction, from begin to end: what it sees is of one moment. The profile lives until
 * the next call, keys and bytes until the end. One walk belongs to one thread; any number of
 * threads may walk a shard at once, beside its fold. */
#ifndef CRUMB_VIEWS_EACH_VISITOR_H
#define CRUMB_VIEWS_EACH_VISITOR_H

#include "crumb/store/each_stored.h"
#include "crumb/views/view.h"

struct each_visitor {
	/* of the visitor at hand */
	const struct profile *profile; /* segments are those of `now` */
	struct each_stored stored;     /* key and bytes */
	struct db_txn t;	       /* what else is read of the visitor is read by it */
	/* of the walk */
	const struct generation *g;
	struct fold *fold;
	uint32_t now;
	const uint64_t *wanted;
	struct profile at_hand;
};

/* `now`: seconds. `wanted`: the categories that the caller looks at (65,536 bits, which must live
 * as long as the walk): rows of others may be missing, and profiles that are not overdue are read
 * without a copy and without the test of their checksum. NULL: all rows, and every checksum is
 * tested. `after`: as in each_stored.h. Fails with ERR_IO and the like, and then there is nothing
 * to end. */
enum err each_visitor_begin(struct each_visitor *v, struct generation *g, unsigned shard,
    uint32_t now, const uint64_t *wanted, const struct vkey *after) MUST_CHECK;
bool each_visitor(struct each_visitor *v); /* false: there is no other, or the walk failed */
/* `e`: what went wrong for the caller, which goes first. Else what went wrong in the walk;
 * ERR_NOMEM: there was no memory for all of them. */
enum err each_visitor_end(struct each_visitor *v, enum err e) MUST_CHECK;

#endif

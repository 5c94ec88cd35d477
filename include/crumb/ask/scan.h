/* Visitors who are in any of some segments, one after the other, in order of shard and key, as they
 * are at `now` whether or not the sweep has come by. One read transaction for each shard and piece.
 * Any thread. */
#ifndef CRUMB_ASK_SCAN_H
#define CRUMB_ASK_SCAN_H

#include "crumb/views/view.h"

struct scan {
	const uint64_t *segments; /* bits, one for each segment of the rules */
	struct str partner;	  /* whose ids are wanted, too; empty: nobody's */
	uint32_t now;
	/* The profile lives until the next call; its rows are those that the segments look at,
	 * `segments` the memberships. `match` is NULL where the partner has no id for the visitor.
	 */
	enum err (*each)(void *arg, const struct vkey *k, const struct profile *p,
	    const struct match_row *match);
	void *arg;
};
/* Where a scan that is done in pieces stands: everybody up to and with this key of this shard has
 * been looked at. */
struct scan_place {
	unsigned shard;
	struct vkey last;
	bool begun; /* false: nobody of the shard yet */
};

enum err scan_members(struct generation *g, const struct scan *s) MUST_CHECK;
/* Up to `most` visitors from a place on; *more: some are left behind it. */
enum err scan_piece(struct generation *g, const struct scan *s, size_t most,
    struct scan_place *place, bool *more) MUST_CHECK;

#endif

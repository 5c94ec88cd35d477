/* What partners say of visitors: their segments and attributes. Visitors are named by the partner's
 * id for them, through the match table. Only what the rules declare with that partner as its source
 * is taken. It is kept as long as an observation, or until the partner's own date.
 *
 * Lines of NDJSON, of two kinds:
 *
 *     {"id": "partner's id", "segment": "its name", "action": "add" or "remove",
 *      "expires": "2026-12-24"}
 *     {"id": "partner's id", "attributes": {"name": "value", …}, "expires": …}
 *
 * `action` and `expires` may be left out. An empty value, or null, forgets the attribute. */
#ifndef CRUMB_NODE_DECLARE_H
#define CRUMB_NODE_DECLARE_H

#include "crumb/ingest/ingest.h"
#include "crumb/node/node.h"

struct declare_totals {
	uint64_t read, accepted;     /* lines */
	uint64_t refused_json;	     /* no object, or not of the two kinds */
	uint64_t refused_id;	     /* nobody was matched with the id */
	uint64_t refused_undeclared; /* no rule declares it with this partner as its source */
	uint64_t refused_value;	     /* none of the declared values, or too many attributes */
	uint64_t refused_old;	     /* it expired already */
	struct refused_lines first;  /* the first of them, with reasons */
};

/* Reads lines into the batch, which the caller submits, and adds to the totals. `retention` in
 * days. Any thread, with a batch of its own. */
void declare_lines(struct generation *g, const struct rules *rules, unsigned retention,
    struct str partner, struct str lines, uint32_t now, struct batch *b,
    struct declare_totals *totals);

#endif

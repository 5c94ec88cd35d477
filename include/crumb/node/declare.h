/* What partners say of visitors: their segments and attributes, by their ids, through the match
 * table. Only what the rules declare with that partner as its source is taken; it is kept as long
 * as an observation, or until the partner's own date.
 *
 * Lines of NDJSON:  {"id":"partner's id","segment":"its name","expires":"2026-12-24","action":"add"
 * or "remove"}
 *                   {"id":"partner's id","attributes":{"name":"value", …},"expires":…}      an
 * empty value or null forgets it */
#ifndef CRUMB_NODE_DECLARE_H
#define CRUMB_NODE_DECLARE_H

#include "crumb/ingest/ingest.h"
#include "crumb/node/node.h"

struct declare_totals {
	uint64_t read, accepted;
	uint64_t refused_json, refused_id /* nobody was matched with it */, refused_undeclared,
	    refused_value, refused_old;
	struct refused_lines first;
};

/* Into the batch, whose submitting is the caller's. */
void declare_lines(struct generation *g, const struct rules *rules, unsigned retention,
    struct str partner, struct str lines, uint32_t now, struct batch *b,
    struct declare_totals *totals);

#endif

/* Lists that tell hits of programs from visits: user agents of declared crawlers, and networks
 * where nobody browses. Hits that match are set aside as events with the reason and the pattern, so
 * that the operator can look at them and release them.
 *
 * Lists are immutable and reference-counted; any thread may look up, each with a scratch of its
 * own. Cost: 24 bytes for each network; for the crawlers that are compiled in, what Vectorscan's
 * database of some hundred patterns takes. */
#ifndef CRUMB_PRIVACY_JUNK_H
#define CRUMB_PRIVACY_JUNK_H

#include "crumb/core/config.h"
#include "crumb/privacy/hit.h"

struct junk_lists;

/* Reads crawlers from `junk.crawlers`, or those that are compiled in (etc/crawlers.txt), and
 * networks from `junk.networks`, lines "CIDR label". ERR_SYNTAX names file and line. */
enum err junk_open(const struct config *c, struct junk_lists **out) MUST_CHECK;
struct junk_lists *junk_ref(struct junk_lists *l); /* NULL passes through here and below */
void junk_unref(struct junk_lists *l);

/* Number of the first pattern that an agent matches, or -1. *scratch is the caller's, NULL at first
 * and made here; junk_scratch_free() ends it. */
struct hs_scratch;
int junk_crawler(const struct junk_lists *l, struct hs_scratch **scratch, struct str agent);
void junk_scratch_free(struct hs_scratch *s);
const char *junk_crawler_name(const struct junk_lists *l, int n);
/* Number of the label of the narrowest entry that the network lies in, or -1. */
int junk_network(const struct junk_lists *l, const struct network *n);
const char *junk_network_name(const struct junk_lists *l, int n);

#endif

/* Hits that are no visits: from programs that say so, from networks where nobody browses, more than
 * a network's share. They are set aside as events with the reason and the pattern that matched, so
 * that they can be looked at and taken back.
 *
 * Lists are immutable and reference-counted; any thread may look up, each with a scratch of its
 * own. */
#ifndef CRUMB_PRIVACY_JUNK_H
#define CRUMB_PRIVACY_JUNK_H

#include "crumb/core/config.h"
#include "crumb/privacy/hit.h"

struct junk_lists;

/* Crawlers: junk.crawlers, or what is compiled in (etc/crawlers.txt). Networks: junk.networks,
 * lines "CIDR label". ERR_SYNTAX names file and line. */
enum err junk_open(const struct config *c, struct junk_lists **out) MUST_CHECK;
struct junk_lists *junk_ref(struct junk_lists *l); /* NULL passes through here and below */
void junk_unref(struct junk_lists *l);

/* Number of the first pattern that an agent matches, or -1. `scratch` is NULL at first;
 * junk_scratch_free() ends it. */
struct hs_scratch;
int junk_crawler(const struct junk_lists *l, struct hs_scratch **scratch, struct str agent);
void junk_scratch_free(struct hs_scratch *s);
const char *junk_crawler_name(const struct junk_lists *l, int n);
/* Number of the label of the network's entry, or -1. */
int junk_network(const struct junk_lists *l, const struct network *n);
const char *junk_network_name(const struct junk_lists *l, int n);

#endif

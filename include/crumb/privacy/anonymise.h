/* The wall: hit in, event out. What comes out lives in the given scratch memory and holds nothing that could name anyone. */
#ifndef CRUMB_PRIVACY_ANONYMISE_H
#define CRUMB_PRIVACY_ANONYMISE_H

#include "crumb/core/config.h"
#include "crumb/privacy/hit.h"
#include "crumb/privacy/place.h"

/* What one thread keeps to anonymise quickly: results by keyed hash of what they were made from. The hashes' key is random
 * and lives as long as the thread; nothing of a hit can be read back. One thread. */
#define ANONYMISE_CACHE 1024
struct anonymiser {
	const struct config *config;
	struct place_db *places;
	struct key16 key;
	struct {
		uint64_t hash;
		struct agent agent;
	} agents[ANONYMISE_CACHE];
	struct {
		uint64_t hash;
		struct place place;
	} networks[ANONYMISE_CACHE];
	struct {
		uint64_t hash;
		enum referrer class;
	} referrers[ANONYMISE_CACHE];
	char scratch[EVENT_HOST_MAX + EVENT_PATH_MAX + EVENT_NAME_MAX + EVENT_CAMPAIGN_MAX + EVENT_ATTRS_MAX * (32 + EVENT_VALUE_MAX)];
	size_t used;
};

void anonymiser_init(struct anonymiser *a, const struct config *c);
void anonymiser_done(struct anonymiser *a);
void anonymiser_places(struct anonymiser *a, struct place_db *db); /* takes the reference */

/* Where a network is; from a cache. */
struct place anonymiser_place(struct anonymiser *a, const struct network *n);
/* Fills everything but visitor, t, flags and leaves. False: no page to speak of or a site that is not ours; counted. */
bool anonymise(struct anonymiser *a, const struct hit *h, struct event *out);
/* Is `host` one of the configured sites (all are, when none is configured)? */
bool site_is_ours(const struct config *c, struct str host);
/* Is `origin` (scheme://host[:port]) one that may read answers with credentials? */
bool origin_is_ours(const struct config *c, struct str origin);

#endif

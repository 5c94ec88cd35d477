/* The wall: hit in, event out. What comes out lives in the given scratch memory and holds nothing
 * that could name anyone. */
#ifndef CRUMB_PRIVACY_ANONYMISE_H
#define CRUMB_PRIVACY_ANONYMISE_H

#include "crumb/core/config.h"
#include "crumb/privacy/hit.h"
#include "crumb/privacy/junk.h"
#include "crumb/privacy/place.h"

/* What one thread keeps to anonymise quickly: results by keyed hash of what they were made from.
 * The hashes' key is random and lives as long as the thread; nothing of a hit can be read back. One
 * thread. */
#define ANONYMISE_CACHE 1024
struct anonymiser {
	const struct config *config;
	struct place_db *places;
	struct junk_lists *lists;
	struct hs_scratch *scan;
	size_t agent_at, network_at; /* of the latest hit, in the caches */
	struct {
		uint64_t hash;
		uint32_t second, hits;
	} rates[ANONYMISE_CACHE]; /* of networks; two that share a place share the limit's counter,
				     so it begins anew */
	struct key16 key;
	struct {
		uint64_t hash;
		struct agent agent;
		int16_t crawler; /* pattern, or -1 */
	} agents[ANONYMISE_CACHE];
	struct {
		uint64_t hash;
		struct place place;
		int16_t label; /* of the network lists, or -1 */
	} networks[ANONYMISE_CACHE];
	struct {
		uint64_t hash;
		enum referrer class;
	} referrers[ANONYMISE_CACHE];
	struct {
		uint64_t hash;
		bool personal;
	} names[256]; /* of attributes */
	char scratch[EVENT_HOST_MAX + EVENT_PATH_MAX + EVENT_NAME_MAX + EVENT_CAMPAIGN_MAX +
		     EVENT_ATTRS_MAX * (32 + EVENT_VALUE_MAX)];
	size_t used;
};

void anonymiser_init(struct anonymiser *a, const struct config *c);
void anonymiser_done(struct anonymiser *a);
void anonymiser_places(struct anonymiser *a, struct place_db *db); /* takes the reference */

void anonymiser_lists(struct anonymiser *a, struct junk_lists *l); /* takes the reference */

/* Does the hit count? If not, why, and in *pattern what matched (lives with the lists or the
 * event). After anonymise(). */
enum aside anonymiser_judge(struct anonymiser *a, const struct hit *h, const struct event *e,
    uint32_t now, struct str *pattern);
/* Where a network is; from a cache. */
struct place anonymiser_place(struct anonymiser *a, const struct network *n);
/* Fills everything but visitor, t, flags and leaves. */
void anonymise(struct anonymiser *a, const struct hit *h, struct event *out);

#endif

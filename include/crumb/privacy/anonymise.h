/* The wall: a hit goes in, an event comes out. The event holds nothing that could name anyone.
 *
 *	of the hit                 becomes of the event  how
 *	u, or the Referer header   host, path            scrubbed (privacy/scrub.h)
 *	  its query                campaign, attrs       utm_campaign, keep_query; scrubbed
 *	e                          name                  checked, else "other"
 *	r                          referrer              one of five words
 *	a.*                        attrs                 declared names, scrubbed values
 *	v                          v                     below a billion
 *	user agent                 agent                 families of device, OS and browser
 *	network, cut before        place                 country and region
 *	cookie, Origin, t, p_*     nothing
 *
 * Rules see the title and p_* of the hit before they go (ingest/ingest.c). What is dropped is
 * counted.
 *
 * Threads and memory: one anonymiser belongs to one thread. The texts of an event are in `scratch`
 * of its anonymiser, until the next call of anonymise(). Nothing is allocated for a hit. */
#ifndef CRUMB_PRIVACY_ANONYMISE_H
#define CRUMB_PRIVACY_ANONYMISE_H

#include "crumb/core/config.h"
#include "crumb/privacy/hit.h"
#include "crumb/privacy/junk.h"
#include "crumb/privacy/place.h"

#define ANONYMISE_CACHE 1024
#define ATTR_NAME_MAX 32 /* bytes of an attribute's name */

/* What one thread keeps to anonymise quickly: four caches of results, by keyed hash of the text
 * they were made from. A text has one place, hash modulo size; the next text of the same place
 * takes it. The key is random and lives as long as the thread, so a hash tells nothing about the
 * text. Cost: 80 KB for each thread. */
struct anonymiser {
	const struct config *config;
	struct place_db *places;
	struct junk_lists *lists;
	struct hs_scratch *scan;
	size_t agent_at, network_at; /* of the latest hit, in the caches */
	/* hits of a network in this second; of two networks that share a place, each begins anew */
	struct {
		uint64_t hash;
		uint32_t second, hits;
	} rates[ANONYMISE_CACHE];
	struct key16 key; /* of the hashes */
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
		     EVENT_ATTRS_MAX * (ATTR_NAME_MAX + EVENT_VALUE_MAX)];
	size_t used; /* of scratch */
};

void anonymiser_init(struct anonymiser *a, const struct config *c);
void anonymiser_done(struct anonymiser *a);
/* These two take the reference. */
void anonymiser_places(struct anonymiser *a, struct place_db *db);
void anonymiser_lists(struct anonymiser *a, struct junk_lists *l);

/* After anonymise() of the same hit: does it count? If not, why, and in *pattern what matched,
 * which lives as long as the lists and the event. Counts the hit against its network's limit. */
enum aside anonymiser_judge(struct anonymiser *a, const struct hit *h, const struct event *e,
    uint32_t now, struct str *pattern);
/* Where a network is. */
struct place anonymiser_place(struct anonymiser *a, const struct network *n);
/* Fills everything but visitor, t, flags and leaves. */
void anonymise(struct anonymiser *a, const struct hit *h, struct event *out);

#endif

/* Lists of the configuration in the forms in which hits look at them. A list is read when its
 * option is set, not when a hit comes.
 *
 *     option ── text ("DE,US-CA") ── lists_set() ──► struct config_lists ──► every hit
 *
 * A list is a row of core/config_lists.c. Each form owns copies of its texts. It belongs to its
 * struct config, is immutable while threads run, and goes with config_done(). Any thread may look
 * at it. */
#ifndef CRUMB_CORE_CONFIG_LISTS_H
#define CRUMB_CORE_CONFIG_LISTS_H

#include "crumb/base/err.h"
#include "crumb/base/str.h"

/* Words between commas, without the blanks around them. An empty one is none. */
struct word_list {
	struct str *word;
	unsigned n;
};

/* Sites that are ours, as core/hosts.h writes them. */
struct site {
	struct str text;   /* shop.example or https://shop.example:8443 */
	struct str host;   /* without scheme and port */
	struct str secure; /* of a bare host its https origin; else empty */
};
struct site_list {
	struct site *site;
	unsigned n;
};

/* Countries (DE), parts of countries (US-CA) and EEA, which is all of its countries. */
struct place_list {
	struct str *part;
	unsigned n;
	uint32_t country[26]; /* whole ones: bit 4 of row 3 is DE */
};

/* Secrets that come with requests: only their hashes are compared. */
struct key_hash {
	uint8_t b[32]; /* BLAKE2b */
};
struct key_list {
	struct key_hash *key;
	unsigned n;
};

struct config_lists {
	struct word_list keep_query, attributes, sensitive_destinations;
	struct word_list segment_consent; /* of "advertising: ID" the ID */
	struct site_list sites;
	struct place_list consent_require;
	struct key_list segment_keys;
	/* Bit n - 1 is purpose n. The first is always there; what cannot be read is all 24. */
	uint32_t tcf_purposes;
};

/* Reads the text of the option that lies at `option` in struct config. An option that is no list is
 * passed over. ERR_NOMEM: the list is as it was. */
enum err lists_set(struct config_lists *l, size_t option, struct str text) MUST_CHECK;
void lists_done(struct config_lists *l);

bool word_list_has(const struct word_list *l, struct str word); /* ASCII case aside */
/* Is the country there as a whole, or this part of it? An empty region could be any part. Both are
 * codes as a place has them (model/event.h). */
bool place_list_has(const struct place_list *l, struct str country, struct str region);
/* Is the key one of them? How long that takes says nothing about the keys. An empty one is none. */
bool key_list_has(const struct key_list *l, struct str key);

#endif

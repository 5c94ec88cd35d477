/* Lists of the configuration in the forms in which hits look at them. A list is read when its
 * option is set, not when a hit comes.
 *
 *     option ── text ("DE,US-CA") ── lists_set() ──► struct config_lists ──► every hit
 *
 * A list is a row of core/config_lists.c. Each form owns copies of its texts: one piece of memory
 * with the items and, behind them, their bytes. "DE,US-CA" as a place_list is
 *
 *     part ──► [ {p, 5} ][ U S - C A ]        country[3] = 1 << 4, which is DE
 *
 * A struct config_lists belongs to its struct config, is immutable while threads run, and goes with
 * config_done(). Any thread may look at it. */
#ifndef CRUMB_CORE_CONFIG_LISTS_H
#define CRUMB_CORE_CONFIG_LISTS_H

#include "crumb/base/err.h"
#include "crumb/base/str.h"

/* Words between commas, without the blanks around them. Empty words are left out. */
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

/* Countries (DE), parts of countries (US-CA) and EEA, which is all countries of the EEA. */
struct place_list {
	struct str *part; /* US-CA */
	unsigned n;
	uint32_t country[26]; /* whole countries: bit 4 (E) of row 3 (D) is DE */
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
	struct site_list sites, admin_hosts;
	struct place_list consent_require;
	struct key_list segment_keys;
	/* Bit n - 1 is purpose n. Purpose 1 is always there. A word that cannot be read asks for
	 * all 24, so that a slip never asks for less. */
	uint32_t tcf_purposes;
};

/* Reads the text of the option that lies at `option` in struct config. An option that is no list is
 * passed over. ERR_NOMEM: the list is as it was. */
enum err lists_set(struct config_lists *l, size_t option, struct str text) MUST_CHECK;
void lists_done(struct config_lists *l);

/* The case of ASCII letters does not matter. */
bool word_list_has(const struct word_list *l, struct str word);
/* Is the country there as a whole, or this part of it? An empty region could be any part. Both are
 * codes as a place has them (model/event.h). */
bool place_list_has(const struct place_list *l, struct str country, struct str region);
/* Is the key in the list? The time that the answer takes says nothing about the keys. An empty key
 * is in no list. */
bool key_list_has(const struct key_list *l, struct str key);

#endif

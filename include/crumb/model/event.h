/* The event: what is left of a hit behind the wall, and the journal's record of it.
 *
 * No field here could hold an address, an agent, a cookie value, a URL with a query or free text. Strings are views into
 * the batch that the event was made in or decoded from.
 *
 * A record is one msgpack array:
 *
 *     [ kind, key(16), t, flags, [country, region, agent, host, path, name, campaign, referrer, {attr: value}, [leaf…]], v or nil, purposes ]
 *
 * kind 1 event (without purposes where there are none) · 2 visitor erased [2, key, t] · 3 rules activated [3, t, hash(16), text] ·
 * 4 event set aside: as 1, and then reason, pattern · 5 released [5, t, reason, pattern or "" for any]: what was set aside for it up to then counts,
 * as events of their own · 6 partner's id matched [6, key, t, partner, id] · 7 attributes declared by a partner [7, key, t, until, source,
 * {name: value, "" to forget}], until: the first day on which they are over · in the journal's control lane: 8 taken [8, t, reason, pattern, shard, seq]: what
 * the shard had set aside for it up to the sequence counts · 9 slice [9, t, from, to, bytes, lines]: a piece of a file was imported, which hash of all before
 * it and hash of all up to its end name. From host to leaves is what the event is *about*: two events with the
 * same bytes there match the same categories, under rules that do not look at place and device; with those, from country to leaves. */
#ifndef CRUMB_MODEL_EVENT_H
#define CRUMB_MODEL_EVENT_H

#include "crumb/base/err.h"
#include "crumb/base/mp.h"
#include "crumb/core/hash.h"

#define EVENT_ATTRS_MAX 16
#define EVENT_LEAVES_MAX 64
#define EVENT_PATH_MAX 512
#define EVENT_HOST_MAX 253
#define EVENT_NAME_MAX 64
#define EVENT_VALUE_MAX 64
#define ATTR_SOURCE "_source" /* attribute of visitors who were not seen by a pixel: where they were read from; a label */
#define EVENT_CAMPAIGN_MAX 64
#define PARTNER_ID_MAX 128 /* bytes of a partner's id for a visitor */

struct vkey {
	uint8_t b[16];
}; /* a visitor: keyed hash of a cookie id or of an imported id */

static inline unsigned vkey_shard(const struct vkey *k, unsigned shards)
{
	return (unsigned)(k->b[0] << 8 | k->b[1]) % shards;
}
enum { EVENT_NEW = 1 /* the visitor came without a cookie */, EVENT_IMPORTED = 2 };

enum device { DEVICE_UNKNOWN, DEVICE_DESKTOP, DEVICE_MOBILE, DEVICE_TABLET, DEVICE_TV, DEVICE_CONSOLE, DEVICE_MAX };
enum os { OS_UNKNOWN, OS_WINDOWS, OS_MACOS, OS_IOS, OS_ANDROID, OS_LINUX, OS_CHROMEOS, OS_OTHER, OS_MAX };
enum browser {
	BROWSER_UNKNOWN,
	BROWSER_CHROME,
	BROWSER_SAFARI,
	BROWSER_FIREFOX,
	BROWSER_EDGE,
	BROWSER_OPERA,
	BROWSER_SAMSUNG,
	BROWSER_IE,
	BROWSER_OTHER,
	BROWSER_MAX
};
extern const char *const device_names[DEVICE_MAX], *const os_names[OS_MAX], *const browser_names[BROWSER_MAX];

enum referrer { REFERRER_NONE, REFERRER_SEARCH, REFERRER_SOCIAL, REFERRER_INTERNAL, REFERRER_OTHER, REFERRER_MAX };
extern const char *const referrer_names[REFERRER_MAX];

struct agent {
	uint8_t device, os, browser;
};
struct place {
	char country[2]; /* ISO 3166-1 alpha-2; zeros: unknown */
	char region[8];	 /* ISO 3166-2 part behind the country, or a name that fits; zero padded */
};
struct attr {
	struct str name, value;
};

struct event {
	struct vkey visitor;
	uint32_t t; /* seconds, UTC */
	uint8_t flags;
	struct agent agent;
	struct place place;
	struct str host, path, name, campaign;
	uint8_t referrer; /* enum referrer */
	struct attr attrs[EVENT_ATTRS_MAX];
	unsigned attrs_n;
	uint64_t leaves[EVENT_LEAVES_MAX];
	unsigned leaves_n;
	double v;
	bool has_v;
	uint16_t purposes;  /* of TCF that the visitor consented to; bit n − 1 for purpose n */
	uint8_t aside;	    /* enum aside: why it does not count */
	struct str pattern; /* what matched, if it is set aside */
};

enum aside { ASIDE_NOT, ASIDE_CRAWLER, ASIDE_NETWORK, ASIDE_RATE, ASIDE_SITE, ASIDE_MAX };
extern const char *const aside_names[ASIDE_MAX];

enum record_kind {
	RECORD_EVENT = 1,
	RECORD_ERASE = 2,
	RECORD_RULES = 3,
	RECORD_ASIDE = 4,
	RECORD_RELEASED = 5,
	RECORD_MATCH = 6,
	RECORD_DECLARED = 7,
	RECORD_TAKEN = 8,
	RECORD_SLICE = 9
};
/* A piece of a file, by content: hashes of everything before it and up to its end. */
struct slice_id {
	uint8_t from[16], to[16];
	uint64_t bytes, lines;
};
struct record {
	enum record_kind kind;
	struct event event; /* EVENT, ASIDE; ERASE uses visitor and t; RULES uses t; RELEASED t, aside and pattern; MATCH visitor and t; DECLARED
			     * attributes, too */
	struct str partner, partner_id; /* MATCH; DECLARED has only the first */
	uint16_t until;			/* DECLARED */
	struct str about;		/* EVENT: the bytes from host to leaves */
	struct str all;			/* EVENT: the bytes from country to leaves */
	struct str rules_hash, rules_text;
	uint16_t shard; /* TAKEN */
	uint64_t seq;
	struct slice_id slice; /* SLICE */
};

static inline struct str place_country(const struct place *p)
{
	return str_make(p->country, p->country[0] ? 2 : 0);
}
static inline struct str place_region(const struct place *p)
{
	return str_make(p->region, strnlen(p->region, sizeof p->region));
}

void event_encode(const struct event *e, struct buf *out);
void record_encode_erase(const struct vkey *visitor, uint32_t t, struct buf *out);
void record_encode_taken(uint32_t t, enum aside why, struct str pattern, uint16_t shard, uint64_t seq, struct buf *out);
void record_encode_slice(uint32_t t, const struct slice_id *id, struct buf *out);
void record_encode_match(const struct vkey *visitor, uint32_t t, struct str partner, struct str id, struct buf *out);
void record_encode_declared(
    const struct vkey *visitor, uint32_t t, uint16_t until, struct str source, const struct attr *attrs, unsigned n, struct buf *out);
void record_encode_rules(uint32_t t, struct str hash, struct str text, struct buf *out);
/* Passes over one record that is about a visitor and says which; false: it is about none, or unreadable, and `in` is anywhere. */
bool record_skip(struct mp *in, struct vkey *visitor);
/* The same, for what is forgotten with the visitor: all of them but erasures. */
bool record_event(struct mp *in, struct vkey *visitor);
/* Reads one record; false when the bytes are none. Views point into the reader's bytes. */
bool record_decode(struct mp *in, struct record *out);

#endif

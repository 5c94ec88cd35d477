/* The event: what is left of a hit behind the wall.
 *
 * No field here could hold an address, an agent, a cookie value, a URL with a query or free text.
 * Strings are views into the batch that the event was made in or decoded from.
 *
 * From host to leaves is what the event is *about*: two events with the same bytes there match the
 * same categories, under rules that do not look at place and device; with those, from country to
 * leaves. The journal's record of it: crumb/model/record.h. */
#ifndef CRUMB_MODEL_EVENT_H
#define CRUMB_MODEL_EVENT_H

#include "crumb/base/err.h"
#include "crumb/core/hash.h"

#define EVENT_ATTRS_MAX 16
#define EVENT_LEAVES_MAX 64
#define EVENT_PATH_MAX 512
#define EVENT_HOST_MAX 253
#define EVENT_NAME_MAX 64
#define EVENT_VALUE_MAX 64
/* The attribute of visitors who were not seen by a pixel: where they were read from. A label. */
#define ATTR_SOURCE "_source"
#define EVENT_CAMPAIGN_MAX 64
#define PARTNER_ID_MAX 128 /* bytes of a partner's id for a visitor */

/* A visitor: the keyed hash of a cookie's id or of an imported id. */
struct vkey {
	uint8_t b[16];
};

static inline unsigned vkey_shard(const struct vkey *k, unsigned shards)
{
	return (unsigned)(k->b[0] << 8 | k->b[1]) % shards;
}
enum { EVENT_NEW = 1 /* the visitor came without a cookie */, EVENT_IMPORTED = 2 };

enum device {
	DEVICE_UNKNOWN,
	DEVICE_DESKTOP,
	DEVICE_MOBILE,
	DEVICE_TABLET,
	DEVICE_TV,
	DEVICE_CONSOLE,
	DEVICE_MAX
};
enum os {
	OS_UNKNOWN,
	OS_WINDOWS,
	OS_MACOS,
	OS_IOS,
	OS_ANDROID,
	OS_LINUX,
	OS_CHROMEOS,
	OS_OTHER,
	OS_MAX
};
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
extern const char *const device_names[DEVICE_MAX], *const os_names[OS_MAX],
						       *const browser_names[BROWSER_MAX];

enum referrer {
	REFERRER_NONE,
	REFERRER_SEARCH,
	REFERRER_SOCIAL,
	REFERRER_INTERNAL,
	REFERRER_OTHER,
	REFERRER_MAX
};
extern const char *const referrer_names[REFERRER_MAX];

struct agent {
	uint8_t device, os, browser;
};
/* An agent as one number, as records and profiles have it. */
static inline uint32_t agent_pack(const struct agent *a)
{
	return (uint32_t)a->device << 16 | (uint32_t)a->os << 8 | a->browser;
}
/* Any number: whoever reads one looks whether it is an agent. */
static inline struct agent agent_unpack(uint32_t number)
{
	return (struct agent){(uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
}
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

static inline struct str place_country(const struct place *p)
{
	return str_make(p->country, p->country[0] ? 2 : 0);
}
static inline struct str place_region(const struct place *p)
{
	return str_make(p->region, strnlen(p->region, sizeof p->region));
}

#endif

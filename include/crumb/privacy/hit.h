/* The hit: a raw request, alive for one request in its connection's and its thread's memory. The only types in the house
 * that can hold an address, an agent, a cookie or a URL; privacy, ingest and http may name them, nothing behind may.
 * All views point into memory of the request. */
#ifndef CRUMB_PRIVACY_HIT_H
#define CRUMB_PRIVACY_HIT_H

#include "crumb/base/str.h"
#include "crumb/model/event.h"

#define HIT_PARAMS_MAX 32

/* An address that was already cut to its network: /24 for IPv4, /48 for IPv6. The whole one exists nowhere else. */
struct network {
	uint8_t b[16];	/* IPv4 in the first four bytes */
	uint8_t family; /* 4, 6, or 0: unknown */
};

/* What a source says of consent by categories of its own. The strictest of several is the largest. */
enum categories { CATEGORIES_NONE, CATEGORIES_YES, CATEGORIES_MISSING, CATEGORIES_UNREADABLE, CATEGORIES_REFUSED };

struct hit {
	struct network network;
	struct str agent, referer_header, origin, fetch_site;
	bool here;	   /* from this machine, not forwarded: no limits */
	struct str cookie; /* value of `crumb`, empty: none came */
	struct str name, url, referrer, title;
	double v;
	bool has_v;
	/* consent signals */
	bool gpc, optout_cookie, anon, dnt, gdpr, gdpr_no /* gdpr=0 */;
	struct str gdpr_consent, gpp, gpp_sid, us_privacy;
	enum categories categories;
	unsigned attrs_n, params_n;
	/* last, so that hit_clear() need not touch them */
	struct attr attrs[HIT_PARAMS_MAX];  /* a.NAME */
	struct attr params[HIT_PARAMS_MAX]; /* p_NAME */
};

static inline void hit_clear(struct hit *h)
{
	memset(h, 0, offsetof(struct hit, attrs));
}

/* Cuts a socket address; `addr` is a struct sockaddr. */
struct sockaddr;
struct network network_of(const struct sockaddr *addr);
bool network_parse(struct str text, struct network *out); /* cuts a written address; ports and brackets are tolerated */

/* A list of networks, such as trusted_proxies. Uncut addresses are compared, without being kept. */
struct cidr_list {
	struct {
		uint8_t b[16];
		uint8_t bits; /* counted in the 128-bit form */
	} net[64];
	unsigned n;
};
enum err cidr_list_parse(const char *text, struct cidr_list *out) MUST_CHECK;
bool cidr_list_has(const struct cidr_list *l, const struct sockaddr *addr);
bool cidr_list_has_text(const struct cidr_list *l, struct str address);

#endif

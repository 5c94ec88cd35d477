/* The hit: a raw request, alive for one request in its connection's and its thread's memory. The
 * only types in the house that can hold an address, an agent, a cookie or a URL; privacy, ingest,
 * collect and trackers may name them, nothing behind may. All views point into memory of the
 * request. */
#ifndef CRUMB_PRIVACY_HIT_H
#define CRUMB_PRIVACY_HIT_H

#include "crumb/base/str.h"
#include "crumb/model/event.h"

#define HIT_PARAMS_MAX 32

/* An address that was already cut to its network: /24 for IPv4, /48 for IPv6. The whole one exists
 * nowhere else. */
struct network {
	uint8_t b[16];	/* IPv4 in the first four bytes */
	uint8_t family; /* 4, 6, or 0: unknown */
};

/* What a source says of consent by categories of its own. The strictest of several is the largest.
 */
enum categories {
	CATEGORIES_NONE,
	CATEGORIES_YES,
	CATEGORIES_MISSING,
	CATEGORIES_UNREADABLE,
	CATEGORIES_REFUSED
};

/* Filled once for an event: first what comes with the request, which is the same for all events of
 * a body, then what the client says of this one. */
struct hit {
	/* with the request */
	struct network network;
	struct str agent, referer_header, origin, fetch_site;
	struct str cookie;	      /* value of `crumb`, empty: none came */
	bool gpc, optout_cookie, dnt; /* consent signals of headers and cookies */
	bool here; /* from this machine, not forwarded: no limits. The last one */

	/* what the client says: a field for each row of hit_rows.h */
#define HIT_TEXT(field, ...) struct str field;
#define HIT_NUMBER(field, ...)                                                                     \
	double field;                                                                              \
	bool has_##field;
#define HIT_LIST(field, ...) unsigned field##_n;
#define HIT_FLAG(field, ...) bool field, field##_no;
#define HIT_STRING(field, ...) struct str field;
#define HIT_SECTIONS(field, ...) struct str field;
#define HIT_CATEGORIES(field, ...) enum categories field;
#include "crumb/privacy/hit_rows.h"
	/* last, so that nobody need clear them: the items of lists, attrs first */
#define HIT_LIST(field, ...) struct attr field[HIT_PARAMS_MAX];
#include "crumb/privacy/hit_rows.h"
};

static inline void hit_clear(struct hit *h)
{
	memset(h, 0, offsetof(struct hit, attrs));
}

/* What came with the request stays; what was said of an event goes. */
static inline void hit_clear_said(struct hit *h)
{
	const size_t from = offsetof(struct hit, here) + sizeof h->here;
	memset((char *)h + from, 0, offsetof(struct hit, attrs) - from);
}

/* Did the client send a consent signal with its event? */
static inline bool hit_has_signal(const struct hit *h)
{
#define HIT_FLAG(field, ...) h->field ||
#define HIT_STRING(field, ...) h->field.n ||
#define HIT_SECTIONS(field, ...) h->field.n ||
#define HIT_CATEGORIES(field, ...) h->field ||
	return
#include "crumb/privacy/hit_rows.h"
	    false;
}

/* Cuts a socket address; `addr` is a struct sockaddr. */
struct sockaddr;
struct network network_of(const struct sockaddr *addr);
/* One address as proxies and logs write it: brackets, a port, and the zone of RFC 4007 11 may be
 * there. 128 bits, IPv4 in its mapped form (RFC 4291 2.5.5.2). False: what stands there is no
 * address, and `out` stays as it is. It is whole: nobody may keep it. */
bool address_read(struct str text, uint8_t out[16]);
bool network_parse(struct str text, struct network *out); /* the same, cut */
/* The address of a peer, IPv4 in the mapped form; false: it has none. */
bool address_of_peer(const struct sockaddr *addr, uint8_t out[16]);

/* ADDRESS or ADDRESS/LENGTH, of IPv6 also in brackets. */
struct cidr {
	uint8_t b[16];
	uint8_t bits; /* counted in the 128-bit form */
};
enum cidr_said { CIDR_FINE, CIDR_NO_ADDRESS, CIDR_NOT_TO_32, CIDR_NOT_TO_128 };
enum cidr_said cidr_read(struct str text, struct cidr *out);

/* A list of networks, such as trusted_proxies. Uncut addresses are compared, without being kept. */
struct cidr_list {
	struct cidr net[64];
	unsigned n;
};
enum err cidr_list_parse(const char *text, struct cidr_list *out) MUST_CHECK;
bool cidr_list_has(const struct cidr_list *l, const struct sockaddr *addr);
bool cidr_list_has_address(const struct cidr_list *l, const uint8_t address[16]);
bool cidr_list_has_text(const struct cidr_list *l, struct str address);

/* --- whom proxies speak for (privacy/forwarded.c) */
/* Of a list that each proxy added to at its end, X-Forwarded-For or Forwarded: the right-most one
 * that is in neither list (`also` may be NULL), for whoever wrote what is left of it was not ours;
 * the left-most if all are. As it stands there: it may be no address. Empty: the list is, or an
 * element of Forwarded does not say for whom it is. Which of the two it is each element says for
 * itself: whoever asks may have written the other one before. */
struct str cidr_list_client(
    const struct cidr_list *ours, const struct cidr_list *also, struct str list);
/* Who asked: the address at hand, or, if that is one of ours, the one that it speaks for. False:
 * `list` changes nothing. */
bool address_asked(const struct cidr_list *ours, struct str list, uint8_t address[16]);
/* The next element of Forwarded (RFC 7239 4), and what it says under this name: "for", "host".
 * Empty: nothing. False: the end. */
bool forwarded_next(struct str *rest, struct str name, struct str *value);

#endif

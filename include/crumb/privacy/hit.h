/* The hit: a request as it came, with what the client says in it.
 *
 * The types in this file are the only ones in the house that can hold an address, an agent, a
 * cookie or a URL. Only privacy, ingest, collect and trackers may include it (tools/check.sh). A
 * hit lives for one request, on one thread; all its views point into memory of the request. It is
 * never logged.
 *
 * Lists of networks are immutable once read. All functions here are pure, for any thread. */
#ifndef CRUMB_PRIVACY_HIT_H
#define CRUMB_PRIVACY_HIT_H

#include "crumb/base/str.h"
#include "crumb/model/event.h"

#define HIT_PARAMS_MAX 32

/* What is left of an address: its network, /24 for IPv4, /48 for IPv6. 203.0.113.77 becomes
 * 203.0.113.0, and 2001:db8:1:2::3 becomes 2001:db8:1::. */
#define NETWORK_BITS_4 24
#define NETWORK_BITS_6 48
struct network {
	uint8_t b[16];	/* IPv4 in the first four bytes */
	uint8_t family; /* 4, 6, or 0: unknown */
};

/* What a source says about consent by categories of its own. Of several the strictest counts, which
 * is the largest. */
enum categories {
	CATEGORIES_NONE,
	CATEGORIES_YES,
	CATEGORIES_MISSING,
	CATEGORIES_UNREADABLE,
	CATEGORIES_REFUSED
};

/* Filled for each event: what comes with the request, which is the same for all events of a body,
 * and then what the client says about this event. 2.3 KB, of which 2 KB are items of lists. */
struct hit {
	/* with the request */
	struct network network;
	struct str agent, referer_header, origin, fetch_site;
	struct str cookie;	      /* value of `crumb`, empty: none came */
	bool gpc, optout_cookie, dnt; /* consent signals of headers and cookies */
	bool here; /* from this machine, not forwarded: no limit. hit_begin_event() begins behind */

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
	/* the items of lists, attrs first; last, so that hit_clear() need not write them */
#define HIT_LIST(field, ...) struct attr field[HIT_PARAMS_MAX];
#include "crumb/privacy/hit_rows.h"
};

static inline void hit_clear(struct hit *h)
{
	memset(h, 0, offsetof(struct hit, attrs));
}

/* Before each event of a body: what came with the request stays, and the client has said nothing
 * but `signals`, which is a hit without items. */
static inline void hit_begin_event(struct hit *h, const struct hit *signals)
{
	const size_t from = offsetof(struct hit, here) + sizeof h->here;
	memcpy((char *)h + from, (const char *)signals + from, offsetof(struct hit, attrs) - from);
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

struct sockaddr;
/* The network of a peer. family 0: it has no address. */
struct network network_of(const struct sockaddr *addr);
/* Reads one address as proxies and logs write it, perhaps with brackets, a port, or the zone of RFC
 * 4007 11. 128 bits, IPv4 in its mapped form (RFC 4291 2.5.5.2). The address is whole: compare it
 * and forget it. False: the text is no address, and `out` is untouched. */
bool address_read(struct str text, uint8_t out[16]);
/* The same, cut to the network. */
bool network_parse(struct str text, struct network *out);
/* The whole address of a peer, IPv4 in the mapped form. False: it has none. */
bool address_of_peer(const struct sockaddr *addr, uint8_t out[16]);

/* What stands before an IPv4 address in its mapped form. */
extern const uint8_t address_mapped[12];

/* ADDRESS or ADDRESS/LENGTH, of IPv6 also in brackets. */
struct cidr {
	uint8_t b[16];
	uint8_t bits; /* counted in the 128-bit form */
};
enum cidr_said { CIDR_FINE, CIDR_NO_ADDRESS, CIDR_NOT_TO_32, CIDR_NOT_TO_128 };
enum cidr_said cidr_read(struct str text, struct cidr *out);

/* A list of networks, such as `collect.trusted_proxies`. Whole addresses are compared with it and
 * not kept. */
struct cidr_list {
	struct cidr net[64];
	unsigned n;
};
enum err cidr_list_parse(const char *text, struct cidr_list *out) MUST_CHECK;
bool cidr_list_has(const struct cidr_list *l, const struct sockaddr *addr);
bool cidr_list_has_address(const struct cidr_list *l, const uint8_t address[16]);
bool cidr_list_has_text(const struct cidr_list *l, struct str address);

/* --- whom proxies speak for (privacy/forwarded.c) */

/* The client, from a list to which each proxy has added at the end: X-Forwarded-For, or Forwarded.
 *
 *	X-Forwarded-For: 198.51.100.9, 203.0.113.77, 10.0.0.2	with 10.0.0.0/8 ours:
 *	                 └ the client may have written this	203.0.113.77
 *
 * It is the right-most element that is in neither list (`also` may be NULL): what stands left of it
 * was not written by a proxy of ours. If all are ours, it is the left-most. The element is given as
 * it stands there and may be no address. Empty: the list is empty, or an element of Forwarded does
 * not say for whom it is. Each element is read for itself, as of one header or the other: the
 * client may have written the other kind in front. */
struct str cidr_list_client(
    const struct cidr_list *ours, const struct cidr_list *also, struct str list);
/* Sets `address` to whom it speaks for, if it is one of ours and `list` says so. False: it is
 * unchanged. */
bool address_asked(const struct cidr_list *ours, struct str list, uint8_t address[16]);
/* The next element of Forwarded (RFC 7239 4), and the value that it has under this name: "for",
 * "host". Empty: none. False: the end. */
bool forwarded_next(struct str *rest, struct str name, struct str *value);

#endif

/* The cookie and what it becomes.
 *
 *     value = base64url( version(1) │ issue day(2) │ id(16) │ mac(16) )       47 characters
 *
 * The id is random. The MAC is SipHash-2-4-128 under the store's cookie key, over all bytes before
 * it. A visitor key is the keyed hash of the id under the pseudonym key of the issue day's
 * generation, a span of 30 days. That key is never changed; it is destroyed when no cookie of its
 * days can be valid any more. Imported ids are hashed under a key of their own.
 *
 * Pure functions, for any thread; what they make of secrets on the stack is wiped. */
#ifndef CRUMB_PRIVACY_COOKIE_H
#define CRUMB_PRIVACY_COOKIE_H

#include "crumb/model/identity.h"

#define COOKIE_LEN 47

enum cookie_state { COOKIE_VALID, COOKIE_FORGED, COOKIE_OVERDUE };

struct cookie {
	uint16_t day; /* of issue */
	uint8_t id[16];
};

void cookie_make(uint16_t today, struct cookie *out); /* a fresh random id */
void cookie_write(const struct identity_keys *k, const struct cookie *c, char out[COOKIE_LEN]);
/* `out` is set with COOKIE_VALID only. COOKIE_OVERDUE: ours, but older than COOKIE_DAYS, or issued
 * later than tomorrow. */
enum cookie_state cookie_read(
    const struct identity_keys *k, struct str value, uint16_t today, struct cookie *out);
/* False when the key of the issue day does not exist any more. */
bool cookie_visitor(const struct identity_keys *k, const struct cookie *c, struct vkey *out);
struct vkey imported_visitor(const struct identity_keys *k, struct str id);
/* The visitor's pseudonym for one partner: a keyed permutation of the visitor key, another one for
 * each partner. Four Feistel rounds with SipHash (Luby, Rackoff 1988). A permutation, so that two
 * visitors never share a pseudonym. */
struct vkey visitor_for_partner(
    const struct identity_keys *k, struct str partner, const struct vkey *v);
/* And back. */
struct vkey visitor_of_partner(
    const struct identity_keys *k, struct str partner, const struct vkey *name);

#endif

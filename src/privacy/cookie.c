/* Cookies are made, read and turned into visitor keys; visitor keys into pseudonyms of partners and
 * back. privacy/cookie.h has the layout.
 *
 * The keyed hash is SipHash-2-4 with 128 bits (base/code.h): a MAC of the cookie, the function from
 * an id to a visitor key, and the round function of the permutation. Each use has its own key. */
#include "crumb/privacy/cookie.h"

#include "crumb/base/code.h"

#define COOKIE_VERSION 1
enum { AT_DAY = 1, AT_ID = 3, AT_MAC = 19, COOKIE_BYTES = 35 };
_Static_assert(
    COOKIE_LEN == B64URL_LEN(COOKIE_BYTES), "the length of the text follows from the bytes");

void cookie_make(uint16_t today, struct cookie *out)
{
	out->day = today;
	randombytes_buf(out->id, sizeof out->id);
}

static void mac(const struct identity_keys *k, const uint8_t *bytes, uint8_t out[16])
{
	hash_keyed_to(&k->cookie, bytes, AT_MAC, out);
}

void cookie_write(const struct identity_keys *k, const struct cookie *c, char out[COOKIE_LEN])
{
	uint8_t b[COOKIE_BYTES] = {COOKIE_VERSION};
	put_u16(b + AT_DAY, c->day);
	memcpy(b + AT_ID, c->id, sizeof c->id);
	mac(k, b, b + AT_MAC);
	b64url_encode(b, sizeof b, out);
	explicit_bzero(b, sizeof b);
}

/* A cookie of tomorrow is taken: the day may have begun elsewhere. */
static enum cookie_state cookie_judge(const struct identity_keys *k, const uint8_t b[COOKIE_BYTES],
    uint16_t today, struct cookie *out)
{
	uint8_t want[16];
	if (b[0] != COOKIE_VERSION)
		return COOKIE_FORGED;
	mac(k, b, want);
	bool same = sodium_memcmp(want, b + AT_MAC, sizeof want) == 0;
	explicit_bzero(want, sizeof want); /* with it a forged cookie would be a good one */
	if (!same)
		return COOKIE_FORGED;
	uint16_t day = get_u16(b + AT_DAY);
	if (day > today + 1 || day + COOKIE_DAYS <= today)
		return COOKIE_OVERDUE;
	out->day = day;
	memcpy(out->id, b + AT_ID, sizeof out->id);
	return COOKIE_VALID;
}

enum cookie_state cookie_read(
    const struct identity_keys *k, struct str value, uint16_t today, struct cookie *out)
{
	uint8_t b[COOKIE_BYTES];
	enum cookie_state s =
	    b64url_decode(value, b, sizeof b) ? cookie_judge(k, b, today, out) : COOKIE_FORGED;
	explicit_bzero(b, sizeof b);
	return s;
}

bool cookie_visitor(const struct identity_keys *k, const struct cookie *c, struct vkey *out)
{
	uint16_t first = generation_of(c->day);
	for (int i = 0; i < GENERATIONS_MAX; i++) {
		if (k->generations[i].first_day == first && first) {
			struct hash16 h = hash_keyed(&k->generations[i].key, c->id, sizeof c->id);
			memcpy(out->b, h.b, sizeof out->b);
			return true;
		}
	}
	return false;
}

struct vkey imported_visitor(const struct identity_keys *k, struct str id)
{
	struct vkey v;
	struct hash16 h = hash_keyed(&k->imported, id.p, id.n);
	memcpy(v.b, h.b, sizeof v.b);
	return v;
}

/* One round of the permutation: one half is changed by a keyed hash of the other. Doing it again
 * undoes it, so rounds in the opposite order lead back. */
static void partner_round(
    const struct key16 *key, uint8_t round, const uint8_t *seen, uint8_t *changed)
{
	uint8_t in[9] = {round};
	memcpy(in + 1, seen, 8);
	struct hash16 f = hash_keyed(key, in, sizeof in);
	for (int i = 0; i < 8; i++)
		changed[i] ^= f.b[i];
}

static void swap_halves(struct vkey *v)
{
	uint8_t left[8];
	memcpy(left, v->b, 8);
	memcpy(v->b, v->b + 8, 8);
	memcpy(v->b + 8, left, 8);
}

static struct key16 partner_key(const struct identity_keys *k, struct str partner)
{
	struct key16 key;
	hash_keyed_to(&k->exported, partner.p, partner.n, key.b);
	return key;
}

struct vkey visitor_for_partner(
    const struct identity_keys *k, struct str partner, const struct vkey *v)
{
	struct key16 key = partner_key(k, partner);
	struct vkey out = *v;
	for (uint8_t round = 0; round < 4; round++) {
		partner_round(&key, round, out.b + 8, out.b);
		swap_halves(&out);
	}
	explicit_bzero(&key, sizeof key);
	return out;
}

struct vkey visitor_of_partner(
    const struct identity_keys *k, struct str partner, const struct vkey *name)
{
	struct key16 key = partner_key(k, partner);
	struct vkey out = *name;
	for (uint8_t round = 4; round-- > 0;) {
		swap_halves(&out);
		partner_round(&key, round, out.b + 8, out.b);
	}
	explicit_bzero(&key, sizeof key);
	return out;
}

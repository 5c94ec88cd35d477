/* Keys that go from one node to another (handed.h). Sealing is for the way only: who may have them
 * is decided by cluster.key, which both ends have. */
#include "crumb/cluster/handed.h"

#include "crumb/base/code.h"

#include <sodium.h>
#include <string.h>

#define VERSION 1
#define CONTEXT "crumbkey" /* of crypto_kdf: eight bytes */
#define SUBKEY 2

enum {
	AT_NONCE = 1,
	AT_SEALED = AT_NONCE + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES
};
_Static_assert(AT_SEALED + HANDED_BODY + TAG == HANDED_LEN, "as handed.h draws it");

/* --- out of a store */

enum err handed_read(struct keys *keys, uint16_t today, struct handed_keys *out)
{
	enum err e = keys_identity(keys, today, &out->identity);
	sodium_memzero(&out->identity.imported, sizeof out->identity.imported);
	sodium_memzero(&out->identity.exported, sizeof out->identity.exported);
	out->first_day = today;
	keys_id(keys, out->store_id);
	for (unsigned i = 0; i < HANDED_DAYS && !e; i++)
		e = keys_day(keys, (uint16_t)(today + i), KEYS_DAY_MAKE, out->days[i]);
	if (e)
		sodium_memzero(out, sizeof *out);
	return e;
}

/* --- as bytes */

static uint8_t *put(uint8_t *to, const void *from, size_t n)
{
	memcpy(to, from, n);
	return to + n;
}

static void pack_body(const struct handed_keys *h, uint8_t out[HANDED_BODY])
{
	uint8_t *p = put(out, h->store_id, sizeof h->store_id);
	put_u16(p, h->first_day);
	p = put(p + 2, h->days, sizeof h->days);
	p = put(p, h->identity.cookie.b, sizeof h->identity.cookie.b);
	for (unsigned i = 0; i < GENERATIONS_MAX; i++) {
		put_u16(p, h->identity.generations[i].first_day);
		p = put(p + 2, h->identity.generations[i].key.b, 16);
	}
	CHECK(p == out + HANDED_BODY);
}

static const uint8_t *get(const uint8_t *from, void *to, size_t n)
{
	memcpy(to, from, n);
	return from + n;
}

static void unpack_body(const uint8_t body[HANDED_BODY], struct handed_keys *out)
{
	memset(&out->identity, 0, sizeof out->identity);
	const uint8_t *p = get(body, out->store_id, sizeof out->store_id);
	out->first_day = get_u16(p);
	p = get(p + 2, out->days, sizeof out->days);
	p = get(p, out->identity.cookie.b, sizeof out->identity.cookie.b);
	for (unsigned i = 0; i < GENERATIONS_MAX; i++) {
		out->identity.generations[i].first_day = get_u16(p);
		p = get(p + 2, out->identity.generations[i].key.b, 16);
	}
}

/* --- sealed */

static void subkey(const struct cluster_key *k, uint8_t out[32])
{
	crypto_kdf_derive_from_key(out, 32, SUBKEY, CONTEXT, k->bytes);
}

/* The body is packed where it is sealed: libsodium seals in place. */
void handed_seal(const struct cluster_key *k, const struct handed_keys *h, uint8_t out[HANDED_LEN])
{
	uint8_t key[32];
	out[0] = VERSION;
	randombytes_buf(out + AT_NONCE, AT_SEALED - AT_NONCE);
	pack_body(h, out + AT_SEALED);
	subkey(k, key);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
	    out + AT_SEALED, NULL, out + AT_SEALED, HANDED_BODY, out, 1, NULL, out + AT_NONCE, key);
	sodium_memzero(key, sizeof key);
}

enum err handed_open(const struct cluster_key *k, struct str sealed, struct handed_keys *out)
{
	const uint8_t *in = (const uint8_t *)sealed.p;
	uint8_t key[32];
	if (sealed.n != HANDED_LEN || in[0] != VERSION)
		return err_set(ERR_CORRUPT, "no keys of this version of crumb");
	uint8_t *body = sodium_malloc(HANDED_BODY);
	if (!body)
		return err_set(ERR_NOMEM, "no memory");
	subkey(k, key);
	int rc = crypto_aead_xchacha20poly1305_ietf_decrypt(
	    body, NULL, NULL, in + AT_SEALED, HANDED_BODY + TAG, in, 1, in + AT_NONCE, key);
	sodium_memzero(key, sizeof key);
	if (!rc)
		unpack_body(body, out);
	sodium_free(body);
	return rc ? err_set(ERR_CORRUPT, "keys that were not sealed with our cluster.key") : OK;
}

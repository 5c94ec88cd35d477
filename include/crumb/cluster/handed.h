/* The keys that a node without a store needs to take hits, as one node hands them to another: the
 * journal keys of three days, the cookie key and the pseudonym generations. The keys by which
 * partners' ids are made are not among them.
 *
 *     handed   version u8 │ nonce 24 │ sealed bytes
 *     sealed   XChaCha20-Poly1305 under crypto_kdf(cluster.key, id 2, "crumbkey"), 16 longer than
 *              store id 16 │ first day u16 │ 3 × day key 32 │ cookie 16
 *              │ 8 × (first day u16 │ key 16)
 *
 * Integers are big-endian; a generation of day 0 is none. TLS seals it once more. It is sealed by
 * itself so that the buffers on its way, of http, of libevent and of libcurl, which are neither
 * locked nor wiped, never hold a key.
 *
 * No state: any thread. */
#ifndef CRUMB_CLUSTER_HANDED_H
#define CRUMB_CLUSTER_HANDED_H

#include "crumb/base/buf.h"
#include "crumb/cluster/cluster_key.h"
#include "crumb/disk/keys.h"

#define HANDED_DAYS 3
#define HANDED_BODY (STORE_ID_LEN + 2 + HANDED_DAYS * 32 + 16 + GENERATIONS_MAX * 18)
#define HANDED_LEN (1 + 24 + HANDED_BODY + 16)

/* Secrets: for locked memory (sodium_malloc()), and to be wiped. */
struct handed_keys {
	uint8_t store_id[STORE_ID_LEN];
	uint16_t first_day; /* of days[0]; the others follow */
	uint8_t days[HANDED_DAYS][32];
	struct identity_keys identity; /* `imported` and `exported` are zeros */
};

/* Reads what is to be handed out on `today` from a store's keys. Makes the keys of the days to come
 * that are not there yet, which waits for the disk. The errors of keys_day() and keys_identity().
 */
enum err handed_read(struct keys *keys, uint16_t today, struct handed_keys *out) MUST_CHECK;
void handed_seal(const struct cluster_key *k, const struct handed_keys *h, uint8_t out[HANDED_LEN]);
/* ERR_CORRUPT: it was not sealed with this cluster.key, or is something else. ERR_NOMEM. */
enum err handed_open(
    const struct cluster_key *k, struct str sealed, struct handed_keys *out) MUST_CHECK;

#endif

/* Keyed hashing on libsodium: SipHash-2-4 with 128 bits of output as a pseudo-random function and
 * as a MAC for short inputs (Aumasson, Bernstein 2012), BLAKE2b for content hashes and for deriving
 * keys. Any thread. */
#ifndef CRUMB_CORE_HASH_H
#define CRUMB_CORE_HASH_H

#include "crumb/base/str.h"

#include <sodium.h>

struct key16 {
	uint8_t b[16];
};
struct hash16 {
	uint8_t b[16];
};

/* Writes the hash straight to where it is wanted, for hashes that may not lie about in copies. */
static inline void hash_keyed_to(const struct key16 *k, const void *p, size_t n, uint8_t out[16])
{
	crypto_shorthash_siphashx24(out, p, n, k->b);
}

static inline struct hash16 hash_keyed(const struct key16 *k, const void *p, size_t n)
{
	struct hash16 h;
	crypto_shorthash_siphashx24(h.b, p, n, k->b);
	return h;
}
static inline uint64_t hash_keyed64(const struct key16 *k, const void *p, size_t n)
{
	uint64_t v;
	struct hash16 h = hash_keyed(k, p, n);
	memcpy(&v, h.b, sizeof v);
	return v;
}
/* For bytes that nobody attacks: checksums and names of rule leaves. The key is a constant, so it
 * is the same everywhere. */
static inline uint64_t hash_plain64(const void *p, size_t n)
{
	static const struct key16 constant = {"crumb/checksum/1"};
	return hash_keyed64(&constant, p, n);
}
/* A sum against damage, not against an attacker: a few instructions for eight bytes, for bytes that
 * are checked each time that they are read. Other bytes of the same length have the same sum with a
 * chance of 1 in 2^32. Profiles on disk hold it (model/profile.h): words are read in this machine's
 * order, little-endian. */
static inline uint32_t hash_check32(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint64_t h = 0x9e3779b97f4a7c15u ^ n, w;
	for (; n >= 8; n -= 8, b += 8) {
		memcpy(&w, b, 8);
		h = (h ^ w) * 0xd6e8feb86659fd93u;
		h ^= h >> 32;
	}
	w = 0;
	memcpy(&w, b, n);
	h = (h ^ w) * 0xd6e8feb86659fd93u;
	return (uint32_t)(h >> 32) ^ (uint32_t)h;
}
static inline struct hash16 hash_content(struct str s)
{
	struct hash16 h;
	crypto_generichash(h.b, sizeof h.b, (const uint8_t *)s.p, s.n, NULL, 0);
	return h;
}

#endif

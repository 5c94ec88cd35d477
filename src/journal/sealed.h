/* Inside the journal: a block as bytes, whatever keeps them. Nothing here reads or writes anything
 * else.
 *
 *     block    version u8 │ count u32 │ raw length u32 │ rules hash 16 │ nonce 24 │ sealed bytes
 *     sealed   XChaCha20-Poly1305 under the day's key, over zstd of msgpack records; 16 longer
 *     place    not in the block, but what it is kept by: in a day, shard u16 │ sequence u64; on a
 *              log outside, what logged.h says
 *
 * Integers are big-endian. What stands before the nonce is authenticated with the block, and so is
 * its place: at another place the same bytes do not open. So nobody without the key can change a
 * block, move it, or put an older one in its place; to remove one is what the ledger finds. A block
 * is 65 bytes longer than what zstd makes of its records.
 *
 * A sealer and an opener are scratch memory of one thread. */
#ifndef CRUMB_SRC_JOURNAL_SEALED_H
#define CRUMB_SRC_JOURNAL_SEALED_H

#include "crumb/journal/journal.h"

#include <zstd.h>

enum {
	PLACE_LEN = 10, /* of a block in a day */
	PLACE_MOST = 32,
	HEADER_LEN = 1 + 4 + 4 + 16,
	NONCE_LEN = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG_LEN = crypto_aead_xchacha20poly1305_ietf_ABYTES
};

struct sealer {
	ZSTD_CCtx *zstd;
	struct buf packed, sealed; /* a sealed block is left in `sealed` */
};

struct opener {
	ZSTD_DCtx *zstd;
	struct buf packed;
};

bool sealer_init(struct sealer *x);
void sealer_done(struct sealer *x);
bool opener_init(struct opener *x);
void opener_done(struct opener *x);

void sealed_place(unsigned shard, uint64_t seq, uint8_t out[PLACE_LEN]);
/* Makes the block `b`, in x->sealed. A place has PLACE_MOST bytes at most. */
enum err sealed_make(struct sealer *x, const struct journal_block *b, const uint8_t key[32],
    struct str place, const uint8_t rules_hash[16]) MUST_CHECK;
/* Appends a block's records. ERR_CORRUPT: the bytes are no block, or not of this key and place. */
enum err sealed_open(struct opener *x, const uint8_t key[32], struct str place, struct str block,
    struct buf *records, uint32_t *count) MUST_CHECK;
/* What the header says, which is believed. NULL and 0: the bytes are too few for a block. */
const uint8_t *sealed_rules(struct str block);
uint32_t sealed_count(struct str block);

static inline struct str sealed_bytes(const uint8_t *p, size_t n)
{
	return str_make((const char *)p, n);
}

#endif

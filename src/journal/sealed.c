/* Blocks: packed, then sealed. The level of zstd is one of its fast ones: the writer's thread packs
 * every commit, and records of one shard are alike. */
#include "sealed.h"

#include "crumb/base/code.h"

#define BLOCK_VERSION 1
#define ZSTD_LEVEL (-1)
#define RAW_MAX (256u << 20) /* no block claims more */

bool sealer_init(struct sealer *x)
{
	*x = (struct sealer){.zstd = ZSTD_createCCtx()};
	return x->zstd;
}

void sealer_done(struct sealer *x)
{
	ZSTD_freeCCtx(x->zstd);
	buf_done(&x->packed);
	buf_done(&x->sealed);
}

bool opener_init(struct opener *x)
{
	*x = (struct opener){.zstd = ZSTD_createDCtx()};
	return x->zstd;
}

void opener_done(struct opener *x)
{
	ZSTD_freeDCtx(x->zstd);
	buf_done(&x->packed);
}

void sealed_place(unsigned shard, uint64_t seq, uint8_t out[PLACE_LEN])
{
	put_u16(out, (uint16_t)shard);
	put_u64(out + 2, seq);
}

/* What is authenticated beside the sealed bytes: the place, then the header. Returns its length. */
static size_t authentic(
    struct str place, const uint8_t header[HEADER_LEN], uint8_t out[PLACE_MOST + HEADER_LEN])
{
	CHECK(place.n <= PLACE_MOST);
	memcpy(out, place.p, place.n);
	memcpy(out + place.n, header, HEADER_LEN);
	return place.n + HEADER_LEN;
}

/* The header's fields stand at 1, 5 and 9. */
enum err sealed_make(struct sealer *x, const struct journal_block *b, const uint8_t key[32],
    struct str place, const uint8_t rules_hash[16])
{
	size_t bound = ZSTD_compressBound(b->records.n);
	buf_clear(&x->packed);
	buf_clear(&x->sealed);
	if (b->records.n > RAW_MAX || !buf_reserve(&x->packed, bound) ||
	    !buf_reserve(&x->sealed, HEADER_LEN + NONCE_LEN + bound + TAG_LEN))
		return err_set(ERR_NOMEM, "journal: a block of %zu bytes", b->records.n);
	size_t packed =
	    ZSTD_compressCCtx(x->zstd, x->packed.p, bound, b->records.p, b->records.n, ZSTD_LEVEL);
	if (ZSTD_isError(packed))
		return err_set(ERR_IO, "journal: %s", ZSTD_getErrorName(packed));
	uint8_t *h = (uint8_t *)x->sealed.p, ad[PLACE_MOST + HEADER_LEN];
	h[0] = BLOCK_VERSION;
	put_u32(h + 1, b->count);
	put_u32(h + 5, (uint32_t)b->records.n);
	memcpy(h + 9, rules_hash, 16);
	size_t ad_n = authentic(place, h, ad);
	randombytes_buf(h + HEADER_LEN, NONCE_LEN);
	unsigned long long sealed;
	crypto_aead_xchacha20poly1305_ietf_encrypt(h + HEADER_LEN + NONCE_LEN, &sealed,
	    (const uint8_t *)x->packed.p, packed, ad, ad_n, NULL, h + HEADER_LEN, key);
	x->sealed.n = HEADER_LEN + NONCE_LEN + (size_t)sealed;
	return OK;
}

/* Nothing of the header is used before it is authenticated. */
enum err sealed_open(struct opener *x, const uint8_t key[32], struct str place, struct str block,
    struct buf *records, uint32_t *count)
{
	const uint8_t *h = (const uint8_t *)block.p;
	if (block.n < HEADER_LEN + NONCE_LEN + TAG_LEN || h[0] != BLOCK_VERSION)
		return err_set(ERR_CORRUPT, "journal: these bytes are no block");
	uint8_t ad[PLACE_MOST + HEADER_LEN];
	size_t ad_n = authentic(place, h, ad);
	size_t sealed = block.n - HEADER_LEN - NONCE_LEN;
	uint32_t raw = get_u32(h + 5);
	unsigned long long packed;
	buf_clear(&x->packed);
	if (!buf_reserve(&x->packed, sealed))
		return err_set(ERR_NOMEM, "no memory");
	if (crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)x->packed.p, &packed, NULL,
		h + HEADER_LEN + NONCE_LEN, sealed, ad, ad_n, h + HEADER_LEN, key) != 0)
		return err_set(ERR_CORRUPT, "journal: a block does not open with its day's key");
	if (raw > RAW_MAX)
		return err_set(ERR_CORRUPT, "journal: a block claims %u bytes", raw);
	if (!buf_reserve(records, (size_t)raw + 1)) /* one more, so that there is memory for none */
		return err_set(ERR_NOMEM, "no memory");
	size_t got =
	    ZSTD_decompressDCtx(x->zstd, records->p + records->n, raw, x->packed.p, (size_t)packed);
	if (ZSTD_isError(got) || got != raw)
		return err_set(ERR_CORRUPT, "journal: a block does not unpack");
	records->n += raw;
	*count = get_u32(h + 1);
	return OK;
}

const uint8_t *sealed_rules(struct str block)
{
	return block.n < HEADER_LEN ? NULL : (const uint8_t *)block.p + 9;
}

uint32_t sealed_count(struct str block)
{
	return block.n < HEADER_LEN ? 0 : get_u32((const uint8_t *)block.p + 1);
}

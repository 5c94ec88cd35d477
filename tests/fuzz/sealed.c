/* Bytes that claim to be a block of the journal: they are none, or a block of just these records, at just this place.
 *
 * The first byte says how: 0 the bytes are the block; 1 they are what a block was packed to, sealed with its key; else they are records. */
#include "../../src/journal/sealed.h"

#include "crumb/base/code.h"

static const uint8_t key[32] = {7}, rules[16] = {3};

/* With the right key around it anything gets as far as unpacking. */
static void seal_packed(const uint8_t with[32], struct str place, struct str packed, struct buf *out)
{
	uint8_t head[HEADER_LEN] = {1}, nonce[NONCE_LEN] = {0}, ad[PLACE_MOST + HEADER_LEN];
	unsigned long long n;
	if (packed.n >= 4)
		memcpy(head + 5, packed.p, 4); /* claims any length */
	head[5] = 0, head[6] &= 0x0f; /* up to a megabyte: reserving more only takes time */
	memcpy(ad, place.p, place.n);
	memcpy(ad + place.n, head, HEADER_LEN);
	CHECK(buf_reserve(out, HEADER_LEN + NONCE_LEN + packed.n + TAG_LEN));
	char *to = out->p + out->n;
	memcpy(to, head, HEADER_LEN);
	memcpy(to + HEADER_LEN, nonce, NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt((uint8_t *)to + HEADER_LEN + NONCE_LEN, &n, (const uint8_t *)packed.p, packed.n, ad, place.n + HEADER_LEN,
	    NULL, nonce, with);
	out->n += HEADER_LEN + NONCE_LEN + (size_t)n;
}

static void there_and_back(struct sealer *s, struct opener *o, struct str records)
{
	struct journal_block b = {.day = 1, .shard = 2, .count = 5, .records = records, .seq = 9};
	uint8_t place[PLACE_LEN], other[PLACE_LEN];
	struct buf got = {0};
	uint32_t count = 0;
	sealed_place(2, 9, place);
	sealed_place(2, 10, other);
	CHECK(sealed_make(s, &b, key, sealed_bytes(place, PLACE_LEN), rules) == OK);
	struct str block = buf_view(&s->sealed);
	CHECK(sealed_open(o, key, sealed_bytes(place, PLACE_LEN), block, &got, &count) == OK && count == 5 && got.n == records.n);
	CHECK(records.n == 0 || memcmp(got.p, records.p, records.n) == 0);
	CHECK(sealed_open(o, key, sealed_bytes(other, PLACE_LEN), block, &got, &count) == ERR_CORRUPT);
	CHECK(sealed_count(block) == 5 && memcmp(sealed_rules(block), rules, sizeof rules) == 0);
	s->sealed.p[block.n / 2] ^= 1;
	CHECK(sealed_open(o, key, sealed_bytes(place, PLACE_LEN), block, &got, &count) == ERR_CORRUPT);
	buf_done(&got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct sealer s;
	static struct opener o;
	uint8_t place[PLACE_LEN];
	struct buf got = {0}, block = {0};
	uint32_t count;
	if (!o.zstd)
		CHECK(sodium_init() >= 0 && sealer_init(&s) && opener_init(&o));
	if (n == 0)
		return 0;
	struct str rest = str_make((const char *)data + 1, n - 1);
	sealed_place(2, 9, place);
	if (data[0] == 0) {
		(void)!sealed_open(&o, key, sealed_bytes(place, PLACE_LEN), rest, &got, &count);
		(void)sealed_count(rest);
	} else if (data[0] == 1) {
		seal_packed(key, sealed_bytes(place, PLACE_LEN), rest, &block);
		if (sealed_open(&o, key, sealed_bytes(place, PLACE_LEN), buf_view(&block), &got, &count) == OK)
			CHECK(got.n == get_u32((const uint8_t *)block.p + 5));
	} else {
		there_and_back(&s, &o, rest);
	}
	buf_done(&got);
	buf_done(&block);
	return 0;
}

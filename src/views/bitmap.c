/* Compressed sets of visitors, over CRoaring, whose struct is seen nowhere else. */
#include "crumb/views/bitmap.h"

#include "crumb/base/code.h"
#include "crumb/core/hash.h"

#include <roaring/roaring.h>

enum { HEADER = 12 };

struct bitmap {
	roaring_bitmap_t r; /* only ever as a pointer to CRoaring's own struct */
};

static const roaring_bitmap_t *in(const struct bitmap *b)
{
	return (const roaring_bitmap_t *)b;
}

enum err bitmap_read(struct str stored, struct bitmap **out)
{
	roaring_bitmap_t *r;
	if (stored.n == 0) {
		r = roaring_bitmap_create();
	} else {
		if (stored.n < HEADER ||
		    get_u64((const uint8_t *)stored.p) != hash_plain64(stored.p + 8, stored.n - 8))
			return err_set(ERR_CORRUPT, "a membership bitmap fails its checksum");
		r = roaring_bitmap_portable_deserialize_safe(stored.p + HEADER, stored.n - HEADER);
		if (r &&
		    roaring_bitmap_get_cardinality(r) != get_u32((const uint8_t *)stored.p + 8)) {
			roaring_bitmap_free(r);
			return err_set(
			    ERR_CORRUPT, "a membership bitmap has another size than it says");
		}
	}
	if (!r) /* the bytes are those that were written, by their checksum */
		return err_set(ERR_NOMEM, "no memory to read a membership bitmap");
	*out = (struct bitmap *)r;
	return OK;
}

void bitmap_free(struct bitmap *b)
{
	if (b)
		roaring_bitmap_free((roaring_bitmap_t *)b);
}

void bitmap_set(struct bitmap *b, uint16_t low, enum bitmap_bit bit)
{
	if (bit == BITMAP_IN)
		roaring_bitmap_add((roaring_bitmap_t *)b, low);
	else
		roaring_bitmap_remove((roaring_bitmap_t *)b, low);
}

bool bitmap_has(const struct bitmap *b, uint16_t low)
{
	return roaring_bitmap_contains(in(b), low);
}

uint32_t bitmap_size(const struct bitmap *b)
{
	return (uint32_t)roaring_bitmap_get_cardinality(in(b));
}

void bitmap_write(struct bitmap *b, struct buf *out)
{
	roaring_bitmap_run_optimize((roaring_bitmap_t *)b);
	size_t n = roaring_bitmap_portable_size_in_bytes(in(b)), at = out->n;
	CHECK(buf_reserve(out, HEADER + n));
	uint8_t *p = (uint8_t *)out->p + at;
	put_u32(p + 8, bitmap_size(b));
	roaring_bitmap_portable_serialize(in(b), (char *)p + HEADER);
	put_u64(p, hash_plain64(p + 8, HEADER - 8 + n));
	out->n += HEADER + n;
}

/* --- listing, without CRoaring: its reader ends the process when it finds no memory, and a list
 * needs none. A stored set has one container at most, for its ordinals are of one chunk. Numbers
 * are little-endian u16:
 *
 *     12346 0 │ containers u32 │ chunk │ members − 1 │ offset u32 │ an array or 65,536 bits
 *     12347 containers − 1 │ flags u8: 1, runs │ chunk │ members − 1 │ runs │ (first, more) …
 */

enum { PLAIN = 12346, WITH_RUNS = 12347, ARRAY_MOST = 4096, BITS = 65536 };

static uint32_t le16(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t list_runs(const uint8_t *p, size_t n, uint32_t *out)
{
	uint32_t members = 0, runs = n < 2 ? 0 : le16(p);
	if (n < 2 + (size_t)runs * 4)
		return 0;
	for (uint32_t i = 0; i < runs; i++) {
		uint32_t first = le16(p + 2 + i * 4), last = first + le16(p + 4 + i * 4);
		for (uint32_t o = first; o <= last && o < BITS && members < BITS; o++)
			out[members++] = o;
	}
	return members;
}

static uint32_t list_bits(const uint8_t *p, uint32_t *out)
{
	uint32_t members = 0;
	for (uint32_t o = 0; o < BITS; o++)
		if (p[o / 8] >> o % 8 & 1)
			out[members++] = o;
	return members;
}

/* Of an array or of bits, behind the frame; 0: the bytes are too few. */
static uint32_t list_plain(const uint8_t *p, size_t n, uint32_t members, uint32_t *out)
{
	if (members > ARRAY_MOST)
		return n < BITS / 8 ? 0 : list_bits(p, out);
	if (n < members * sizeof(uint16_t))
		return 0;
	for (uint32_t i = 0; i < members; i++)
		out[i] = le16(p + 2 * (size_t)i);
	return members;
}

static uint32_t list_container(const uint8_t *p, size_t n, uint32_t *out)
{
	enum { FRAME = 16, RUNS_FRAME = 9 }; /* bytes, with one container */
	if (n >= RUNS_FRAME && le16(p) == WITH_RUNS && le16(p + 2) == 0)
		return p[4] & 1 ? list_runs(p + RUNS_FRAME, n - RUNS_FRAME, out)
				: list_plain(p + RUNS_FRAME, n - RUNS_FRAME, le16(p + 7) + 1, out);
	if (n >= FRAME && le16(p) == PLAIN && le16(p + 4) == 1)
		return list_plain(p + FRAME, n - FRAME, le16(p + 10) + 1, out);
	return 0;
}

enum err bitmap_stored_list(struct str stored, uint32_t out[BITMAP_MOST], uint32_t *n)
{
	const uint8_t *p = (const uint8_t *)stored.p;
	uint32_t said = bitmap_stored_size(stored);
	*n = 0;
	if (!stored.n)
		return OK;
	if (stored.n < HEADER || get_u64(p) != hash_plain64(stored.p + 8, stored.n - 8))
		return err_set(ERR_CORRUPT, "a membership bitmap fails its checksum");
	if (said)
		*n = list_container(p + HEADER, stored.n - HEADER, out);
	return *n == said
		   ? OK
		   : err_set(ERR_CORRUPT, "a membership bitmap has another size than it says");
}

uint32_t bitmap_stored_size(struct str stored)
{
	return stored.n < HEADER ? 0 : get_u32((const uint8_t *)stored.p + 8);
}

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

void bitmap_list(const struct bitmap *b, uint32_t *out)
{
	roaring_bitmap_to_uint32_array(in(b), out);
}

uint32_t bitmap_stored_size(struct str stored)
{
	return stored.n < HEADER ? 0 : get_u32((const uint8_t *)stored.p + 8);
}

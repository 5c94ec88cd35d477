/* Sets of visitors of one shard: one compressed bitmap for each 65,536 ordinals, stored with size
 * and checksum.
 *
 *     checksum u64 │ size u32 │ roaring bitmap, portable form
 * (github.com/RoaringBitmap/RoaringFormatSpec)
 *
 * CRoaring of Debian 12 does not validate foreign bytes, so nothing is parsed before its checksum
 * was compared. */
#ifndef CRUMB_VIEWS_BITMAP_H
#define CRUMB_VIEWS_BITMAP_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"

struct bitmap; /* a set in memory */

enum err bitmap_read(
    struct str stored, struct bitmap **out) MUST_CHECK; /* empty bytes: an empty set */
void bitmap_free(struct bitmap *b);
enum bitmap_bit { BITMAP_OUT, BITMAP_IN };
void bitmap_set(struct bitmap *b, uint16_t low, enum bitmap_bit bit);
bool bitmap_has(const struct bitmap *b, uint16_t low);
uint32_t bitmap_size(const struct bitmap *b);
void bitmap_write(struct bitmap *b, struct buf *out); /* appends the stored form */
/* Ordinals in order; `out` holds bitmap_size() numbers. */
void bitmap_list(const struct bitmap *b, uint32_t *out);
/* Size of a stored set without unpacking it; checks nothing but the length. */
uint32_t bitmap_stored_size(struct str stored);

#endif

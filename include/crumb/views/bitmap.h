/* Sets of visitors of one shard, compressed: one bitmap for each chunk of 65,536 ordinals. How a
 * segment is cut into chunks is drawn in views/members.h. Stored:
 *
 *     checksum u64 │ size u32 │ roaring bitmap, portable form
 *
 * (github.com/RoaringBitmap/RoaringFormatSpec.) The checksum is of all behind it, the size is how
 * many are in the set. CRoaring of Debian 12 does not validate foreign bytes, so nothing is parsed
 * before its checksum was compared.
 *
 * Cost, stored and in memory: at most 2 bytes a member, at most 8 KB a chunk, and 4 bytes for each
 * run of neighbours; 28 bytes of frame. Example: 100 members are 228 bytes, 30,000 scattered ones
 * 8 KB, a whole chunk of 65,536 is 27 bytes.
 *
 * A struct bitmap belongs to one thread. */
#ifndef CRUMB_VIEWS_BITMAP_H
#define CRUMB_VIEWS_BITMAP_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"

struct bitmap; /* a set in memory */

/* Empty bytes are an empty set. ERR_CORRUPT, ERR_NOMEM. bitmap_free() it. */
enum err bitmap_read(struct str stored, struct bitmap **out) MUST_CHECK;
void bitmap_free(struct bitmap *b);
enum bitmap_bit { BITMAP_OUT, BITMAP_IN };
void bitmap_set(struct bitmap *b, uint16_t low, enum bitmap_bit bit);
bool bitmap_has(const struct bitmap *b, uint16_t low);
uint32_t bitmap_size(const struct bitmap *b);
void bitmap_write(struct bitmap *b, struct buf *out); /* appends the stored form */
#define BITMAP_MOST 65536
/* The ordinals of a stored set, in order. Takes no memory. ERR_CORRUPT. */
enum err bitmap_stored_list(struct str stored, uint32_t out[BITMAP_MOST], uint32_t *n) MUST_CHECK;
/* Size of a stored set without unpacking it; checks nothing but the length. */
uint32_t bitmap_stored_size(struct str stored);

#endif

/* msgpack in place.
 *
 * Writing uses msgpack-c; mp_packer() points it at a struct buf. Reading is a cursor over bytes
 * that yields views into them and allocates nothing, for records that were written here. Every read
 * is bounded. A read of the wrong type or past the end sets a sticky flag, `bad`, and yields zero:
 * callers read straight down and check `bad` once.
 *
 * The first byte of a value tells its type, and its value, its length or how many bytes say those:
 *
 *     00 … 7f     the number itself         a0 … bf     string of 0 … 31 bytes
 *     80 … 8f     map of 0 … 15 pairs       d9 da db    string, length in 1, 2, 4 bytes
 *     90 … 9f     array of 0 … 15 items     c4 c5 c6    bytes, length in 1, 2, 4 bytes
 *     dc dd       array, count in 2, 4      cc cd ce cf number in 1, 2, 4, 8 bytes
 *     de df       map, count in 2, 4        ca cb       float, double
 *     c0 c2 c3    nil, false, true          d0 … d3, e0 … ff  signed numbers
 *
 * For example, 93 07 a2 68 69 c0 is [7, "hi", nil], and cd 01 00 is 256. Signed numbers, floats and
 * truth values are passed over only (mp_skip); extensions (c7 c8 c9, d4 … d8) are bad. Format:
 * https://github.com/msgpack/msgpack/blob/master/spec.md
 *
 * A cursor belongs to one thread. */
#ifndef CRUMB_BASE_MP_H
#define CRUMB_BASE_MP_H

#include "crumb/base/buf.h"

#include <msgpack/pack.h>

struct mp {
	const uint8_t *p, *end;
	bool bad;
};

static inline struct mp mp_over(struct str s)
{
	const uint8_t *p = (const uint8_t *)(s.p ? s.p : "");
	return (struct mp){p, p + s.n, false};
}
uint64_t mp_uint(struct mp *m);
double mp_double(struct mp *m);
bool mp_nil(struct mp *m);	 /* true if nil comes next, which is passed then */
struct str mp_str(struct mp *m); /* a string, or bytes */
uint32_t mp_array(
    struct mp *m);	       /* number of items that are said to follow: any number may be said */
uint32_t mp_map(struct mp *m); /* number of pairs that are said to follow */
void mp_skip(struct mp *m);    /* the next value, with all that is in it */

void mp_packer(msgpack_packer *pk, struct buf *out);
void mp_put_str(msgpack_packer *pk, struct str s);
void mp_put_bin(msgpack_packer *pk, const void *p, size_t n);

#endif

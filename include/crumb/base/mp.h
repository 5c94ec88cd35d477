/* msgpack in place.
 *
 * Writing uses msgpack-c; mp_packer() points it at a struct buf. Reading is a cursor over bytes
 * that yields views into them, without allocating, for records that were written here; every read
 * is bounded, and a read of the wrong type or past the end sets a sticky flag and yields zero, so
 * that callers read straight down and check `bad` once. Format:
 * https://github.com/msgpack/msgpack/blob/master/spec.md */
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
bool mp_nil(struct mp *m);	 /* true and consumed if nil comes next */
struct str mp_str(struct mp *m); /* str or bin */
uint32_t mp_array(struct mp *m); /* number of elements that follow */
void mp_skip(struct mp *m);	 /* whatever comes next, with all that is in it */
uint32_t mp_map(struct mp *m);	 /* number of pairs that follow */

void mp_packer(msgpack_packer *pk, struct buf *out);
void mp_put_str(msgpack_packer *pk, struct str s);
void mp_put_bin(msgpack_packer *pk, const void *p, size_t n);

#endif

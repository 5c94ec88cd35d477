/* Inside the model: the pieces of records that events and other records share, and the functions of
 * an event's two rows. */
#ifndef CRUMB_SRC_MODEL_RECORD_OWN_H
#define CRUMB_SRC_MODEL_RECORD_OWN_H

#include "crumb/model/record.h"

/* Each reads one element and makes `in` bad where it is none. */
static inline void hash_decode(struct mp *in, uint8_t out[16])
{
	struct str s = mp_str(in);
	if (s.n == 16)
		memcpy(out, s.p, 16);
	else
		in->bad = true;
}
static inline void key_decode(struct mp *in, struct vkey *key)
{
	hash_decode(in, key->b);
}
static inline uint8_t reason_decode(struct mp *in)
{
	uint64_t why = mp_uint(in);
	if (why == ASIDE_NOT || why >= ASIDE_MAX)
		in->bad = true;
	return (uint8_t)why;
}
void attrs_decode(struct mp *in, struct event *e);

/* Of RECORD_EVENT and RECORD_ASIDE; what stands behind the kind, out->kind says which. */
void event_decode(struct mp *in, uint32_t n, struct record *out);
void event_record_encode(const struct record *r, struct buf *out);

#endif

/* One file of a delivery as one request: signed, bounded in time; and the partner's answer, read
 * for what it says of single rows. Blocks for as long as the destination's `timeout_s` says. Any
 * thread. */
#ifndef CRUMB_DELIVERY_PUSH_H
#define CRUMB_DELIVERY_PUSH_H

#include "crumb/partners/format.h"

/* `stop` becoming true ends the request within a second, as PUSH_LATER; it may be NULL. *out is for
 * push_answer_done(). */
void push_file(const struct destination *d, struct str body, const char *idempotency_key,
    uint32_t now, const _Atomic bool *stop, struct push_answer *out);

#endif

/* One file of a delivery as one request: signed, bounded in time, and what the partner answered
 * read for what it says of single rows. Blocks. */
#ifndef CRUMB_DELIVERY_PUSH_H
#define CRUMB_DELIVERY_PUSH_H

#include "crumb/partners/format.h"

/* `stop` becoming true ends it at once, as LATER; it may be NULL. */
void push_file(const struct destination *d, struct str body, const char *idempotency_key,
    uint32_t now, const _Atomic bool *stop, struct push_answer *out);

#endif

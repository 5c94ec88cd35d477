/* Inside partners: what several formats write alike. */
#ifndef CRUMB_SRC_PARTNERS_FORMATS_H
#define CRUMB_SRC_PARTNERS_FORMATS_H

#include "crumb/partners/format.h"

#define MB 1000000ull

static inline struct str setting_of(const struct encoder *e, const char *name)
{
	return setting_get(e->d->settings, e->d->settings_n, name);
}

/* A quoted JSON string: RFC 3339, UTC. */
void format_time(struct buf *out, uint32_t t);
/* A number in groups of seven bits, the lowest first (Protocol Buffers, Avro). */
void format_varint(struct buf *out, uint64_t v);

#endif

/* Inside partners: the encoders, one file each, and what several of them write alike. */
#ifndef CRUMB_SRC_PARTNERS_FORMATS_H
#define CRUMB_SRC_PARTNERS_FORMATS_H

#include "crumb/partners/format.h"

extern const struct format format_csv, format_ndjson, format_ortb, format_ttd, format_aam, format_liveramp, format_segment, format_xandr_text,
    format_xandr_avro, format_google_bulk;

static inline struct str setting_of(const struct encoder *e, const char *name)
{
	return setting_get(e->d->settings, e->d->settings_n, name);
}

/* A file without a head, or without an end. */
void format_nothing(struct encoder *e, struct buf *out);
/* A quoted JSON string: RFC 3339, UTC. */
void format_time(struct buf *out, uint32_t t);
/* A number in groups of seven bits, the lowest first (Protocol Buffers, Avro). */
void format_varint(struct buf *out, uint64_t v);

#endif

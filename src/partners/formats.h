/* Inside partners: what several formats write alike. */
#ifndef CRUMB_SRC_PARTNERS_FORMATS_H
#define CRUMB_SRC_PARTNERS_FORMATS_H

#include "crumb/partners/format.h"

struct json_t;

#define MB 1000000ull

static inline struct str setting_of(const struct encoder *e, const char *name)
{
	return setting_get(e->d->settings, e->d->settings_n, name);
}

/* A quoted JSON string: RFC 3339, UTC. */
void format_time(struct buf *out, uint32_t t);
/* A number in groups of seven bits, the lowest first (Protocol Buffers, Avro). */
void format_varint(struct buf *out, uint64_t v);

/* Lines whose first cell is the id: up to the separator. A line without one is left out. */
void masked_cells(struct str bytes, char separator, struct masked *out);
/* Adds a line of JSON; takes the reference. */
void masked_json(struct json_t *line, struct masked *out);
/* Each line is an object; `mask` puts MASK in the place of ids, false: it is no such object. */
void masked_objects(struct str bytes, bool (*mask)(struct json_t *line), struct masked *out);
/* Has the object no keys but these, "a|b"? Others are not the format's, and may say who it is. */
bool masked_only(const struct json_t *object, const char *keys);
/* Puts MASK in the place of a text; false: there is none of that name. */
bool masked_text(struct json_t *object, const char *name);

#endif

/* Inside the export layer: the formats that do not fit into one file. */
#ifndef CRUMB_SRC_PARTNERS_FORMATS_H
#define CRUMB_SRC_PARTNERS_FORMATS_H

#include "crumb/partners/format.h"

extern const struct format format_xandr_text, format_xandr_avro, format_google_bulk;

static inline struct str setting_of(const struct encoder *e, const char *name)
{
	return setting_get(e->d->settings, e->d->settings_n, name);
}

#endif

/* What is told about groups, as JSON, the same for the command line and the API. Everything here went through the k gate. */
#ifndef CRUMB_EXPORT_LISTS_H
#define CRUMB_EXPORT_LISTS_H

#include "crumb/audience/view.h"

struct json_t;

enum err list_segments(struct generation *g, const struct kgate *gate, uint32_t now, struct json_t **out) MUST_CHECK;
enum err list_categories(struct generation *g, const struct kgate *gate, uint32_t now, struct json_t **out) MUST_CHECK;

#endif

/* Settings: names with values, as the file of destinations has them. Their text belongs to the set
 * that was read. */
#ifndef CRUMB_PARTNERS_SETTING_H
#define CRUMB_PARTNERS_SETTING_H

#include "crumb/base/err.h"
#include "crumb/base/str.h"

struct setting {
	struct str name, value;
};

/* Empty: not set. */
struct str setting_get(const struct setting *list, unsigned n, const char *name);
/* Where a value comes from: itself, the environment ("env:NAME") or a file ("file:PATH"). ERR_USAGE
 * names what is missing. */
enum err setting_resolve(struct str value, char *out, size_t cap) MUST_CHECK;

#endif

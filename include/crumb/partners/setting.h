/* Settings: names with values, as the file of destinations has them. Their text belongs to the set
 * that was read. Any thread. */
#ifndef CRUMB_PARTNERS_SETTING_H
#define CRUMB_PARTNERS_SETTING_H

#include "crumb/base/err.h"
#include "crumb/base/str.h"

struct setting {
	struct str name, value;
};

/* Empty: not set. */
struct str setting_get(const struct setting *list, unsigned n, const char *name);
/* The value as text: itself, or what the environment has ("env:NAME"), or the first line of a file
 * ("file:PATH"). Read each time, so that a secret may change while the server runs. It is cut at
 * `cap`. ERR_USAGE names what is missing. Callers wipe a secret when it has been used. */
enum err setting_resolve(struct str value, char *out, size_t cap) MUST_CHECK;

#endif

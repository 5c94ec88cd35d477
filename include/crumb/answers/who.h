/* One visitor, as somebody names them: by the value of a cookie, by the id of an import, or by the
 * key that answers tell. Any thread. */
#ifndef CRUMB_ANSWERS_WHO_H
#define CRUMB_ANSWERS_WHO_H

#include "crumb/base/err.h"
#include "crumb/model/identity.h"
#include "crumb/base/str.h"

struct keys;

/* One of the three is not empty. */
struct who {
	struct str cookie, id, key;
};
/* The visitor's key; ERR_USAGE: it is no key, or the cookie names nobody. */
enum err who_is(const struct who *w, struct keys *keys, uint32_t now, struct vkey *out) MUST_CHECK;

#endif

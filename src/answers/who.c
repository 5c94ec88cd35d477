/* A visitor by one of the names that an operator may have. A cookie that is forged or overdue names
 * nobody: whoever made it up learns nothing. */
#include "crumb/answers/who.h"

#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/disk/keys.h"
#include "crumb/privacy/cookie.h"

enum err who_is(const struct who *w, struct keys *keys, uint32_t now, struct vkey *out)
{
	struct identity_keys identity;
	struct cookie parsed;
	bool known = true;
	if (w->key.n)
		return hex_decode(w->key, out->b, sizeof out->b)
			   ? OK
			   : err_set(ERR_USAGE, "a visitor's key has 32 hex digits");
	enum err e = keys_identity(keys, day_of(now), &identity);
	if (e)
		return e;
	if (w->id.n)
		*out = imported_visitor(&identity, w->id);
	else
		known = cookie_read(&identity, w->cookie, day_of(now), &parsed) == COOKIE_VALID &&
			cookie_visitor(&identity, &parsed, out);
	sodium_memzero(&identity, sizeof identity);
	return known ? OK : err_set(ERR_USAGE, "the cookie is forged or overdue: it names nobody");
}

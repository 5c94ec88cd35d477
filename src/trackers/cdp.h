/* Inside the tracker of Segment's API: what its files share.
 *
 *	segment.c      paths, messages, events and audiences
 *	cdp_key.c      who may send
 *	cdp_consent.c  what a message says about consent
 *	cdp_time.c     when a message happened (cdp_time.h)
 *
 * Pure functions, for any thread. Texts are views into the tree or the body. */
#ifndef CRUMB_SRC_TRACKERS_CDP_H
#define CRUMB_SRC_TRACKERS_CDP_H

#include "crumb/core/config.h"
#include "crumb/privacy/hit.h"

#include <jansson.h>

/* The text of a value; empty when the value is no text, or NULL. */
static inline struct str cdp_text(const json_t *v)
{
	return json_is_string(v) ? str_make(json_string_value(v), json_string_length(v)) : STR("");
}

static inline struct str cdp_member(const json_t *object, const char *key)
{
	return cdp_text(json_object_get(object, key));
}

/* What the header Authorization says: a key that fits, one that does not, or nothing, and then the
 * body has to say it. */
enum cdp_key { CDP_KEY_WRONG, CDP_KEY_RIGHT, CDP_KEY_UNSAID };
enum cdp_key cdp_key_of_header(const struct config *c, struct str authorization);
/* The same for a body. */
enum cdp_key cdp_key_of_body(const struct config *c, struct str body);

/* What the message and its batch's context say about consent; of both the stricter holds. */
enum categories cdp_consent(const struct config *c, const json_t *message, const json_t *context);

#endif

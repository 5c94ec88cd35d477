/* Who may send by Segment's API: a source that knows one of the keys of `segment.write_keys`.
 * Libraries send the key as the user of Basic authentication, with an empty password; some as a
 * bearer token; those of browsers in the body. */
#include "cdp.h"

#include <sodium.h>

static bool base64(struct str in, char *out, size_t cap, size_t *n)
{
	return sodium_base642bin((uint8_t *)out, cap, in.p, in.n, NULL, n, NULL,
		   sodium_base64_VARIANT_ORIGINAL) == 0;
}

static bool key_fits(const struct config *c, struct str key)
{
	return key_list_has(&c->lists.segment_keys, key);
}

/* From behind the quote that begins a text to its end: the next quote that is not escaped. */
static size_t text_end(struct str s, size_t at)
{
	while (at < s.n && s.p[at] != '"')
		at += s.p[at] == '\\' ? 2 : 1;
	return at < s.n ? at : s.n;
}

/* Over white space. */
static size_t next_mark(struct str s, size_t at)
{
	while (
	    at < s.n && (s.p[at] == ' ' || s.p[at] == '\t' || s.p[at] == '\r' || s.p[at] == '\n'))
		at++;
	return at;
}

/* The value of "writeKey" in the outermost object of a body that is not parsed: nobody has shown
 * yet that they may send, and a tree of it may be large. Empty: there is none. */
static struct str write_key(struct str s)
{
	int depth = 0;
	for (size_t at = 0; at < s.n; at++) {
		depth += s.p[at] == '{' || s.p[at] == '[';
		depth -= s.p[at] == '}' || s.p[at] == ']';
		if (s.p[at] != '"')
			continue;
		size_t begin = at + 1, end = text_end(s, begin), colon = next_mark(s, end + 1),
		       value = next_mark(s, colon + 1);
		at = end;
		if (depth != 1 || colon >= s.n || s.p[colon] != ':' ||
		    !str_eq(str_make(s.p + begin, end - begin), STR("writeKey")))
			continue;
		if (value >= s.n || s.p[value] != '"')
			return STR("");
		end = text_end(s, value + 1);
		return end < s.n ? str_make(s.p + value + 1, end - value - 1) : STR("");
	}
	return STR("");
}

enum cdp_key cdp_key_of_header(const struct config *c, struct str auth)
{
	char plain[512];
	size_t n;
	struct str basic = STR("Basic "), bearer = STR("Bearer ");
	if (auth.n > basic.n && str_ieq(str_make(auth.p, basic.n), basic) &&
	    base64(str_trim(str_skip(auth, basic.n)), plain, sizeof plain, &n)) {
		struct str key = str_make(plain, n);
		key.n = str_find(key, ':');
		return key_fits(c, key) ? CDP_KEY_RIGHT : CDP_KEY_WRONG;
	}
	bool borne = auth.n > bearer.n && str_ieq(str_make(auth.p, bearer.n), bearer);
	if (borne && key_fits(c, str_trim(str_skip(auth, bearer.n))))
		return CDP_KEY_RIGHT;
	return CDP_KEY_UNSAID;
}

enum cdp_key cdp_key_of_body(const struct config *c, struct str body)
{
	return key_fits(c, write_key(body)) ? CDP_KEY_RIGHT : CDP_KEY_WRONG;
}

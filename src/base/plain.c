/* A character is one of UTF-8's, or a single byte that is not UTF-8. What stays is copied; what
 * could command a terminal or turn a text around becomes an escape of at most six bytes. */
#include "crumb/base/plain.h"

#include "crumb/base/code.h"

#include <stdio.h>

static size_t escape(char out[PLAIN_MOST], const char *fmt, unsigned value)
{
	char text[PLAIN_MOST + 1];
	size_t n = (size_t)snprintf(text, sizeof text, fmt, value);
	memcpy(out, text, n);
	return n;
}

/* C0, DEL and C1; embeddings and overrides of direction (U+202A … U+202E), isolates (U+2066 …
 * U+2069). */
static bool commands(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

size_t plain_char_so_far(struct str s, char out[PLAIN_MOST], size_t *n)
{
	/* the first byte wants more bytes than there are, and those that are there continue it */
	if (s.n < utf8_length((uint8_t)s.p[0])) {
		size_t i = 1;
		while (i < s.n && ((uint8_t)s.p[i] & 0xc0) == 0x80)
			i++;
		if (i == s.n)
			return 0;
	}
	return plain_char(s, out, n);
}

size_t plain_char(struct str s, char out[PLAIN_MOST], size_t *n)
{
	uint8_t first = (uint8_t)s.p[0];
	size_t length = utf8_length(first);
	uint32_t c = length == 1 ? first : first & (0x7fu >> length);
	if (first >= 0x80 && (s.n < length || utf8_valid(str_make(s.p, length)) != length)) {
		*n = escape(out, "\\x%02x", first);
		return 1;
	}
	for (size_t i = 1; i < length; i++)
		c = c << 6 | ((uint8_t)s.p[i] & 0x3f);
	if (commands(c)) {
		*n = escape(out, "\\u%04x", c);
	} else {
		memcpy(out, s.p, length);
		*n = length;
	}
	return length;
}

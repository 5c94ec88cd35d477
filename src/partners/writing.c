/* What several formats write alike: strings and times of JSON, and numbers in groups of seven bits.
 */
#include "formats.h"

#include "crumb/base/clock.h"

void format_json(struct buf *out, struct str s)
{
	buf_add(out, "\"", 1);
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];
		if (c == '"' || c == '\\')
			buf_addf(out, "\\%c", c);
		else if (c < 0x20)
			buf_addf(out, "\\u%04x", c);
		else
			buf_add(out, &s.p[i], 1);
	}
	buf_add(out, "\"", 1);
}

void format_varint(struct buf *out, uint64_t v)
{
	uint8_t b[10];
	size_t n = 0;
	for (; v >= 0x80; v >>= 7)
		b[n++] = (uint8_t)(v | 0x80);
	b[n++] = (uint8_t)v;
	buf_add(out, b, n);
}

void format_time(struct buf *out, uint32_t t)
{
	char text[TIME_TEXT];
	time_text(t, text);
	buf_addf(out, "\"%s\"", text);
}

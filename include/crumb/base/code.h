/* Text forms of bytes: hex, base64url without padding (RFC 4648 section 5), percent-encoding (RFC
 * 3986); UTF-8; big-endian integers. Pure functions; any thread. */
#ifndef CRUMB_BASE_CODE_H
#define CRUMB_BASE_CODE_H

#include "crumb/base/str.h"

#define B64URL_LEN(n) (((n)*4 + 2) / 3)

void hex_encode(const uint8_t *in, size_t n, char *out); /* writes 2n characters, no terminator */
bool hex_decode(struct str in, uint8_t *out, size_t n);	 /* exactly 2n hex digits */
/* Writes B64URL_LEN(n) characters, no terminator. */
void b64url_encode(const uint8_t *in, size_t n, char *out);
/* Exactly n bytes. Stray bits at the end are refused, so each value has one text. */
bool b64url_decode(struct str in, uint8_t *out, size_t n);
/* Decodes %XX from in to out, which may be the same memory. What is no valid escape stays as it is.
 * Returns how many bytes were written, never more than in.n. form_decode() makes a blank of '+',
 * too, as forms and queries want it. */
size_t percent_decode(struct str in, char *out);
size_t form_decode(struct str in, char *out);
/* Length of the longest prefix that is well-formed UTF-8 (RFC 3629). */
size_t utf8_valid(struct str s);
/* Bytes of the character that begins with `lead`, as far as that byte tells: 1 to 4. 1 for a byte
 * that begins none, too. */
static inline size_t utf8_length(uint8_t lead)
{
	if (lead < 0xc0)
		return 1;
	if (lead < 0xe0)
		return 2;
	return lead < 0xf0 ? 3 : 4;
}

static inline void put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v;
}
static inline void put_u32(uint8_t *p, uint32_t v)
{
	put_u16(p, (uint16_t)(v >> 16)), put_u16(p + 2, (uint16_t)v);
}
static inline void put_u64(uint8_t *p, uint64_t v)
{
	put_u32(p, (uint32_t)(v >> 32)), put_u32(p + 4, (uint32_t)v);
}
static inline uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)get_u16(p) << 16 | get_u16(p + 2);
}
static inline uint64_t get_u64(const uint8_t *p)
{
	return (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
}

#endif

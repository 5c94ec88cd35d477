/* Hex, base64url, percent-encoding and UTF-8: one pass over the text each, no memory of their own.
 *
 * base64url keeps the bits that are not written yet in `acc`, of which the lowest `bits` count:
 * three bytes go in as 24 bits and come out as four characters of six. */
#include "crumb/base/code.h"

static const char HEX[] = "0123456789abcdef";
static const char B64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void hex_encode(const uint8_t *in, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = HEX[in[i] >> 4];
		out[2 * i + 1] = HEX[in[i] & 15];
	}
}

static int hex_value(char c)
{
	if (chr_digit(c))
		return c - '0';
	c = chr_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(struct str in, uint8_t *out, size_t n)
{
	if (in.n != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int hi = hex_value(in.p[2 * i]), lo = hex_value(in.p[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

void b64url_encode(const uint8_t *in, size_t n, char *out)
{
	uint32_t acc = 0;
	int bits = 0;
	for (size_t i = 0; i < n; i++) {
		acc = acc << 8 | in[i];
		bits += 8;
		while (bits >= 6) {
			bits -= 6;
			*out++ = B64[acc >> bits & 63];
		}
	}
	if (bits)
		*out = B64[acc << (6 - bits) & 63];
}

/* By byte: the value of the character plus one; 0: no character of the alphabet. */
/* clang-format off */
static const uint8_t B64_VALUES[256] = {
	['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7,
	['H'] = 8, ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
	['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
	['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
	['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
	['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
	['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63,
	['_'] = 64,
};
/* clang-format on */

bool b64url_decode(struct str in, uint8_t *out, size_t n)
{
	if (in.n != B64URL_LEN(n))
		return false;
	uint32_t acc = 0;
	int bits = 0;
	size_t o = 0;
	for (size_t i = 0; i < in.n; i++) {
		uint32_t v = B64_VALUES[(uint8_t)in.p[i]];
		if (v == 0)
			return false;
		acc = acc << 6 | (v - 1);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[o++] = (uint8_t)(acc >> bits);
		}
	}
	/* the bits that are left of the last character say nothing, so they must be zero */
	return (acc & ((1u << bits) - 1)) == 0;
}

/* Writes never more than was read, so `out` may be the text itself. */
static inline size_t decode(struct str in, char *out, bool plus)
{
	size_t o = 0;
	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];
		int hi, lo;
		if (c == '%' && i + 2 < in.n && (hi = hex_value(in.p[i + 1])) >= 0 &&
		    (lo = hex_value(in.p[i + 2])) >= 0) {
			c = (char)(hi << 4 | lo);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		out[o++] = c;
	}
	return o;
}

size_t percent_decode(struct str in, char *out)
{
	return decode(in, out, false);
}

size_t form_decode(struct str in, char *out)
{
	return decode(in, out, true);
}

/* A lead byte says how many bytes of 10xxxxxx follow (RFC 3629 section 4). c0, c1 and f5 to ff
 * begin no character. */
size_t utf8_valid(struct str s)
{
	size_t i = 0;
	while (i < s.n) {
		uint8_t c = (uint8_t)s.p[i];
		if (c < 0x80) {
			i++;
			continue;
		}
		if (c < 0xc2 || c > 0xf4)
			return i;
		size_t more = utf8_length(c) - 1;
		if (i + more >= s.n)
			return i;
		for (size_t k = 1; k <= more; k++)
			if (((uint8_t)s.p[i + k] & 0xc0) != 0x80)
				return i;
		/* no longer form than needed, no surrogates, nothing above U+10FFFF */
		uint8_t d = (uint8_t)s.p[i + 1];
		if ((c == 0xe0 && d < 0xa0) || (c == 0xed && d > 0x9f) || (c == 0xf0 && d < 0x90) ||
		    (c == 0xf4 && d > 0x8f))
			return i;
		i += more + 1;
	}
	return i;
}

/* Folding of text for word matching: what a reader takes for the same word is the same bytes. */
#include "crumb/rules/match.h"

/* Latin letters with marks, U+00C0 to U+017F, as the plain letters a reader would type; ' ' where there is none. */
static const char *const LATIN =
    /* 00C0 */ "aaaaaa\001ceeeeiiiidnooooo ouuuuy\002\003aaaaaa\001ceeeeiiiidnooooo ouuuuy\002y"
	       /* 0100 */ "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii\004\004jjkkkllllllllllnnnnnnnnnoooooo\005\005rrrrrrsssssssstttttt"
	       "uuuuuuuuuuuuwwyyyzzzzzzs";
static const char *const PAIRS[] = {"", "ae", "th", "ss", "ij", "oe"};

/* Reads one code point; what is not UTF-8 reads as a blank. */
static uint32_t next_point(struct str s, size_t *at)
{
	uint8_t c = (uint8_t)s.p[*at];
	size_t more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : 9;
	if (more == 9 || *at + more >= s.n) {
		(*at)++;
		return ' ';
	}
	uint32_t v = more == 0 ? c : c & (0x3fu >> more);
	for (size_t i = 1; i <= more; i++) {
		uint8_t d = (uint8_t)s.p[*at + i];
		if ((d & 0xc0) != 0x80) {
			(*at)++;
			return ' ';
		}
		v = v << 6 | (d & 0x3f);
	}
	*at += more + 1;
	return v;
}

static size_t put_point(uint32_t v, char out[4])
{
	if (v < 0x80) {
		out[0] = (char)v;
		return 1;
	}
	if (v < 0x800) {
		out[0] = (char)(0xc0 | v >> 6);
		out[1] = (char)(0x80 | (v & 63));
		return 2;
	}
	if (v < 0x10000) {
		out[0] = (char)(0xe0 | v >> 12);
		out[1] = (char)(0x80 | (v >> 6 & 63));
		out[2] = (char)(0x80 | (v & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | v >> 18);
	out[1] = (char)(0x80 | (v >> 12 & 63));
	out[2] = (char)(0x80 | (v >> 6 & 63));
	out[3] = (char)(0x80 | (v & 63));
	return 4;
}

/* The folded form of one code point; empty for marks that only decorate, a blank for what separates words. */
static size_t fold_point(uint32_t v, char out[4])
{
	if (v < 0x80) {
		char c = chr_lower((char)v);
		out[0] = chr_digit(c) || (c >= 'a' && c <= 'z') ? c : ' ';
		return 1;
	}
	if (v >= 0x300 && v <= 0x36f)
		return 0; /* combining marks */
	if (v >= 0xc0 && v <= 0x17f) {
		char c = LATIN[v - 0xc0];
		if (c > 0 && c < 6) {
			memcpy(out, PAIRS[(int)c], 2);
			return 2;
		}
		out[0] = c;
		return 1;
	}
	if ((v >= 0x391 && v <= 0x3a9) || (v >= 0x410 && v <= 0x42f))
		v += 0x20; /* Greek and Cyrillic capitals */
	else if (v >= 0x400 && v <= 0x40f)
		v += 0x50;
	else if (v < 0xc0 || (v >= 0x2000 && v <= 0x206f) || (v >= 0x3000 && v <= 0x3002))
		v = ' '; /* punctuation */
	return put_point(v, out);
}

size_t rules_fold_words(struct str text, char *out, size_t cap)
{
	size_t n = 0;
	if (cap < 2)
		return 0;
	out[n++] = ' ';
	for (size_t at = 0; at < text.n;) {
		char folded[4];
		size_t len = fold_point(next_point(text, &at), folded);
		if (n + len + 1 > cap)
			break;
		if (len == 1 && folded[0] == ' ') {
			if (out[n - 1] != ' ')
				out[n++] = ' ';
			continue;
		}
		memcpy(out + n, folded, len);
		n += len;
	}
	if (out[n - 1] != ' ')
		out[n++] = ' ';
	return n;
}

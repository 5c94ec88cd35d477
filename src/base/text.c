/* Folding of text, by Unicode's tables (utf8proc).
 *
 * A text is folded in chunks of 256 bytes, on the stack: no memory is allocated, and a long text
 * costs no more at once than a short one. A chunk is cut where no mark follows, so that a letter
 * and its marks are composed together. Each code point is decomposed and case-folded; then marks
 * are put in their canonical order, and letters and marks are composed again (UAX 15).
 *
 * Words go further: compatibility forms become plain, marks that only decorate are dropped, letters
 * such as ł and ø become what a reader would type, and everything that is no letter, mark or digit
 * becomes a blank. Values of visitors pass through here, so every buffer is wiped. */
#include "crumb/base/text.h"

#include <utf8proc.h>

#define CHUNK 256     /* bytes that are folded at once */
#define POINTS 1600   /* what they become at most: one character of three bytes may be eighteen */
#define COMPARED 1024 /* bytes of two texts */

bool text_plain(struct str s)
{
	size_t i = 0;
	uint64_t wide = 0, part;
	for (; i + sizeof part <= s.n; i += sizeof part) {
		memcpy(&part, s.p + i, sizeof part);
		wide |= part;
	}
	for (; i < s.n; i++)
		wide |= (uint64_t)(uint8_t)s.p[i];
	return !(wide & UINT64_C(0x8080808080808080));
}

/* --- points */

struct points {
	int32_t p[POINTS];
	size_t n;
};

/* The next code point; what is no UTF-8 is one byte of U+FFFD. */
static int32_t next(struct str s, size_t *at)
{
	int32_t v;
	utf8proc_ssize_t n =
	    utf8proc_iterate((const uint8_t *)s.p + *at, (utf8proc_ssize_t)(s.n - *at), &v);
	*at += n > 0 ? (size_t)n : 1;
	return n > 0 ? v : 0xfffd;
}

/* Marks, and the vowels and final consonants of Hangul, which compose with what is before them. */
static bool is_mark(int32_t v)
{
	utf8proc_category_t c = utf8proc_category(v);
	return c == UTF8PROC_CATEGORY_MN || c == UTF8PROC_CATEGORY_MC ||
	       c == UTF8PROC_CATEGORY_ME || (v >= 0x1160 && v <= 0x11ff);
}

/* Appends v in its decomposed form, folded as the options say. What does not fit is left out. */
static void add_point(struct points *x, int32_t v, int options)
{
	int bound = 0;
	utf8proc_ssize_t n =
	    v < 0x80 ? 0
		     : utf8proc_decompose_char(v, x->p + x->n, (utf8proc_ssize_t)(POINTS - x->n),
			   (utf8proc_option_t)options, &bound);
	if (v < 0x80 && x->n < POINTS)
		x->p[x->n++] = v;
	else if (n > 0 && x->n + (size_t)n <= POINTS)
		x->n += (size_t)n;
}

static int class_of(int32_t v)
{
	return v < 0x300 ? 0 : utf8proc_get_property(v)->combining_class;
}

/* Marks in their order, then letters and marks as one where there is one. */
static void compose(struct points *x)
{
	for (size_t i = 1; i < x->n; i++) {
		int32_t v = x->p[i];
		int class = class_of(v);
		size_t at = i;
		for (; class && at > 0 && class_of(x->p[at - 1]) > class; at--)
			x->p[at] = x->p[at - 1];
		x->p[at] = v;
	}
	utf8proc_ssize_t n = utf8proc_normalize_utf32(
	    x->p, (utf8proc_ssize_t)x->n, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
	x->n = n > 0 ? (size_t)n : 0;
}

/* How much of s is folded at once: it ends where no mark follows. */
static size_t chunk(struct str s)
{
	size_t at = 0, good = 0;
	if (s.n <= CHUNK)
		return s.n;
	while (at < CHUNK) {
		size_t before = at;
		if (!is_mark(next(s, &at)))
			good = before;
	}
	return good ? good : at;
}

/* --- folding */

enum how { WHOLE, REGEX }; /* REGEX: ASCII letters keep their case */

static void fold_chunk(struct str s, enum how how, struct points *x)
{
	x->n = 0;
	for (size_t at = 0; at < s.n;) {
		int32_t v = next(s, &at);
		if (v < 0x80 && how == WHOLE)
			v = chr_lower((char)v);
		size_t had = x->n;
		add_point(x, v == 0x131 ? 'i' : v,
		    UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
		for (size_t i = had; i < x->n; i++) /* the dot above an i is its own */
			if (x->p[i] == 0x307 && i && (x->p[i - 1] == 'i' || x->p[i - 1] == 'I')) {
				memmove(x->p + i, x->p + i + 1, (x->n - i - 1) * sizeof *x->p);
				x->n--, i--;
			}
	}
	compose(x);
}

static size_t fold(struct str s, enum how how, char *out, size_t cap)
{
	struct points x;
	size_t n = 0;
	while (s.n) {
		size_t part = chunk(s);
		fold_chunk(str_make(s.p, part), how, &x);
		s = str_skip(s, part);
		for (size_t i = 0; i < x.n; i++) {
			uint8_t bytes[4];
			size_t len = (size_t)utf8proc_encode_char(x.p[i], bytes);
			if (n + len > cap) {
				s.n = 0;
				break;
			}
			memcpy(out + n, bytes, len);
			n += len;
		}
		explicit_bzero(x.p, x.n * sizeof *x.p);
	}
	return n;
}

size_t text_fold(struct str s, char *out, size_t cap)
{
	return fold(s, WHOLE, out, cap);
}

size_t text_fold_regex(struct str s, char *out, size_t cap)
{
	char once[4 * COMPARED]; /* holds what the longest expression can become (load/pattern.c) */
	/* twice: a capital and its mark are composed to one letter first, which is made small then
	 */
	return fold(str_make(once, fold(s, REGEX, once, sizeof once)), REGEX, out, cap);
}

bool text_eq(struct str a, struct str b)
{
	char x[COMPARED], y[COMPARED];
	if (str_ieq(a, b))
		return true;
	if ((text_plain(a) && text_plain(b)) || a.n > COMPARED / 3 || b.n > COMPARED / 3)
		return false;
	return str_eq(
	    str_make(x, text_fold(a, x, sizeof x)), str_make(y, text_fold(b, y, sizeof y)));
}

bool text_glob(struct str folded_pattern, struct str s)
{
	char x[COMPARED];
	return str_iglob(
	    folded_pattern, text_plain(s) ? s : str_make(x, text_fold(s, x, sizeof x)));
}

/* --- words */

/* Small Latin letters that are no letter and a mark, as a reader would type them. */
static const char *plain_latin(int32_t v)
{
	switch (v) {
	case 0xe6:
		return "ae";
	case 0xf0:
	case 0x111:
		return "d";
	case 0xf8:
		return "o";
	case 0xfe:
		return "th";
	case 0x127:
		return "h";
	case 0x131:
		return "i";
	case 0x138:
		return "k";
	case 0x142:
		return "l";
	case 0x14b:
		return "n";
	case 0x153:
		return "oe";
	case 0x167:
		return "t";
	default:
		return NULL;
	}
}

static bool between(int32_t v, int32_t first, int32_t last)
{
	return v >= first && v <= last;
}

/* Marks of scripts whose readers do without: of Latin, Greek and Cyrillic, the points of Hebrew,
 * the vowels of Arabic. Those that make another letter (й, ї, が, the vowels of India) stay. */
static bool decorates(int32_t mark, int32_t base)
{
	if (between(base, 0x400, 0x4ff))
		return between(mark, 0x300, 0x36f) &&
		       !(mark == 0x306 || (mark == 0x308 && base == 0x456) ||
			   (mark == 0x301 && (base == 0x433 || base == 0x43a)));
	return between(mark, 0x300, 0x36f) || between(mark, 0x1ab0, 0x1aff) ||
	       between(mark, 0x1dc0, 0x1dff) || between(mark, 0x20d0, 0x20ff) ||
	       between(mark, 0xfe20, 0xfe2f) || between(mark, 0x591, 0x5c7) ||
	       between(mark, 0x610, 0x61a) || between(mark, 0x640, 0x640) ||
	       between(mark, 0x64b, 0x65f) || mark == 0x670 || between(mark, 0x6d6, 0x6ed);
}

static bool of_words(int32_t v)
{
	utf8proc_category_t c = utf8proc_category(v);
	return (c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_NO) ||
	       between(v, 0x1f000, 0x1faff); /* pictures are words of their own kind */
}

static void words_chunk(struct str s, struct points *x)
{
	struct points one;
	int32_t base = ' ';
	x->n = 0;
	for (size_t at = 0; at < s.n;) {
		int32_t v = next(s, &at);
		one.n = 0;
		if (utf8proc_category(v) == UTF8PROC_CATEGORY_SO && !of_words(v)) /* ™ is no tm */
			v = ' ';
		add_point(&one, v,
		    UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
		for (size_t i = 0; i < one.n; i++) {
			const char *letters = plain_latin(one.p[i]);
			if (decorates(one.p[i], base))
				continue;
			if (!is_mark(one.p[i]))
				base = one.p[i];
			for (const char *c = letters; c && *c; c++)
				add_point(x, *c, 0);
			if (!letters && x->n < POINTS)
				x->p[x->n++] = of_words(one.p[i]) ? one.p[i] : ' ';
		}
	}
	explicit_bzero(one.p, one.n * sizeof *one.p);
	compose(x);
}

/* One character behind the words that are there; false when there is no room. */
static bool put_word_point(int32_t v, char *out, size_t cap, size_t *n)
{
	uint8_t bytes[4];
	bool blank = v < 0x80 && !chr_digit((char)v) && !chr_alpha((char)v);
	size_t len = blank ? 1 : (size_t)utf8proc_encode_char(v, bytes);
	if (*n + len + 1 > cap)
		return false;
	if (blank && out[*n - 1] == ' ')
		return true;
	memcpy(out + *n, blank ? (const uint8_t *)" " : bytes, len);
	*n += len;
	return true;
}

/* How many bytes at the beginning are not ASCII. */
static size_t run_of_wide(struct str s)
{
	size_t n = 0;
	while (n < s.n && (uint8_t)s.p[n] >= 0x80)
		n++;
	return n;
}

size_t text_words(struct str s, char *out, size_t cap)
{
	size_t n = 0;
	bool room = true;
	if (cap < 2)
		return 0;
	out[n++] = ' ';
	for (size_t at = 0; at < s.n && room;) {
		if ((uint8_t)s.p[at] < 0x80) {
			room = put_word_point(chr_lower(s.p[at++]), out, cap, &n);
			continue;
		}
		struct points x;
		struct str wide = str_skip(s, at);
		wide.n = run_of_wide(wide);
		wide.n = chunk(wide);
		words_chunk(wide, &x);
		at += wide.n;
		for (size_t i = 0; i < x.n && room; i++)
			room = put_word_point(x.p[i], out, cap, &n);
		explicit_bzero(x.p, x.n * sizeof *x.p);
	}
	if (out[n - 1] != ' ')
		out[n++] = ' ';
	return n;
}

bool text_runs_on(struct str s)
{
	for (size_t at = 0; at < s.n;) {
		int32_t v = next(s, &at);
		if (between(v, 0xe00, 0xeff) || between(v, 0xf00, 0xfff) ||
		    between(v, 0x1000, 0x109f) || between(v, 0x1780, 0x17ff) ||
		    between(v, 0x2e80, 0x2fdf) || between(v, 0x3040, 0x30ff) ||
		    between(v, 0x31f0, 0x31ff) || between(v, 0x3400, 0x9fff) ||
		    between(v, 0xf900, 0xfaff) || between(v, 0xff66, 0xff9f) ||
		    between(v, 0x20000, 0x3ffff))
			return true;
	}
	return false;
}

/* What names a person in a host, a path or a value, by its looks.
 *
 * scrub_look() asks the looks below one after the other: does the text look like an e-mail address,
 * a number, an address of the net, a pair with a personal name, a token? None of them knows what a
 * text means, so each draws a line between what sites use (words, slugs, dates, article numbers)
 * and what names somebody; the unit test has some hundred of both. In doubt a text is replaced: a
 * lost word of a path costs a rule a match, a kept one may cost somebody more.
 *
 * Most texts are plain words. made_of() finds in one pass which kinds of characters there are, and
 * only looks that need them are asked: for "sneakers" none but token_like(), which ends at once,
 * because the word is shorter than TOKEN_LEAST.
 *
 * A text may be percent-encoded, several times over. It is looked at as it came, and after each of
 * up to three decodings. */
#include "crumb/privacy/scrub.h"

#include "crumb/base/code.h"

#define DECODES 3      /* times that a text may be percent-encoded */
#define TOKEN_LEAST 12 /* bytes of the shortest text that token_run() and token_like() find */

/* What a text is made of. */
enum {
	HAS_DIGIT = 1,
	HAS_UPPER = 2,
	HAS_LOWER = 4,
	HAS_SIGN = 8, /* ( [ { < & \ = */
	HAS_COLON = 16,
	HAS_DOT = 32,
	HAS_AT = 64,	/* @ and its wide forms */
	HAS_OTHER = 128 /* - _ + and blanks */
};
static const uint8_t class_of[256] = {['0' ... '9'] = HAS_DIGIT,
    ['A' ... 'Z'] = HAS_UPPER,
    ['a' ... 'z'] = HAS_LOWER,
    ['('] = HAS_SIGN,
    ['['] = HAS_SIGN,
    ['{'] = HAS_SIGN,
    ['<'] = HAS_SIGN,
    ['&'] = HAS_SIGN,
    ['\\'] = HAS_SIGN,
    ['='] = HAS_SIGN,
    [':'] = HAS_COLON,
    ['.'] = HAS_DOT,
    ['@'] = HAS_AT,
    [0xef] = HAS_AT,
    ['-'] = HAS_OTHER,
    ['_'] = HAS_OTHER,
    [' '] = HAS_OTHER,
    ['+'] = HAS_OTHER};

static unsigned made_of(struct str s)
{
	unsigned has = 0;
	for (size_t i = 0; i < s.n; i++)
		has |= class_of[(uint8_t)s.p[i]];
	return has;
}

/* x@y: hosts without a dot name people, too. "@handle", with nothing before the sign, is a public
 * page. */
static bool at_sign_names_somebody(struct str s)
{
	static const struct str wide[] = {
	    {"\xef\xbc\xa0", 3}, {"\xef\xb9\xab", 3}}; /* U+FF20, U+FE6B */
	for (size_t i = 1; i + 1 < s.n; i++) {
		if (s.p[i] == '@')
			return true;
		for (int w = 0; w < 2; w++)
			if (str_starts(str_skip(s, i), wide[w]) && i + 3 < s.n)
				return true;
	}
	return false;
}

/* Where the word ends that stands between separators somewhere after `from`. 0: nowhere. */
static size_t word_after(struct str s, size_t from, struct str word)
{
	for (size_t i = from + 1; i + word.n < s.n; i++) {
		bool left = !chr_alpha(s.p[i - 1]) && !chr_digit(s.p[i - 1]),
		     right = !chr_alpha(s.p[i + word.n]) && !chr_digit(s.p[i + word.n]);
		if (left && right && str_ieq(str_make(s.p + i, word.n), word))
			return i + word.n;
	}
	return 0;
}

/* Words and entities that stand for the signs of an address. */
static bool at_word_names_somebody(struct str s)
{
	static const struct str signs[] = {{"(at)", 4}, {"[at]", 4}, {"{at}", 4}, {"<at>", 4},
	    {"&#64;", 5}, {"&#x40;", 6}, {"&commat;", 8}, {"\\u0040", 6}, {"=40", 3}};
	for (size_t k = 1; k < s.n; k++) {
		if (class_of[(uint8_t)s.p[k]] != HAS_SIGN)
			continue;
		for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
			if (s.p[k] == signs[i].p[0] && k + signs[i].n < s.n &&
			    str_ieq(str_make(s.p + k, signs[i].n), signs[i]))
				return true;
	}
	return false;
}

/* jane-at-example-dot-org */
static bool words_name_somebody(struct str s)
{
	size_t at = word_after(s, 0, STR("at"));
	return at && word_after(s, at, STR("dot"));
}

/* Of both alphabets, RFC 4648 4 and 5; -1: of neither. */
static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (chr_digit(c))
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* Is a run of base64 printable text with an address in it? The run itself shows no sign of that. */
static bool base64_hides_address(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char text[SCRUB_SEGMENT_MAX];
		size_t n = 0, from = i;
		uint32_t bits = 0;
		unsigned have = 0;
		bool printable = true;
		for (; i < s.n && base64_value(s.p[i]) >= 0 && n < sizeof text; i++) {
			bits = bits << 6 | (uint32_t)base64_value(s.p[i]);
			have += 6;
			if (have < 8)
				continue;
			have -= 8;
			text[n] = (char)(bits >> have & 0xff);
			printable &= text[n] >= 0x20 && text[n] < 0x7f;
			n++;
		}
		if (i - from >= TOKEN_LEAST && printable &&
		    at_sign_names_somebody(str_make(text, n)))
			return true;
	}
	return false;
}

static unsigned digits_at(struct str s, size_t at)
{
	unsigned n = 0;
	while (at + n < s.n && chr_digit(s.p[at + n]))
		n++;
	return n;
}

/* Four numbers up to 255 with dots between, and neither a fifth nor a letter behind. */
static bool is_ipv4_at(struct str s, size_t at)
{
	for (int part = 0; part < 4; part++) {
		unsigned n = digits_at(s, at), v = 0;
		for (unsigned k = 0; k < n && n <= 3; k++)
			v = v * 10 + (unsigned)(s.p[at + k] - '0');
		if (n == 0 || n > 3 || v > 255)
			return false;
		at += n;
		if (part < 3 && (at >= s.n || s.p[at++] != '.'))
			return false;
	}
	return at >= s.n || (s.p[at] != '.' && !chr_alpha(s.p[at]));
}

/* "00-1a-2b-3c-4d-5e". Those with colons are found by address_like() itself. */
static bool is_mac_at(struct str s, size_t at)
{
	for (int pair = 0; pair < 6; pair++, at += 3) {
		if (at + 2 > s.n || (pair < 5 && (at + 2 == s.n || s.p[at + 2] != '-')))
			return false;
		for (int i = 0; i < 2; i++) {
			char c = chr_lower(s.p[at + (size_t)i]);
			if (!chr_digit(c) && !(c >= 'a' && c <= 'f'))
				return false;
		}
	}
	return at > s.n || (!chr_digit(s.p[at - 1]) && !chr_alpha(s.p[at - 1]));
}

/* "52.520" in "52.520,13.405": degrees with three decimal places or more, some hundred metres. */
static bool is_degrees_at(struct str s, size_t at, size_t *end)
{
	if (at < s.n && (s.p[at] == '-' || s.p[at] == '+'))
		at++;
	unsigned whole = digits_at(s, at), rest;
	if (whole < 1 || whole > 3 || at + whole >= s.n || s.p[at + whole] != '.' ||
	    (rest = digits_at(s, at + whole + 1)) < 3)
		return false;
	*end = at + whole + 1 + rest;
	return true;
}

/* An address of the net, or two degrees. Of a run of hex and colons, four colons or two in a row
 * are an IPv6 address or a MAC; "12:30:00" has two. */
static bool address_like(struct str s)
{
	unsigned colons = 0; /* of the run at hand */
	for (size_t i = 0; i < s.n; i++) {
		char c = chr_lower(s.p[i]);
		size_t end;
		bool begins = i == 0 || (!chr_digit(s.p[i - 1]) && !chr_alpha(s.p[i - 1]) &&
					    s.p[i - 1] != '.');
		if (begins && (is_ipv4_at(s, i) || is_mac_at(s, i)))
			return true;
		if (begins && is_degrees_at(s, i, &end) && end < s.n &&
		    (s.p[end] == ',' || s.p[end] == ';') && is_degrees_at(s, end + 1, &end))
			return true;
		if (c == ':' && (++colons == 4 || (i > 0 && s.p[i - 1] == ':')))
			return true;
		if (c != ':' && !chr_digit(c) && !(c >= 'a' && c <= 'f'))
			colons = 0;
	}
	return false;
}

/* "email=x", alone or among other pairs. */
static bool pair_names_somebody(struct str s)
{
	while (s.n) {
		size_t end = 0;
		while (end < s.n && s.p[end] != '&' && s.p[end] != ',' && s.p[end] != '|')
			end++;
		size_t eq = str_find(str_make(s.p, end), '=');
		if (eq + 1 < end && scrub_name_is_personal(str_trim(str_make(s.p, eq))))
			return true;
		s = str_skip(s, end + 1);
	}
	return false;
}

static bool number_glue(char c)
{
	return c == ' ' || c == '+' || c == '-' || c == '.' || c == '(' || c == ')' || c == '_';
}

/* Eight digits that are a day, as in 20240131. */
static bool is_date(const char *d)
{
	int month = (d[4] - '0') * 10 + (d[5] - '0'), day = (d[6] - '0') * 10 + (d[7] - '0');
	bool century = (d[0] == '1' && d[1] == '9') || (d[0] == '2' && d[1] == '0');
	return century && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* Seven digits in one run, or nine with glue between them. A day is ordinary, as one run or with
 * glue, and ends the digits before it. */
static bool number_like(struct str s)
{
	char seen[16]; /* the digits of this number, without glue */
	unsigned glued = 0;
	for (size_t i = 0; i < s.n;) {
		size_t run = 0;
		while (i + run < s.n && chr_digit(s.p[i + run]))
			run++;
		if (run == 8 && is_date(s.p + i)) {
			glued = 0;
		} else if (run >= 7) {
			return true;
		} else {
			for (size_t k = 0; k < run; k++, glued++)
				if (glued < sizeof seen)
					seen[glued] = s.p[i + k];
			if (glued >= 9)
				return true;
			if (run && glued == 8 && is_date(seen))
				glued = 0;
		}
		i += run;
		for (; i < s.n && !chr_digit(s.p[i]); i++)
			if (!number_glue(s.p[i]))
				glued = 0;
	}
	return false;
}

/* A run of letters and digits, without the '-', '_' and '.' of slugs: is it one that no word is? */
static bool token_run(struct str s)
{
	unsigned digits = 0, upper = 0, lower = 0, hex = 0, switches = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool d = chr_digit(c), u = c >= 'A' && c <= 'Z';
		digits += d;
		upper += u;
		lower += !d && !u;
		hex += d || (chr_lower(c) >= 'a' && chr_lower(c) <= 'f');
		if (i && d != chr_digit(s.p[i - 1]))
			switches++;
	}
	if (hex == s.n && s.n >= 12 && digits && digits < s.n)
		return true;
	if (hex == s.n && s.n >= 24)
		return true;
	if (s.n >= 16 && digits >= 2 && switches >= 3)
		return true;
	if (s.n >= 20 && upper >= 3 && lower >= 3 && digits)
		return true;
	/* without digits, many capitals; with few it is words written together */
	return s.n >= 32 && (digits || (upper > s.n / 3 && lower >= 4));
}

/* A run that token_run() finds, or groups of hex as in a UUID. */
static bool has_token_run(struct str s)
{
	unsigned hex_groups = 0, hex_total = 0;
	for (size_t i = 0; i < s.n;) {
		size_t from = i;
		bool hex = true, digit = false;
		while (i < s.n && (chr_alpha(s.p[i]) || chr_digit(s.p[i]) || s.p[i] == '%' ||
				      s.p[i] == '+' || s.p[i] == '=' || s.p[i] == '~')) {
			char c = chr_lower(s.p[i]);
			hex &= chr_digit(c) || (c >= 'a' && c <= 'f');
			digit |= chr_digit(c);
			i++;
		}
		if (token_run(str_make(s.p + from, i - from)))
			return true;
		if (hex && digit && i - from >= 4)
			hex_groups++, hex_total += (unsigned)(i - from);
		if (i == from)
			i++;
	}
	return hex_groups >= 3 && hex_total >= 16;
}

enum letter { LETTER_NONE, LETTER_DIGIT, LETTER_UPPER, LETTER_LOWER };

static enum letter letter_of(char c)
{
	if (chr_digit(c))
		return LETTER_DIGIT;
	if (c >= 'A' && c <= 'Z')
		return LETTER_UPPER;
	return c >= 'a' && c <= 'z' ? LETTER_LOWER : LETTER_NONE;
}

/* base64url, whose '-' and '_' cut it into runs too short for token_run(). Counts how often the
 * kind of letter changes within a word, but for a capital at its beginning: seldom in words, often
 * in base64. "Running-Shoes" has no change, "x7Kq-2Lm9_Tz" six. */
static bool letters_change(struct str s)
{
	unsigned digits = 0, upper = 0, lower = 0, changes = 0;
	enum letter before = LETTER_NONE, first = LETTER_NONE;
	for (size_t i = 0; i < s.n; i++) {
		enum letter kind = letter_of(s.p[i]);
		digits += kind == LETTER_DIGIT;
		upper += kind == LETTER_UPPER;
		lower += kind == LETTER_LOWER;
		bool capital =
		    first == LETTER_UPPER && before == LETTER_UPPER && kind == LETTER_LOWER;
		changes += before && kind && kind != before && !capital;
		first = before ? LETTER_NONE : kind;
		before = kind;
	}
	if (s.n >= 18 && digits >= 1 && upper >= 3 && lower >= 3 && changes >= 6)
		return true;
	return s.n >= 32 && upper > s.n / 3 && lower >= 4 && changes >= 8;
}

static bool token_like(struct str s)
{
	if (s.n > SCRUB_SEGMENT_MAX)
		return true;
	return s.n >= TOKEN_LEAST && (has_token_run(s) || letters_change(s));
}

/* Looks at the text as it came, and after each decoding. For a token only the first and the last
 * form are looked at. */
enum scrub_kind scrub_look(struct str s)
{
	char once[512];
	struct str cur = s;
	for (int i = 0; i <= DECODES; i++) {
		unsigned has = made_of(cur);
		if ((has & HAS_AT && at_sign_names_somebody(cur)) ||
		    (has & HAS_SIGN && at_word_names_somebody(cur)) ||
		    (has & (HAS_OTHER | HAS_DOT) && cur.n >= TOKEN_LEAST &&
			words_name_somebody(cur)) ||
		    (has & HAS_UPPER && has & HAS_LOWER && cur.n >= TOKEN_LEAST &&
			base64_hides_address(cur)))
			return SCRUB_EMAIL;
		if (has & HAS_DIGIT && number_like(cur))
			return SCRUB_NUMBER;
		if ((has & HAS_COLON || (has & HAS_DIGIT && has & (HAS_DOT | HAS_OTHER))) &&
		    address_like(cur))
			return SCRUB_NUMBER;
		if (has & HAS_SIGN && pair_names_somebody(cur))
			return SCRUB_TOKEN;
		if (str_find(cur, '%') == cur.n || cur.n > sizeof once)
			break;
		size_t n = percent_decode(cur, once);
		if (n == cur.n)
			break;
		cur = str_make(once, n);
	}
	return token_like(s) || (cur.p != s.p && token_like(cur)) ? SCRUB_TOKEN : SCRUB_NONE;
}

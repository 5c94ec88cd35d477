/* Strings as views: comparing, finding, cutting, numbers, globs. Plain loops; the C library's
 * memchr() and memmem() where they do the same. */
#include "crumb/base/str.h"

#include <stdlib.h>

bool str_ieq(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (chr_lower(a.p[i]) != chr_lower(b.p[i]))
			return false;
	return true;
}

bool str_has(struct str s, struct str needle)
{
	return needle.n == 0 || (s.n && memmem(s.p, s.n, needle.p, needle.n) != NULL);
}

bool str_ihas(struct str s, struct str lower_needle)
{
	for (size_t i = 0; i + lower_needle.n <= s.n; i++)
		if (str_ieq(str_make(s.p + i, lower_needle.n), lower_needle))
			return true;
	return false;
}

size_t str_find(struct str s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
	return at ? (size_t)(at - s.p) : s.n;
}

static bool str_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.n && str_blank(s.p[0]))
		s.p++, s.n--;
	while (s.n && str_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str str_unmarked(struct str s)
{
	return str_starts(s, STR("\xef\xbb\xbf")) ? str_skip(s, 3) : s;
}

bool str_cut(struct str *rest, char sep, struct str *part)
{
	if (!rest->p)
		return false;
	size_t at = str_find(*rest, sep);
	*part = str_make(rest->p, at);
	if (at == rest->n)
		*rest = (struct str){NULL, 0};
	else
		*rest = str_make(rest->p + at + 1, rest->n - at - 1);
	return true;
}

bool str_listed(struct str s, const char *words)
{
	struct str rest = str_c(words ? words : ""), word;
	while (str_cut(&rest, '|', &word))
		if (word.n && str_ieq(s, word))
			return true;
	return false;
}

bool str_u64(struct str s, uint64_t *out)
{
	uint64_t v = 0;
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!chr_digit(s.p[i]) || __builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return false;
	}
	*out = v;
	return true;
}

char *str_dup(struct str s)
{
	char *p = malloc(s.n + 1);
	if (p) {
		if (s.n)
			memcpy(p, s.p, s.n);
		p[s.n] = 0;
	}
	return p;
}

static bool same_chr(char a, char b, bool fold)
{
	return a == b || (fold && chr_lower(a) == chr_lower(b));
}

/* Goes over both at once. At a '*' it remembers where it was in both; when they differ further on,
 * the latest '*' takes one byte more and both go back there. The latest '*' is enough: whatever an
 * earlier one could take, the latest can. So the time is at most pattern × text, never more. */
static bool glob(struct str pattern, struct str s, bool fold)
{
	size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;
	while (i < s.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			mark = i;
		} else if (p < pattern.n && same_chr(pattern.p[p], s.p[i], fold)) {
			p++, i++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

bool str_glob(struct str pattern, struct str s)
{
	return glob(pattern, s, false);
}

bool str_iglob(struct str pattern, struct str s)
{
	return glob(pattern, s, true);
}

/* Strings as views: {pointer, length}, borrowed, not terminated. Whoever keeps a view keeps what it
 * points into. p is NULL in a view of nothing, and n is 0 then. Pure functions, but for str_dup(),
 * which allocates; any thread. */
#ifndef CRUMB_BASE_STR_H
#define CRUMB_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

#define STR(lit) ((struct str){(lit), sizeof(lit) - 1})
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str str_make(const char *p, size_t n)
{
	return (struct str){p, n};
}
static inline struct str str_c(const char *s)
{
	return (struct str){s, s ? strlen(s) : 0};
}
static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}
static inline struct str str_skip(struct str s, size_t n)
{
	return n >= s.n ? (struct str){s.p + s.n, 0} : (struct str){s.p + n, s.n - n};
}
static inline char chr_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}
static inline bool chr_digit(char c)
{
	return c >= '0' && c <= '9';
}
static inline bool chr_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Is it one of these? Never for a zero byte, which strchr() finds at the end of every set. */
static inline bool chr_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

bool str_ieq(struct str a, struct str b);	      /* ASCII case aside */
bool str_has(struct str s, struct str needle);	      /* needle anywhere in s */
bool str_ihas(struct str s, struct str lower_needle); /* the same, ASCII case aside */
size_t str_find(struct str s, char c);		      /* index, or s.n */
struct str str_trim(struct str s);		      /* without blanks at both ends */
/* Without the byte-order mark that some editors begin UTF-8 with. */
struct str str_unmarked(struct str s);
/* Cuts the part before the next `sep` off *rest. "a,,b" has three parts, "" has one. False when
 * all parts were given; rest->p is NULL then. */
bool str_cut(struct str *rest, char sep, struct str *part);
/* Is it one of "a|b|c", ASCII case aside? NULL has none. */
bool str_listed(struct str s, const char *words);
bool str_u64(struct str s, uint64_t *out); /* decimal digits only, no overflow */
char *str_dup(struct str s);		   /* heap, terminated; NULL without memory */
/* '*' any bytes, everything else itself; the second one ASCII case aside. */
bool str_glob(struct str pattern, struct str s);
bool str_iglob(struct str pattern, struct str s);

#endif

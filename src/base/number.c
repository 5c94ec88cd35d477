/* The grammar is checked here, since strtod() takes more than that: blanks in front, "inf", "nan",
 * hexadecimal. strtod() only computes the value. Its decimal point depends on the locale, which no
 * program of crumb sets. */
#include "crumb/base/number.h"

#include <math.h>
#include <stdlib.h>

#define NUMBER_MOST 128 /* bytes of a number, and the zero behind it for strtod() */

/* Takes the digits at *at; returns how many. */
static size_t digits(struct str s, size_t *at)
{
	size_t from = *at;
	while (*at < s.n && chr_digit(s.p[*at]))
		(*at)++;
	return *at - from;
}

static bool sign(struct str s, size_t *at)
{
	return *at < s.n && (s.p[*at] == '-' || s.p[*at] == '+') ? (*at)++, true : false;
}

bool number_read(struct str s, double *out)
{
	char text[NUMBER_MOST];
	size_t at = 0, any;
	(void)sign(s, &at);
	any = digits(s, &at);
	if (at < s.n && s.p[at] == '.') {
		at++;
		any += digits(s, &at);
	}
	if (any && at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
		at++;
		(void)sign(s, &at);
		any = digits(s, &at);
	}
	if (!any || at != s.n || s.n >= sizeof text)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = 0;
	double v = strtod(text, NULL);
	if (!isfinite(v))
		return false;
	*out = v;
	return true;
}

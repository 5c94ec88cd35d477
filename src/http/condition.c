#include "crumb/http/condition.h"

#include "crumb/base/clock.h"

#include <stdio.h>
#include <time.h>

/* --- dates */

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec",
		  days[] = "SunMonTueWedThuFriSat";

void http_date_write(int64_t t, char out[HTTP_DATE_TEXT])
{
	struct tm tm;
	char text[96];
	gmtime_r(&(time_t){t}, &tm);
	snprintf(text, sizeof text, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
	    days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
	memcpy(out, text, HTTP_DATE_TEXT - 1);
	out[HTTP_DATE_TEXT - 1] = 0;
}

/* A form: letters stand for what is read, everything else for itself. D day of the month, d the
 * same behind a blank, b month, Y and y year of four and of two digits, h m s. In front of it is
 * the name of the day, which says nothing new. */
static bool fits(struct str s, const char *form, struct tm *tm, bool *century)
{
	size_t at = 0;
	for (; *form; form++) {
		int *to = *form == 'D' || *form == 'd'	 ? &tm->tm_mday
			  : *form == 'Y' || *form == 'y' ? &tm->tm_year
			  : *form == 'h'		 ? &tm->tm_hour
			  : *form == 'm'		 ? &tm->tm_min
			  : *form == 's'		 ? &tm->tm_sec
							 : NULL;
		if (*form == 'b') {
			for (tm->tm_mon = 0;
			     tm->tm_mon < 12 &&
			     (s.n < at + 3 || memcmp(s.p + at, months + 3 * tm->tm_mon, 3) != 0);)
				tm->tm_mon++;
			if (tm->tm_mon == 12)
				return false;
			at += 3;
		} else if (to) {
			int digits = *form == 'Y' ? 4 : 2;
			*to = 0;
			for (int i = 0; i < digits; i++, at++) {
				bool blank = *form == 'd' && i == 0 && at < s.n && s.p[at] == ' ';
				if (at >= s.n || (!chr_digit(s.p[at]) && !blank))
					return false;
				*to = *to * 10 + (blank ? 0 : s.p[at] - '0');
			}
			*century |= *form == 'Y';
		} else if (at >= s.n || s.p[at++] != *form) {
			return false;
		}
	}
	return at == s.n;
}

bool http_date_read(struct str s, int64_t *t)
{
	static const char *const forms[] = {
	    ", D b Y h:m:s GMT", ", D-b-y h:m:s GMT", " b d h:m:s Y"};
	size_t name = 0;
	while (name < s.n && chr_alpha(s.p[name]))
		name++;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct tm tm = {0};
		bool century = false;
		if (name < 3 || !fits(str_skip(s, name), forms[i], &tm, &century))
			continue;
		if (tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 ||
		    tm.tm_sec > 60)
			return false;
		if (!century) { /* what looks more than 50 years ahead is in the past */
			time_t now = (time_t)clock_now();
			struct tm here;
			gmtime_r(&now, &here);
			tm.tm_year += (here.tm_year + 1900) / 100 * 100;
			tm.tm_year -= tm.tm_year > here.tm_year + 1900 + 50 ? 100 : 0;
		}
		tm.tm_year -= 1900;
		int day = tm.tm_mday;
		time_t found = timegm(&tm);
		if (tm.tm_mday != day)
			return false;
		*t = found;
		return true;
	}
	return false;
}

/* --- entity tags */

/* Is ours on the list? Compared strongly, a weak one is none. What is no list has nothing on it. */
static bool listed(struct str list, struct str etag, bool strongly)
{
	list = str_trim(list);
	if (str_eq(list, STR("*")))
		return true;
	while (list.n) {
		bool weak = str_starts(list, STR("W/"));
		if (list.p[0] == ',' || list.p[0] == ' ' || list.p[0] == '\t') {
			list = str_skip(list, 1);
			continue;
		}
		if (weak)
			list = str_skip(list, 2);
		if (list.n == 0 || list.p[0] != '"')
			return false;
		size_t end = str_find(str_skip(list, 1), '"') + 2; /* commas within are its own */
		if (end > list.n)
			return false;
		if (!(weak && strongly) && str_eq(str_make(list.p, end), etag))
			return true;
		list = str_skip(list, end);
	}
	return false;
}

int condition_of(const struct http_request *r, struct str etag, int64_t changed)
{
	const struct str *h = r->header;
	int64_t t;
	/* in the order of 13.2.2; a date that is none is not there */
	if (h[H_IF_MATCH].n) {
		if (!listed(h[H_IF_MATCH], etag, true))
			return 412;
	} else if (h[H_IF_UNMODIFIED_SINCE].n && http_date_read(h[H_IF_UNMODIFIED_SINCE], &t) &&
		   changed > t) {
		return 412;
	}
	if (h[H_IF_NONE_MATCH].n)
		return listed(h[H_IF_NONE_MATCH], etag, false) ? 304 : 200;
	return h[H_IF_MODIFIED_SINCE].n && http_date_read(h[H_IF_MODIFIED_SINCE], &t) &&
		       changed <= t
		   ? 304
		   : 200;
}

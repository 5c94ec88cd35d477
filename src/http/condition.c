/* Dates and entity tags of conditional requests: RFC 9110 5.6.7, 8.8.3 and 13.2.2. */
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

/* The form of a date is a text. Its letters stand for what is read, all else for itself:
 *
 *	D   day of the month, two digits	Y y   year, four or two digits
 *	d   the same, a blank for a zero	h m s
 *	b   "Jan" to "Dec"
 *
 * The name of the day comes before the form; it says nothing new. */
static int *form_place(char letter, struct tm *tm)
{
	switch (letter) {
	case 'D':
	case 'd':
		return &tm->tm_mday;
	case 'Y':
	case 'y':
		return &tm->tm_year;
	case 'h':
		return &tm->tm_hour;
	case 'm':
		return &tm->tm_min;
	case 's':
		return &tm->tm_sec;
	default:
		return NULL;
	}
}

/* 0 to 11, or 12: the text begins with no month. */
static int month_of(struct str s)
{
	int month = 0;
	while (month < 12 && (s.n < 3 || memcmp(s.p, months + 3 * month, 3) != 0))
		month++;
	return month;
}

/* Reads s by a form. *century is set when the year has four digits. */
static bool form_fits(struct str s, const char *form, struct tm *tm, bool *century)
{
	size_t at = 0;
	for (; *form; form++) {
		int *to = form_place(*form, tm);
		if (*form == 'b') {
			tm->tm_mon = month_of(str_skip(s, at));
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
		if (name < 3 || !form_fits(str_skip(s, name), forms[i], &tm, &century))
			continue;
		if (tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 ||
		    tm.tm_sec > 60)
			return false;
		if (!century) { /* a year more than 50 years ahead is in the past (RFC 9110) */
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

/* Is our tag on the list? In a strong comparison a weak tag equals none (RFC 9110 8.8.3.2). A text
 * that is no list has nothing on it. */
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
	/* In the order of RFC 9110 13.2.2. A field without a valid date is ignored. */
	if (h[H_IF_MATCH].n) {
		if (!listed(h[H_IF_MATCH], etag, true))
			return 412;
	} else if (h[H_IF_UNMODIFIED_SINCE].n && http_date_read(h[H_IF_UNMODIFIED_SINCE], &t) &&
		   changed > t) {
		return 412;
	}
	if (h[H_IF_NONE_MATCH].n)
		return listed(h[H_IF_NONE_MATCH], etag, false) ? 304 : 200;
	if (h[H_IF_MODIFIED_SINCE].n && http_date_read(h[H_IF_MODIFIED_SINCE], &t) && changed <= t)
		return 304;
	return 200;
}

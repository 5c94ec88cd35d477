/* The clocks of a node, and times and days as text.
 *
 * How a jump is told: CLOCK_BOOTTIME counts from the boot of the machine, also while it sleeps, and
 * nobody can set it. So wall time minus boot time is when the machine was booted, and stays the
 * same for as long as it runs. The first look remembers that time; a later look that finds it more
 * than an hour away knows that somebody set the wall clock.
 *
 * Texts are read by small functions that go over the text with a cursor, *at. Each takes one part
 * (digits, a character, a zone) and moves the cursor behind it, or returns false. */
#include "crumb/base/clock.h"

#include "crumb/base/ambient.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define JUMP_S 3600 /* as far as the wall clock may drift or be corrected without being a jump */

static int64_t seconds(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return ts.tv_sec;
}

uint32_t clock_now(void)
{
	return (uint32_t)(seconds(CLOCK_REALTIME) +
			  atomic_load_explicit(&ambient_mine->clock.offset, memory_order_relaxed));
}

uint64_t clock_mono_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

int64_t clock_offset(void)
{
	return atomic_load(&ambient_mine->clock.offset);
}

void clock_set_offset(int64_t s)
{
	atomic_store(&ambient_mine->clock.offset, s);
}

static int64_t wall_minus_boot(void)
{
	return seconds(CLOCK_REALTIME) - seconds(CLOCK_BOOTTIME);
}

bool clock_jumped(void)
{
	struct clock *c = &ambient_mine->clock;
	int64_t now = wall_minus_boot(), ref = atomic_load(&c->reference);
	if (ref == 0)
		atomic_store(&c->reference, now);
	else if (now - ref > JUMP_S || ref - now > JUMP_S)
		atomic_store(&c->jumped, true);
	return atomic_load(&c->jumped) || atomic_load(&c->doubted);
}

void clock_confirm(void)
{
	struct clock *c = &ambient_mine->clock;
	atomic_store(&c->reference, wall_minus_boot());
	atomic_store(&c->jumped, false);
}

void clock_doubt(void)
{
	atomic_store(&ambient_mine->clock.doubted, true);
}

void clock_believe(void)
{
	atomic_store(&ambient_mine->clock.doubted, false);
}

uint32_t clock_floor(void)
{
	return atomic_load_explicit(&ambient_mine->clock.floor, memory_order_relaxed);
}

uint32_t clock_views(void)
{
	uint32_t now = clock_now(), least = clock_floor();
	return now < least ? least + DAY_S : now;
}

void clock_set_floor(uint32_t t)
{
	atomic_store(&ambient_mine->clock.floor, t > CLOCK_LEAST ? t : CLOCK_LEAST);
}

/* The first seconds of these years. */
#define YEAR_0 -62167219200
#define YEAR_10000 253402300800

void time_text(int64_t t, char out[TIME_TEXT])
{
	time_t when = (time_t)(t < YEAR_0 ? YEAR_0 : t);
	struct tm tm;
	char text[80]; /* room for any numbers, as far as a compiler can see */
	if (when >= YEAR_10000)
		when = YEAR_10000 - 1;
	gmtime_r(&when, &tm);
	snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	memcpy(out, text, TIME_TEXT - 1);
	out[TIME_TEXT - 1] = 0;
}

void day_text(uint16_t day, char out[DAY_TEXT])
{
	char text[TIME_TEXT];
	time_text((int64_t)day * DAY_S, text);
	memcpy(out, text, DAY_TEXT - 1);
	out[DAY_TEXT - 1] = 0;
}

/* Reads exactly `digits` digits at *at. */
static bool clock_digits(const char *s, size_t n, size_t *at, int digits, int *out)
{
	int v = 0;
	for (int i = 0; i < digits; i++, (*at)++) {
		if (*at >= n || s[*at] < '0' || s[*at] > '9')
			return false;
		v = v * 10 + (s[*at] - '0');
	}
	*out = v;
	return true;
}

/* Takes one character, which is `a` or `b`. */
static bool literal(const char *s, size_t n, size_t *at, char a, char b)
{
	if (*at >= n || (s[*at] != a && s[*at] != b))
		return false;
	(*at)++;
	return true;
}

/* A zone: Z, or an offset with or without a colon (RFC 3339, ISO 8601's basic form); nothing is
 * UTC. */
static bool zone(const char *s, size_t n, size_t *at, int *offset_s)
{
	int h, m = 0;
	*offset_s = 0;
	if (*at == n || literal(s, n, at, 'Z', 'z'))
		return true;
	int sign = s[*at] == '-' ? -1 : 1;
	if (!literal(s, n, at, '+', '-') || !clock_digits(s, n, at, 2, &h))
		return false;
	if (*at < n && ((void)literal(s, n, at, ':', ':'), !clock_digits(s, n, at, 2, &m)))
		return false;
	*offset_s = sign * (h * 3600 + m * 60);
	return h <= 23 && m <= 59;
}

/* hh:mm[:ss[.fraction]]; second 60 is the next one, on whichever day. */
static bool time_of_day(const char *s, size_t n, size_t *at, int *out)
{
	int h, m, sec = 0;
	if (!clock_digits(s, n, at, 2, &h) || !literal(s, n, at, ':', ':') ||
	    !clock_digits(s, n, at, 2, &m))
		return false;
	if (*at < n && s[*at] == ':' && ((*at)++, !clock_digits(s, n, at, 2, &sec)))
		return false;
	/* ISO 8601 4.2.2.4: a point and a comma both mark a fraction */
	if (*at < n && (s[*at] == '.' || s[*at] == ',')) {
		size_t first = ++*at;
		while (*at < n && s[*at] >= '0' && s[*at] <= '9')
			(*at)++;
		if (*at == first)
			return false;
	}
	*out = h * 3600 + m * 60 + sec;
	return h <= 23 && m <= 59 && sec <= 60;
}

bool time_parse_rfc3339(const char *s, size_t n, int64_t *out)
{
	struct tm tm = {0};
	size_t at = 0;
	int y, mo, d, second = 0, offset_s = 0;
	if (!clock_digits(s, n, &at, 4, &y) || !literal(s, n, &at, '-', '-') ||
	    !clock_digits(s, n, &at, 2, &mo) || !literal(s, n, &at, '-', '-') ||
	    !clock_digits(s, n, &at, 2, &d))
		return false;
	if (y < 1 || mo < 1 || mo > 12 || d < 1 || d > 31)
		return false;
	if (at < n &&
	    ((!literal(s, n, &at, 'T', 't') && !literal(s, n, &at, ' ', ' ')) ||
		!time_of_day(s, n, &at, &second) ||
		((void)(at + 1 < n && s[at] == ' ' && at++), !zone(s, n, &at, &offset_s)) ||
		at != n))
		return false;
	tm.tm_year = y - 1900, tm.tm_mon = mo - 1, tm.tm_mday = d;
	time_t t = timegm(&tm); /* sets tm anew: of 31 February it makes a day in March */
	if (tm.tm_mday != d)
		return false;
	*out = (int64_t)t + second - offset_s;
	return true;
}

bool day_parse(const char *text, size_t n, uint16_t *day)
{
	int64_t t;
	if (n != DAY_TEXT - 1 || !time_parse_rfc3339(text, n, &t) || t < 0 ||
	    t / DAY_S > UINT16_MAX)
		return false;
	*day = (uint16_t)(t / DAY_S);
	return true;
}

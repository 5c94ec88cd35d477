#include "cdp_time.h"

#include "crumb/base/clock.h"

#define DATE 10 /* characters of YYYY-MM-DD */
#define HOUR_AND_MINUTE 5

bool cdp_time_read(struct str s, int64_t *t)
{
	char text[80];
	size_t n = 0, zone = DATE + 1;
	s = str_trim(s);
	if (s.n > sizeof text - sizeof ":00:00")
		return false;
	while (zone < s.n && !chr_one_of(s.p[zone], "+-Zz"))
		zone++;
	if (s.n <= DATE || zone > s.n)
		return time_parse_rfc3339(s.p, s.n, t); /* a date is its first second */
	for (; n < zone; n++)
		text[n] = s.p[n] == ',' ? '.' : s.p[n] == 't' ? 'T' : s.p[n]; /* ISO 8601 4.2.2.4: both mark a fraction */
	if (zone == DATE + 1 + HOUR_AND_MINUTE) {
		memcpy(text + n, ":00", 3);
		n += 3;
	}
	struct str rest = str_skip(s, zone);
	if (rest.n == 0)
		rest = STR("Z");
	bool closed = (rest.p[0] == '+' || rest.p[0] == '-') && str_find(rest, ':') == rest.n;
	size_t hours = closed && rest.n > 3 ? 3 : rest.n;
	memcpy(text + n, rest.p, hours);
	n += hours;
	if (closed) {
		text[n++] = ':';
		struct str minutes = rest.n > 3 ? str_skip(rest, 3) : STR("00");
		memcpy(text + n, minutes.p, minutes.n);
		n += minutes.n;
	}
	return time_parse_rfc3339(text, n, t);
}

enum reading { MISSING, READ, UNREADABLE };

static enum reading read_field(const json_t *o, const char *name, int64_t *t)
{
	const json_t *v = json_object_get(o, name);
	if (!v || json_is_null(v))
		return MISSING;
	return json_is_string(v) && cdp_time_read(str_make(json_string_value(v), json_string_length(v)), t) ? READ : UNREADABLE;
}

bool cdp_time(const json_t *message, const json_t *batch, int64_t now, int64_t *t)
{
	int64_t original, told, sent, received;
	enum reading o = read_field(message, "originalTimestamp", &original), m = read_field(message, "timestamp", &told);
	if (m == READ && read_field(message, "receivedAt", &received) == READ) {
		*t = told;
		return true;
	}
	if (o != READ && m == READ) {
		o = READ;
		original = told;
	}
	if (o != READ) {
		*t = now;
		return o == MISSING && m == MISSING;
	}
	bool by_clock = read_field(message, "sentAt", &sent) == READ || read_field(batch, "sentAt", &sent) == READ;
	*t = by_clock ? now - (sent - original) : original;
	return true;
}

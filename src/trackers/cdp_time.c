/* When a message happened; cdp_time.h says why its clock is not simply believed. The fields, by the
 * order in which they are asked: "timestamp" with "receivedAt", "originalTimestamp", "timestamp",
 * and "sentAt" of the message or its batch. */
#include "cdp_time.h"

#include "crumb/base/clock.h"

#define TEXT_MOST 64 /* bytes of a time */

bool cdp_time_read(struct str s, int64_t *t)
{
	s = str_trim(s);
	return s.n <= TEXT_MOST && time_parse_rfc3339(s.p, s.n, t);
}

enum reading { MISSING, READ, UNREADABLE };

static enum reading read_field(const json_t *o, const char *name, int64_t *t)
{
	const json_t *v = json_object_get(o, name);
	if (!v || json_is_null(v))
		return MISSING;
	struct str text = str_make(json_string_value(v), json_string_length(v));
	return json_is_string(v) && cdp_time_read(text, t) ? READ : UNREADABLE;
}

bool cdp_time(const json_t *message, const json_t *batch, int64_t now, int64_t *t)
{
	int64_t original, told, sent, received;
	enum reading o = read_field(message, "originalTimestamp", &original),
		     m = read_field(message, "timestamp", &told);
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
	bool by_clock = read_field(message, "sentAt", &sent) == READ ||
			read_field(batch, "sentAt", &sent) == READ;
	*t = by_clock ? now - (sent - original) : original;
	return true;
}

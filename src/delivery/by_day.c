/* The log of a destination, summed up by day. A crash behind a line of the log ends a delivery
 * twice, with two lines of one name, one behind the other: the later one counts. */
#include "crumb/delivery/by_day.h"

#include "crumb/base/clock.h"
#include "outbox.h"

#include <stdio.h>

static void take_line(const json_t *line, uint16_t today, unsigned days, struct delivery_day *out)
{
	const char *state = json_text(line, "state");
	uint64_t ended = json_number(line, "ended");
	uint32_t day = (uint32_t)(ended / DAY_S);
	if (day > today || day + days <= today)
		return;
	struct delivery_day *d = &out[day + days - 1 - today];
	d->failures += strcmp(state, "failed") == 0;
	if (strcmp(state, "delivered") != 0)
		return;
	d->added += json_number(line, "added");
	d->removed += json_number(line, "removed");
	d->refused += json_number(line, "refused");
}

void deliveries_by_day(const char *store, const char *destination, uint16_t today, unsigned days,
    struct delivery_day *out)
{
	char path[OUTBOX_PATH];
	struct buf text = {0};
	json_t *before = NULL;
	memset(out, 0, days * sizeof *out);
	snprintf(path, sizeof path, "%s/exports/%.200s/log", store, destination);
	if (text_read(path, &text) && text.n) {
		struct str rest = buf_view(&text), part;
		while (str_cut(&rest, '\n', &part) && rest.p) {
			json_t *line = json_loadb(part.p, part.n, 0, NULL);
			if (!line)
				continue;
			if (before && (!*json_text(line, "delivery") ||
					  strcmp(json_text(line, "delivery"),
					      json_text(before, "delivery")) != 0))
				take_line(before, today, days, out);
			json_decref(before);
			before = line;
		}
	}
	if (before)
		take_line(before, today, days, out);
	json_decref(before);
	buf_done(&text);
}

/* What the log of a destination has of each day: rows of deliveries that were taken, and how many
 * deliveries were given up. Numbers are exact: whoever tells them has a gate. Any thread; a reader
 * sees whole lines. */
#ifndef CRUMB_DELIVERY_BY_DAY_H
#define CRUMB_DELIVERY_BY_DAY_H

#include <stdint.h>

struct delivery_day {
	uint64_t added, removed, refused; /* rows */
	unsigned failures;
};

/* Fills `days` rows, the last is `today`; days without a delivery are zero. A line that cannot be
 * read is passed over, and so is the earlier of two lines about one delivery. */
void deliveries_by_day(const char *store, const char *destination, uint16_t today, unsigned days,
    struct delivery_day *out);

#endif

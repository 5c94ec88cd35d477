/* The profile: one visitor's categories by day, coarse place and device, declared attributes and
 * memberships.
 *
 * On disk (value of `visitors`):
 *
 *     ┌────────────┬───────────────────┬────────┬──────┬───────────┬────────┬───────────────┐
 *     │ u8 version │ u24 header length │ header │ sums │ first day │ groups │ u32 check     │
 *     └────────────┴───────────────────┴────────┴──────┴───────────┴────────┴───────────────┘
 *
 *     header   msgpack [ordinal, due hour, evaluated day, place day, country, region, agent day,
 *              agent, {attribute: [value, day]}, segments (u16 LE …), number of sums] and, where a
 *              TC string came, consent day and purposes
 *     sum      u16 category, u16 day, i64 millionths: little-endian, sorted. Of the events' values,
 *              only for categories whose sum some condition asks
 *     group    the days of one category: category − that of the group before, bytes, then for each
 *              day: day − the day before, count
 *     check    of all bytes before it
 *
 * The first day and the groups are packed numbers (LEB128): seven bits a byte. The first day of a
 * group counts from the first day of all, so most numbers take one byte. For example, category 3
 * was looked at twice on day 20,000 and once three days later, category 5 once on that later day
 * (and category 0, which is left out here, counts all of them):
 *
 *     a0 9c 01                    first day 20,000
 *     03 04  00 02  03 01         category 3, 4 bytes: day 20,000 twice, day 20,003 once
 *     02 02  03 01                category 3 + 2, 2 bytes: day 20,003 once
 *
 * Cost: some 40 bytes, two for each further day of a category, two for each segment.
 *
 * Sums are kept in millionths, so that they do not depend on the order of events; they saturate at
 * 9 × 10^12.
 *
 * Category 0 counts every event of the day, so that days(0) are the visits and the sum over
 * visitors is the number of events. Everything carries the day on which it was observed and goes
 * when that day ends its retention.
 *
 * Memory: a struct profile owns a copy of the bytes it was loaded from and is reused from visitor
 * to visitor. Attribute views point into that copy or into the batch whose events are being
 * applied. One thread at a time. */
#ifndef CRUMB_MODEL_PROFILE_H
#define CRUMB_MODEL_PROFILE_H

#include "crumb/base/buf.h"
#include "crumb/base/clock.h"
#include "crumb/model/event.h"

#define PROFILE_ATTRS_MAX 32
#define CATEGORY_ALL 0
#define PROFILE_NUMBERS 65536 /* numbers that a category or a segment can have: u16 */

struct cat_day {
	uint16_t cat, day;
	uint32_t count;
};

struct sum_day {
	uint16_t cat, day;
	int64_t millionths;
} __attribute__((packed));

struct profile_attr {
	struct str name, value;
	uint16_t day;
};

struct profile {
	uint32_t ordinal, due_hour;
	bool bad; /* it is no profile: what was stored does not decode */
	uint16_t evaluated_day, place_day, agent_day; /* of the memberships, place and agent */
	uint16_t consent_day, purposes;		      /* the latest TC string's; 0: none came */
	struct place place;
	struct agent agent;
	struct profile_attr attrs[PROFILE_ATTRS_MAX];
	unsigned attrs_n;
	uint16_t *segments; /* sorted */
	size_t segments_n, segments_cap;
	struct cat_day *rows; /* sorted by category, then day */
	size_t rows_n, rows_cap;
	struct sum_day *sums; /* likewise */
	size_t sums_n, sums_cap;
	struct buf bytes; /* what was loaded */
};

void profile_clear(struct profile *p); /* nothing known; keeps its memory */
void profile_done(struct profile *p);
bool profile_load(struct profile *p, struct str bytes) MUST_CHECK; /* false: not a profile */
/* The same with less copying, for readers of many: attributes and `memberships` (u16 numbers of
 * segments, little-endian, not aligned) point into `bytes`, the check is not computed, and nothing
 * may be changed. Rows of categories without a bit in `wanted` (65,536 bits; NULL: all are wanted)
 * may be missing; one row of the first category is always there. The profile must have been zeroed
 * before the first time. */
bool profile_view(struct profile *p, struct str bytes, const uint64_t *wanted,
    struct str *memberships) MUST_CHECK;
void profile_save(const struct profile *p, struct buf *out);

/* Adds to the count of a category's day; it saturates. */
void profile_add(struct profile *p, uint16_t cat, uint16_t day, uint32_t count);
/* Adds to the sum of a category's day; it saturates. */
void profile_add_value(struct profile *p, uint16_t cat, uint16_t day, double v);
/* Takes place, agent and attributes of an event of that day, unless something newer is known. */
void profile_observe(struct profile *p, uint16_t day, const struct place *place,
    const struct agent *agent, const struct attr *attrs, unsigned attrs_n);
/* What a partner declares: replaces whatever is known, with the day from which it counts; an empty
 * value forgets. */
void profile_declare(struct profile *p, uint16_t day, struct str name, struct str value);
/* The purposes of a TC string of that day, unless a newer one came; 0: none. */
void profile_consent(struct profile *p, uint16_t day, uint16_t purposes);
/* Drops what was observed before `oldest`. */
void profile_expire(struct profile *p, uint16_t oldest);

/* The rows of a category: a pointer to the first and how many. */
const struct cat_day *profile_span(const struct profile *p, uint16_t cat, size_t *n);
const struct sum_day *profile_sums(const struct profile *p, uint16_t cat, size_t *n);
const struct profile_attr *profile_attr(const struct profile *p, struct str name);
bool profile_in_segment(const struct profile *p, uint16_t segment);
/* First and last day of what is retained; false when there is nothing. */
bool profile_days(const struct profile *p, uint16_t *first, uint16_t *last);

#endif

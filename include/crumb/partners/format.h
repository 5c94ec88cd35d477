/* Formats: how rows for a destination are written. One row of the table in src/partners/format.c is a format; an encoder turns items into the bytes of
 * one file or request after the other. An encoder allocates nothing for an item but what its buffers grow by. One thread. */
#ifndef CRUMB_PARTNERS_FORMAT_H
#define CRUMB_PARTNERS_FORMAT_H

#include "crumb/base/clock.h"
#include "crumb/partners/destinations.h"

enum change { ROW_KEEP, ROW_ADD, ROW_REMOVE };

struct out_segment {
	struct str id, theirs; /* theirs: the partner's name, else the id */
	struct str name;
	long iab; /* row of IAB Audience Taxonomy 1.1; 0: none */
};
struct out_row {
	const struct out_segment *segment;
	enum change change;
	uint16_t until; /* first day on which the membership is over, at the partner's cap at the latest */
};
/* One id with what is to be said of it. Rows that stay are there for formats that always say all. */
struct out_item {
	struct str id;
	const struct out_row *rows;
	unsigned n;
	uint16_t purposes;
	bool consent; /* purposes come from a TC string */
};

/* When a partner forgets a row that it was told. */
enum format_life {
	LIFE_IN_ROW,   /* the row says when it ends, and then the partner forgets it by itself */
	LIFE_AT_PARTNER /* when it is taken back; or so long after it was told as the partner's list is set to, which is the destination's `ttl` */
};
/* How a partner is told to take a row back. */
enum format_removal {
	REMOVAL_ROW,	/* by a row that says so */
	REMOVAL_ITEM,	/* what is said of an id is all that holds: a row that is missing is taken back; nothing at all is an empty list */
	REMOVAL_CHANGES /* by a row among changes; what is said as a whole works like ITEM, but cannot say that an id is in nothing */
};

struct encoder;
struct format {
	const char *ending; /* of file names */
	enum format_life life;
	enum format_removal removal;
	/* Where settings decide whether a row carries its end; NULL: as `life` says */
	enum format_life (*life_of)(const struct destination *d);
	/* ERR_USAGE: the destination's settings make no sense */
	enum err (*check)(const struct destination *d);
	void (*begin)(struct encoder *e, struct buf *out);
	bool (*item)(struct encoder *e, const struct out_item *item, struct buf *out); /* false: the id cannot be written, and nothing was */
	void (*end)(struct encoder *e, struct buf *out);
};
const struct format *format_of(enum format_kind kind); /* NULL: nothing is written in it */
enum format_life format_life(const struct destination *d);

struct encoder {
	const struct destination *d;
	const struct format *format;
	uint32_t now;
	bool full;
	struct str delivery; /* its id */
	uint64_t items;	     /* in this file so far */
	/* the formats' own */
	struct buf block;
	uint64_t block_items;
	uint8_t sync[16];
	char seps[5];
};
enum err encoder_init(struct encoder *e, const struct destination *d, bool full, struct str delivery, uint32_t now) MUST_CHECK;
void encoder_done(struct encoder *e);

/* Minutes from now to the beginning of the day; at least one. */
static inline uint32_t format_minutes(uint32_t now, uint16_t until)
{
	uint32_t at = until * (uint32_t)DAY_S;
	return at > now + 60 ? (at - now) / 60 : 1;
}
/* A JSON string with its quotes. */
void format_json(struct buf *out, struct str s);

#endif

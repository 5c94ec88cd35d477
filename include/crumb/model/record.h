/* Records of the journal: what there is to be read again after a crash, a change of rules, on
 * another machine.
 *
 * A record is one msgpack array. The first element is its kind, the others are its parts:
 *
 *     [ kind, part, part … ]
 *
 * Each kind is a row (src/model/records.c): its name, whose it is, its parts, what tells two of
 * them apart. Reading, writing, passing over, printing and docs/RECORDS.md are made from the row.
 * An event and an event set aside are read and written for each hit, so they have functions of
 * their own (src/model/event.c). What a record does to the views stands beside the fold
 * (src/views/visit.c). How to add one: docs/add-a-record.md.
 *
 * Any thread. Views of a decoded record point into the bytes that it was read from. */
#ifndef CRUMB_MODEL_RECORD_H
#define CRUMB_MODEL_RECORD_H

#include "crumb/base/mp.h"
#include "crumb/core/hash.h"
#include "crumb/model/event.h"

/* Every kind there is: its constant, its number in the journal, its name in C. Numbers are never
 * used again for something else. */
#define RECORDS(X)                                                                                 \
	X(RECORD_EVENT, 1, event)                                                                  \
	X(RECORD_ERASE, 2, erase)                                                                  \
	X(RECORD_RULES, 3, rules)                                                                  \
	X(RECORD_ASIDE, 4, aside)                                                                  \
	X(RECORD_RELEASED, 5, released)                                                            \
	X(RECORD_MATCH, 6, match)                                                                  \
	X(RECORD_DECLARED, 7, declared)                                                            \
	X(RECORD_TAKEN, 8, taken)                                                                  \
	X(RECORD_SLICE, 9, slice)

enum record_kind {
#define X(kind, number, name) kind = number,
	RECORDS(X)
#undef X
	    RECORD_KINDS /* they rise, so this is behind the last */
};

/* A piece of a file, by content: hashes of everything before it and up to its end. */
struct slice_id {
	uint8_t from[16], to[16];
	uint64_t bytes, lines;
};

/* Any record. What its kind has no part for is zero or of the record that was here before. */
struct record {
	enum record_kind kind;
	struct event event; /* of an event all of it; others use the visitor, the time, attributes,
			       why set aside */
	struct str partner, partner_id;
	uint16_t until;	   /* the first day on which what was declared is over */
	struct str about;  /* of an event: the bytes from host to leaves */
	struct str all;	   /* of an event: the bytes from country to leaves */
	uint8_t rules[16]; /* the hash that names them */
	struct str rules_text;
	uint16_t shard;
	uint64_t seq;
	struct slice_id slice;
};

enum record_part_kind {
	PART_END,
	PART_VISITOR, /* 16 bytes: struct vkey */
	PART_TIME,    /* seconds, UTC: uint32_t */
	PART_DAY,     /* days since 1970: uint16_t */
	PART_U16,
	PART_U64,
	PART_HASH,   /* uint8_t[16] */
	PART_REASON, /* enum aside, but ASIDE_NOT: uint8_t */
	PART_TEXT,   /* struct str */
	PART_BYTES,  /* struct str; bin in msgpack, and not for people */
	PART_ATTRS   /* a map of texts: the event's attributes */
};
struct record_part {
	enum record_part_kind kind;
	const char *name;
	size_t at;     /* offset in struct record */
	bool tells;    /* it belongs to the identity */
	bool labelled; /* whoever prints it says its name */
};

/* Whose a record is says where it stands. */
enum record_whose {
	RECORD_OF_VISITOR, /* in the lane of the visitor's shard; the first part is the visitor */
	RECORD_OF_SHARDS,  /* in the lane of every shard */
	RECORD_OF_STORE	   /* in the control lane */
};
enum record_stay {
	RECORD_FORGOTTEN, /* cleaned away when its visitor is erased */
	RECORD_STAYS
};
#define RECORD_PARTS_MAX 8

struct record_row {
	const char *name;
	const char *word; /* what `crumb db journal` calls it */
	enum record_whose whose;
	enum record_stay stay;
	bool counted; /* it is one of the events that a day's ledger counts */
	struct record_part parts[RECORD_PARTS_MAX];
	/* For those that are read and written for each hit; NULL: by parts. `n` is the number of
	 * elements with the kind. */
	void (*encode)(const struct record *r, struct buf *out);
	void (*decode)(struct mp *in, uint32_t n, struct record *out);
	const char *shape;    /* of those: the elements behind the kind */
	const char *sentence; /* what it says, for readers of documents */
	const char *once;     /* who sees to it that it is not applied twice */
};

/* NULL: there is no such kind. */
const struct record_row *record_row(uint64_t kind);

/* The bytes of a record of r->kind, behind what is in `out`. */
void record_encode(const struct record *r, struct buf *out);
/* Reads one record; false when the bytes are none. */
bool record_decode(struct mp *in, struct record *out);
/* The kind of the record that comes next, which is not passed over; 0: the bytes are none. */
enum record_kind record_kind_at(const struct mp *in);
/* Passes over one record that is about a visitor and says which; false: it is about none, or
 * unreadable, and `in` is anywhere. */
bool record_skip(struct mp *in, struct vkey *visitor);
/* The same, for what is forgotten with the visitor. */
bool record_skip_forgotten(struct mp *in, struct vkey *visitor);
/* Passes over any record and says whether a day's ledger counts it; a reader that has gone bad says
 * that there was none. */
bool record_skip_counted(struct mp *in);

/* What tells a record from every other one: equal identities are the same record, however often the
 * log has it. False: it has none but its place in the log, as an event; or there was no memory. */
bool record_identity(const struct record *r, struct hash16 *out);

/* The record of an event: RECORD_EVENT, or RECORD_ASIDE where it says why it does not count. */
void event_encode(const struct event *e, struct buf *out);

#endif

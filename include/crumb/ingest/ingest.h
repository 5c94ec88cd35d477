/* From a hit to a record in a batch.
 *
 *	hit ─► consent gate ─► whose is it? ─► the wall ─► counts, or aside? ─► leaves ─► batch
 *	       └─ ingest_visitor() ───────┘    └─ ingest_event() ───────────────────────────┘
 *
 * There is one struct ingest for each thread that takes hits. It belongs to that thread; nothing in
 * it is shared. */
#ifndef CRUMB_INGEST_INGEST_H
#define CRUMB_INGEST_INGEST_H

#include "crumb/ingest/writer.h"
#include "crumb/privacy/anonymise.h"
#include "crumb/privacy/consent.h"
#include "crumb/privacy/cookie.h"
#include "crumb/match/match.h"

struct ingest {
	const struct config *config;
	struct store *store;
	struct identity_keys keys;
	uint16_t keys_day; /* the keys were read on this day */
	struct anonymiser wall;
	struct rules *rules; /* a reference: for leaves and vocabularies */
	struct match *match; /* of these rules */
	struct erased_view erased;
	const _Atomic bool *disk_low;
	struct str source; /* of an import: a label for its visitors; empty: none */
	enum aside aside;  /* why the latest event was set aside, or ASIDE_NOT */
	uint16_t aside_day;
	uint64_t aside_n;   /* events of that day which this thread has set aside */
	struct event event; /* scratch: large, so not on the stack */
};

/* Who sent a hit, and what to do about the cookie. */
struct ingest_who {
	bool write;	    /* events of this visitor are wanted */
	bool refused_disk;  /* a new visitor, and the disk is nearly full: 503 */
	bool set_cookie;    /* send `cookie`, if anything was written */
	bool expire_cookie; /* tell the browser to drop it */
	bool erase;	    /* an erasure was put into the batch */
	bool refused;	    /* by the consent gate, because of: */
	enum metric why;
	uint16_t purposes; /* of TCF, as in struct consent */
	uint8_t flags;
	struct vkey visitor;
	char cookie[COOKIE_LEN];
};

enum err ingest_init(struct ingest *in, const struct config *c, struct store *s,
    const _Atomic bool *disk_low) MUST_CHECK;
void ingest_done(struct ingest *in);
/* From now on these options are in force. */
void ingest_config(struct ingest *in, const struct config *c);
/* Takes the reference. The patterns of the rules must be compiled. ERR_NOMEM: the rules from before
 * stay. */
enum err ingest_rules(struct ingest *in, struct rules *r) MUST_CHECK;

/* Judges the hit by its signals and its place; changes nothing. */
struct consent ingest_consent(struct ingest *in, const struct hit *h);
/* Consent gate and cookie: a known visitor, a new one, or a refusal. A refusal is counted, and an
 * erasure that follows from it goes into the batch at once. */
struct ingest_who ingest_visitor(
    struct ingest *in, const struct hit *h, uint32_t now, struct batch *b);
/* The same with a consent that was judged before: of several events the strictest. */
struct ingest_who ingest_visitor_judged(struct ingest *in, const struct hit *h,
    const struct consent *consent, uint32_t now, struct batch *b);
/* Puts one event through the wall and into the batch, perhaps as set aside. False: nothing was
 * written, and why was counted. */
bool ingest_event(struct ingest *in, const struct ingest_who *who, const struct hit *h, uint32_t t,
    struct batch *b);
/* May a partner's id be kept? It has letters, digits and a few signs, is not what programs write
 * for want of an id, and is no e-mail address. */
bool ingest_partner_id(struct str id);
#define INGEST_ID_MOST 1024 /* bytes of an id of an import or a tracker */
/* Is it what many devices send for want of an id: "undefined", "null", a UUID of zeros? Such an id
 * is nobody's. */
bool ingest_no_id(struct str id);
/* Puts the erasure of a visitor into the batch. From now on nobody goes by that key. */
void ingest_erase(struct ingest *in, const struct vkey *visitor, uint32_t now, struct batch *b);
/* The visitor of a cookie. False: it is forged or overdue, or its visitor was erased. */
bool ingest_known(struct ingest *in, struct str cookie, uint32_t now, struct vkey *out);

/* --- JSON, as in POST /e and in import files: an object with the names of hit_rows.h, or an array
 * of such objects */
struct json_reader {
	/* set by the caller */
	bool import;	 /* names of import files: t is the time; else of POST /e: t is the title */
	struct hit *hit; /* filled for each event */
	struct buf *scratch; /* takes what cannot be a view of the text; wiped for each event */
	void (*begin)(void *arg, struct hit *h); /* an event begins: clears the hit */
	/* An event is complete. Its views live until the next one begins. False ends the reading.
	 */
	bool (*event)(void *arg, struct json_reader *r);
	void *arg;
	/* set by json_read() */
	unsigned events;
	/* of the event */
	unsigned dropped; /* attributes without room, values that are none; not counted yet */
	/* of the event, with `import` only */
	struct str id, cookie, time, ip, source;
	bool has_cookie, has_time, time_number;
};
/* Reads all of `text`. False: it is no JSON, or not of events, or event() said so, or there was no
 * memory (memory_short()). Some events may have been handed out by then. */
bool json_read(struct json_reader *r, struct str text);

/* --- import of NDJSON */
#define REFUSED_SHOWN 10
/* The first lines that were refused. */
struct refused_lines {
	unsigned n;
	struct {
		uint64_t line;	 /* from 1; blank lines count */
		const char *why; /* a constant */
	} at[REFUSED_SHOWN];
};
static inline void refused_add(struct refused_lines *r, uint64_t line, const char *why)
{
	if (r->n < REFUSED_SHOWN) {
		r->at[r->n].line = line;
		r->at[r->n++].why = why;
	}
}

struct import_totals {
	uint64_t read, accepted;
	uint64_t aside; /* written, but they do not count */
	uint64_t refused_json, refused_id, refused_old, refused_future, refused_site,
	    refused_consent;
	struct refused_lines first;
};
/* Reads whole lines into the batch. Blank lines are skipped and not counted. */
void import_lines(struct ingest *in, struct str lines, uint32_t now, struct batch *b,
    struct import_totals *totals);

#endif

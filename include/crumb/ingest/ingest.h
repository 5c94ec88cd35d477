/* From hit to journal record. One struct ingest per thread that takes hits; nothing here is shared.
 */
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
	uint16_t keys_day; /* the keys are good for cookies of this day */
	struct anonymiser wall;
	struct rules *rules; /* for leaves and vocabularies */
	struct match *match;
	struct erased_view erased; /* who is nobody any more */
	const _Atomic bool *disk_low;
	struct str source; /* of an import: a label for its visitors; empty: none */
	enum aside aside;  /* what became of the latest event: why it was set aside */
	uint16_t aside_day;
	uint64_t aside_n;   /* set aside on that day, by this thread */
	struct event event; /* scratch: large, so not on the stack */
};

/* Who sent it, and what to do about the cookie. */
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
void ingest_config(
    struct ingest *in, const struct config *c); /* other options are in force from now on */
/* Takes the reference; their matcher must have been made once before. ERR_NOMEM: those from before
 * stay. */
enum err ingest_rules(struct ingest *in, struct rules *r) MUST_CHECK;

struct consent ingest_consent(struct ingest *in, const struct hit *h);
/* Consent gate and cookie. An erasure goes into the batch at once. */
struct ingest_who ingest_visitor(
    struct ingest *in, const struct hit *h, uint32_t now, struct batch *b);
/* The same where consent was judged before: the strictest of several events decides for all. */
struct ingest_who ingest_visitor_judged(struct ingest *in, const struct hit *h,
    const struct consent *consent, uint32_t now, struct batch *b);
/* Anonymises and encodes one event into the batch, perhaps set aside; false when there was nothing
 * to write. */
bool ingest_event(struct ingest *in, const struct ingest_who *who, const struct hit *h, uint32_t t,
    struct batch *b);
/* May a partner's id be kept? Letters, digits and a few signs; nothing that a person is called by.
 */
bool ingest_partner_id(struct str id);
/* Ids that many devices have who have none: "undefined", "null", a UUID of zeros. Whoever has one
 * is nobody. */
bool ingest_no_id(struct str id);
/* Puts the erasure of a visitor into the batch; from now on nobody goes by that key. */
void ingest_erase(struct ingest *in, const struct vkey *visitor, uint32_t now, struct batch *b);
/* The visitor that a cookie names. False: it is forged, overdue, or of somebody who was erased. */
bool ingest_known(struct ingest *in, struct str cookie, uint32_t now, struct vkey *out);

/* --- JSON, as in POST /e and in import files: the keys of the pixel in an object, or an array of
 * such objects. */
struct json_reader {
	bool import; /* t is the time, title the title; id and cookie name the visitor. Otherwise t
			is the title */
	struct hit *hit;     /* filled for each event */
	struct buf *scratch; /* what cannot be a view of the text; wiped for each event */
	void (*begin)(void *arg, struct hit *h);
	bool (*event)(
	    void *arg, struct json_reader *r); /* one is complete; its views live until the next
						  begins. False ends the reading */
	void *arg;
	unsigned events;
	/* imports only */
	struct str id, cookie, time, ip, source;
	bool has_cookie, has_time, time_number;
	unsigned dropped; /* of the event: attributes without room, values that are none; whoever
			     keeps the event counts them */
};
/* Reads all of `text`. False: it is no JSON, or holds something else than events, or event() said
 * so, or there was no memory (memory_short()); some may have been handed out by then. */
bool json_read(struct json_reader *r, struct str text);

/* --- import of NDJSON */
#define REFUSED_SHOWN 10
/* The first lines that were refused; they count from 1, blank ones too. */
struct refused_lines {
	unsigned n;
	struct {
		uint64_t line;
		const char *why; /* a name that lives for ever */
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
	uint64_t aside; /* crawlers and the like: written, but they do not count */
	uint64_t refused_json, refused_id, refused_old, refused_future, refused_site,
	    refused_consent;
	struct refused_lines first;
};
/* Reads whole lines into the batch. Blank lines are skipped and not counted. */
void import_lines(struct ingest *in, struct str lines, uint32_t now, struct batch *b,
    struct import_totals *totals);

#endif

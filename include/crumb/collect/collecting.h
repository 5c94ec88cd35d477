/* The collect listener from inside: what its handlers share, and what trackers may use
 * (collect/collect.h has them as rows).
 *
 * A struct collect belongs to its thread, and so does everything that a handler is given: the
 * request and its spans until the handler returns, the scratch hit, text and buffers until the next
 * request. Other threads only set what is atomic and write to wake_fd. A handler answers, or holds
 * the request's ticket; it returns nothing, and what it could not do is a status. */
#ifndef CRUMB_COLLECT_COLLECTING_H
#define CRUMB_COLLECT_COLLECTING_H

#include "crumb/collect/collect.h"
#include "crumb/collect/recent.h"

struct collect;

/* What pages of every origin may load, isolated ones (COEP) too: the answer says so, and is
 * nobody's to keep. */
#define COLLECT_CROSS "Cross-Origin-Resource-Policy: cross-origin\r\n"
#define COLLECT_PUBLIC "Cache-Control: no-store\r\n" COLLECT_CROSS
#define COLLECT_CODINGS                                                                            \
	"Accept-Encoding: gzip, deflate\r\n" /* of bodies; told where another came (RFC            \
						9110 15.5.16) */

#define LOOKUP_WAIT_MS 10000

/* How /segments or /me is to be answered. */
struct lookup_form {
	unsigned number, segtax;
	unsigned budget_ms; /* answer with what is known after so long, less one; 0: wait as long as
			       it takes */
	unsigned language;  /* of /me: a row of words.h */
	bool opted_out;	    /* /me was asked with the cookie that says so */
};

enum lookup_kind {
	LOOKUP_READS,
	LOOKUP_ERASES /* an erasure is in the batch of its gate: when that fails, so does this */
};

/* A request that waits for the views (lookup.c). */
struct lookup {
	struct lookup *next;
	struct http_ticket ticket;
	struct vkey visitor;
	void (*answer)(struct collect *, struct lookup *);
	uint64_t gate; /* our own hits are on disk when this is open */
	bool aimed;    /* then it is known what must be folded: */
	struct journal_pos target;
	uint64_t deadline_us;
	struct lookup_form form;
	struct buf headers; /* of the answer */
	enum lookup_kind kind;
};

/* When the hits of a batch were read: those that came within PASS_US are noted with the first of
 * them; behind the last note, with the last. */
#define PASSES 256
#define PASS_US 200

struct passes {
	unsigned n;
	uint32_t noted; /* of the batch's hits */
	struct pass {
		uint64_t at_us;
		uint32_t hits;
	} v[PASSES];
};

struct collect {
	struct collect_shared *shared;
	const struct config *config;
	struct event_base *base;
	struct http_server *server;
	struct event *wake_ev, *soon_ev;
	int wake_fd;
	_Atomic bool stop, committed;	 /* set by other threads, read after a wake */
	bool (*give)(void *ctx, int fd); /* set before `stop` */
	void *give_ctx;
	uint64_t version; /* of what was taken from shared */
	struct ingest ingest;
	struct destinations *destinations; /* a reference */
	struct cidr_list trusted;	   /* a copy */
	struct batch batches[2];
	unsigned gathering;	 /* which batch hits go into */
	bool in_flight;		 /* the other one is with the journal */
	uint64_t gate;		 /* number of the batch that is being gathered */
	struct passes passes[2]; /* of the batches */
	uint32_t now;		 /* read once per loop; 0: not yet */
	uint64_t now_us;	 /* read with it; never moved */
	bool early;		 /* which is earlier than it can be */
	struct hit hit;		 /* scratch: one hit at a time */
	char *scratch;		 /* decoded query values; wiped when the request was handled */
	bool stack_used;	 /* something of a visitor was on the stack: wipe it, too */
	struct buf numbers, body;
	struct buf plain; /* a body that came compressed */
	struct lookup *lookups;
	char pixel[320]; /* the whole answer to a hit of a known visitor */
	size_t pixel_n;
	time_t pixel_second;
	char cookie_tail[384]; /* attributes of Set-Cookie */
	char expire_tail[384]; /* those of a cookie that is to go */
};

static inline struct batch *collect_batch(struct collect *c)
{
	return &c->batches[c->gathering];
}
uint32_t collect_now(struct collect *c);
/* The request's body becomes what it stands for, at most so long. 0, or the status that says why
 * not, and the words; counted. */
int collect_decode(struct collect *c, struct http_request *r, size_t most, const char **why);
void collect_text_free(char *text); /* of a JSON answer: wiped first */
/* The answer of a pixel, without an event. */
void collect_blank(struct collect *c, struct http_request *r);

/* hits.c */
void collect_pixel(struct collect *c, struct http_request *r);
void collect_events(struct collect *c, struct http_request *r);
/* Answers what one visitor sent, of which so many events were written: with his cookie, why he was
 * refused, and CORS, once it is on disk; or 503 where the disk has no room for new visitors. `body`
 * is copied. */
void collect_answer_hit(struct collect *c, struct http_request *r, const struct ingest_who *who,
    unsigned written, int status, const char *type, struct str body);
/* Fills what comes with headers: address, agent, cookies, signals. The hit is clear, for collect.c
 * clears the scratch hit behind every request. */
void collect_hit_headers(struct collect *c, const struct http_request *r, struct hit *h);
/* Takes the consent signals of the query of a request whose events are in its body. */
void collect_query_signals(struct collect *c, const struct http_request *r, struct hit *h);
/* Appends Set-Cookie: the visitor's new cookie, or the end of one that is to go. Where nothing of
 * the visitor was written a new cookie would name nobody: collect_cookie_end_lines() appends only
 * the end. */
void collect_cookie_lines(struct collect *c, const struct ingest_who *who, struct buf *headers);
void collect_cookie_end_lines(struct collect *c, const struct ingest_who *who, struct buf *headers);
void collect_why_lines(const struct collect *c, const struct ingest_who *who, struct buf *headers);
void collect_answer_disk(struct http_request *r);
extern const char collect_gif[44]; /* 43 bytes and a zero */

/* sync.c */
void collect_sync(struct collect *c, struct http_request *r);

/* segments.c */
void collect_segments(struct collect *c, struct http_request *r);

/* me.c */
void collect_me(struct collect *c, struct http_request *r);
void collect_forget(struct collect *c, struct http_request *r);
void collect_optout(struct collect *c, struct http_request *r);
void collect_optin(struct collect *c, struct http_request *r);

/* lookup.c */
/* Answers when everything that this connection has sent is folded; takes the headers. */
void collect_lookup(struct collect *c, struct http_ticket t, const struct vkey *visitor,
    void (*answer)(struct collect *, struct lookup *), const struct lookup_form *form,
    struct buf headers, enum lookup_kind kind);
void collect_lookups_go_on(struct collect *c); /* answers those whose turn has come */
void collect_lookups_fail(
    struct collect *c, uint64_t gate); /* the batch of that gate could not be written */
void collect_lookups_soon(
    int fd, short what, void *collect); /* a timer: somebody's time is nearly up */
void collect_lookups_drop(struct collect *c);

/* cors.c */
/* Appends CORS lines when the request's origin is one of ours. False: an Origin came that may not
 * read answers. */
bool cors_headers(struct collect *c, const struct http_request *r, struct buf *headers);
void cors_preflight(struct collect *c, struct http_request *r);
/* Judged by Sec-Fetch-Site, else by Origin against Host, a trusted proxy's X-Forwarded-Host, and
 * `sites`. */
bool cors_same_origin(const struct collect *c, const struct http_request *r);

#endif

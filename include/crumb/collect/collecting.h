/* The collect listener from inside: what its handlers share, and what trackers may use.
 *
 * A struct collect belongs to its thread. Other threads only set its atomic fields and write to
 * wake_fd. A handler may use the request until it returns, and the scratch hit and buffers of its
 * struct collect, which are wiped behind each request.
 *
 * A handler either answers, or holds the request's ticket to answer later (collect_lookup()). It
 * returns nothing: what it could not do is a status of the answer. */
#ifndef CRUMB_COLLECT_COLLECTING_H
#define CRUMB_COLLECT_COLLECTING_H

#include "crumb/collect/collect.h"
#include "crumb/collect/recent.h"

struct collect;

/* Pages of every origin may load the answer, isolated ones (COEP) too. */
#define COLLECT_CROSS "Cross-Origin-Resource-Policy: cross-origin\r\n"
/* The same, and nobody may keep it. */
#define COLLECT_PUBLIC "Cache-Control: no-store\r\n" COLLECT_CROSS
/* Which codings of bodies we read: told where another came (RFC 9110 15.5.16). */
#define COLLECT_CODINGS "Accept-Encoding: gzip, deflate\r\n"

#define LOOKUP_WAIT_MS 10000 /* a look-up is answered with 503 after so long */

/* How /segments or /me is to be answered. */
struct lookup_form {
	unsigned number;    /* of /segments: a row of its forms */
	unsigned segtax;    /* of the form rtd: which taxonomy */
	unsigned budget_ms; /* one more than the time after which to answer with what is known; 0:
			       the answer must be fresh */
	unsigned language;  /* of /me: a row of words.h */
	bool opted_out;	    /* of /me: the cookie said so */
};

/* What a request has done before it waits. */
enum lookup_kind {
	LOOKUP_READS,
	LOOKUP_ERASES /* an erasure is in that batch: when the batch fails, so does the request */
};

/* A request that waits until the views have everything that its visitor has sent (lookup.c). */
struct lookup {
	struct lookup *next;
	struct http_ticket ticket; /* held */
	struct vkey visitor;
	void (*answer)(struct collect *, struct lookup *);
	uint64_t gate;		   /* the batch that may have hits of this visitor */
	bool aimed;		   /* that batch is durable, and `target` is set */
	struct journal_pos target; /* the views must have read so far */
	uint64_t deadline_us;
	struct lookup_form form;
	struct buf headers; /* of the answer */
	enum lookup_kind kind;
};

/* When the hits of a batch were read, for the histogram of answers. Each pass of the loop is one
 * note, but passes within PASS_US of the first are one, and all behind the last place are, too. */
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
	struct event_base *base;
	struct http_server *server;
	struct event *wake_ev, *soon_ev;
	int wake_fd; /* an eventfd that other threads write to */
	/* set by other threads, read after a wake */
	_Atomic bool stop, committed;
	bool (*give)(void *ctx, int fd); /* set before `stop` */
	void *give_ctx;

	/* under shared->lock */
	struct collect *next; /* in shared->running */
	uint64_t version; /* of what was taken; its own thread reads it without the lock; 0: none */

	/* taken from shared */
	const struct config *config;
	struct destinations *destinations; /* a reference */
	struct cidr_list trusted;	   /* a copy */
	struct ingest ingest;		   /* has references to rules, places and lists */

	/* batches */
	struct batch batches[2]; /* while in flight, the other one is the journal thread's */
	unsigned gathering;	 /* index of the batch that hits go into */
	bool in_flight;		 /* the other one is with the journal */
	uint64_t gate;		 /* number of the batch that is being gathered */
	struct passes passes[2]; /* of the batches */

	/* of this pass of the loop */
	uint32_t now;	 /* 0: not read yet */
	uint64_t now_us; /* read with it; monotonic */
	bool early;	 /* `now` is earlier than it can be */

	/* of this request; wiped when it was handled */
	struct hit hit;
	char *scratch;		  /* decoded query values */
	bool stack_used;	  /* something of a visitor was on the stack: wipe that, too */
	struct buf numbers, body; /* what JSON needs beside its text; headers of the answer */
	struct buf plain;	  /* a body that came compressed */

	struct lookup *lookups; /* requests that wait */
	char pixel[320];	/* the whole answer to a hit of a known visitor */
	size_t pixel_n;		/* 0: not made yet */
	char cookie_tail[384];	/* attributes of Set-Cookie */
	char expire_tail[384];	/* the same for a cookie that is to go */
};

static inline struct batch *collect_batch(struct collect *c)
{
	return &c->batches[c->gathering];
}
uint32_t collect_now(struct collect *c); /* seconds; the same for the whole pass of the loop */
/* Uncompresses the request's body; the result may have `most` bytes. 0, or the status to refuse
 * with, counted, and *why for the text of the answer. */
int collect_decode(struct collect *c, struct http_request *r, size_t most, const char **why);
void collect_text_free(char *text); /* of a JSON answer: wiped first */
/* Answers with the pixel and records nothing. */
void collect_blank(struct collect *c, struct http_request *r);

/* hits.c */
void collect_pixel(struct collect *c, struct http_request *r);
void collect_events(struct collect *c, struct http_request *r);
/* Answers what one visitor sent, of which `written` events are in the batch: with the cookie, the
 * reason if it was refused, and CORS. The answer waits until the batch is durable. 503 when the
 * disk has no room for new visitors. `body` is copied. */
void collect_answer_hit(struct collect *c, struct http_request *r, const struct ingest_who *who,
    unsigned written, int status, const char *type, struct str body);
/* Fills what comes with headers: network, agent, cookies, signals. `h` must be clear; the scratch
 * hit is, at the beginning of a request. */
void collect_hit_headers(struct collect *c, const struct http_request *r, struct hit *h);
/* Fills a hit with the consent signals of the query, and nothing else: for hit_begin_event() of a
 * request whose events are in its body. Views into c->scratch, as long as the request. */
void collect_query_signals(struct collect *c, const struct http_request *r, struct hit *h);
/* Appends Set-Cookie: the visitor's new cookie, or the end of one that is to go. Where nothing of
 * the visitor was written a new cookie would name nobody: collect_cookie_end_lines() appends only
 * the end. */
void collect_cookie_lines(struct collect *c, const struct ingest_who *who, struct buf *headers);
void collect_cookie_end_lines(struct collect *c, const struct ingest_who *who, struct buf *headers);
void collect_why_lines(const struct collect *c, const struct ingest_who *who, struct buf *headers);
void collect_answer_disk(struct http_request *r);
#define COLLECT_GIF_BYTES 43
extern const char collect_gif[COLLECT_GIF_BYTES + 1]; /* the transparent pixel, and a zero */
#define COLLECT_GIF str_make(collect_gif, COLLECT_GIF_BYTES)

/* live_hits.c: hits with the code of their tab, for the tag assistant (collect/live.h) */
/* As ingest_event(), of the event that was just read. */
bool collect_live_event(struct collect *c, const struct http_request *r,
    const struct ingest_who *who, const struct json_reader *in);
/* The same where nothing is written of the scratch hit. */
void collect_live_unwritten(
    struct collect *c, const struct http_request *r, const struct ingest_who *who);
/* The batch of that gate is back. */
void collect_live_back(struct collect *c, uint64_t gate, enum err result);
void collect_live_go_on(struct collect *c); /* tells what the views have read */

/* sync.c */
void collect_sync(struct collect *c, struct http_request *r);

/* segments.c */
void collect_segments(struct collect *c, struct http_request *r);

/* me.c */
void collect_me(struct collect *c, struct http_request *r);
void collect_forget(struct collect *c, struct http_request *r);
void collect_optout(struct collect *c, struct http_request *r);
void collect_optin(struct collect *c, struct http_request *r);

/* taken.c */
void collect_begins(struct collect *c); /* its thread runs: it is woken by swaps */
void collect_ends(struct collect *c);	/* its thread takes no more hits */
void collect_wake(struct collect *c);	/* any thread: one more pass of its loop */

/* lookup.c */
/* Calls `answer` when the views have everything that this thread has taken of the visitor. Takes
 * the headers. */
void collect_lookup(struct collect *c, struct http_ticket t, const struct vkey *visitor,
    void (*answer)(struct collect *, struct lookup *), const struct lookup_form *form,
    struct buf headers, enum lookup_kind kind);
void collect_lookups_go_on(struct collect *c); /* answers those whose turn has come */
/* The batch of that gate could not be written. */
void collect_lookups_fail(struct collect *c, uint64_t gate);
/* A timer, while a look-up has a budget. */
void collect_lookups_soon(int fd, short what, void *collect);
void collect_lookups_drop(struct collect *c); /* at the end: answers all with 503 */

/* cors.c */
/* Appends CORS lines when the request's origin is one of ours. False: the origin may not read
 * answers. */
bool cors_headers(struct collect *c, const struct http_request *r, struct buf *headers);
/* Is it a request of a page of ours, by Origin? Without one it is not. */
bool cors_of_ours(const struct collect *c, const struct http_request *r);
void cors_refuse(struct http_request *r); /* 403 where cors_headers() said no; counted */
void cors_preflight(struct collect *c, struct http_request *r);
/* Is it a request of our own pages? By Sec-Fetch-Site; without that by Origin, compared with Host,
 * with a trusted proxy's X-Forwarded-Host or Forwarded, and with `sites`. */
bool cors_same_origin(const struct collect *c, const struct http_request *r);

#endif

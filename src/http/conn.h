/* Inside the HTTP layer: a connection, its parser and its slots. All of it is of the thread of the
 *server's event base.
 *
 *	new ──► one of the lists by phase ──► closed ──► dead ──► spare, or freed
 *		conn_phase()	    conn_close()   conn_let_go()   conn_reap(), from the loop
 *
 * A connection owns its descriptor until it is closed, its buffer `in`, and what is in its slots.
 *Between closed and dead are those that somebody still holds: a ticket (`holds`), the list of those
 *that wait for a gate (`waiting`), the list of those that the loop goes on with (`marked`). */
#ifndef CRUMB_SRC_HTTP_CONN_H
#define CRUMB_SRC_HTTP_CONN_H

#include "crumb/http/server.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <llhttp/llhttp.h>

#define SLOTS 8 /* answers a connection may have unsent */
#define INLINE_MAX 512
#define IN_FIRST 4096  /* bytes of a connection's buffer; longer requests grow it */
#define IN_KEEP 32768  /* beyond this it shrinks again when it is empty */
#define AGAIN_MOST 100 /* header lines of a request that name a field again */
#define GATE_HELD UINT64_MAX

struct slot {
	uint64_t gate; /* sent when the server's gate is at least this */
	const char *p; /* what to send */
	size_t n, sent;
	bool last;	/* close behind it */
	bool bodyless;	/* the answer to a HEAD */
	bool stays;	/* HTTP/1.0, which has to be told that the connection is kept */
	struct buf big; /* answers that do not fit */
	char text[INLINE_MAX];
};

/* What a connection waits for: a request, the rest of its head or body, our answer, that the peer
 * takes it, that the peer closes. */
enum phase {
	PHASE_IDLE,
	PHASE_HEAD,
	PHASE_BODY,
	PHASE_ANSWER,
	PHASE_SEND,
	PHASE_LINGER,
	PHASE_MAX
};

struct http_conn {
	struct http_server *server;
	struct http_conn *next, *prev;	/* in its phase's list, oldest first */
	struct http_conn *next_waiting; /* in the list of those that wait for a gate */
	struct http_conn *next_marked;	/* in the list of those that the loop is to go on with */
	bool waiting, marked, closed, want_write, reading, closing;
	bool unread;  /* there may be bytes left to read */
	bool busy;    /* the handler is at work on a request of this connection */
	bool refused; /* what came was not understood: there may be more of it */
	enum phase phase;
	uint32_t since; /* second in which the phase began */
	int fd;
	unsigned holds;
	struct event read_ev, write_ev;
	struct sockaddr_storage peer;
	/* request being read: offsets are relative to `start` */
	llhttp_t parser;
	char *in;
	size_t in_n, in_cap, start, parsed;
	struct span {
		uint32_t at, n;
	} url, field, value, header[H_MAX], body;
	int current;	  /* header being read, -1: one we do not want */
	uint32_t seen;	  /* a bit for each header that came */
	unsigned again_n; /* header lines that were joined with earlier ones */
	bool in_body; /* the headers are through: what looks like one is a trailer, and ignored */
	bool gpc, dnt;
	int fail;      /* status to answer instead, set inside callbacks */
	bool stranger; /* may send a small body only */
	size_t body_most;
	/* answers in order: slots[head … head + used) modulo SLOTS */
	unsigned head, used;
	struct slot slots[SLOTS];
};

struct conn_list {
	struct http_conn *first, *last;
};

struct listener {
	struct http_server *server;
	int fd;
	struct event ev;
};

struct http_server {
	struct event_base *base;
	const struct config *config;
	http_handler handler;
	void *ctx;
	struct listener **listeners;
	size_t listeners_n, listeners_cap;
	bool draining, late; /* late: who asks for nothing is not waited for any more */
	bool (*give)(void *ctx,
	    int fd); /* draining: to whom connections go that ask for nothing; NULL: nobody */
	void *give_ctx;
	struct event pause_ev, tick_ev, marked_ev, leave_ev;
	llhttp_settings_t settings;
	struct conn_list phases[PHASE_MAX];
	struct http_conn *waiting, *marked, *spare, *dead;
	unsigned conns_n, spare_n, most;
	int reserve;   /* a descriptor to give away when there is none left */
	uint32_t told; /* when it was last said that there is none */
	uint64_t gate;
	size_t body_limit;
	size_t (*body_of)(void *ctx, struct str path);	       /* NULL: body_limit everywhere */
	bool (*admitted)(void *ctx, struct str authorization); /* NULL: everybody is */
	uint32_t now; /* seconds, monotonic, of this tick */
	time_t date_second;
	char date[HTTP_DATE_LEN + 1];
};

/* Bytes were read that the parser has not seen, because all slots were taken, and one is free. */
static inline bool conn_unparsed(const struct http_conn *c)
{
	return c->parsed < c->in_n && c->used < SLOTS && !c->closed && !c->closing;
}

/* parse.c */
void conn_callbacks(llhttp_settings_t *s);
void conn_parse(struct http_conn *c); /* hands complete requests to the handler */

/* life.c */
void conn_enlist(struct http_conn *c, enum phase p); /* a new one, or one that is in no list */
void conn_phase(struct http_conn *c, enum phase p);
void conn_mark(struct http_conn *c); /* the loop comes to it in its next pass */
void conn_stop_reading(struct http_conn *c);
void conn_linger(struct http_conn *c); /* answered for the last time */
void conn_close(struct http_conn *c);
void conn_leave(
    struct http_conn *c); /* the server ends: goes to who comes after it, if it asks for nothing */
void conn_let_go(struct http_conn *c); /* a closed one is dead, if nobody holds it */
void conn_slot_wipe(struct slot *s);
bool conn_evict(struct http_server *s); /* false: none of them may be closed for another one */

/* conn.c */
void conn_on_marked(evutil_socket_t fd, short what, void *server);
void conn_reap(struct http_server
	*s); /* takes the memory of the dead back; nobody up the stack may hold one */

/* answer.c */
const char *conn_reason(int status);
struct slot *conn_slot(struct http_conn *c); /* takes the next one */
void conn_flush(
    struct http_conn *c); /* sends what may be sent; nothing while a handler is at work */
void conn_error(struct http_conn *c, int status); /* answers and closes */

#endif

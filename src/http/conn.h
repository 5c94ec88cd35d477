/* Inside the HTTP layer: a connection, its parser and its slots. All of it belongs to the thread of
 * the server's event base; nothing here is shared and nothing is locked.
 *
 * Who frees a connection:
 *
 *	http_server_adopt()        conn_close()         conn_let_go()       conn_reap()
 *	──────────────────► open ───────────────► closed ──────────► dead ──────────────► spare
 *	                  in a list             in none of          in the list           or freed
 *	                  of `phases`           these lists         `dead`
 *
 *	open    The connection owns its descriptor, its buffer `in` and what is in its slots.
 *	closed  The descriptor is closed; address, requests and answers are wiped. The memory
 *	        stays while somebody still has a pointer to the connection:
 *	          holds    as many tickets (http_hold()); http_release() takes one away
 *	          waiting  the list of those that wait for a gate; http_gate_open() walks it
 *	          marked   the list that the loop goes on with; conn_on_marked() walks it
 *	        Each of the three calls conn_let_go() when it finds the connection closed. The
 *	        last to let go puts it among the dead.
 *	dead    Only a function up the stack may still be at work on the connection. It looks at
 *	        `closed` after each call that may close, and does nothing more.
 *	spare   conn_reap() is called when a peer connects and at each tick, where no function
 *	        up the stack has a connection. It keeps some for the next that come, and frees
 *	        the rest.
 *
 * Phases say what a connection waits for. Each has its time-out, but for a connection with a
 * ticket that is held:
 *
 *	      first byte        end of head        complete             peer is slow
 *	IDLE ───────────► HEAD ─────────────► BODY ──────────► ANSWER ◄──────────────► SEND
 *	  ▲                                                      │                      │
 *	  └──────────────────────── all is sent ─────────────────┴──────────────────────┘
 *
 * and LINGER after the last answer of a connection with unread or refused bytes, until the peer has
 * closed; any other is closed at once. With pipelining several answers wait while the next request
 * is read; the phase is that of the request then.
 *
 * Cost: 5.4 KB for a connection with its eight slots, and a buffer of IN_FIRST bytes. 4,096
 * connections, the default, have 39 MB in each thread. */
#ifndef CRUMB_SRC_HTTP_CONN_H
#define CRUMB_SRC_HTTP_CONN_H

#include "crumb/http/server.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <llhttp/llhttp.h>

#define SLOTS 8		     /* answers a connection may have unsent */
#define INLINE_MAX 512	     /* bytes of an answer that need no memory of their own */
#define IN_FIRST 4096	     /* bytes of a connection's buffer; longer requests grow it */
#define IN_KEEP 32768	     /* beyond this it shrinks again when it is empty */
#define AGAIN_MOST 100	     /* header lines of a request that name a field again */
#define GATE_HELD UINT64_MAX /* no answer yet: its gate never opens */

/* One answer. */
struct slot {
	uint64_t gate; /* sent when the server's gate is at least this */
	const char *p; /* what to send: `text`, bytes of `big`, or a whole answer of the caller's */
	size_t n, sent;
	bool last;	/* close behind it */
	bool bodyless;	/* the answer to a HEAD */
	bool stays;	/* HTTP/1.0, which has to be told that the connection is kept */
	struct buf big; /* holds an answer that does not fit `text` */
	char text[INLINE_MAX];
};

/* What a connection waits for. */
enum phase {
	PHASE_IDLE,   /* a request */
	PHASE_HEAD,   /* the rest of a request's head */
	PHASE_BODY,   /* the rest of its body */
	PHASE_ANSWER, /* our answer */
	PHASE_SEND,   /* that the peer takes the answer */
	PHASE_LINGER, /* that the peer closes */
	PHASE_MAX
};

struct http_conn {
	struct http_server *server;
	/* in its phase's list, oldest first; `next` among the dead and spare, too */
	struct http_conn *next, *prev;
	struct http_conn *next_waiting; /* in the list of those that wait for a gate */
	struct http_conn *next_marked;	/* in the list of those that the loop is to go on with */
	bool waiting, marked;		/* is in the list of that name */
	bool closed;			/* conn_close() was here */
	bool closing;		  /* no further request is taken; closed after the last answer */
	bool want_write, reading; /* write_ev, read_ev are in the loop */
	bool unread;		  /* there may be bytes left to read */
	bool busy;		  /* the handler is at work on a request of this connection */
	bool refused;		  /* what came was not understood: there may be more of it */
	enum phase phase;
	uint32_t since; /* second in which the phase began */
	int fd;
	unsigned holds; /* tickets that were held and are not released */
	struct event read_ev, write_ev;
	struct sockaddr_storage peer;
	/* The request being read:
	 *
	 *	in	 start			 parsed		in_n		 in_cap
	 *	│ zeros	 │ seen by the parser	 │ not seen	│ room for more	 │
	 *
	 * Spans are offsets from `start`, so they stay right when the buffer grows or moves up. */
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
	int fail;     /* status to answer instead, set inside callbacks */
	int stranger; /* status: may send a small body only; 0: is none */
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
	/* set when it is made */
	struct event_base *base;
	const struct config *config;
	http_handler handler;
	void *ctx;
	llhttp_settings_t settings;
	/* set by its owner at any time */
	size_t body_limit;
	size_t (*body_of)(void *ctx, struct str path); /* NULL: body_limit everywhere */
	/* NULL: nobody is one */
	int (*stranger)(void *ctx, const struct http_request *head);
	unsigned most; /* connections at a time */
	uint64_t gate; /* see server.h */
	/* accepting */
	struct listener **listeners;
	size_t listeners_n, listeners_cap;
	int reserve;   /* a descriptor to give up when there is none left */
	uint32_t told; /* when the log last said that there is none */
	struct event pause_ev;
	/* who gets what is accepted; NULL: this server */
	void (*take)(void *ctx, int fd, const struct sockaddr_storage *peer);
	void *take_ctx;
	/* the end */
	bool draining, late;		 /* late: idle connections are closed, not waited for */
	bool (*give)(void *ctx, int fd); /* who takes idle connections; NULL: nobody */
	void *give_ctx;
	struct event leave_ev;
	/* connections: an open one is in one list of `phases`, a closed one in none until it is
	 * dead, and then spare or freed */
	struct conn_list phases[PHASE_MAX];
	struct http_conn *waiting, *marked; /* these lists may have closed ones, too */
	struct http_conn *dead, *spare;
	unsigned conns_n, spare_n; /* open ones; spare ones */
	struct event tick_ev, marked_ev;
	/* time */
	uint32_t now; /* seconds, monotonic, of this tick */
	time_t date_second;
	char date[HTTP_DATE_LEN + 1];
};

/* Bytes were left unparsed because all slots were taken, and now a slot is free. */
static inline bool conn_unparsed(const struct http_conn *c)
{
	return c->parsed < c->in_n && c->used < SLOTS && !c->closed && !c->closing;
}

/* parse.c */
void conn_callbacks(llhttp_settings_t *s);
/* Hands complete requests to the handler, while there are bytes and a free slot. */
void conn_parse(struct http_conn *c);

/* life.c */
void conn_enlist(struct http_conn *c, enum phase p); /* for a connection that is in no list */
void conn_phase(struct http_conn *c, enum phase p);
void conn_mark(struct http_conn *c); /* the loop comes to it in its next pass */
void conn_stop_reading(struct http_conn *c);
void conn_linger(struct http_conn *c); /* after the last answer */
void conn_close(struct http_conn *c);
void conn_let_go(struct http_conn *c); /* a closed connection is dead when nobody points to it */
/* The server ends: gives an idle connection away, or closes it when it is late. */
void conn_leave(struct http_conn *c);
void conn_slot_wipe(struct slot *s);
/* Closes one connection to make room. False: none may be closed. */
bool conn_evict(struct http_server *s);

/* conn.c */
void conn_on_marked(evutil_socket_t fd, short what, void *server);
/* Takes back the memory of the dead. From the loop only: nobody up the stack may point to one. */
void conn_reap(struct http_server *s);

/* answer.c */
const char *conn_reason(int status);
struct slot *conn_slot(struct http_conn *c); /* takes the next one */
/* Sends what may go now; nothing while a handler is at work on the connection. */
void conn_flush(struct http_conn *c);
/* Answers with an error of ours and closes. */
void conn_error(struct http_conn *c, int status);

#endif

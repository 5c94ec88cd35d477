/* Inside the HTTP layer: a connection, its parser and its slots. */
#ifndef CRUMB_SRC_HTTP_CONN_H
#define CRUMB_SRC_HTTP_CONN_H

#include "crumb/http/server.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <llhttp/llhttp.h>

#define SLOTS 8 /* answers a connection may have unsent */
#define INLINE_MAX 512
#define IN_FIRST 4096 /* bytes of a connection's buffer; longer requests grow it */
#define IN_KEEP 32768 /* beyond this it shrinks again when it is empty */
#define GATE_HELD UINT64_MAX

struct slot {
	uint64_t gate; /* sent when the server's gate is at least this */
	const char *p; /* what to send */
	size_t n, sent;
	bool last;	/* close behind it */
	struct buf big; /* answers that do not fit */
	char text[INLINE_MAX];
};

enum phase { PHASE_IDLE, PHASE_HEAD, PHASE_BODY, PHASE_ANSWER, PHASE_LINGER, PHASE_MAX };

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
	} url, field, header[H_MAX], body;
	int current; /* header being read, -1: one we do not want */
	bool gpc;
	int fail; /* status to answer instead, set inside callbacks */
	bool stranger; /* may send a small body only */
	/* answers in order: slots[head … head + used) modulo SLOTS */
	unsigned head, used;
	struct slot slots[SLOTS];
};

struct conn_list {
	struct http_conn *first, *last;
};

struct http_server {
	struct event_base *base;
	const struct config *config;
	http_handler handler;
	void *ctx;
	int fd;
	bool draining;
	struct event accept_ev, tick_ev, marked_ev;
	llhttp_settings_t settings;
	struct conn_list phases[PHASE_MAX];
	struct http_conn *waiting, *marked, *spare, *dead;
	unsigned conns_n, spare_n;
	uint64_t gate;
	size_t body_limit;
	bool (*admitted)(void *ctx, struct str authorization); /* NULL: everybody is */
	uint32_t now; /* seconds, monotonic, of this tick */
	time_t date_second;
	char date[HTTP_DATE_LEN + 1];
};

void conn_callbacks(llhttp_settings_t *s);	    /* parse.c */
void conn_parse(struct http_conn *c);		    /* parse.c: hands complete requests to the handler */
void conn_phase(struct http_conn *c, enum phase p); /* server.c */
void conn_flush(struct http_conn *c);		    /* server.c: sends what may be sent; nothing while a handler is at work */
void conn_close(struct http_conn *c);		    /* server.c */
void conn_error(struct http_conn *c, int status);   /* answers and closes */
struct slot *conn_slot(struct http_conn *c);	    /* takes the next one */

#endif

/* A thin HTTP/1.1 server on libevent's events, with llhttp as the parser: keep-alive, pipelining,
 * limits, time-outs.
 *
 * Threads. One server belongs to one thread and its event base. Handlers are called from the event
 * loop and from nowhere else. A handler may call everything below, for its own request and for
 * other connections: no function here calls a handler.
 *
 * Lifetime. A complete request goes to the handler. The views of the request point into the
 * connection's buffer. They are valid until the handler returns; then the bytes are wiped.
 *
 * Answers go out in the order of the requests. Each takes one of the connection's slots (SLOTS in
 * src/http/conn.h); while all are taken nothing more is read from the connection.
 *
 * An answer goes at once, or waits in one of two ways:
 *
 *	http_wait_gate(t, n)   for the answer gate. The server has one number, its gate. It grows
 *			       with each commit to disk. Gate 7 is open: answers that wait for 5, 6
 *			       and 7 go; one that waits for 8 stays. Whoever numbers commits calls
 *			       http_gate_open(7), or http_gate_fail(7) before it, when the commit
 *			       was lost.
 *	http_hold(t)	       for one who has to ask somebody else first. The ticket keeps the
 *			       connection's memory, even when the peer goes away meanwhile. Its
 *			       holder calls http_reply() and then http_release(), once each.
 *
 * A ready answer still waits behind an earlier request's answer that is not ready. */
#ifndef CRUMB_HTTP_SERVER_H
#define CRUMB_HTTP_SERVER_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"
#include "crumb/core/config.h"

#include <sys/socket.h>

struct event_base;
struct http_server;
struct http_conn;

enum http_method { HTTP_M_GET, HTTP_M_HEAD, HTTP_M_POST, HTTP_M_OPTIONS, HTTP_M_OTHER };

/* The header fields that are kept, by the length of their names. */
enum http_header {
	H_DNT,
	H_HOST,
	H_COOKIE,
	H_ORIGIN,
	H_EXPECT,
	H_REFERER,
	H_SEC_GPC,
	H_X_CRUMB,
	H_IF_MATCH,
	H_FORWARDED,
	H_USER_AGENT,
	H_CONTENT_TYPE,
	H_AUTHORIZATION,
	H_IF_NONE_MATCH,
	H_LAST_EVENT_ID,
	H_SEC_FETCH_SITE,
	H_SEC_FETCH_DEST,
	H_FORWARDED_FOR,
	H_ACCEPT_ENCODING,
	H_ACCEPT_LANGUAGE,
	H_FORWARDED_HOST,
	H_CONTENT_ENCODING,
	H_TRANSFER_ENCODING,
	H_FORWARDED_PROTO,
	H_IF_MODIFIED_SINCE,
	H_IF_UNMODIFIED_SINCE,
	H_MAX
};

/* Names one answer. A copy is as good as the ticket. */
struct http_ticket {
	struct http_conn *conn;
	unsigned slot;
};

/* Borrowed by the handler while it runs. */
struct http_request {
	enum http_method method;
	struct str path, query;
	/* Empty: the field did not come. Blanks around a value are cut. Several lines of one field
	 * are one list (RFC 9110 5.3, of cookies RFC 6265). */
	struct str header[H_MAX];
	bool gpc, dnt; /* some Sec-GPC, some DNT was exactly "1" */
	struct str body;
	const struct sockaddr *peer;
	struct http_ticket ticket;
};

typedef void (*http_handler)(void *ctx, struct http_request *r);

/* --- sockets and limits */

enum http_port {
	HTTP_PORT_OWN,	 /* nobody else may listen there */
	HTTP_PORT_SHARED /* other threads' servers listen there, too (SO_REUSEPORT) */
};
/* Listens on HOST:PORT, or nowhere when `listen` is NULL. The server keeps `c` and `ctx` by
 * reference until it is freed. ERR_USAGE: `listen` is no address. Others: what the system says
 * about it (err_sys()). ERR_NOMEM. */
enum err http_server_new(struct event_base *base, const struct config *c, const char *listen,
    enum http_port port, http_handler handler, void *ctx, struct http_server **out) MUST_CHECK;
/* Closes all connections. Whoever holds a ticket must have released it. NULL is allowed. */
void http_server_free(struct http_server *s);

/* OK when nobody else listens at the address. Our threads share a port, and each socket of a shared
 * port gets its part of the connections: a foreign one among ours would take some of them. */
enum err http_port_free(const char *listen) MUST_CHECK;
/* Listens at a socket that somebody else opened, too. The server makes a descriptor of its own; the
 * caller keeps `fd`. Before the loop runs. */
enum err http_server_listen(struct http_server *s, int fd) MUST_CHECK;
/* The i-th socket that the server listens at, borrowed; -1: there is none, or the server drains. */
int http_server_socket(const struct http_server *s, unsigned i);
/* Is the socket bound to HOST:PORT? Port 0 fits any. */
enum err http_socket_fits(const char *listen, int fd) MUST_CHECK;
/* The address of ours that the peer of this connection asked. False: it has none. While the request
 * or its head is looked at. */
bool http_local(struct http_ticket t, struct sockaddr_storage *out);
/* HOST:PORT as bound. */
void http_server_address(const struct http_server *s, char *out, size_t cap);

/* Takes a connection that somebody accepted, with its descriptor. The connection is closed at once
 * when there is no room for it. */
void http_server_adopt(struct http_server *s, int fd, const struct sockaddr_storage *peer);
/* Connections that the server's sockets accept go to `take` instead of http_server_adopt(). `take`
 * owns the descriptor, which does not block. TLS is spoken so, before http is
 * (cluster/secure.h). Before the loop runs. */
void http_server_accept(struct http_server *s,
    void (*take)(void *ctx, int fd, const struct sockaddr_storage *peer), void *ctx);
/* The most connections at a time; first `collect.connections` of the configuration. */
void http_server_limit(struct http_server *s, unsigned connections);
unsigned http_server_connections(const struct http_server *s);

/* Bytes a body may have where http_server_body_of() says nothing else. */
void http_server_body_limit(struct http_server *s, size_t bytes);
/* `most` says how long a body may be at this path. It is asked when the head of a request with a
 * body is complete. */
void http_server_body_of(struct http_server *s, size_t (*most)(void *ctx, struct str path));
/* `stranger` is asked when the head of a request is complete, with a request that has no body yet
 * and no slot for an answer. 0: it is no stranger's. Else it is the status of the refusal: a body
 * of more than HTTP_STRANGER_BODY bytes is answered with it and not read; with a shorter one the
 * handler is to say what is wrong. */
void http_server_admit(
    struct http_server *s, int (*stranger)(void *ctx, const struct http_request *head));
#define HTTP_STRANGER_BODY 4096

/* --- the end of a server */

/* Stops listening. Each connection hears `Connection: close` with its next answer. A connection
 * that asks for nothing is closed after a second. */
void http_server_drain(struct http_server *s);
/* Drains, but gives idle connections away, at once or after their answers, and no peer hears
 * `Connection: close`. `give` hands a copy of the descriptor to another process; ours is closed. */
void http_server_give(struct http_server *s, bool (*give)(void *ctx, int fd), void *ctx);
/* Drained: no connection is left. */
bool http_server_idle(const struct http_server *s);

/* --- answers */

/* Answers. Each ticket is answered exactly once. `headers` are complete lines with CRLF, or empty.
 * The body is copied, and the copy is wiped when it was sent. The answer to a HEAD is given like
 * that to a GET; its body is not sent. */
void http_reply(
    struct http_ticket t, int status, const char *type, struct str headers, struct str body);
/* A text that is there, as a buffer. */
#define BUF_OF(s)                                                                                  \
	(struct buf)                                                                               \
	{                                                                                          \
		.p = (char *)(uintptr_t)(s).p, .n = (s).n                                          \
	}
/* The same with buffers that may have found no memory. If one has not, the answer is a 503, never a
 * part of what was meant. */
void http_reply_whole(struct http_ticket t, int status, const char *type, const struct buf *headers,
    const struct buf *body);
/* A whole answer that the caller keeps in memory unchanged, such as the pixel. Not copied. */
void http_reply_ready(struct http_ticket t, struct str whole);

/* The answer just given waits until the gate is at least n. */
void http_wait_gate(struct http_ticket t, uint64_t n);
/* All answers that wait for gates up to n may go. n never falls. */
void http_gate_open(struct http_server *s, uint64_t n);
/* Answers that wait for exactly gate n become 503. They go when the gate is opened. */
void http_gate_fail(struct http_server *s, uint64_t n);

/* The answer comes later. The connection's memory stays until http_release(). */
void http_hold(struct http_ticket t);
/* After http_reply() to a held ticket; the loop sends the answer. */
void http_release(struct http_ticket t);

#define HTTP_DATE_LEN 37
/* "Date: …\r\n" of this second: HTTP_DATE_LEN bytes, in memory of the server that stays where it
 * is. */
const char *http_date(struct http_server *s);

/* --- query strings */

struct http_query {
	struct str rest;
	char *scratch; /* takes decoded values; as long as the query at least */
	size_t used;
};
/* The next pair, percent-decoded. A view into the query or into `scratch`. False at the end. */
bool http_query_next(struct http_query *q, struct str *key, struct str *value);

#endif

/* A thin HTTP/1.1 server on libevent's events, with llhttp as the parser: keep-alive, pipelining,
 * limits, time-outs.
 *
 * One server belongs to one thread and its event base. A request is handed to the handler when it
 * is complete; its views point into the connection's buffer and are valid until the handler
 * returns, then the bytes are wiped. Answers go out in the order of the requests. An answer takes
 * one of the connection's few slots; while all are taken nothing more is read.
 *
 * An answer can wait: for a numbered *gate* (http_gate_open(n) lets go everything that waits for
 * gates up to n), or, held with http_hold(), until http_reply() and http_release() are called with
 * the ticket.
 *
 * Handlers are called from the event loop and from nowhere else. Everything below may be called
 * from inside a handler, for its own request or for another connection's: it never calls a handler.
 * Requests that a full connection had to leave unread are gone on with by the loop. */
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
	H_IF_MODIFIED_SINCE,
	H_IF_UNMODIFIED_SINCE,
	H_MAX
};

struct http_ticket {
	struct http_conn *conn;
	unsigned slot;
};

struct http_request {
	enum http_method method;
	struct str path, query;
	struct str header[H_MAX]; /* empty: did not come. Without blanks around it; several lines
				     are one list (RFC 9110 5.3, of cookies RFC 6265) */
	bool gpc, dnt;		  /* some Sec-GPC, some DNT was exactly "1" */
	struct str body;
	const struct sockaddr *peer;
	struct http_ticket ticket;
};

typedef void (*http_handler)(void *ctx, struct http_request *r);

/* Listens on HOST:PORT, or nowhere when `listen` is NULL; `reuse` shares the port with other
 * threads' servers. */
enum err http_server_new(struct event_base *base, const struct config *c, const char *listen,
    bool reuse, http_handler handler, void *ctx, struct http_server **out) MUST_CHECK;
void http_server_free(struct http_server *s);
/* Sockets that share a port get a share of its connections each: nobody else may have it before the
 * first of ours does. */
enum err http_port_free(const char *listen) MUST_CHECK;
/* Listens at a socket that somebody else opened, too; makes a descriptor of its own for it. Before
 * the loop runs. */
enum err http_server_listen(struct http_server *s, int fd) MUST_CHECK;
int http_server_socket(const struct http_server *s,
    unsigned i); /* the i-th that it listens at, or -1; until it drains */
enum err http_socket_fits(
    const char *listen, int fd) MUST_CHECK; /* is it bound to HOST:PORT (port 0: to any)? */
/* Takes a connection that somebody accepted. It is closed at once when there is no room for it. */
void http_server_adopt(struct http_server *s, int fd, const struct sockaddr_storage *peer);
void http_server_address(
    const struct http_server *s, char *out, size_t cap); /* HOST:PORT as bound */
/* Stops listening. Each connection hears `Connection: close` with its next answer; who asks for
 * nothing for a second is closed then. */
void http_server_drain(struct http_server *s);
/* The same, but connections that ask for nothing are given away, at once or after their answers,
 * and nobody hears a word of it. `give` has another process share the descriptor; ours is closed.
 */
void http_server_give(struct http_server *s, bool (*give)(void *ctx, int fd), void *ctx);
bool http_server_idle(const struct http_server *s); /* drained: no connection left */
void http_server_body_limit(struct http_server *s, size_t bytes);
/* Asked when the headers of a request with a body are complete: how long it may be at this path. */
void http_server_body_of(struct http_server *s, size_t (*most)(void *ctx, struct str path));
/* Asked when the headers of a request are complete. False: it may bring HTTP_STRANGER_BODY bytes at
 * most; its handler says what is wrong. */
void http_server_admit(
    struct http_server *s, bool (*admitted)(void *ctx, struct str authorization));
#define HTTP_STRANGER_BODY 4096
void http_server_limit(
    struct http_server *s, unsigned connections); /* at once; first collect.connections */
unsigned http_server_connections(const struct http_server *s);

/* Answers. `headers` are complete lines with CRLF, or empty; a body is copied, and the copy wiped
 * when it was sent. A HEAD is answered like a GET; the body stays here. Each ticket is answered
 * exactly once. */
void http_reply(
    struct http_ticket t, int status, const char *type, struct str headers, struct str body);
/* The same with buffers that may have found no memory: then it is a 503, never a part of an answer.
 */
#define BUF_OF(s)                                                                                  \
	(struct buf)                                                                               \
	{                                                                                          \
		.p = (char *)(uintptr_t)(s).p, .n = (s).n                                          \
	} /* a text that is there, as a buffer */
void http_reply_whole(struct http_ticket t, int status, const char *type, const struct buf *headers,
    const struct buf *body);
/* A whole answer that stays in memory as it is (the pixel). */
void http_reply_ready(struct http_ticket t, struct str whole);
/* The answer just given waits for gate n. */
void http_wait_gate(struct http_ticket t, uint64_t n);
void http_hold(struct http_ticket
	t); /* the answer comes later; the connection's memory lives until http_release() */
void http_release(
    struct http_ticket t); /* after http_reply() to a held ticket: the loop sends it */
void http_gate_open(struct http_server *s, uint64_t n);
void http_gate_fail(struct http_server *s,
    uint64_t n); /* what waits for exactly gate n becomes a 503; open it afterwards */

const char *http_date(
    struct http_server *s); /* "Date: …\r\n" of this second; 37 bytes, always the same memory */
#define HTTP_DATE_LEN 37

/* --- query strings */
struct http_query {
	struct str rest;
	char *scratch; /* decoded values are written here; must hold the query's length */
	size_t used;
};
/* Next pair, percent-decoded. False at the end. */
bool http_query_next(struct http_query *q, struct str *key, struct str *value);

#endif

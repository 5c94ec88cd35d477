/* Answers: slots are filled, wait for a gate or for a ticket, and go out in the order of the
 * requests.
 *
 *	conn_slot()	 the next slot of the ring is taken; its gate is GATE_HELD: no answer yet
 *	http_reply…()	 the answer is there; its gate is 0: may go
 *	http_wait_gate() its gate is n: may go when the server's gate is n or more
 *	send_ready()	 sends from the oldest slot to the first whose gate is not open
 *
 * An answer never goes from within the handler (`busy`): what a handler says is sent when the
 * handler has returned, several pipelined answers in one system call. */
#include "conn.h"

#include "crumb/base/clock.h"
#include "crumb/core/metric.h"
#include "crumb/http/condition.h"

#include <errno.h>
#include <stdio.h>
#include <sys/uio.h>
#include <time.h>

static const struct {
	int code;
	const char *reason;
} statuses[] = {{200, "OK"}, {204, "No Content"}, {302, "Found"}, {303, "See Other"},
    {304, "Not Modified"}, {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"},
    {404, "Not Found"}, {405, "Method Not Allowed"}, {406, "Not Acceptable"},
    {408, "Request Timeout"}, {409, "Conflict"}, {412, "Precondition Failed"},
    {413, "Content Too Large"}, {414, "URI Too Long"}, {415, "Unsupported Media Type"},
    {421, "Misdirected Request"}, {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"}, {500, "Internal Server Error"},
    {501, "Not Implemented"}, {503, "Service Unavailable"}};

const char *conn_reason(int code)
{
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (statuses[i].code == code)
			return statuses[i].reason;
	return "Unknown";
}

const char *http_date(struct http_server *s)
{
	time_t now = (time_t)clock_now();
	if (now != s->date_second) {
		char text[HTTP_DATE_TEXT];
		http_date_write(now, text);
		snprintf(s->date, sizeof s->date, "Date: %s\r\n", text);
		s->date_second = now;
	}
	return s->date;
}

/* --- sending */

struct slot *conn_slot(struct http_conn *c)
{
	CHECK(c->used < SLOTS);
	struct slot *s = &c->slots[(c->head + c->used++) % SLOTS];
	s->gate = GATE_HELD;
	s->n = s->sent = 0;
	s->last = s->bodyless = s->stays = false;
	s->big.secret = true;
	return s;
}

/* Sends all answers that may go, in one system call. Slots that were sent whole are wiped and free;
 * of the first that was not, `sent` says how much went, and the loop says when there is room again.
 * False: the connection was closed. */
static bool send_ready(struct http_conn *c)
{
	struct iovec iov[SLOTS];
	int n = 0;
	for (unsigned i = 0; i < c->used; i++) {
		struct slot *s = &c->slots[(c->head + i) % SLOTS];
		if (s->gate > c->server->gate)
			break;
		iov[n++] = (struct iovec){(void *)(uintptr_t)(s->p + s->sent), s->n - s->sent};
	}
	if (n == 0)
		return true;
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = (size_t)n};
	ssize_t sent =
	    n == 1 ? send(c->fd, iov[0].iov_base, iov[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT)
		   : sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0) {
		if (errno != EAGAIN && errno != EINTR) {
			conn_close(c);
			return false;
		}
		sent = 0;
	}
	while (c->used) {
		struct slot *s = &c->slots[c->head];
		if (s->gate > c->server->gate)
			break;
		size_t left = s->n - s->sent, part = (size_t)sent < left ? (size_t)sent : left;
		s->sent += part;
		sent -= (ssize_t)part;
		if (s->sent < s->n) {
			event_add(&c->write_ev, NULL);
			c->want_write = true;
			if (c->phase == PHASE_ANSWER)
				conn_phase(c, PHASE_SEND);
			break;
		}
		if (s->p == s->text || s->big.p)
			conn_slot_wipe(s);
		c->head = (c->head + 1) % SLOTS;
		c->used--;
		if (!s->last)
			continue;
		/* Closing a socket with unread bytes sends a reset, and the peer may lose the
		 * answer. So a connection with nothing to read is closed, any other lingers. */
		if (!c->refused && c->start == c->in_n) {
			conn_close(c);
			return false;
		}
		conn_linger(c);
		return true;
	}
	return true;
}

/* Sends, and sets the phase by what is left. A connection with a free slot is read from again. */
void conn_flush(struct http_conn *c)
{
	if (c->closed || c->busy || c->want_write || c->phase == PHASE_LINGER || !send_ready(c))
		return;
	if ((c->phase == PHASE_ANSWER || c->phase == PHASE_SEND) && c->used == 0)
		conn_phase(c, PHASE_IDLE);
	else if (c->phase == PHASE_SEND && !c->want_write)
		conn_phase(c, PHASE_ANSWER);
	if (c->server->draining)
		conn_leave(c);
	if (c->closed)
		return;
	if (c->phase == PHASE_LINGER || c->used == SLOTS)
		return;
	if (!c->reading && !c->closing) {
		event_add(&c->read_ev, NULL);
		c->reading = true;
	}
}

/* --- filling */

/* HTTP/1.1 stays unless it is said not to; HTTP/1.0 goes, unless it asked to stay and is told so
 * (RFC 9112 9.3). */
static const char *connection(const struct slot *s)
{
	if (s->last)
		return "Connection: close\r\n";
	return s->stays ? "Connection: keep-alive\r\n" : "";
}

/* There was no memory for the answer: this one needs none. */
static void no_memory(struct http_conn *c, struct slot *s)
{
	buf_done(&s->big);
	s->n = (size_t)snprintf(s->text, sizeof s->text,
	    "HTTP/1.1 503 %s\r\n%sRetry-After: 5\r\nCache-Control: no-store\r\nContent-Length: "
	    "0\r\n%s\r\n",
	    conn_reason(503), http_date(c->server), connection(s));
	s->p = s->text;
}

/* Takes the answer that was written into the slot's buffer. */
static void take_big(struct http_conn *c, struct slot *s)
{
	if (s->big.failed) {
		no_memory(c, s);
		return;
	}
	s->p = s->big.p;
	s->n = s->big.n;
}

void http_reply(
    struct http_ticket t, int status, const char *type, struct str headers, struct str body)
{
	struct http_conn *c = t.conn;
	struct slot *s = &c->slots[t.slot];
	char head[INLINE_MAX];
	bool empty = status == 204 || status == 304;
	if (c->closed)
		return; /* nobody is there to read it */
	const char *label = "", *end = "";
	if (body.n)
		label = "Content-Type: ", end = "\r\n";
	else
		type = "";
	int n = snprintf(head, sizeof head, "HTTP/1.1 %d %s\r\n%s%s%s%s", status,
	    conn_reason(status), http_date(c->server), label, type, end);
	size_t used = (size_t)n;
	if (!empty)
		used += (size_t)snprintf(
		    head + used, sizeof head - used, "Content-Length: %zu\r\n", body.n);
	used += (size_t)snprintf(head + used, sizeof head - used, "%s", connection(s));
	if (s->bodyless)
		body.n = 0; /* Content-Length has told how long it would be */
	if (used + headers.n + 2 + body.n <= sizeof s->text) {
		memcpy(s->text, head, used);
		if (headers.n)
			memcpy(s->text + used, headers.p, headers.n);
		memcpy(s->text + used + headers.n, "\r\n", 2);
		if (body.n)
			memcpy(s->text + used + headers.n + 2, body.p, body.n);
		s->p = s->text;
		s->n = used + headers.n + 2 + body.n;
	} else {
		buf_reserve(&s->big, used + headers.n + 2 + body.n);
		buf_add(&s->big, head, used);
		buf_str(&s->big, headers);
		buf_add(&s->big, "\r\n", 2);
		buf_str(&s->big, body);
		take_big(c, s);
	}
	s->gate = 0;
}

void http_reply_whole(struct http_ticket t, int status, const char *type, const struct buf *headers,
    const struct buf *body)
{
	struct slot *s = &t.conn->slots[t.slot];
	if (!headers->failed && !body->failed) {
		http_reply(t, status, type, buf_view(headers), buf_view(body));
	} else if (!t.conn->closed) {
		no_memory(t.conn, s);
		s->gate = 0;
	}
}

void http_reply_ready(struct http_ticket t, struct str whole)
{
	struct slot *s = &t.conn->slots[t.slot];
	s->p = whole.p;
	/* The ready answer says nothing about the connection, and has a body. */
	if (s->last || s->stays || s->bodyless) {
		const char *end = memmem(whole.p, whole.n, "\r\n\r\n", 4);
		CHECK(end);
		size_t head = (size_t)(end - whole.p);
		if (s->bodyless)
			whole.n = head + 4;
		if (s->last || s->stays) {
			buf_add(&s->big, whole.p, head + 2);
			buf_c(&s->big, connection(s));
			buf_add(&s->big, whole.p + head + 2, whole.n - head - 2);
			take_big(t.conn, s);
		}
	}
	if (s->p == whole.p)
		s->n = whole.n;
	s->gate = 0;
}

/* --- waiting */

/* Puts the connection on the list that http_gate_open() walks. */
static void put_off(struct http_conn *c)
{
	if (c->waiting)
		return;
	c->waiting = true;
	c->next_waiting = c->server->waiting;
	c->server->waiting = c;
}

void http_wait_gate(struct http_ticket t, uint64_t n)
{
	if (t.conn->server->gate >= n)
		return;
	t.conn->slots[t.slot].gate = n;
	put_off(t.conn);
}

void http_hold(struct http_ticket t)
{
	t.conn->holds++;
}

void http_release(struct http_ticket t)
{
	struct http_conn *c = t.conn;
	CHECK(c->holds > 0);
	c->holds--;
	if (c->closed)
		conn_let_go(c);
	else if (!c->busy)
		conn_mark(c);
}

/* The list is taken as a whole and walked; connections with an answer for a later gate go on the
 * new list. This is the place where a closed connection of the list is let go. */
void http_gate_open(struct http_server *s, uint64_t n)
{
	struct http_conn *c = s->waiting, *next;
	s->gate = n;
	s->waiting = NULL;
	for (; c; c = next) {
		next = c->next_waiting;
		c->waiting = false;
		if (c->closed) {
			conn_let_go(c);
			continue;
		}
		for (unsigned i = 0; i < c->used; i++) {
			uint64_t gate = c->slots[(c->head + i) % SLOTS].gate;
			if (gate > n && gate != GATE_HELD)
				put_off(c);
		}
		conn_flush(c);
		if (conn_unparsed(c))
			conn_mark(c);
	}
}

void http_gate_fail(struct http_server *s, uint64_t n)
{
	for (struct http_conn *c = s->waiting; c; c = c->next_waiting) {
		for (unsigned i = 0; i < c->used && !c->closed; i++) {
			unsigned at = (c->head + i) % SLOTS;
			if (c->slots[at].gate != n)
				continue;
			conn_slot_wipe(&c->slots[at]);
			http_reply((struct http_ticket){c, at}, 503, "text/plain",
			    STR("Retry-After: 5\r\nCross-Origin-Resource-Policy: cross-origin\r\n"),
			    STR("not recorded: the store cannot write\n"));
			c->slots[at].gate = n;
		}
	}
}

/* --- refusing */

/* What goes with each status: the counter of requests that we refuse, and a line of headers. */
static const struct refusal {
	int status;
	enum metric count;
	const char *headers;
} refusals[] = {
    {401, M_UNAUTHORIZED, "WWW-Authenticate: Bearer\r\n"}, {403, M_UNAUTHORIZED, ""},
    {408, M_BAD_TIMEOUT, ""}, {421, M_BAD_ORIGIN, ""}, {413, M_BAD_BODY_SIZE, ""},
    {414, M_BAD_URI, ""}, {431, M_BAD_HEADERS, ""},
    {503, METRIC_MAX, "Retry-After: 5\r\n"}, /* our fault: the request is not counted */
};

static const struct refusal *refusal_of(int status)
{
	static const struct refusal other = {0, M_BAD_SYNTAX, ""};
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		if (refusals[i].status == status)
			return &refusals[i];
	return &other;
}

/* The answer to what cannot be read to its end. Nothing more is read but to be thrown away. */
void conn_error(struct http_conn *c, int status)
{
	const struct refusal *why = refusal_of(status);
	if (why->count != METRIC_MAX)
		metric_inc(why->count);
	c->closing = c->refused = true;
	conn_stop_reading(c);
	if (c->used == SLOTS) {
		conn_close(c);
		return;
	}
	struct slot *s = conn_slot(c);
	s->last = true;
	http_reply((struct http_ticket){c, (unsigned)(s - c->slots)}, status, "text/plain",
	    str_c(why->headers), str_c(conn_reason(status)));
	if (!c->closed && c->phase != PHASE_LINGER)
		conn_phase(c, PHASE_ANSWER);
	conn_flush(c);
}

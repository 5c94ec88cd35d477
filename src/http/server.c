#include "conn.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/core/metric.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define ACCEPT_MOST 64
#define LINGER_S 2
#define SPARE_MOST 1024

static const struct {
	int code;
	const char *reason;
} statuses[] = {{200, "OK"}, {204, "No Content"}, {302, "Found"}, {303, "See Other"}, {304, "Not Modified"}, {400, "Bad Request"},
    {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"}, {408, "Request Timeout"}, {409, "Conflict"},
    {413, "Content Too Large"}, {414, "URI Too Long"}, {415, "Unsupported Media Type"}, {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"}, {500, "Internal Server Error"}, {503, "Service Unavailable"}};

static const char *reason(int code)
{
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (statuses[i].code == code)
			return statuses[i].reason;
	return "Unknown";
}

/* --- lists by phase */

static void unlist(struct http_conn *c)
{
	struct conn_list *l = &c->server->phases[c->phase];
	if (c->prev)
		c->prev->next = c->next;
	else
		l->first = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		l->last = c->prev;
}

static void enlist(struct http_conn *c, enum phase p)
{
	struct conn_list *l = &c->server->phases[p];
	c->phase = p;
	c->since = c->server->now;
	c->next = NULL;
	c->prev = l->last;
	if (l->last)
		l->last->next = c;
	else
		l->first = c;
	l->last = c;
}

void conn_phase(struct http_conn *c, enum phase p)
{
	if (c->phase == p)
		return;
	unlist(c);
	enlist(c, p);
}

/* --- the life of a connection */

/* Connections are freed by reap(), from the loop, so that nobody up the stack still holds one. */
static void free_conn(struct http_conn *c)
{
	c->next = c->server->dead;
	c->server->dead = c;
}

static void reap_one(struct http_server *s, struct http_conn *c)
{
	for (int i = 0; i < SLOTS; i++)
		buf_done(&c->slots[i].big);
	if (s->spare_n < SPARE_MOST && c->in_cap == IN_FIRST) {
		c->next = s->spare;
		s->spare = c;
		s->spare_n++;
		return;
	}
	free(c->in);
	free(c);
}

static void reap(struct http_server *s)
{
	while (s->dead) {
		struct http_conn *c = s->dead;
		s->dead = c->next;
		reap_one(s, c);
	}
}

/* Closed, and on nobody's list any more. */
static void let_go(struct http_conn *c)
{
	if (c->holds == 0 && !c->waiting && !c->marked)
		free_conn(c);
}

void conn_close(struct http_conn *c)
{
	if (c->closed)
		return;
	CHECK(!c->busy); /* a handler is reading the request */
	c->closed = true;
	unlist(c);
	event_del(&c->read_ev);
	if (c->want_write)
		event_del(&c->write_ev);
	close(c->fd);
	c->server->conns_n--;
	memset(c->in, 0, c->in_n);
	memset(&c->peer, 0, sizeof c->peer);
	let_go(c);
}

/* Answered for the last time: let the peer read it before the connection goes, even if it is still sending. */
static void linger(struct http_conn *c)
{
	memset(c->in, 0, c->in_n);
	c->start = c->parsed = c->in_n = 0;
	shutdown(c->fd, SHUT_WR);
	if (!c->reading) {
		event_add(&c->read_ev, NULL);
		c->reading = true;
	}
	conn_phase(c, PHASE_LINGER);
}

struct slot *conn_slot(struct http_conn *c)
{
	CHECK(c->used < SLOTS);
	struct slot *s = &c->slots[(c->head + c->used++) % SLOTS];
	s->gate = GATE_HELD;
	s->n = s->sent = 0;
	s->last = false;
	return s;
}

static void stop_reading(struct http_conn *c)
{
	if (c->reading)
		event_del(&c->read_ev);
	c->reading = false;
}

/* One writev of all answers that may go. Returns false when the connection was closed. */
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
	    n == 1 ? send(c->fd, iov[0].iov_base, iov[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT) : sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
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
			break;
		}
		buf_done(&s->big);
		c->head = (c->head + 1) % SLOTS;
		c->used--;
		if (s->last && !c->refused && c->start == c->in_n) { /* nothing is left to read that a close would answer with a reset */
			conn_close(c);
			return false;
		}
		if (s->last) {
			linger(c);
			return true;
		}
	}
	return true;
}

/* Bytes were read that the parser has not seen, because all slots were taken. */
static bool unparsed(const struct http_conn *c)
{
	return !c->closed && !c->closing && c->parsed < c->in_n && c->used < SLOTS;
}

void conn_flush(struct http_conn *c)
{
	if (c->closed || c->busy || c->want_write || c->phase == PHASE_LINGER || !send_ready(c))
		return;
	if (c->phase == PHASE_ANSWER && c->used == 0)
		conn_phase(c, PHASE_IDLE);
	if (c->used == 0 && c->server->draining && c->phase != PHASE_LINGER && !unparsed(c)) {
		conn_close(c);
		return;
	}
	if (c->phase == PHASE_LINGER || c->used == SLOTS)
		return;
	if (!c->reading && !c->closing) {
		event_add(&c->read_ev, NULL);
		c->reading = true;
	}
}

/* Bytes become requests, and answers go. Only the loop comes here, never a handler: whoever lets an answer go marks the connection, and the loop
 * goes on with it when nobody is reading a request of it any more. */
static void pump(struct http_conn *c)
{
	do {
		conn_parse(c);
		conn_flush(c);
	} while (unparsed(c));
}

/* The loop is to come to this connection in its next pass. */
static void mark(struct http_conn *c)
{
	if (c->marked)
		return;
	c->marked = true;
	c->next_marked = c->server->marked;
	c->server->marked = c;
	event_add(&c->server->marked_ev, &(struct timeval){0, 0});
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct http_conn *c = arg;
	(void)fd, (void)what;
	c->want_write = false;
	conn_flush(c);
	pump(c);
}

static bool make_room(struct http_conn *c)
{
	if (c->start > 0) {
		memmove(c->in, c->in + c->start, c->in_n - c->start);
		c->parsed -= c->start;
		c->in_n -= c->start;
		memset(c->in + c->in_n, 0, c->start);
		c->start = 0;
	}
	if (c->in_n < c->in_cap)
		return true;
	size_t body = c->stranger ? HTTP_STRANGER_BODY : c->server->body_limit;
	size_t most = (size_t)c->server->config->header_bytes + 2 * body + IN_FIRST, cap = c->in_cap * 2;
	if (c->in_cap >= most)
		return false;
	char *grown = malloc(cap); /* not realloc(): it would leave the old bytes in the heap */
	if (!grown)
		return false;
	memcpy(grown, c->in, c->in_n);
	memset(c->in, 0, c->in_n);
	free(c->in);
	c->in = grown;
	c->in_cap = cap;
	return true;
}

/* Answered already: what still comes is thrown away. True: there may be more of it. */
static bool read_away(struct http_conn *c)
{
	char away[16384];
	ssize_t n = recv(c->fd, away, sizeof away, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		conn_close(c);
	return n == sizeof away || (n < 0 && errno == EINTR);
}

/* Reads once. True: there may be more. */
static bool read_some(struct http_conn *c)
{
	if (!make_room(c)) {
		conn_error(c, 413);
		return true;
	}
	size_t room = c->in_cap - c->in_n;
	ssize_t n = recv(c->fd, c->in + c->in_n, room, MSG_DONTWAIT);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return errno == EINTR;
	if (n <= 0) {
		if (n == 0 && c->used) { /* half closed: what was asked is still answered */
			stop_reading(c);
			c->closing = true;
			c->slots[(c->head + c->used - 1) % SLOTS].last = true;
			conn_phase(c, PHASE_ANSWER); /* half a request that may be left waits for nothing */
		} else {
			conn_close(c);
		}
		return false;
	}
	c->in_n += (size_t)n;
	pump(c);
	return (size_t)n == room;
}

/* The loop tells of new bytes once, so what is left of them is kept in mind. A connection is read once in each pass of the loop, so that
 * whoever sends without end does not stop the others. */
static void read_once(struct http_conn *c, bool ended)
{
	bool more = false;
	if (unparsed(c))
		pump(c); /* before the end of the stream is seen */
	if (c->closed)
		return;
	if (c->phase != PHASE_LINGER && c->used < SLOTS && !c->closing)
		more = read_some(c);
	else if (c->phase == PHASE_LINGER)
		more = read_away(c);
	if (c->closed)
		return;
	if (c->phase != PHASE_LINGER && (c->used == SLOTS || c->closing)) {
		stop_reading(c); /* starting again makes the loop look anew */
	} else if (more || ended) {
		c->unread = true;
		mark(c);
	}
}

/* A read that did not fill its room took all there was, but for the end of the stream when that came along. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	read_once(arg, what & EV_CLOSED);
}

static void on_marked(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	struct http_conn *c = s->marked, *next;
	(void)fd, (void)what;
	s->marked = NULL;
	for (; c; c = next) {
		next = c->next_marked;
		c->marked = false;
		if (c->closed) {
			let_go(c);
			continue;
		}
		pump(c);
		if (c->closed || !c->unread)
			continue;
		c->unread = false;
		read_once(c, false);
	}
}

static void count_error(int status)
{
	metric_inc(status == 431   ? M_BAD_HEADERS
		   : status == 414 ? M_BAD_URI
		   : status == 413 ? M_BAD_BODY_SIZE
		   : status == 408 ? M_BAD_TIMEOUT
		   : status == 401 ? M_UNAUTHORIZED
				   : M_BAD_SYNTAX);
}

void conn_error(struct http_conn *c, int status)
{
	count_error(status);
	c->closing = c->refused = true;
	stop_reading(c);
	if (c->used == SLOTS) {
		conn_close(c);
		return;
	}
	struct slot *s = conn_slot(c);
	s->last = true;
	http_reply((struct http_ticket){c, (unsigned)(s - c->slots)}, status, "text/plain",
	    status == 401 ? STR("WWW-Authenticate: Bearer\r\n") : STR(""), str_c(reason(status)));
	if (!c->closed && c->phase != PHASE_LINGER)
		conn_phase(c, PHASE_ANSWER);
	conn_flush(c);
}

/* --- accepting */

static struct http_conn *new_conn(struct http_server *s)
{
	struct http_conn *c = s->spare;
	if (c) {
		s->spare = c->next;
		s->spare_n--;
		char *in = c->in;
		size_t cap = c->in_cap;
		memset(c, 0, offsetof(struct http_conn, slots));
		c->in = in;
		c->in_cap = cap;
	} else {
		c = calloc(1, sizeof *c);
		if (!c || !(c->in = malloc(IN_FIRST))) {
			free(c);
			return NULL;
		}
		c->in_cap = IN_FIRST;
	}
	c->server = s;
	c->current = -1;
	return c;
}

static bool make_place(struct http_server *s)
{
	if (s->conns_n < (unsigned)s->config->connections)
		return true;
	struct http_conn *victim = s->phases[PHASE_LINGER].first;
	if (!victim)
		victim = s->phases[PHASE_IDLE].first;
	if (!victim)
		victim = s->phases[PHASE_HEAD].first;
	if (!victim)
		return false;
	metric_inc(M_CONN_EVICTED);
	conn_close(victim);
	return true;
}

void http_server_adopt(struct http_server *s, int fd, const struct sockaddr_storage *peer)
{
	struct http_conn *c = make_place(s) ? new_conn(s) : NULL;
	metric_inc(M_CONNECTIONS);
	if (!c) {
		close(fd);
		return;
	}
	c->fd = fd;
	c->peer = *peer;
	llhttp_init(&c->parser, HTTP_REQUEST, &s->settings);
	c->parser.data = c;
	event_assign(&c->read_ev, s->base, fd, EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, on_readable, c);
	event_assign(&c->write_ev, s->base, fd, EV_WRITE | EV_ET, on_writable, c);
	event_add(&c->read_ev, NULL);
	c->reading = true;
	enlist(c, PHASE_IDLE);
	s->conns_n++;
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	(void)what;
	reap(s);
	for (int i = 0; i < ACCEPT_MOST; i++) {
		struct sockaddr_storage peer;
		socklen_t n = sizeof peer;
		int conn_fd = accept4(fd, (struct sockaddr *)&peer, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (conn_fd < 0) {
			if (errno == EMFILE || errno == ENFILE)
				make_place(s); /* one fewer; the kernel keeps the rest waiting */
			return;
		}
		http_server_adopt(s, conn_fd, &peer);
	}
}

/* --- time */

static void expire(struct http_server *s, enum phase p, uint32_t after, enum metric count, int status)
{
	while (s->phases[p].first && s->now - s->phases[p].first->since > after) {
		struct http_conn *c = s->phases[p].first;
		metric_inc(count);
		if (status)
			conn_error(c, status);
		else
			conn_close(c);
	}
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	const struct config *c = s->config;
	(void)fd, (void)what;
	reap(s);
	s->now = (uint32_t)(clock_mono_us() / 1000000);
	expire(s, PHASE_IDLE, (uint32_t)c->idle_s, M_CONN_IDLE, 0);
	expire(s, PHASE_HEAD, (uint32_t)c->header_s, M_CONN_SLOW, 408);
	expire(s, PHASE_BODY, (uint32_t)c->body_s, M_CONN_SLOW, 408);
	expire(s, PHASE_ANSWER, 4 * (uint32_t)c->body_s, M_CONN_SLOW, 0);
	expire(s, PHASE_LINGER, LINGER_S, M_CONN_IDLE, 0);
}

const char *http_date(struct http_server *s)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t now = (time_t)clock_now();
	if (now != s->date_second) {
		struct tm tm;
		char text[96];
		gmtime_r(&now, &tm);
		snprintf(text, sizeof text, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
		    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
		memcpy(s->date, text, HTTP_DATE_LEN);
		s->date[HTTP_DATE_LEN] = 0;
		s->date_second = now;
	}
	return s->date;
}

/* --- the server */

static enum err listen_on(const char *where, bool reuse, int *out)
{
	struct str w = str_c(where);
	size_t colon = w.n;
	while (colon > 0 && w.p[colon - 1] != ':')
		colon--;
	char host[256], port[16];
	struct str h = str_make(w.p, colon ? colon - 1 : 0);
	if (h.n > 1 && h.p[0] == '[')
		h = str_make(h.p + 1, h.n - 2);
	if (!colon || h.n >= sizeof host || w.n - colon >= sizeof port || w.n == colon)
		return err_set(ERR_USAGE, "'%s' is no HOST:PORT", where);
	snprintf(host, sizeof host, STR_FMT, STR_ARG(h));
	snprintf(port, sizeof port, "%s", w.p + colon);
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *found;
	int rc = getaddrinfo(h.n ? host : NULL, port, &hints, &found);
	if (rc)
		return err_set(ERR_USAGE, "%s: %s", where, gai_strerror(rc));
	int yes = 1, fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); /* connections have it from the listener */
		if (reuse)
			setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
	}
	bool ok = fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 4096) == 0;
	freeaddrinfo(found);
	if (!ok) {
		enum err e = err_set(ERR_IO, "%s: %s", where, errno == EADDRINUSE ? "in use by another program" : strerror(errno));
		if (fd >= 0)
			close(fd);
		return e;
	}
	*out = fd;
	return OK;
}

enum err http_port_free(const char *listen)
{
	int fd;
	enum err e = listen_on(listen, false, &fd);
	if (!e)
		close(fd);
	return e;
}

enum err http_server_new(
    struct event_base *base, const struct config *c, const char *listen, bool reuse, http_handler handler, void *ctx, struct http_server **out)
{
	struct http_server *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(ERR_NOMEM, "no memory");
	s->fd = -1;
	enum err e = listen ? listen_on(listen, reuse, &s->fd) : OK;
	if (e) {
		free(s);
		return e;
	}
	s->base = base;
	s->config = c;
	s->handler = handler;
	s->ctx = ctx;
	s->body_limit = (size_t)c->body_bytes;
	s->now = (uint32_t)(clock_mono_us() / 1000000);
	conn_callbacks(&s->settings);
	event_assign(&s->marked_ev, base, -1, 0, on_marked, s);
	event_assign(&s->tick_ev, base, -1, EV_PERSIST, on_tick, s);
	if (s->fd >= 0) {
		event_assign(&s->accept_ev, base, s->fd, EV_READ | EV_PERSIST, on_acceptable, s);
		event_add(&s->accept_ev, NULL);
	}
	event_add(&s->tick_ev, &(struct timeval){1, 0});
	*out = s;
	return OK;
}

void http_server_body_limit(struct http_server *s, size_t bytes)
{
	s->body_limit = bytes;
}

void http_server_admit(struct http_server *s, bool (*admitted)(void *ctx, struct str authorization))
{
	s->admitted = admitted;
}

unsigned http_server_connections(const struct http_server *s)
{
	return s->conns_n;
}

void http_server_address(const struct http_server *s, char *out, size_t cap)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof a;
	char host[64] = "?", port[16] = "?";
	if (getsockname(s->fd, (struct sockaddr *)&a, &n) == 0)
		getnameinfo((struct sockaddr *)&a, n, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(out, cap, a.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

void http_server_drain(struct http_server *s)
{
	if (s->draining)
		return;
	s->draining = true;
	if (s->fd >= 0) {
		event_del(&s->accept_ev);
		close(s->fd);
		s->fd = -1;
	}
	while (s->phases[PHASE_IDLE].first)
		conn_close(s->phases[PHASE_IDLE].first);
	while (s->phases[PHASE_HEAD].first)
		conn_close(s->phases[PHASE_HEAD].first);
}

bool http_server_idle(const struct http_server *s)
{
	return s->conns_n == 0;
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	http_server_drain(s);
	for (struct http_conn *c = s->marked; c; c = c->next_marked)
		conn_flush(c); /* the last answers */
	for (int p = 0; p < PHASE_MAX; p++)
		while (s->phases[p].first)
			conn_close(s->phases[p].first);
	http_gate_open(s, UINT64_MAX - 1);
	on_marked(-1, 0, s);
	reap(s);
	while (s->spare) {
		struct http_conn *next = s->spare->next;
		free(s->spare->in);
		free(s->spare);
		s->spare = next;
	}
	event_del(&s->marked_ev);
	event_del(&s->tick_ev);
	free(s);
}

/* --- answers */

static void put_off(struct http_conn *c)
{
	if (c->waiting)
		return;
	c->waiting = true;
	c->next_waiting = c->server->waiting;
	c->server->waiting = c;
}

void http_reply(struct http_ticket t, int status, const char *type, struct str headers, struct str body)
{
	struct http_conn *c = t.conn;
	struct slot *s = &c->slots[t.slot];
	char head[INLINE_MAX];
	bool empty = status == 204 || status == 304;
	int n = snprintf(head, sizeof head, "HTTP/1.1 %d %s\r\n%s%s%s%s", status, reason(status), http_date(c->server),
	    body.n ? "Content-Type: " : "", body.n ? type : "", body.n ? "\r\n" : "");
	size_t used = (size_t)n;
	if (!empty)
		used += (size_t)snprintf(head + used, sizeof head - used, "Content-Length: %zu\r\n", body.n);
	if (s->last)
		used += (size_t)snprintf(head + used, sizeof head - used, "Connection: close\r\n");
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
		buf_add(&s->big, head, used);
		buf_str(&s->big, headers);
		buf_add(&s->big, "\r\n", 2);
		buf_str(&s->big, body);
		s->p = s->big.p;
		s->n = s->big.n;
	}
	s->gate = 0;
}

void http_reply_ready(struct http_ticket t, struct str whole)
{
	struct slot *s = &t.conn->slots[t.slot];
	if (s->last) { /* the ready-made answer says keep-alive: say otherwise */
		size_t head = 0;
		while (head + 4 <= whole.n && memcmp(whole.p + head, "\r\n\r\n", 4) != 0)
			head++;
		buf_add(&s->big, whole.p, head + 2);
		buf_c(&s->big, "Connection: close\r\n");
		buf_add(&s->big, whole.p + head + 2, whole.n - head - 2);
		whole = buf_view(&s->big);
	}
	s->p = whole.p;
	s->n = whole.n;
	s->gate = 0;
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
		let_go(c);
	else if (!c->busy)
		mark(c);
}

void http_gate_open(struct http_server *s, uint64_t n)
{
	struct http_conn *c = s->waiting, *next;
	s->gate = n;
	s->waiting = NULL;
	for (; c; c = next) {
		next = c->next_waiting;
		c->waiting = false;
		if (c->closed) {
			let_go(c);
			continue;
		}
		for (unsigned i = 0; i < c->used; i++) {
			uint64_t gate = c->slots[(c->head + i) % SLOTS].gate;
			if (gate > n && gate != GATE_HELD)
				put_off(c);
		}
		conn_flush(c);
		if (unparsed(c))
			mark(c);
	}
}

void http_gate_fail(struct http_server *s, uint64_t n)
{
	for (struct http_conn *c = s->waiting; c; c = c->next_waiting) {
		for (unsigned i = 0; i < c->used && !c->closed; i++) {
			unsigned at = (c->head + i) % SLOTS;
			if (c->slots[at].gate != n)
				continue;
			buf_done(&c->slots[at].big);
			http_reply(
			    (struct http_ticket){c, at}, 503, "text/plain", STR("Retry-After: 5\r\n"), STR("not recorded: the store cannot write\n"));
			c->slots[at].gate = n;
		}
	}
}

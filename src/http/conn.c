/* The life of a connection: what it waits for, its buffer, reading, closing. */
#include "conn.h"

#include "crumb/core/metric.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define SPARE_MOST 1024

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

/* --- begin and end */

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
	c->body_most = s->body_limit;
	return c;
}

/* Connections are freed by reap(), from the loop, so that nobody up the stack still holds one. */
static void free_conn(struct http_conn *c)
{
	c->next = c->server->dead;
	c->server->dead = c;
}

static void reap_one(struct http_server *s, struct http_conn *c)
{
	for (int i = 0; i < SLOTS; i++)
		conn_slot_wipe(&c->slots[i]);
	if (s->spare_n < SPARE_MOST && c->in_cap == IN_FIRST) {
		c->next = s->spare;
		s->spare = c;
		s->spare_n++;
		return;
	}
	free(c->in);
	free(c);
}

void conn_reap(struct http_server *s)
{
	while (s->dead) {
		struct http_conn *c = s->dead;
		s->dead = c->next;
		reap_one(s, c);
	}
}

/* Closed, and on nobody's list any more. */
void conn_let_go(struct http_conn *c)
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
	explicit_bzero(c->in, c->in_n);
	explicit_bzero(&c->peer, sizeof c->peer);
	for (unsigned i = 0; i < c->used; i++)
		conn_slot_wipe(&c->slots[(c->head + i) % SLOTS]);
	conn_let_go(c);
}

/* Who asks for nothing may be about to ask: closing would answer that with a reset. What is in the socket already is for whoever has it next; what
 * was read of a request makes it ours. */
void conn_leave(struct http_conn *c)
{
	const struct http_server *s = c->server;
	if (c->closed || c->used || (c->phase != PHASE_IDLE && c->phase != PHASE_HEAD))
		return;
	bool clean = c->phase == PHASE_IDLE && c->start == c->in_n && !c->closing, given = s->give && clean;
	if (!given && !s->late)
		return;
	if (given)
		s->give(s->give_ctx, c->fd); /* who cannot be given away is closed as well */
	conn_close(c);
}

/* Answered for the last time: let the peer read it before the connection goes, even if it is still sending. */
void conn_linger(struct http_conn *c)
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

/* --- going on */

/* Bytes become requests, and answers go. Only the loop comes here, never a handler: whoever lets an answer go marks the connection, and the loop
 * goes on with it when nobody is reading a request of it any more. */
static void pump(struct http_conn *c)
{
	do {
		conn_parse(c);
		conn_flush(c);
	} while (conn_unparsed(c));
}

/* The loop is to come to this connection in its next pass. */
void conn_mark(struct http_conn *c)
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

/* --- reading */

static void stop_reading(struct http_conn *c)
{
	if (c->reading)
		event_del(&c->read_ev);
	c->reading = false;
}

/* 0, or the status of whoever sends more than there is room for. */
static int make_room(struct http_conn *c)
{
	if (c->start > 0) {
		memmove(c->in, c->in + c->start, c->in_n - c->start);
		c->parsed -= c->start;
		c->in_n -= c->start;
		memset(c->in + c->in_n, 0, c->start);
		c->start = 0;
	}
	if (c->in_n < c->in_cap)
		return 0;
	size_t body = c->stranger ? HTTP_STRANGER_BODY : c->body_most;
	size_t most = (size_t)c->server->config->header_bytes + 2 * body + IN_FIRST, cap = c->in_cap * 2;
	if (c->in_cap >= most)
		return 413;
	char *grown = malloc(cap); /* not realloc(): it would leave the old bytes in the heap */
	if (!grown)
		return 503;
	memcpy(grown, c->in, c->in_n);
	explicit_bzero(c->in, c->in_n);
	free(c->in);
	c->in = grown;
	c->in_cap = cap;
	return 0;
}

/* Answered already: what still comes is thrown away. True: there may be more of it. */
static bool read_away(struct http_conn *c)
{
	char away[16384];
	ssize_t n = recv(c->fd, away, sizeof away, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		conn_close(c);
	return n > 0 || (n < 0 && errno == EINTR);
}

/* Reads once. True: there may be more. */
static bool read_some(struct http_conn *c)
{
	int status = make_room(c);
	if (status) {
		conn_error(c, status);
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
	/* a reset may have come along, of which the loop tells in the same event and not again: who waits for the rest of a request looks once more */
	return (size_t)n == room || c->phase == PHASE_HEAD || c->phase == PHASE_BODY;
}

/* The loop tells of new bytes once, so what is left of them is kept in mind. A connection is read once in each pass of the loop, so that
 * whoever sends without end does not stop the others. */
static void read_once(struct http_conn *c, bool ended)
{
	bool more = false;
	if (conn_unparsed(c))
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
		conn_mark(c);
	}
}

/* A read that did not fill its room took all there was, but for the end of the stream when that came along. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	read_once(arg, what & EV_CLOSED);
}

void conn_on_marked(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	struct http_conn *c = s->marked, *next;
	(void)fd, (void)what;
	s->marked = NULL;
	for (; c; c = next) {
		next = c->next_marked;
		c->marked = false;
		if (c->closed) {
			conn_let_go(c);
			continue;
		}
		pump(c);
		if (c->closed || !c->unread)
			continue;
		c->unread = false;
		read_once(c, false);
	}
}

/* --- errors */

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
	if (status != 503) /* not theirs */
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
	    status == 401	? STR("WWW-Authenticate: Bearer\r\n")
	    : status == 503 ? STR("Retry-After: 5\r\n")
			    : STR(""),
	    str_c(conn_reason(status)));
	if (!c->closed && c->phase != PHASE_LINGER)
		conn_phase(c, PHASE_ANSWER);
	conn_flush(c);
}

/* --- from outside */

void http_server_adopt(struct http_server *s, int fd, const struct sockaddr_storage *peer)
{
	struct http_conn *c = server_make_place(s) ? new_conn(s) : NULL;
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

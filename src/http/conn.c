/* A connection from its first byte on: it is made, read from, parsed and answered, and its memory
 * is kept for the next one. */
#include "conn.h"

#include "crumb/core/metric.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define SPARE_MOST 1024

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

/* --- going on */

/* Bytes become requests, and answers go. Only the loop comes here, never a handler: whoever lets an
 * answer go marks the connection, and the loop goes on with it when nobody is reading a request of
 * it any more. */
static void pump(struct http_conn *c)
{
	do {
		conn_parse(c);
		conn_flush(c);
	} while (conn_unparsed(c));
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
	size_t most = (size_t)c->server->config->header_bytes + 2 * body + IN_FIRST,
	       cap = c->in_cap * 2;
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
			conn_stop_reading(c);
			c->closing = true;
			c->slots[(c->head + c->used - 1) % SLOTS].last = true;
			conn_phase(c,
			    PHASE_ANSWER); /* half a request that may be left waits for nothing */
		} else {
			conn_close(c);
		}
		return false;
	}
	c->in_n += (size_t)n;
	pump(c);
	/* a reset may have come along, of which the loop tells in the same event and not again: who
	 * waits for the rest of a request looks once more */
	return (size_t)n == room || c->phase == PHASE_HEAD || c->phase == PHASE_BODY;
}

/* The loop tells of new bytes once, so what is left of them is kept in mind. A connection is read
 * once in each pass of the loop, so that whoever sends without end does not stop the others. */
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
		conn_stop_reading(c); /* starting again makes the loop look anew */
	} else if (more || ended) {
		c->unread = true;
		conn_mark(c);
	}
}

/* A read that did not fill its room took all there was, but for the end of the stream when that
 * came along. */
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

/* --- from outside */

static bool make_place(struct http_server *s)
{
	return s->conns_n < s->most || conn_evict(s);
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
	event_assign(
	    &c->read_ev, s->base, fd, EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, on_readable, c);
	event_assign(&c->write_ev, s->base, fd, EV_WRITE | EV_ET, on_writable, c);
	event_add(&c->read_ev, NULL);
	c->reading = true;
	conn_enlist(c, PHASE_IDLE);
	s->conns_n++;
}

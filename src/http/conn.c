/* A connection from its first byte on: it is made, read from, parsed and answered, and its memory
 * is kept for the next one.
 *
 * The events are edge-triggered (EV_ET): the loop tells of new bytes once. Whoever does not read
 * all of them has to remember it, in `unread`. A connection is read from once in each pass of the
 * loop, so that a peer who sends without end does not stop the others; it is then *marked*, and
 * comes again in the next pass, after everybody else (conn_on_marked()).
 *
 * When reading stops because all slots are taken, read_ev is deleted. Adding it again makes the
 * kernel tell once more, so nothing has to be remembered then. */
#include "conn.h"

#include "crumb/core/metric.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define SPARE_MOST 1024 /* connections whose memory is kept: 10 MB */

/* --- begin and end */

/* A spare one, or a new one. The slots of a spare one were wiped and need no zeros. */
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

/* Bytes become requests, and answers go. Only the loop comes here, never a handler. A handler that
 * lets the answer of another connection go (http_release(), http_gate_open()) only marks it, and
 * the loop goes on with that connection when no handler is at work. */
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

/* Makes room to read: moves the request to the front of the buffer, and doubles the buffer when it
 * is full. A request may have a head and twice its body (a chunked body has framing) and IN_FIRST
 * bytes. 0, or the status to refuse with. */
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

/* After the last answer: throws away what still comes. True: there may be more. */
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
		if (n == 0 && c->used) {
			/* Half closed: what was asked is answered. A request of which only a part
			 * came is not waited for. */
			conn_stop_reading(c);
			c->closing = true;
			c->slots[(c->head + c->used - 1) % SLOTS].last = true;
			conn_phase(c, PHASE_ANSWER);
		} else {
			conn_close(c);
		}
		return false;
	}
	c->in_n += (size_t)n;
	pump(c);
	/* A reset may have come together with the bytes, and the loop tells of it in the same event
	 * only. A connection that waits for the rest of a request therefore looks once more. */
	return (size_t)n == room || c->phase == PHASE_HEAD || c->phase == PHASE_BODY;
}

/* The connection's turn in this pass of the loop. `ended`: the end of the stream was told. */
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
		conn_stop_reading(c); /* conn_flush() adds it again */
	} else if (more || ended) {
		c->unread = true;
		conn_mark(c);
	}
}

/* A read that did not fill its room took all bytes there were. The end of the stream (EV_CLOSED) is
 * not told again, so it has to be read for. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	read_once(arg, what & EV_CLOSED);
}

/* The loop goes on with what was marked in the pass before. The list is taken as a whole: what is
 * marked from here on is for the next pass. */
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

/* A server: listens, accepts, closes connections that take too long, ends.
 *
 * Three things may run out, and each has an answer: the places of a server (conn_evict() closes the
 * connection that matters least), descriptors (no_descriptor()), and the time of a phase, looked at
 * once a second (on_tick()). */
#include "conn.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/base/host.h"
#include "crumb/base/log.h"
#include "crumb/core/metric.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ACCEPT_MOST 64	 /* connections that are accepted at a time */
#define LINGER_S 2	 /* a peer has so long to read our last answer */
#define HELD_UP_S 2	 /* more between two ticks: the loop did not run */
#define LEAVE_US 1000000 /* a server that ends waits so long for idle connections */
#define PAUSE_US 50000	 /* without descriptors nobody is accepted for so long */
#define TOLD_S 60	 /* the log says so once in so many seconds */

/* --- accepting */

static void take_reserve(struct http_server *s)
{
	if (s->reserve < 0)
		s->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* No descriptor is left. One connection is closed to make room; the loop comes back to the listener
 * by itself, for it is still readable. When none may be closed, the first in line is accepted with
 * the descriptor that was kept for this, and closed: it hears at once that there is no place. Then
 * the listeners rest, or the loop would spin. */
static void no_descriptor(const struct listener *l)
{
	int why = errno;
	struct http_server *s = l->server;
	struct pollfd waits = {.fd = l->fd, .events = POLLIN};
	if (poll(&waits, 1, 0) <= 0)
		return; /* accept() wants a descriptor before it looks whether anybody waits */
	if (!s->told || s->now - s->told > TOLD_S) {
		s->told = s->now ? s->now : 1;
		log_warn("http",
		    "no file descriptor is left for a new connection connections=%u why=\"%s\"",
		    s->conns_n, strerror(why));
	}
	if (conn_evict(s))
		return;
	if (s->reserve >= 0) {
		close(s->reserve);
		s->reserve = -1;
		int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			close(fd);
		take_reserve(s);
	}
	for (size_t i = 0; i < s->listeners_n; i++)
		event_del(&s->listeners[i]->ev);
	event_add(&s->pause_ev, &(struct timeval){0, PAUSE_US});
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	(void)fd, (void)what;
	for (size_t i = 0; i < s->listeners_n; i++)
		event_add(&s->listeners[i]->ev, NULL);
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	const struct listener *l = arg;
	struct http_server *s = l->server;
	(void)what;
	conn_reap(s);
	for (int i = 0; i < ACCEPT_MOST; i++) {
		struct sockaddr_storage peer;
		socklen_t n = sizeof peer;
		int conn_fd =
		    accept4(fd, (struct sockaddr *)&peer, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (conn_fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM)
				no_descriptor(l);
			return;
		}
		if (s->take)
			s->take(s->take_ctx, conn_fd, &peer);
		else
			http_server_adopt(s, conn_fd, &peer);
	}
}

void http_server_accept(struct http_server *s,
    void (*take)(void *ctx, int fd, const struct sockaddr_storage *peer), void *ctx)
{
	s->take = take;
	s->take_ctx = ctx;
}

/* --- time */

/* Closes the connections that have been in a phase for longer than `after` seconds. A phase's list
 * has the oldest first, so only those are looked at. A ticket that is held will be answered, and
 * its holder has a time-out: such a connection is left alone. */
static void expire(
    struct http_server *s, enum phase p, uint32_t after, enum metric count, int status)
{
	for (struct http_conn *c = s->phases[p].first, *next; c && s->now - c->since > after;
	     c = next) {
		next = c->next;
		if (c->holds)
			continue;
		metric_inc(count);
		if (status)
			conn_error(c, status);
		else
			conn_close(c);
	}
}

/* The loop did not run for some seconds: the peers were not late, we were. Connections that came
 * just now were noted with the time of the tick before. */
static void forgive(struct http_server *s, uint32_t seconds)
{
	for (int p = 0; p < PHASE_MAX; p++)
		for (struct http_conn *c = s->phases[p].first; c; c = c->next)
			c->since += seconds;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	const struct config *c = s->config;
	(void)fd, (void)what;
	conn_reap(s);
	take_reserve(s);
	uint32_t before = s->now;
	s->now = (uint32_t)(clock_mono_us() / 1000000);
	if (s->now - before > HELD_UP_S)
		forgive(s, s->now - before - 1);
	expire(s, PHASE_IDLE, (uint32_t)c->idle_s, M_CONN_IDLE, 0);
	expire(s, PHASE_HEAD, (uint32_t)c->header_s, M_CONN_SLOW, 408);
	expire(s, PHASE_BODY, (uint32_t)c->body_s, M_CONN_SLOW, 408);
	expire(s, PHASE_ANSWER, 4 * (uint32_t)c->body_s, M_CONN_SLOW, 0);
	expire(s, PHASE_SEND, 4 * (uint32_t)c->body_s, M_CONN_SLOW, 0);
	expire(s, PHASE_LINGER, LINGER_S, M_CONN_IDLE, 0);
}

/* --- sockets */

/* ERR_BUSY: somebody else listens there. */
static enum err listen_at(
    const struct addrinfo *a, const char *where, enum http_port port, int *out)
{
	int yes = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
		/* connections have this from their listener */
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
		if (port == HTTP_PORT_SHARED)
			setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
	}
	if (fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, 4096) != 0) {
		bool taken = errno == EADDRINUSE;
		enum err e = taken ? err_set(ERR_BUSY, "%s: in use by another program", where)
				   : err_sys("%s", where);
		if (fd >= 0)
			close(fd);
		return e;
	}
	*out = fd;
	return OK;
}

/* The addresses of HOST:PORT. */
static enum err resolve(const char *where, struct addrinfo **out)
{
	char host[256], port[16];
	struct str h;
	uint16_t number;
	if (!host_port(str_c(where), &h, &number) || h.n >= sizeof host)
		return err_set(
		    ERR_USAGE, "'%s' is no HOST:PORT such as 127.0.0.1:8080 or [::1]:8080", where);
	snprintf(host, sizeof host, STR_FMT, STR_ARG(h));
	snprintf(port, sizeof port, "%u", number);
	struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	int rc = getaddrinfo(h.n ? host : NULL, port, &hints, out);
	return rc ? err_set(ERR_USAGE, "%s: %s", where, gai_strerror(rc)) : OK;
}

/* A name may have addresses that this machine lacks: the first that can be had is taken. */
static enum err listen_on(const char *where, enum http_port port, int *out)
{
	struct addrinfo *found;
	enum err e = resolve(where, &found);
	if (e)
		return e;
	e = ERR_IO;
	for (const struct addrinfo *a = found; a && e == ERR_IO; a = a->ai_next)
		e = listen_at(a, where, port, out);
	freeaddrinfo(found);
	return e == ERR_BUSY ? ERR_IO : e;
}

/* Port 0 of a is any. */
static bool same_address(const struct sockaddr *a, const struct sockaddr *b)
{
	const void *x = a, *y = b;
	if (a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET) {
		const struct sockaddr_in *i = x, *j = y;
		return i->sin_addr.s_addr == j->sin_addr.s_addr &&
		       (!i->sin_port || i->sin_port == j->sin_port);
	}
	const struct sockaddr_in6 *i = x, *j = y;
	return a->sa_family == AF_INET6 &&
	       memcmp(&i->sin6_addr, &j->sin6_addr, sizeof i->sin6_addr) == 0 &&
	       (!i->sin6_port || i->sin6_port == j->sin6_port);
}

static void address_text(int fd, char *out, size_t cap)
{
	struct sockaddr_storage a = {0};
	socklen_t n = sizeof a;
	char host[64] = "?", port[16] = "?";
	if (getsockname(fd, (struct sockaddr *)&a, &n) == 0)
		getnameinfo((struct sockaddr *)&a, n, host, sizeof host, port, sizeof port,
		    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(out, cap, a.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

enum err http_socket_fits(const char *listen, int fd)
{
	struct sockaddr_storage has;
	socklen_t n = sizeof has;
	struct addrinfo *found;
	char at[128];
	enum err e = resolve(listen, &found);
	if (e)
		return e;
	bool fits = false;
	if (getsockname(fd, (struct sockaddr *)&has, &n) == 0)
		for (const struct addrinfo *a = found; a && !fits; a = a->ai_next)
			fits = same_address(a->ai_addr, (const struct sockaddr *)&has);
	freeaddrinfo(found);
	address_text(fd, at, sizeof at);
	return fits ? OK
		    : err_set(ERR_USAGE, "the address is %s, but the running server listens at %s",
			  listen, at);
}

enum err http_port_free(const char *listen)
{
	int fd;
	enum err e = listen_on(listen, HTTP_PORT_OWN, &fd);
	if (!e)
		close(fd);
	return e;
}

/* Takes fd. */
static enum err add_listener(struct http_server *s, int fd)
{
	struct listener *l = malloc(sizeof *l);
	if (!l || !array_room(s->listeners, s->listeners_cap, s->listeners_n + 1)) {
		free(l);
		close(fd);
		return err_set(ERR_NOMEM, "no memory");
	}
	l->server = s;
	l->fd = fd;
	event_assign(&l->ev, s->base, fd, EV_READ | EV_PERSIST, on_acceptable, l);
	event_add(&l->ev, NULL);
	s->listeners[s->listeners_n++] = l;
	return OK;
}

enum err http_server_listen(struct http_server *s, int fd)
{
	int type = 0, listens = 0, yes = 1;
	socklen_t n = sizeof type;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) != 0 || type != SOCK_STREAM ||
	    !listens)
		return err_set(ERR_USAGE, "descriptor %d is no socket that listens", fd);
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (own < 0 || fcntl(own, F_SETFL, fcntl(own, F_GETFL) | O_NONBLOCK) != 0) {
		enum err e = err_sys("socket %d", fd);
		if (own >= 0)
			close(own);
		return e;
	}
	setsockopt(own, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	return add_listener(s, own);
}

int http_server_socket(const struct http_server *s, unsigned i)
{
	return i < s->listeners_n ? s->listeners[i]->fd : -1;
}

/* --- the server */

static void on_leave(evutil_socket_t fd, short what, void *arg);

enum err http_server_new(struct event_base *base, const struct config *c, const char *listen,
    enum http_port port, http_handler handler, void *ctx, struct http_server **out)
{
	struct http_server *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(ERR_NOMEM, "no memory");
	s->base = base;
	s->config = c;
	s->handler = handler;
	s->ctx = ctx;
	s->body_limit = (size_t)c->body_bytes;
	s->most = (unsigned)c->connections;
	s->reserve = -1;
	take_reserve(s);
	s->now = (uint32_t)(clock_mono_us() / 1000000);
	conn_callbacks(&s->settings);
	event_assign(&s->pause_ev, base, -1, 0, on_pause_over, s);
	event_assign(&s->marked_ev, base, -1, 0, conn_on_marked, s);
	event_assign(&s->tick_ev, base, -1, EV_PERSIST, on_tick, s);
	event_assign(&s->leave_ev, base, -1, 0, on_leave, s);
	event_add(&s->tick_ev, &(struct timeval){1, 0});
	int fd;
	enum err e = OK;
	if (listen && !(e = listen_on(listen, port, &fd)))
		e = add_listener(s, fd);
	if (e) {
		http_server_free(s);
		return e;
	}
	*out = s;
	return OK;
}

void http_server_body_limit(struct http_server *s, size_t bytes)
{
	s->body_limit = bytes;
}

void http_server_body_of(struct http_server *s, size_t (*most)(void *ctx, struct str path))
{
	s->body_of = most;
}

void http_server_admit(
    struct http_server *s, int (*stranger)(void *ctx, const struct http_request *head))
{
	s->stranger = stranger;
}

void http_server_limit(struct http_server *s, unsigned connections)
{
	s->most = connections;
}

unsigned http_server_connections(const struct http_server *s)
{
	return s->conns_n;
}

bool http_local(struct http_ticket t, struct sockaddr_storage *out)
{
	socklen_t n = sizeof *out;
	return getsockname(t.conn->fd, (struct sockaddr *)out, &n) == 0;
}

void http_server_address(const struct http_server *s, char *out, size_t cap)
{
	address_text(http_server_socket(s, 0), out, cap);
}

/* --- the end */

static void close_all(struct conn_list *l)
{
	while (l->first)
		conn_close(l->first);
}

/* The server has drained for a second: idle connections are waited for no longer. */
static void on_leave(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	(void)fd, (void)what;
	s->late = true;
	close_all(&s->phases[PHASE_IDLE]);
	close_all(&s->phases[PHASE_HEAD]);
	close_all(&s->phases[PHASE_LINGER]);
}

void http_server_drain(struct http_server *s)
{
	if (s->draining)
		return;
	s->draining = true;
	for (size_t i = 0; i < s->listeners_n; i++) {
		event_del(&s->listeners[i]->ev);
		close(s->listeners[i]->fd);
		free(s->listeners[i]);
	}
	s->listeners_n = 0;
	event_add(&s->leave_ev, &(struct timeval){LEAVE_US / 1000000, LEAVE_US % 1000000});
}

void http_server_give(struct http_server *s, bool (*give)(void *ctx, int fd), void *ctx)
{
	if (s->draining)
		return;
	s->give = give;
	s->give_ctx = ctx;
	http_server_drain(s);
	for (struct http_conn *c = s->phases[PHASE_IDLE].first, *next; c; c = next) {
		next = c->next;
		if (!c->busy)
			conn_leave(c);
	}
}

bool http_server_idle(const struct http_server *s)
{
	return s->conns_n == 0;
}

/* The last answers go, connections are closed, and then the two lists that may still point to a
 * closed connection (waiting, marked) are walked once more to let it go. */
void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	http_server_drain(s);
	for (struct http_conn *c = s->marked; c; c = c->next_marked)
		conn_flush(c);
	for (int p = 0; p < PHASE_MAX; p++)
		while (s->phases[p].first)
			conn_close(s->phases[p].first);
	http_gate_open(s, UINT64_MAX - 1);
	conn_on_marked(-1, 0, s);
	conn_reap(s);
	while (s->spare) {
		struct http_conn *next = s->spare->next;
		free(s->spare->in);
		free(s->spare);
		s->spare = next;
	}
	event_del(&s->marked_ev);
	event_del(&s->pause_ev);
	event_del(&s->tick_ev);
	event_del(&s->leave_ev);
	free(s->listeners);
	if (s->reserve >= 0)
		close(s->reserve);
	free(s);
}

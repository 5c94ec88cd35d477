/* A listener: accepts, closes who takes too long, ends. */
#include "conn.h"

#include "crumb/base/clock.h"
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

#define ACCEPT_MOST 64
#define LINGER_S 2
#define HELD_UP_S 2    /* longer between two ticks the loop did not run */
#define PAUSE_US 50000 /* without descriptors nobody is accepted for so long */
#define TOLD_S 60      /* and it is said so often */

/* --- accepting */

/* Closes the connection that has been of least use for longest: one that is only left to close, asks for nothing, takes long to ask, or does not take
 * its answer. Who waits for us is not touched. */
static bool evict(struct http_server *s)
{
	static const enum phase order[] = {PHASE_LINGER, PHASE_IDLE, PHASE_HEAD, PHASE_BODY, PHASE_SEND};
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		struct http_conn *victim = s->phases[order[i]].first;
		if (!victim || victim->busy)
			continue;
		metric_inc(M_CONN_EVICTED);
		conn_close(victim);
		return true;
	}
	return false;
}

bool server_make_place(struct http_server *s)
{
	return s->conns_n < s->most || evict(s);
}

static void take_reserve(struct http_server *s)
{
	if (s->reserve < 0)
		s->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* No descriptor is left. One connection makes room; the next look at the listener comes by itself. When none can, whoever is first in line
 * hears at once that there is no place, by the descriptor that was kept for this, and the listener rests, or it would spin. */
static void no_descriptor(struct http_server *s)
{
	int why = errno;
	struct pollfd waits = {.fd = s->fd, .events = POLLIN};
	if (poll(&waits, 1, 0) <= 0)
		return; /* the last descriptor was for the last who waited: accept() wants one before it looks */
	if (!s->told || s->now - s->told > TOLD_S) {
		s->told = s->now ? s->now : 1;
		log_warn("http", "no file descriptor is left for a new connection connections=%u why=\"%s\"", s->conns_n, strerror(why));
	}
	if (evict(s))
		return;
	if (s->reserve >= 0) {
		close(s->reserve);
		s->reserve = -1;
		int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			close(fd);
		take_reserve(s);
	}
	event_del(&s->accept_ev);
	event_add(&s->pause_ev, &(struct timeval){0, PAUSE_US});
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	(void)fd, (void)what;
	if (s->fd >= 0)
		event_add(&s->accept_ev, NULL);
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	(void)what;
	conn_reap(s);
	for (int i = 0; i < ACCEPT_MOST; i++) {
		struct sockaddr_storage peer;
		socklen_t n = sizeof peer;
		int conn_fd = accept4(fd, (struct sockaddr *)&peer, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (conn_fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
				no_descriptor(s);
			return;
		}
		http_server_adopt(s, conn_fd, &peer);
	}
}

/* --- time */

/* Whoever holds an answer has a time of his own for it, and gives one: such a connection waits. */
static void expire(struct http_server *s, enum phase p, uint32_t after, enum metric count, int status)
{
	for (struct http_conn *c = s->phases[p].first, *next; c && s->now - c->since > after; c = next) {
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

/* The loop was held up, or did not run yet: nobody was late meanwhile but ourselves, and who came now was noted at the time of the tick before. */
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

/* --- the server */

static enum err listen_at(const struct addrinfo *a, const char *where, bool reuse, int *out)
{
	int yes = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); /* connections have it from the listener */
		if (reuse)
			setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
	}
	if (fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, 4096) != 0) {
		bool taken = errno == EADDRINUSE;
		enum err e = err_set(taken ? ERR_BUSY : ERR_IO, "%s: %s", where, taken ? "in use by another program" : strerror(errno));
		if (fd >= 0)
			close(fd);
		return e;
	}
	*out = fd;
	return OK;
}

static enum err listen_on(const char *where, bool reuse, int *out)
{
	struct str w = str_c(where);
	size_t colon = w.n;
	while (colon > 0 && w.p[colon - 1] != ':')
		colon--;
	char host[256], port[16];
	struct str h = str_make(w.p, colon ? colon - 1 : 0);
	bool bracketed = h.n > 2 && h.p[0] == '[' && h.p[h.n - 1] == ']';
	if (bracketed)
		h = str_make(h.p + 1, h.n - 2);
	else if (str_find(h, ':') < h.n || str_find(h, '[') < h.n)
		return err_set(ERR_USAGE, "'%s' is no HOST:PORT: an address of IPv6 stands in brackets, as in [::1]:8080", where);
	if (!colon || h.n >= sizeof host || w.n - colon >= sizeof port || w.n == colon)
		return err_set(ERR_USAGE, "'%s' is no HOST:PORT", where);
	snprintf(host, sizeof host, STR_FMT, STR_ARG(h));
	snprintf(port, sizeof port, "%s", w.p + colon);
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *found;
	int rc = getaddrinfo(h.n ? host : NULL, port, &hints, &found);
	if (rc)
		return err_set(ERR_USAGE, "%s: %s", where, gai_strerror(rc));
	enum err e = ERR_IO;
	for (const struct addrinfo *a = found; a && e == ERR_IO; a = a->ai_next) /* a name may have addresses that this machine lacks */
		e = listen_at(a, where, reuse, out);
	freeaddrinfo(found);
	return e == ERR_BUSY ? ERR_IO : e;
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
	s->most = (unsigned)c->connections;
	s->reserve = -1;
	take_reserve(s);
	s->now = (uint32_t)(clock_mono_us() / 1000000);
	conn_callbacks(&s->settings);
	event_assign(&s->pause_ev, base, -1, 0, on_pause_over, s);
	event_assign(&s->marked_ev, base, -1, 0, conn_on_marked, s);
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

void http_server_body_of(struct http_server *s, size_t (*most)(void *ctx, struct str path))
{
	s->body_of = most;
}

void http_server_admit(struct http_server *s, bool (*admitted)(void *ctx, struct str authorization))
{
	s->admitted = admitted;
}

void http_server_limit(struct http_server *s, unsigned connections)
{
	s->most = connections;
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
	if (s->reserve >= 0)
		close(s->reserve);
	free(s);
}

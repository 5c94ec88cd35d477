/* TLS in front of a server of http (secure.h): libevent's buffers on both sides of a link, and a
 * few rules about when a side is read and when a link ends.
 *
 *     accepted ── handshake ──► open ── http has closed ──► last ── all is sent ──► gone
 *         │                       └──── peer has closed, or failed ───────────────►  │
 *         └── no such key, no TLS 1.3, too slow ──────────────────────────────────►  │
 *
 * `last`: http has said its last, and it still lies in the buffer to the peer. A peer who does not
 * take it has the time of a handshake. */
#include "crumb/cluster/secure.h"

#include "crumb/base/log.h"
#include "crumb/core/metric.h"

#include "certificate.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <unistd.h>

struct link {
	struct secure *secure;
	struct link *next, *prev;
	struct bufferevent *peer;  /* TLS */
	struct bufferevent *inner; /* to http; NULL: hands are still shaken */
	struct event late;	   /* ends the handshake, or the last bytes */
	struct sockaddr_storage from;
};

struct secure {
	struct event_base *base;
	struct http_server *server;
	SSL_CTX *settings;
	struct link *links;
	unsigned n;
	struct secure_limits limits;
};

static void limit_time(struct link *l)
{
	unsigned ms = l->secure->limits.handshake_ms;
	event_add(&l->late, &(struct timeval){ms / 1000, ms % 1000 * 1000});
}

/* --- the end of a link */

/* Says good-bye (close_notify) as far as the socket takes it at once. */
static void say_goodbye(struct bufferevent *peer)
{
	SSL *ssl = bufferevent_openssl_get_ssl(peer);
	if (SSL_is_init_finished(ssl))
		SSL_shutdown(ssl);
	ERR_clear_error();
}

static void link_free(struct link *l)
{
	struct secure *s = l->secure;
	if (l->prev)
		l->prev->next = l->next;
	else
		s->links = l->next;
	if (l->next)
		l->next->prev = l->prev;
	s->n--;
	event_del(&l->late);
	say_goodbye(l->peer);
	bufferevent_free(l->peer);
	if (l->inner)
		bufferevent_free(l->inner);
	free(l);
}

static void on_last_sent(struct bufferevent *peer, void *arg)
{
	(void)peer;
	link_free(arg);
}

static void on_last_event(struct bufferevent *peer, short what, void *arg)
{
	(void)peer, (void)what;
	link_free(arg);
}

/* http has closed: what it said still goes out. */
static void link_finish(struct link *l)
{
	struct evbuffer *left = bufferevent_get_output(l->peer);
	evbuffer_add_buffer(left, bufferevent_get_input(l->inner));
	if (!evbuffer_get_length(left)) {
		link_free(l);
		return;
	}
	bufferevent_free(l->inner);
	l->inner = NULL;
	bufferevent_disable(l->peer, EV_READ);
	bufferevent_setcb(l->peer, NULL, on_last_sent, on_last_event, l);
	bufferevent_setwatermark(l->peer, EV_WRITE, 0, 0);
	limit_time(l);
}

/* --- an open link */

static struct bufferevent *other_side(const struct link *l, const struct bufferevent *side)
{
	return side == l->peer ? l->inner : l->peer;
}

/* Bytes of one side go to the other. While too much waits there, this side is not read. */
static void on_bytes(struct bufferevent *side, void *arg)
{
	struct bufferevent *to = other_side(arg, side);
	struct evbuffer *out = bufferevent_get_output(to);
	evbuffer_add_buffer(out, bufferevent_get_input(side));
	if (evbuffer_get_length(out) > SECURE_AHEAD)
		bufferevent_disable(side, EV_READ);
}

/* Little enough waits to this side: the other is read again. */
static void on_room(struct bufferevent *side, void *arg)
{
	bufferevent_enable(other_side(arg, side), EV_READ);
}

static void on_inner_event(struct bufferevent *inner, short what, void *arg)
{
	(void)inner;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		link_finish(arg);
}

static void on_peer_event(struct bufferevent *peer, short what, void *arg)
{
	(void)peer;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT))
		link_free(arg);
}

/* Hands are shaken: http gets its end. */
static bool link_open(struct link *l)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	l->inner = bufferevent_socket_new(l->secure->base, pair[0], BEV_OPT_CLOSE_ON_FREE);
	if (!l->inner) {
		close(pair[0]);
		close(pair[1]);
		return false;
	}
	event_del(&l->late);
	bufferevent_setcb(l->peer, on_bytes, on_room, on_peer_event, l);
	bufferevent_setcb(l->inner, on_bytes, on_room, on_inner_event, l);
	bufferevent_setwatermark(l->peer, EV_WRITE, SECURE_AHEAD / 2, 0);
	bufferevent_setwatermark(l->inner, EV_WRITE, SECURE_AHEAD / 2, 0);
	bufferevent_enable(l->peer, EV_READ | EV_WRITE);
	bufferevent_enable(l->inner, EV_READ | EV_WRITE);
	http_server_adopt(l->secure->server, pair[1], &l->from);
	return true;
}

/* --- the handshake */

/* A time of the whole: whoever sends a byte now and then gains nothing. */
static void on_late(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;
	(void)fd, (void)what;
	if (!SSL_is_init_finished(bufferevent_openssl_get_ssl(l->peer)))
		metric_inc(M_NODE_REFUSED);
	link_free(l);
}

static void on_handshake(struct bufferevent *peer, short what, void *arg)
{
	struct link *l = arg;
	(void)peer;
	if (what & BEV_EVENT_CONNECTED) {
		if (!link_open(l))
			link_free(l);
		return;
	}
	metric_inc(M_NODE_REFUSED);
	log_debug("cluster", "a connection is refused: it is no node with our cluster.key");
	link_free(l);
}

/* The descriptor is ours from here on. */
static struct bufferevent *tls_of(struct secure *s, int fd)
{
	SSL *ssl = SSL_new(s->settings);
	struct bufferevent *peer = ssl ? bufferevent_openssl_socket_new(s->base, fd, ssl,
					     BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
				       : NULL;
	if (!peer && ssl)
		SSL_free(ssl);
	if (!peer)
		close(fd);
	return peer;
}

static void take_accepted(void *ctx, int fd, const struct sockaddr_storage *from)
{
	struct secure *s = ctx;
	struct link *l = s->n < s->limits.connections ? calloc(1, sizeof *l) : NULL;
	if (!l) {
		close(fd);
		return;
	}
	l->peer = tls_of(s, fd);
	if (!l->peer) {
		free(l);
		return;
	}
	l->secure = s;
	l->from = *from;
	l->next = s->links;
	if (l->next)
		l->next->prev = l;
	s->links = l;
	s->n++;
	bufferevent_setcb(l->peer, NULL, NULL, on_handshake, l);
	evtimer_assign(&l->late, s->base, on_late, l);
	limit_time(l);
	bufferevent_enable(l->peer, EV_READ | EV_WRITE);
}

/* --- begin and end */

enum err secure_new(struct event_base *base, struct http_server *server,
    const struct cluster_key *k, struct secure_limits limits, struct secure **out)
{
	struct secure *s = calloc(1, sizeof *s);
	enum err e = s ? certificate_server(k, &s->settings) : err_set(ERR_NOMEM, "no memory");
	if (e) {
		free(s);
		return e;
	}
	s->base = base;
	s->server = server;
	s->limits = limits;
	http_server_accept(server, take_accepted, s);
	*out = s;
	return OK;
}

unsigned secure_connections(const struct secure *s)
{
	return s->n;
}

void secure_free(struct secure *s)
{
	if (!s)
		return;
	while (s->links)
		link_free(s->links);
	http_server_drain(s->server); /* nobody is accepted any more */
	SSL_CTX_free(s->settings);
	free(s);
}

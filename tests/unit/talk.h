/* A server whose connections are socket pairs, and what is asked of it and comes back. The
 * handler's words are in the path: /now answers, /gate waits for the gate, /hold is released by the
 * test, /inside is held and released before the handler returns, /ready is an answer that stays in
 * memory. Each answer tells the cookie, the target and the body's length and sum of its own
 * request. All of it belongs to the thread of the test. */
#ifndef CRUMB_TEST_TALK_H
#define CRUMB_TEST_TALK_H

#include "../../src/http/conn.h"

#include "unit.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HELD_MOST 64

struct world {
	struct config config;
	struct event_base *base;
	struct http_server *server;
	uint64_t gate; /* what /gate waits for */
	unsigned handled, depth, deepest;
	struct held {
		struct http_ticket ticket;
		char answer[512];
	} held[HELD_MOST];
	unsigned held_n, pad; /* bytes added to each answer */
	bool greedy;	      /* each request releases all that were held before it */
	bool starved;	      /* there is no memory for long answers */
};

static inline unsigned sum(struct str s)
{
	unsigned n = 5381;
	for (size_t i = 0; i < s.n; i++)
		n = n * 33 + (uint8_t)s.p[i];
	return n;
}

static inline void tell(char out[512], const char *target, const char *cookie, struct str body)
{
	snprintf(out, 512, "[%s %s %zu %u]", target, cookie, body.n, sum(body));
}

static inline void answer(struct world *w, struct http_ticket t, const char *text)
{
	struct buf b = {0};
	buf_c(&b, text);
	for (unsigned i = 0; i < w->pad; i++)
		buf_c(&b, "x");
	http_reply(t, 200, "text/plain", STR(""), buf_view(&b));
	buf_done(&b);
}

static inline void release(struct world *w, unsigned i)
{
	struct held h = w->held[i];
	memmove(w->held + i, w->held + i + 1, (--w->held_n - i) * sizeof *w->held);
	answer(w, h.ticket, h.answer);
	http_release(h.ticket);
}

static inline void handle(void *ctx, struct http_request *r)
{
	struct world *w = ctx;
	char target[256], cookie[128];
	struct held h = {.ticket = r->ticket};
	w->handled++;
	if (++w->depth > w->deepest)
		w->deepest = w->depth;
	snprintf(target, sizeof target, "%.*s?%.*s", STR_ARG(r->path), STR_ARG(r->query));
	snprintf(cookie, sizeof cookie, STR_FMT, STR_ARG(r->header[H_COOKIE]));
	tell(h.answer, target, cookie, r->body);
	if (w->starved)
		r->ticket.conn->slots[r->ticket.slot].big.failed =
		    true; /* as when its buffer could not grow */
	while (w->greedy && w->held_n)
		release(w, 0);
	if (str_eq(r->path, STR("/hold")) || str_eq(r->path, STR("/inside"))) {
		http_hold(r->ticket);
		w->held[w->held_n++] = h;
		if (str_eq(r->path, STR("/inside")))
			release(w, w->held_n - 1);
	} else if (str_eq(r->path, STR("/ready"))) {
		http_reply_ready(
		    r->ticket, STR("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n[ready]"));
	} else {
		answer(w, r->ticket, h.answer);
		if (str_eq(r->path, STR("/gate")))
			http_wait_gate(r->ticket, w->gate);
	}
	/* the request is still what it was, whatever went out meanwhile */
	char again[512], target_again[256], cookie_again[128];
	snprintf(
	    target_again, sizeof target_again, "%.*s?%.*s", STR_ARG(r->path), STR_ARG(r->query));
	snprintf(cookie_again, sizeof cookie_again, STR_FMT, STR_ARG(r->header[H_COOKIE]));
	tell(again, target_again, cookie_again, r->body);
	assert_string_equal(again, h.answer);
	w->depth--;
}

static inline struct world *world_new(const char *option)
{
	struct world *w = calloc(1, sizeof *w);
	assert_int_equal(config_init(&w->config), OK);
	if (option)
		assert_int_equal(config_set(&w->config, option), OK);
	w->base = event_base_new();
	w->gate = 1;
	assert_int_equal(
	    http_server_new(w->base, &w->config, NULL, HTTP_PORT_OWN, handle, w, &w->server), OK);
	return w;
}

static inline void world_free(struct world *w)
{
	http_server_free(w->server);
	event_base_free(w->base);
	config_done(&w->config);
	free(w);
}

static inline int connected(struct world *w)
{
	int fd[2];
	struct sockaddr_storage peer = {.ss_family = AF_UNIX};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	http_server_adopt(w->server, fd[1], &peer);
	return fd[0];
}

/* Until nothing more happens. */
static inline void turn(struct world *w)
{
	for (int i = 0; i < 4; i++)
		event_base_loop(w->base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
}

static inline void put(int fd, struct str s)
{
	assert_int_equal(send(fd, s.p, s.n, MSG_NOSIGNAL), (ssize_t)s.n);
}

static inline void put_request(
    struct buf *out, const char *path, int number, const char *cookie, struct str body)
{
	buf_addf(out, "%s %s?%d HTTP/1.1\r\nHost: h\r\n", body.n ? "POST" : "GET", path, number);
	if (*cookie)
		buf_addf(out, "Cookie: %s\r\n", cookie);
	if (body.n)
		buf_addf(out, "Content-Length: %zu\r\n", body.n);
	buf_c(out, "\r\n");
	buf_str(out, body);
}

/* What came back: the bodies' bracketed parts, one after the other. */
static inline void got(int fd, struct buf *raw, struct buf *told)
{
	char part[65536];
	ssize_t n;
	while ((n = recv(fd, part, sizeof part, MSG_DONTWAIT)) > 0)
		buf_add(raw, part, (size_t)n);
	buf_clear(told);
	bool inside = false;
	for (size_t i = 0; i < raw->n; i++) {
		inside |= raw->p[i] == '[';
		if (inside)
			buf_add(told, raw->p + i, 1);
		inside &= raw->p[i] != ']';
	}
	buf_add(told, "", 1);
}

static inline bool ended(int fd)
{
	char c;
	return recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

static inline void expect(
    struct buf *out, const char *path, int number, const char *cookie, struct str body)
{
	char target[64], text[512];
	snprintf(target, sizeof target, "%s?%d", path, number);
	tell(text, target, cookie, body);
	buf_c(out, text);
}

struct talk {
	struct buf sent, raw, told, want;
};

static inline void talk_done(struct talk *t)
{
	buf_done(&t->sent);
	buf_done(&t->raw);
	buf_done(&t->told);
	buf_done(&t->want);
}

static inline void same(struct talk *t, int fd)
{
	got(fd, &t->raw, &t->told);
	buf_add(&t->want, "", 1);
	assert_string_equal(t->told.p, t->want.p);
	t->want.n--;
}

#endif

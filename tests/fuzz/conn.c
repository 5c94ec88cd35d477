/* One connection as the product uses it: requests of different browsers in one stream, cut anywhere, some answered at once, some at a gate, some held and
 * let go in the handler or later, in any order; a reader who is slow or stops. What each request must be answered is known when it is sent.
 *
 * The input is a list of acts of two bytes: what, and how much. Held against each other: every answer is its own request's and comes in order; a handler
 * is never entered from a handler; a request is the same when its handler ends as when it began; and of a finished request, and of an answer that
 * went, nothing is left in the connection. */
#include "../../src/http/conn.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REQUESTS_MOST 200
#define SECRET "Zq7" /* begins what only requests and their answers have */

static struct event_base *base;
static struct http_server *server;
static struct config config;

struct expected {
	char answer[200];
	bool head, bodyless, ready;
};

static struct {
	struct expected want[REQUESTS_MOST]; /* in the order of their numbers */
	unsigned asked, handled, answered;
	struct buf out; /* what the peer has not sent yet */
	struct buf in;	/* what the peer has received and not understood */
	int fd;
	struct http_conn *conn;
	bool junk;	/* the peer sent something that is no request: the rest is refused */
	bool shut, gone, inside;
	uint64_t gate;
	struct {
		struct http_ticket t;
		unsigned number;
	} held[SLOTS];
	unsigned held_n;
} w;

static unsigned sum(struct str s)
{
	unsigned n = 5381;
	for (size_t i = 0; i < s.n; i++)
		n = n * 33 + (uint8_t)s.p[i];
	return n;
}

static void tell(char out[200], struct str query, struct str cookie, struct str agent, struct str body)
{
	snprintf(out, 200, SECRET "[%.*s|%.*s|%.*s|%zu|%u]", STR_ARG(query), STR_ARG(cookie), STR_ARG(agent), body.n, sum(body));
}

static void give(struct http_ticket t, unsigned number)
{
	struct buf b = {0};
	buf_c(&b, w.want[number].answer);
	for (unsigned i = 0; number % 3 == 0 && i < 700; i++) /* some do not fit into a slot */
		buf_c(&b, ".");
	http_reply(t, 200, "text/plain", STR("X-Secret: " SECRET "\r\n"), buf_view(&b));
	buf_done(&b);
}

static void let_go(unsigned i)
{
	struct http_ticket t = w.held[i].t;
	give(t, w.held[i].number);
	w.held[i] = w.held[--w.held_n];
	http_release(t);
}

static void handle(void *ctx, struct http_request *r)
{
	char got[200], again[200];
	unsigned number;
	(void)ctx;
	CHECK(!w.inside);
	w.inside = true;
	w.conn = r->ticket.conn;
	struct str agent = r->header[H_USER_AGENT], cookie = r->header[H_COOKIE];
	tell(got, r->query, cookie, agent, r->body);
	if (w.junk && (r->query.n < 5 || sscanf(r->query.p, SECRET "%u", &number) != 1 || number >= w.asked || strcmp(got, w.want[number].answer) != 0)) {
		http_reply(r->ticket, 200, "text/plain", STR(""), STR("junk"));
		w.inside = false;
		return;
	}
	CHECK(r->query.n > 3 && sscanf(r->query.p, SECRET "%u", &number) == 1);
	CHECK(number < w.asked && (w.junk || number == w.handled));
	w.handled++;
	CHECK(strcmp(got, w.want[number].answer) == 0);
	CHECK((r->method == HTTP_M_HEAD) == w.want[number].head);
	char how = r->path.n > 1 ? r->path.p[1] : 'n';
	if (how == 'r') {
		http_reply_ready(r->ticket, STR("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready"));
		w.want[number].ready = true;
	} else if (how == 'h' || how == 'i') {
		http_hold(r->ticket);
		w.held[w.held_n].t = r->ticket;
		w.held[w.held_n++].number = number;
		if (how == 'i') {
			unsigned first = number % 2 && w.held_n > 1 ? 0 : w.held_n - 1; /* an earlier one, too */
			let_go(first);
			if (w.held_n && w.held[w.held_n - 1].number == number)
				let_go(w.held_n - 1);
		}
	} else {
		give(r->ticket, number);
		if (how == 'g')
			http_wait_gate(r->ticket, w.gate);
	}
	tell(again, r->query, r->header[H_COOKIE], r->header[H_USER_AGENT], r->body);
	CHECK(strcmp(got, again) == 0);
	w.inside = false;
}

/* --- the peer */

static void ask(uint8_t kind, uint8_t much)
{
	static const char *const ways[] = {"now", "gate", "held", "inside", "ready", "inside", "held", "now"};
	if (w.asked == REQUESTS_MOST || w.junk || w.shut)
		return;
	struct expected *e = &w.want[w.asked];
	char query[40], cookie[64] = "", agent[40] = "", body[600];
	size_t body_n = kind & 8 ? much * 2u : 0;
	bool chunked = kind & 16, split = kind & 32;
	for (size_t i = 0; i < body_n; i++)
		body[i] = i < 4 ? "Zq7b"[i] : (char)('a' + (i * 7 + much + w.asked) % 26);
	snprintf(query, sizeof query, SECRET "%u", w.asked);
	e->head = body_n == 0 && much % 5 == 4;
	e->bodyless = e->head;
	buf_addf(&w.out, "%s /%s?%s HTTP/1.1\r\nHost: h.example\r\n", e->head ? "HEAD" : body_n ? "POST" : "GET", ways[kind % 8], query);
	if (much % 3) {
		snprintf(cookie, sizeof cookie, "a=" SECRET "c%u; b=%u", w.asked, much);
		if (split) /* in two lines, with another one between */
			buf_addf(&w.out, "cookie: a=" SECRET "c%u \r\n", w.asked);
	}
	if (much % 4) {
		snprintf(agent, sizeof agent, SECRET "agent%u", w.asked);
		buf_addf(&w.out, "User-Agent:%s\t\r\n", agent);
	}
	if (much % 3 && split)
		buf_addf(&w.out, "Cookie:b=%u\r\n", much);
	else if (much % 3)
		buf_addf(&w.out, "Cookie: %s\r\n", cookie);
	if (body_n && chunked) {
		buf_c(&w.out, "Transfer-Encoding: chunked\r\n\r\n");
		for (size_t at = 0, part; at < body_n; at += part) {
			part = 1 + (at * 31 + much) % 97;
			part = part < body_n - at ? part : body_n - at;
			buf_addf(&w.out, "%zx\r\n%.*s\r\n", part, (int)part, body + at);
		}
		buf_addf(&w.out, "0\r\n%s\r\n", much % 2 ? "Cookie: a=trailer\r\nUser-Agent: trailer\r\n" : "");
	} else {
		if (body_n)
			buf_addf(&w.out, "Content-Length: %zu\r\n", body_n);
		buf_c(&w.out, "\r\n");
		buf_add(&w.out, body, body_n);
	}
	tell(e->answer, str_c(query), str_c(cookie), str_c(agent), str_make(body, body_n));
	w.asked++;
}

static void send_some(size_t n)
{
	if (w.shut || w.gone)
		return;
	n = n < w.out.n ? n : w.out.n;
	ssize_t sent = n ? send(w.fd, w.out.p, n, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
	if (sent <= 0)
		return;
	memmove(w.out.p, w.out.p + sent, w.out.n - (size_t)sent);
	w.out.n -= (size_t)sent;
}

/* Takes whole answers off what came. */
static void understand(void)
{
	for (;;) {
		const char *end = w.in.n ? memmem(w.in.p, w.in.n, "\r\n\r\n", 4) : NULL;
		if (!end)
			return;
		size_t head = (size_t)(end - w.in.p) + 4;
		CHECK(w.in.n >= 12 && memcmp(w.in.p, "HTTP/1.1 ", 9) == 0);
		struct str lines = str_make(w.in.p, head);
		bool ok = memcmp(w.in.p + 9, "200", 3) == 0;
		CHECK(ok || w.junk);
		const char *at = memmem(lines.p, lines.n, "Content-Length: ", 16);
		CHECK(at);
		size_t n = strtoul(at + 16, NULL, 10);
		struct expected *e = &w.want[w.answered];
		if (ok && w.answered < w.asked && e->bodyless)
			n = 0;
		if (w.in.n < head + n)
			return;
		struct str body = str_make(w.in.p + head, n);
		if (!w.junk || (ok && w.answered < w.asked && str_starts(body, STR(SECRET)))) {
			CHECK(w.answered < w.asked);
			if (e->bodyless)
				CHECK(n == 0);
			else if (e->ready)
				CHECK(str_eq(body, STR("ready")));
			else
				CHECK(str_starts(body, str_c(e->answer)));
		}
		w.answered++;
		memmove(w.in.p, w.in.p + head + n, w.in.n - head - n);
		w.in.n -= head + n;
	}
}

static bool receive(size_t n)
{
	char part[8192];
	ssize_t got = w.gone ? 0 : recv(w.fd, part, n < sizeof part ? n : sizeof part, MSG_DONTWAIT);
	if (got > 0)
		buf_add(&w.in, part, (size_t)got);
	understand();
	return got > 0;
}

static void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
}

static bool holds(const char *p, size_t n)
{
	return p && memmem(p, n, SECRET, 3) != NULL;
}

/* Between two passes: of what is over nothing is left. */
static void look(void)
{
	const struct http_conn *c = w.conn;
	if (!c)
		return;
	CHECK(!holds(c->in, c->start) && !holds(c->in + c->in_n, c->in_cap - c->in_n));
	for (unsigned i = 0; i < SLOTS; i++) {
		unsigned place = (i + SLOTS - c->head) % SLOTS;
		const struct slot *s = &c->slots[i];
		if (c->closed || place >= c->used)
			CHECK(!holds(s->text, sizeof s->text) && !s->big.p);
	}
}

static void act(uint8_t what, uint8_t much)
{
	switch (what % 16) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		ask((uint8_t)(what / 16 * 8 + what % 8 + much), much);
		ask((uint8_t)(what / 16 + much * 5), (uint8_t)(much * 3));
		break;
	case 5:
		send_some(much);
		break;
	case 6:
		send_some(much * 64u);
		break;
	case 7:
	case 8:
		turn();
		break;
	case 9:
		if (w.held_n)
			let_go(much % w.held_n);
		break;
	case 10:
		http_gate_open(server, w.gate++);
		break;
	case 11:
		receive(much);
		break;
	case 12:
		receive(8192);
		break;
	case 13:
		if (much % 16 == 0 && !w.shut && !w.gone && w.out.n == 0 && !w.junk) { /* no half request that a half close would cut */
			shutdown(w.fd, SHUT_WR);
			w.shut = true;
		}
		break;
	case 14:
		if (much % 64 == 0 && !w.gone) {
			close(w.fd);
			w.gone = true;
		}
		break;
	default:
		if (!w.shut && w.out.n == 0) {
			w.junk = true;
			buf_add(&w.out, &what, 1);
			buf_add(&w.out, &much, 1);
			buf_c(&w.out, " GET\r\n\r\n");
		}
	}
}

static void start(void)
{
	CHECK(config_init(&config) == OK && config_set(&config, "collect.body_bytes=4096") == OK);
	base = event_base_new();
	CHECK(http_server_new(base, &config, NULL, HTTP_PORT_OWN, handle, NULL, &server) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (!base)
		start();
	int fd[2], little = 2304;
	struct sockaddr_storage peer = {.ss_family = AF_UNIX};
	memset(&w, 0, sizeof w);
	w.gate = server->gate + 1;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	if (n && data[0] % 2)
		setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
	w.fd = fd[0];
	http_server_adopt(server, fd[1], &peer);
	for (size_t i = 1; i + 1 < n; i += 2) {
		act(data[i], data[i + 1]);
		look();
	}
	/* whatever came, it ends: all is sent, let go, received */
	for (int i = 0; i < 2000 && !w.gone && (w.out.n || w.answered < w.asked || w.held_n); i++) {
		send_some(4096);
		turn();
		look();
		while (w.held_n)
			let_go(0);
		http_gate_open(server, w.gate++);
		turn();
		while (receive(8192))
			;
		look();
		if (w.junk && i > 20)
			break;
	}
	CHECK(w.gone || w.junk || (w.answered == w.asked && w.handled == w.asked && w.in.n == 0));
	if (!w.gone)
		close(w.fd);
	for (int i = 0; i < 30 && http_server_connections(server); i++) {
		turn();
		while (w.held_n)
			let_go(0);
		http_gate_open(server, w.gate++);
	}
	while (w.held_n)
		let_go(0);
	http_gate_open(server, w.gate++);
	turn();
	CHECK(http_server_connections(server) == 0);
	look();
	conn_reap(server);
	buf_done(&w.out);
	buf_done(&w.in);
	return 0;
}

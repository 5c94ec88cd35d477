/* A connection over a socket pair: what is asked, held, released and answered, whole and in order. The handler's words are in the path:
 * /now answers, /gate waits for the gate, /hold is released by the test, /inside is held and released before the handler returns, /ready is
 * an answer that stays in memory. Each answer tells the cookie, the target and the body's length and sum of its own request. */
#include "../../src/http/conn.h"

#include "unit.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
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

static unsigned sum(struct str s)
{
	unsigned n = 5381;
	for (size_t i = 0; i < s.n; i++)
		n = n * 33 + (uint8_t)s.p[i];
	return n;
}

static void tell(char out[512], const char *target, const char *cookie, struct str body)
{
	snprintf(out, 512, "[%s %s %zu %u]", target, cookie, body.n, sum(body));
}

static void answer(struct world *w, struct http_ticket t, const char *text)
{
	struct buf b = {0};
	buf_c(&b, text);
	for (unsigned i = 0; i < w->pad; i++)
		buf_c(&b, "x");
	http_reply(t, 200, "text/plain", STR(""), buf_view(&b));
	buf_done(&b);
}

static void release(struct world *w, unsigned i)
{
	struct held h = w->held[i];
	memmove(w->held + i, w->held + i + 1, (--w->held_n - i) * sizeof *w->held);
	answer(w, h.ticket, h.answer);
	http_release(h.ticket);
}

static void handle(void *ctx, struct http_request *r)
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
		r->ticket.conn->slots[r->ticket.slot].big.failed = true; /* as when its buffer could not grow */
	while (w->greedy && w->held_n)
		release(w, 0);
	if (str_eq(r->path, STR("/hold")) || str_eq(r->path, STR("/inside"))) {
		http_hold(r->ticket);
		w->held[w->held_n++] = h;
		if (str_eq(r->path, STR("/inside")))
			release(w, w->held_n - 1);
	} else if (str_eq(r->path, STR("/ready"))) {
		http_reply_ready(r->ticket, STR("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n[ready]"));
	} else {
		answer(w, r->ticket, h.answer);
		if (str_eq(r->path, STR("/gate")))
			http_wait_gate(r->ticket, w->gate);
	}
	/* the request is still what it was, whatever went out meanwhile */
	char again[512], target_again[256], cookie_again[128];
	snprintf(target_again, sizeof target_again, "%.*s?%.*s", STR_ARG(r->path), STR_ARG(r->query));
	snprintf(cookie_again, sizeof cookie_again, STR_FMT, STR_ARG(r->header[H_COOKIE]));
	tell(again, target_again, cookie_again, r->body);
	assert_string_equal(again, h.answer);
	w->depth--;
}

static struct world *world_new(const char *option)
{
	struct world *w = calloc(1, sizeof *w);
	assert_int_equal(config_init(&w->config), OK);
	if (option)
		assert_int_equal(config_set(&w->config, option), OK);
	w->base = event_base_new();
	w->gate = 1;
	assert_int_equal(http_server_new(w->base, &w->config, NULL, false, handle, w, &w->server), OK);
	return w;
}

static void world_free(struct world *w)
{
	http_server_free(w->server);
	event_base_free(w->base);
	config_done(&w->config);
	free(w);
}

static int connected(struct world *w)
{
	int fd[2];
	struct sockaddr_storage peer = {.ss_family = AF_UNIX};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	http_server_adopt(w->server, fd[1], &peer);
	return fd[0];
}

/* Until nothing more happens. */
static void turn(struct world *w)
{
	for (int i = 0; i < 4; i++)
		event_base_loop(w->base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
}

static void put(int fd, struct str s)
{
	assert_int_equal(send(fd, s.p, s.n, MSG_NOSIGNAL), (ssize_t)s.n);
}

static void put_request(struct buf *out, const char *path, int number, const char *cookie, struct str body)
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
static void got(int fd, struct buf *raw, struct buf *told)
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

static bool ended(int fd)
{
	char c;
	return recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

static void expect(struct buf *out, const char *path, int number, const char *cookie, struct str body)
{
	char target[64], text[512];
	snprintf(target, sizeof target, "%s?%d", path, number);
	tell(text, target, cookie, body);
	buf_c(out, text);
}

struct talk {
	struct buf sent, raw, told, want;
};

static void talk_done(struct talk *t)
{
	buf_done(&t->sent);
	buf_done(&t->raw);
	buf_done(&t->told);
	buf_done(&t->want);
}

static void same(struct talk *t, int fd)
{
	got(fd, &t->raw, &t->told);
	buf_add(&t->want, "", 1);
	assert_string_equal(t->told.p, t->want.p);
	t->want.n--;
}

/* --- */

TEST(a_request_behind_a_held_one_is_answered_with_its_own)
{
	struct world *w = world_new(NULL);
	struct talk t = {0};
	int fd = connected(w);
	put_request(&t.sent, "/inside", 1, "a=secret", STR(""));
	put_request(&t.sent, "/now", 2, "", STR(""));
	put_request(&t.sent, "/inside", 3, "b=2", STR("some body"));
	put_request(&t.sent, "/now", 4, "c=3", STR("another body"));
	put(fd, buf_view(&t.sent));
	turn(w);
	expect(&t.want, "/inside", 1, "a=secret", STR(""));
	expect(&t.want, "/now", 2, "", STR(""));
	expect(&t.want, "/inside", 3, "b=2", STR("some body"));
	expect(&t.want, "/now", 4, "c=3", STR("another body"));
	same(&t, fd);
	close(fd);
	talk_done(&t);
	world_free(w);
}

TEST(half_a_request_behind_a_held_one_stays_whole)
{
	struct world *w = world_new(NULL);
	struct talk t = {0};
	int fd = connected(w);
	put_request(&t.sent, "/inside", 1, "a=1", STR(""));
	put_request(&t.sent, "/hold", 2, "b=2", STR("x"));
	size_t whole = t.sent.n;
	put_request(&t.sent, "/now", 3, "c=3", STR("the third one's body"));
	for (size_t cut = whole + 1; cut < t.sent.n; cut++) {
		put(fd, str_make(t.sent.p, cut));
		turn(w);
		assert_int_equal(w->held_n, 1);
		release(w, 0);
		turn(w);
		put(fd, str_make(t.sent.p + cut, t.sent.n - cut));
		turn(w);
		buf_clear(&t.want);
		buf_clear(&t.raw);
		expect(&t.want, "/inside", 1, "a=1", STR(""));
		expect(&t.want, "/hold", 2, "b=2", STR("x"));
		expect(&t.want, "/now", 3, "c=3", STR("the third one's body"));
		same(&t, fd);
	}
	close(fd);
	talk_done(&t);
	world_free(w);
}

TEST(answers_keep_the_order_of_requests)
{
	struct world *w = world_new(NULL);
	struct talk t = {0};
	int fd = connected(w);
	static const char *const paths[] = {"/hold", "/now", "/gate", "/inside"};
	for (int i = 0; i < 40; i++) {
		char cookie[16];
		snprintf(cookie, sizeof cookie, "c=%d", i);
		put_request(&t.sent, paths[i % 4], i, cookie, i % 3 ? STR("b") : STR(""));
		expect(&t.want, paths[i % 4], i, cookie, i % 3 ? STR("b") : STR(""));
	}
	put(fd, buf_view(&t.sent));
	for (int i = 0; i < 40; i++) {
		turn(w);
		while (w->held_n)
			release(w, w->held_n - 1); /* the last first */
		turn(w);
		http_gate_open(w->server, w->gate++);
	}
	turn(w);
	same(&t, fd);
	close(fd);
	talk_done(&t);
	world_free(w);
}

TEST(a_handler_lets_other_connections_go_without_entering_them)
{
	struct world *w = world_new(NULL);
	struct talk a = {0}, b = {0};
	int first = connected(w), second = connected(w);
	w->greedy = true;
	for (int i = 0; i < 30; i++) {
		put_request(&a.sent, "/hold", i, "who=first", STR("first's"));
		put_request(&b.sent, "/hold", i, "who=second", STR(""));
		expect(&a.want, "/hold", i, "who=first", STR("first's"));
		expect(&b.want, "/hold", i, "who=second", STR(""));
	}
	put(first, buf_view(&a.sent));
	put(second, buf_view(&b.sent));
	for (int i = 0; i < 40; i++)
		turn(w);
	while (w->held_n)
		release(w, 0);
	turn(w);
	same(&a, first);
	same(&b, second);
	assert_int_equal(w->deepest, 1);
	close(first);
	close(second);
	talk_done(&a);
	talk_done(&b);
	world_free(w);
}

struct flood {
	struct world *w;
	int fd;
	unsigned n;
};

static void *flood(void *arg)
{
	struct flood *f = arg;
	while (f->w->handled < f->n)
		event_base_loop(f->w->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	turn(f->w);
	return NULL;
}

/* Nothing that comes decides how deep the stack gets. */
TEST(a_megabyte_of_pairs_needs_little_stack)
{
	struct world *w = world_new("collect.body_bytes=1048576");
	struct talk t = {0};
	int fd = connected(w), most = 4 << 20;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &most, sizeof most);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	/* a long body makes the buffer large, then it is full of small requests */
	struct buf body = {0};
	for (int i = 0; i < 1 << 19; i++)
		buf_c(&body, "y");
	put_request(&t.sent, "/hold", 0, "", buf_view(&body));
	int n = 1;
	while (t.sent.n < (3u << 19))
		put_request(&t.sent, n % 2 ? "/inside" : "/now", n, "", STR("")), n++;
	struct flood f = {w, fd, 0};
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 256 << 10);
	size_t sent = 0;
	while (sent < t.sent.n || w->handled < (unsigned)n) {
		ssize_t part = sent < t.sent.n ? send(fd, t.sent.p + sent, t.sent.n - sent, MSG_NOSIGNAL) : 0;
		sent += part > 0 ? (size_t)part : 0;
		f.n = w->handled;
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, &small, flood, &f), 0);
		pthread_join(thread, NULL);
		while (w->held_n)
			release(w, 0);
		got(fd, &t.raw, &t.told);
	}
	turn(w);
	expect(&t.want, "/hold", 0, "", buf_view(&body));
	for (int i = 1; i < n; i++)
		expect(&t.want, i % 2 ? "/inside" : "/now", i, "", STR(""));
	same(&t, fd);
	assert_int_equal(w->deepest, 1);
	pthread_attr_destroy(&small);
	close(fd);
	buf_done(&body);
	talk_done(&t);
	world_free(w);
}

TEST(a_slow_reader_gets_everything_whole)
{
	struct world *w = world_new(NULL);
	struct talk t = {0};
	w->pad = 20000;
	int fd[2], little = 1;
	struct sockaddr_storage peer = {.ss_family = AF_UNIX};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
	http_server_adopt(w->server, fd[1], &peer);
	for (int i = 0; i < 50; i++) {
		const char *path = i % 5 == 0 ? "/hold" : i % 5 == 1 ? "/inside" : i % 5 == 2 ? "/gate" : "/now";
		put_request(&t.sent, path, i, "k=v", STR(""));
		expect(&t.want, path, i, "k=v", STR(""));
	}
	put(fd[0], buf_view(&t.sent));
	for (int i = 0; i < 20000 && (t.told.n <= t.want.n || w->handled < 50); i++) {
		char part[700];
		event_base_loop(w->base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
		ssize_t n = recv(fd[0], part, sizeof part, MSG_DONTWAIT);
		if (n > 0)
			buf_add(&t.raw, part, (size_t)n);
		if (i % 7 == 0 && w->held_n)
			release(w, 0);
		if (i % 11 == 0)
			http_gate_open(w->server, w->gate++);
	}
	same(&t, fd[0]);
	assert_in_range(t.raw.n, 50 * 20000, 50 * 20300);
	close(fd[0]);
	talk_done(&t);
	world_free(w);
}

TEST(who_has_stopped_sending_still_gets_the_answers)
{
	struct world *w = world_new(NULL);
	for (int half = 0; half < 2; half++) {
		struct talk t = {0};
		int fd = connected(w);
		for (int i = 0; i < 20; i++) {
			put_request(&t.sent, i % 2 ? "/gate" : "/hold", i, "k=v", STR(""));
			expect(&t.want, i % 2 ? "/gate" : "/hold", i, "k=v", STR(""));
		}
		if (half)
			buf_c(&t.sent, "GET /now?half HTTP/1.1\r\nCookie: nob");
		put(fd, buf_view(&t.sent));
		shutdown(fd, SHUT_WR);
		for (int i = 0; i < 40; i++) {
			turn(w);
			if (w->held_n)
				release(w, 0);
			http_gate_open(w->server, w->gate++);
		}
		turn(w);
		same(&t, fd);
		assert_true(ended(fd));
		close(fd);
		turn(w);
		assert_int_equal(http_server_connections(w->server), 0);
		talk_done(&t);
	}
	world_free(w);
}

TEST(who_is_gone_takes_nothing_along)
{
	struct world *w = world_new(NULL);
	struct talk t = {0};
	for (int i = 0; i < 20; i++)
		put_request(&t.sent, i % 2 ? "/gate" : "/hold", i, "k=v", STR(""));
	for (int i = 0; i < 8; i++) {
		int fd = connected(w);
		put(fd, buf_view(&t.sent));
		turn(w);
		close(fd);
		if (i % 2)
			turn(w);
		while (w->held_n) {
			release(w, 0);
			if (i % 4 < 2)
				turn(w);
		}
		turn(w);
		http_gate_open(w->server, w->gate++);
		turn(w);
		while (w->held_n)
			release(w, 0);
		http_gate_open(w->server, w->gate++);
		for (int k = 0; k < 10; k++) {
			turn(w);
			while (w->held_n)
				release(w, 0);
			http_gate_open(w->server, w->gate++);
		}
		assert_int_equal(http_server_connections(w->server), 0);
	}
	talk_done(&t);
	world_free(w);
}

TEST(draining_answers_what_was_asked_and_closes)
{
	struct world *w = world_new(NULL);
	struct talk t = {0};
	int idle = connected(w), fd = connected(w);
	for (int i = 0; i < 20; i++)
		put_request(&t.sent, "/hold", i, "k=v", STR(""));
	put(fd, buf_view(&t.sent));
	turn(w);
	assert_int_equal(w->held_n, SLOTS);
	http_server_drain(w->server);
	assert_false(ended(idle)); /* it may be about to ask */
	while (w->held_n)
		release(w, 0);
	turn(w);
	/* the first request that is read afterwards is the last */
	assert_int_equal(w->held_n, 1);
	release(w, 0);
	turn(w);
	for (int i = 0; i <= SLOTS; i++)
		expect(&t.want, "/hold", i, "k=v", STR(""));
	same(&t, fd);
	assert_true(ended(fd));
	close(fd);
	struct talk late = {0};
	put_request(&late.sent, "/now", 1, "k=v", STR(""));
	put(idle, buf_view(&late.sent));
	turn(w);
	turn(w);
	expect(&late.want, "/now", 1, "k=v", STR(""));
	same(&late, idle);
	assert_true(ended(idle)); /* it was told to go */
	close(idle);
	turn(w);
	assert_true(http_server_idle(w->server));
	talk_done(&late);
	talk_done(&t);
	world_free(w);
}

TEST(who_asks_for_nothing_is_waited_for_no_longer_than_a_second)
{
	struct world *w = world_new(NULL);
	int idle = connected(w), half = connected(w);
	put(half, STR("GET /now?1 HTTP/1.1\r\nHo"));
	turn(w);
	http_server_drain(w->server);
	turn(w);
	assert_false(ended(idle) || ended(half));
	event_active(&w->server->leave_ev, EV_TIMEOUT, 1);
	turn(w);
	assert_true(ended(idle) && ended(half) && http_server_idle(w->server));
	close(idle);
	close(half);
	world_free(w);
}

static bool give_to(void *ctx, int fd)
{
	int *given = ctx;
	*given = dup(fd);
	return true;
}

/* `late`: its answer comes when those who ask for nothing are not waited for any more. */
static void given_away(bool late)
{
	struct world *w = world_new(NULL), *next = world_new(NULL);
	struct talk t = {0};
	struct sockaddr_storage peer = {.ss_family = AF_INET};
	int fd = connected(w), given = -1;
	put_request(&t.sent, "/hold", 1, "k=v", STR(""));
	put(fd, buf_view(&t.sent));
	turn(w);
	http_server_give(w->server, give_to, &given);
	turn(w);
	assert_int_equal(given, -1);
	if (late)
		event_active(&w->server->leave_ev, EV_TIMEOUT, 1);
	turn(w);
	release(w, 0);
	turn(w);
	assert_true(given >= 0 && http_server_idle(w->server));
	expect(&t.want, "/hold", 1, "k=v", STR(""));
	buf_clear(&t.sent);
	put_request(&t.sent, "/now", 2, "k=v", STR(""));
	put(fd, buf_view(&t.sent)); /* nobody has it yet */
	http_server_adopt(next->server, given, &peer);
	turn(next);
	turn(next);
	expect(&t.want, "/now", 2, "k=v", STR(""));
	same(&t, fd);
	close(fd);
	turn(next);
	talk_done(&t);
	world_free(w);
	world_free(next);
}

TEST(a_connection_is_given_away_after_its_answers_with_what_was_not_read)
{
	given_away(false);
	given_away(true);
}

TEST(the_last_answers_go_out_when_the_server_ends)
{
	struct world *w = world_new(NULL);
	struct talk t = {0};
	int fd = connected(w);
	put_request(&t.sent, "/hold", 1, "k=v", STR(""));
	put(fd, buf_view(&t.sent));
	turn(w);
	release(w, 0);
	world_free(w);
	expect(&t.want, "/hold", 1, "k=v", STR(""));
	same(&t, fd);
	close(fd);
	talk_done(&t);
}

/* --- no descriptors */

static int dial(const struct world *w)
{
	char where[64];
	unsigned port;
	http_server_address(w->server, where, sizeof where);
	assert_int_equal(sscanf(where, "127.0.0.1:%u", &port), 1);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
	return fd;
}

/* Descriptors above the highest that is open cannot be had; 0: all can. */
static void allow(const struct rlimit *all, int highest)
{
	struct rlimit l = *all;
	if (highest)
		l.rlim_cur = (rlim_t)highest + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &l), 0);
}

static struct world *listening(void)
{
	struct world *w = world_new(NULL);
	http_server_free(w->server);
	assert_int_equal(http_server_new(w->base, &w->config, "127.0.0.1:0", false, handle, w, &w->server), OK);
	return w;
}

TEST(out_of_descriptors_the_longest_idle_makes_room)
{
	struct world *w = listening();
	struct talk t = {0};
	struct rlimit all;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	int first = dial(w), second = dial(w);
	turn(w);
	turn(w);
	assert_int_equal(http_server_connections(w->server), 2);
	put(first, STR("GET /now?1 HTTP/1.1\r\nHost: h\r\n\r\n")); /* now the second has been idle for longer */
	turn(w);
	int third = dial(w);
	allow(&all, third);
	for (int i = 0; i < 20; i++)
		turn(w);
	allow(&all, 0);
	assert_true(ended(second));
	assert_false(ended(first));
	assert_int_equal(http_server_connections(w->server), 2);
	put_request(&t.sent, "/now", 3, "k=v", STR(""));
	put(third, buf_view(&t.sent));
	for (int i = 0; i < 5; i++)
		turn(w);
	expect(&t.want, "/now", 3, "k=v", STR(""));
	same(&t, third);
	close(first);
	close(second);
	close(third);
	talk_done(&t);
	world_free(w);
}

TEST(out_of_descriptors_with_nobody_idle_the_listener_rests)
{
	struct world *w = listening();
	struct talk t = {0};
	struct rlimit all;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	int busy = dial(w);
	put_request(&t.sent, "/hold", 1, "k=v", STR(""));
	put(busy, buf_view(&t.sent));
	turn(w);
	turn(w);
	assert_int_equal(w->held_n, 1);
	int waits[3] = {dial(w), dial(w), dial(w)};
	allow(&all, waits[2]);
	turn(w);
	/* the first in line was told, and nobody is looked at any more, though they wait */
	assert_true(ended(waits[0]));
	assert_false(event_pending(&w->server->listeners[0]->ev, EV_READ, NULL));
	assert_int_equal(http_server_connections(w->server), 1);
	allow(&all, 0);
	for (int i = 0; i < 1000 && http_server_connections(w->server) < 3; i++)
		event_base_loop(w->base, EVLOOP_ONCE);
	assert_int_equal(http_server_connections(w->server), 3);
	release(w, 0); /* who was being served is served */
	turn(w);
	expect(&t.want, "/hold", 1, "k=v", STR(""));
	same(&t, busy);
	close(busy);
	for (int i = 0; i < 3; i++)
		close(waits[i]);
	talk_done(&t);
	world_free(w);
}

/* Each kind of connection that does not wait for us makes room for the next one; who waits for us stays. */
TEST(who_does_not_wait_for_us_makes_room)
{
	static const char *const begun[] = {"", "GET /now HT", "POST /now HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf",
	    "GET /now?1 HTTP/1.1\r\nHost: h\r\n\r\n", "no request\r\n\r\nand more", "GET /hold?1 HTTP/1.1\r\nHost: h\r\n\r\n",
	    "GET /gate?1 HTTP/1.1\r\nHost: h\r\n\r\n"};
	static const enum phase phases[] = {PHASE_IDLE, PHASE_HEAD, PHASE_BODY, PHASE_SEND, PHASE_LINGER, PHASE_ANSWER, PHASE_ANSWER};
	for (size_t i = 0; i < sizeof begun / sizeof *begun; i++) {
		struct world *w = world_new(NULL);
		struct talk t = {0};
		int fd[2], little = 1;
		struct sockaddr_storage peer = {.ss_family = AF_UNIX};
		w->pad = 100000;
		http_server_limit(w->server, 1);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
		setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
		http_server_adopt(w->server, fd[1], &peer);
		put(fd[0], str_c(begun[i]));
		turn(w);
		assert_non_null(w->server->phases[phases[i]].first);
		w->pad = 0;
		int next = connected(w);
		put_request(&t.sent, "/now", 2, "k=v", STR(""));
		ssize_t sent = send(next, t.sent.p, t.sent.n, MSG_NOSIGNAL);
		turn(w);
		if (phases[i] != PHASE_ANSWER) {
			assert_int_equal(sent, t.sent.n);
			expect(&t.want, "/now", 2, "k=v", STR(""));
			same(&t, next);
		} else {
			assert_true(ended(next));
			assert_non_null(w->server->phases[PHASE_ANSWER].first);
		}
		while (w->held_n)
			release(w, 0);
		close(fd[0]);
		close(next);
		talk_done(&t);
		world_free(w);
	}
}

TEST(an_answer_without_memory_is_a_refusal_and_never_a_part)
{
	struct world *w = world_new(NULL);
	int fd = connected(w);
	struct buf raw = {0}, told = {0};
	w->pad = 2000;
	w->starved = true;
	put(fd, STR("GET /now?1 HTTP/1.1\r\nHost: h\r\n\r\n"));
	turn(w);
	w->starved = false;
	put(fd, STR("GET /now?2 HTTP/1.1\r\nHost: h\r\n\r\n"));
	turn(w);
	w->starved = true;
	put(fd, STR("GET /ready HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
	turn(w);
	got(fd, &raw, &told);
	buf_add(&raw, "", 1);
	assert_true(strncmp(raw.p, "HTTP/1.1 503 ", 13) == 0);
	char *second = strstr(raw.p, "\r\n\r\n");
	assert_non_null(second);
	assert_true(strncmp(second + 4, "HTTP/1.1 200 OK\r\n", 17) == 0);
	assert_true(strncmp(told.p, "[/now?2 ", 8) == 0);
	char *third = strstr(second + 8, "HTTP/1.1 503 ");
	assert_non_null(third);
	assert_non_null(strstr(third, "\r\nConnection: close\r\n\r\n"));
	assert_string_equal(third + strlen(third) - 4, "\r\n\r\n");
	assert_true(ended(fd));
	buf_done(&raw);
	buf_done(&told);
	close(fd);
	world_free(w);
}

/* A tick, now. */
static void tick(struct world *w)
{
	event_active(&w->server->tick_ev, EV_TIMEOUT, 0);
	turn(w);
}

TEST(who_came_while_the_loop_was_held_up_is_not_late)
{
	struct world *w = world_new(NULL);
	int fd = connected(w), half = connected(w);
	struct buf raw = {0}, told = {0};
	put(half, STR("POST /now?2 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab"));
	turn(w);
	/* the loop does not run for ten minutes: who came is noted at the last tick before */
	w->server->now -= 600;
	for (int p = 0; p < PHASE_MAX; p++)
		for (struct http_conn *c = w->server->phases[p].first; c; c = c->next)
			c->since -= 600;
	tick(w);
	put(fd, STR("GET /now?1 HTTP/1.1\r\nHost: h\r\n\r\n"));
	put(half, STR("cd"));
	turn(w);
	got(fd, &raw, &told);
	assert_non_null(strstr(told.p, "[/now?1 "));
	buf_clear(&raw);
	got(half, &raw, &told);
	assert_non_null(strstr(told.p, "[/now?2 "));
	buf_done(&raw);
	buf_done(&told);
	close(fd);
	close(half);
	world_free(w);
}

TEST(who_waits_for_an_answer_that_is_held_gets_it_however_long_that_takes)
{
	struct world *w = world_new(NULL);
	int fd = connected(w), gone = connected(w);
	struct buf raw = {0}, told = {0};
	put(fd, STR("GET /hold?1 HTTP/1.1\r\nHost: h\r\n\r\n"));
	w->gate = 7;
	put(gone, STR("GET /gate?2 HTTP/1.1\r\nHost: h\r\n\r\n"));
	turn(w);
	for (int p = 0; p < PHASE_MAX; p++)
		for (struct http_conn *c = w->server->phases[p].first; c; c = c->next)
			c->since -= 3600;
	tick(w);
	assert_false(ended(fd));
	assert_true(ended(gone)); /* for whom nobody answers */
	release(w, 0);
	turn(w);
	got(fd, &raw, &told);
	assert_non_null(strstr(told.p, "[/hold?1 "));
	buf_done(&raw);
	buf_done(&told);
	close(fd);
	close(gone);
	world_free(w);
}

RUN(cmocka_unit_test(an_answer_without_memory_is_a_refusal_and_never_a_part), cmocka_unit_test(who_came_while_the_loop_was_held_up_is_not_late),
    cmocka_unit_test(who_waits_for_an_answer_that_is_held_gets_it_however_long_that_takes), cmocka_unit_test(who_does_not_wait_for_us_makes_room), cmocka_unit_test(out_of_descriptors_the_longest_idle_makes_room),
    cmocka_unit_test(out_of_descriptors_with_nobody_idle_the_listener_rests), cmocka_unit_test(a_request_behind_a_held_one_is_answered_with_its_own), cmocka_unit_test(half_a_request_behind_a_held_one_stays_whole),
    cmocka_unit_test(answers_keep_the_order_of_requests), cmocka_unit_test(a_handler_lets_other_connections_go_without_entering_them),
    cmocka_unit_test(a_megabyte_of_pairs_needs_little_stack), cmocka_unit_test(a_slow_reader_gets_everything_whole),
    cmocka_unit_test(who_has_stopped_sending_still_gets_the_answers), cmocka_unit_test(who_is_gone_takes_nothing_along),
    cmocka_unit_test(draining_answers_what_was_asked_and_closes), cmocka_unit_test(who_asks_for_nothing_is_waited_for_no_longer_than_a_second),
    cmocka_unit_test(a_connection_is_given_away_after_its_answers_with_what_was_not_read), cmocka_unit_test(the_last_answers_go_out_when_the_server_ends))

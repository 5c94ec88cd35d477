/* A connection with its requests and answers, over a socket pair. */
/* A connection over a socket pair: what is asked, held, released and answered, whole and in order.
 */
#include "talk.h"

#include <fcntl.h>
#include <pthread.h>

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
		ssize_t part =
		    sent < t.sent.n ? send(fd, t.sent.p + sent, t.sent.n - sent, MSG_NOSIGNAL) : 0;
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
		const char *path = i % 5 == 0	? "/hold"
				   : i % 5 == 1 ? "/inside"
				   : i % 5 == 2 ? "/gate"
						: "/now";
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

UNIT_TESTS(cmocka_unit_test(a_request_behind_a_held_one_is_answered_with_its_own),
    cmocka_unit_test(half_a_request_behind_a_held_one_stays_whole),
    cmocka_unit_test(answers_keep_the_order_of_requests),
    cmocka_unit_test(a_handler_lets_other_connections_go_without_entering_them),
    cmocka_unit_test(a_megabyte_of_pairs_needs_little_stack),
    cmocka_unit_test(a_slow_reader_gets_everything_whole),
    cmocka_unit_test(who_has_stopped_sending_still_gets_the_answers),
    cmocka_unit_test(who_is_gone_takes_nothing_along),
    cmocka_unit_test(an_answer_without_memory_is_a_refusal_and_never_a_part))

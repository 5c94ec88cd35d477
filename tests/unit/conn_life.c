/* How connections end, over socket pairs and sockets: when the server drains or gives them away, when there is no descriptor or no room for another one,
 * and when their time is up. */
#include "talk.h"

#include <sys/resource.h>

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

/* --- time */

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

RUN(cmocka_unit_test(draining_answers_what_was_asked_and_closes), cmocka_unit_test(who_asks_for_nothing_is_waited_for_no_longer_than_a_second),
    cmocka_unit_test(a_connection_is_given_away_after_its_answers_with_what_was_not_read),
    cmocka_unit_test(the_last_answers_go_out_when_the_server_ends), cmocka_unit_test(out_of_descriptors_the_longest_idle_makes_room),
    cmocka_unit_test(out_of_descriptors_with_nobody_idle_the_listener_rests), cmocka_unit_test(who_does_not_wait_for_us_makes_room),
    cmocka_unit_test(who_came_while_the_loop_was_held_up_is_not_late),
    cmocka_unit_test(who_waits_for_an_answer_that_is_held_gets_it_however_long_that_takes))

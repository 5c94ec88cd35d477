/* How connections end: the server drains or gives them away, time goes by. */
#include "talk.h"

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

UNIT_TESTS(cmocka_unit_test(draining_answers_what_was_asked_and_closes),
    cmocka_unit_test(who_asks_for_nothing_is_waited_for_no_longer_than_a_second),
    cmocka_unit_test(a_connection_is_given_away_after_its_answers_with_what_was_not_read),
    cmocka_unit_test(the_last_answers_go_out_when_the_server_ends),
    cmocka_unit_test(who_came_while_the_loop_was_held_up_is_not_late),
    cmocka_unit_test(who_waits_for_an_answer_that_is_held_gets_it_however_long_that_takes))

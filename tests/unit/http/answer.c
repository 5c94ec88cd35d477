/* http/answer: answers wait for gates and for whoever holds them, and go out in the order of the
 * requests. */
#include "talk.h"

#include "crumb/base/clock.h"

/* The whole raw text that came back, which is forgotten. */
static const char *raw(struct world *w, int fd)
{
	static char text[70000];
	turn(w);
	ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
	text[n > 0 ? n : 0] = 0;
	return text;
}

TEST(a_gate_lets_go_all_that_wait_for_it_and_those_before_it)
{
	struct world *w = world_new(NULL);
	struct talk t = {0};
	int fd = connected(w);
	w->gate = 5;
	put_request(&t.sent, "/gate", 1, "", STR(""));
	put_request(&t.sent, "/now", 2, "", STR(""));
	put(fd, buf_view(&t.sent));
	turn(w);
	assert_string_equal(raw(w, fd), ""); /* the second waits behind the first */
	http_gate_open(w->server, 4);
	assert_string_equal(raw(w, fd), "");
	http_gate_open(w->server, 5);
	turn(w);
	expect(&t.want, "/gate", 1, "", STR(""));
	expect(&t.want, "/now", 2, "", STR(""));
	same(&t, fd);
	close(fd);
	talk_done(&t);
	world_free(w);
}

TEST(a_gate_that_failed_answers_with_a_refusal)
{
	struct world *w = world_new(NULL);
	struct talk t = {0};
	int fd = connected(w), other = connected(w);
	w->gate = 5;
	put_request(&t.sent, "/gate", 1, "", STR(""));
	put(fd, buf_view(&t.sent));
	turn(w);
	w->gate = 6;
	put(other, buf_view(&t.sent));
	turn(w);
	http_gate_fail(w->server, 5);
	http_gate_open(w->server, 5);
	assert_non_null(strstr(raw(w, fd), "HTTP/1.1 503 Service Unavailable\r\n"));
	http_gate_open(w->server, 6);
	assert_non_null(
	    strstr(raw(w, other), "HTTP/1.1 200 OK\r\n")); /* another gate is not touched */
	close(fd);
	close(other);
	talk_done(&t);
	world_free(w);
}

TEST(an_answer_has_its_head_and_nothing_of_another)
{
	struct world *w = world_new(NULL);
	int fd = connected(w);
	put(fd, STR("GET /now HTTP/1.1\r\nHost: h\r\n\r\n"));
	const char *got = raw(w, fd);
	assert_memory_equal(got, "HTTP/1.1 200 OK\r\n", 17);
	assert_non_null(strstr(got, "\r\nContent-Type: text/plain\r\n"));
	assert_non_null(strstr(got, "\r\nContent-Length: 15\r\n"));
	assert_string_equal(strstr(got, "\r\n\r\n"), "\r\n\r\n[/now?  0 5381]");
	close(fd);
	world_free(w);
}

TEST(the_date_is_that_of_the_second)
{
	struct world *w = world_new(NULL);
	clock_set_offset(0);
	clock_set_offset(784111777 - (int64_t)clock_now()); /* of RFC 9110, 5.6.7 */
	const char *date = http_date(w->server);
	assert_memory_equal(date, "Date: Sun, 06 Nov 1994 08:49:", 29);
	assert_int_equal(strlen(date), HTTP_DATE_LEN);
	assert_string_equal(date + HTTP_DATE_LEN - 6, " GMT\r\n");
	clock_set_offset(clock_offset() + 60);
	assert_memory_equal(http_date(w->server), "Date: Sun, 06 Nov 1994 08:50:", 29);
	clock_set_offset(0);
	world_free(w);
}

TEST(a_status_has_its_words)
{
	assert_string_equal(conn_reason(200), "OK");
	assert_string_equal(conn_reason(503), "Service Unavailable");
	assert_string_equal(conn_reason(299), "Unknown");
}

TEST(what_was_sent_is_wiped)
{
	struct world *w = world_new(NULL);
	int fd = connected(w);
	w->pad = 100000; /* more than goes at once */
	put(fd, STR("GET /now HTTP/1.1\r\nHost: h\r\n\r\n"));
	size_t all = 0;
	for (int i = 0; i < 1000 && all < 100000; i++)
		all += strlen(raw(w, fd));
	assert_true(all > 100000);
	put(fd, STR("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n"));
	turn(w);
	struct http_conn *c = w->held[0].ticket.conn;
	for (unsigned i = 0; i < SLOTS; i++)
		assert_null(c->slots[i].big.p);
	release(w, 0);
	(void)raw(w, fd);
	close(fd);
	world_free(w);
}

UNIT_TESTS(cmocka_unit_test(a_gate_lets_go_all_that_wait_for_it_and_those_before_it),
    cmocka_unit_test(a_gate_that_failed_answers_with_a_refusal),
    cmocka_unit_test(an_answer_has_its_head_and_nothing_of_another),
    cmocka_unit_test(the_date_is_that_of_the_second), cmocka_unit_test(a_status_has_its_words),
    cmocka_unit_test(what_was_sent_is_wiped))

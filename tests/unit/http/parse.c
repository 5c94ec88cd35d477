/* What is read of a request, byte by byte: fields in several lines, blanks, trailers, what is
 * refused, and what HEAD gets. */
#include "src/http/conn.h"

#include "unit.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct config config;
static struct event_base *base;
static struct http_server *server;
static struct buf seen; /* what the handler was given, a line for each request */

static void handle(void *ctx, struct http_request *r)
{
	static const char *const methods[] = {"GET", "HEAD", "POST", "OPTIONS", "OTHER"};
	(void)ctx;
	buf_addf(&seen, "%s " STR_FMT, methods[r->method], STR_ARG(r->path));
	for (int i = 0; i < H_MAX; i++)
		if (r->header[i].n && i != H_HOST && i != H_TRANSFER_ENCODING)
			buf_addf(&seen, " %d=" STR_FMT, i, STR_ARG(r->header[i]));
	if (r->body.n)
		buf_addf(&seen, " body=" STR_FMT, STR_ARG(r->body));
	buf_addf(&seen, "%s%s\n", r->gpc ? " gpc" : "", r->dnt ? " dnt" : "");
	if (str_eq(r->path, STR("/ready")))
		http_reply_ready(
		    r->ticket, STR("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready"));
	else
		http_reply(r->ticket, str_eq(r->path, STR("/none")) ? 204 : 200, "text/plain",
		    STR(""), STR("hello"));
}

/* Sends the text, at once or byte by byte; what came back. The connection ends. */
static struct buf exchange(const char *text, bool bytes)
{
	int fd[2];
	char part[4096];
	ssize_t n;
	struct buf out = {0};
	struct sockaddr_storage peer = {.ss_family = AF_UNIX};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	http_server_adopt(server, fd[1], &peer);
	buf_clear(&seen);
	for (size_t at = 0, all = strlen(text), some; at < all; at += some) {
		some = bytes ? 1 : all - at;
		if (send(fd[0], text + at, some, MSG_NOSIGNAL) < 0)
			break;
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	event_base_loop(base, EVLOOP_NONBLOCK);
	shutdown(fd[0], SHUT_WR);
	for (int i = 0; i < 5; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	while ((n = recv(fd[0], part, sizeof part, MSG_DONTWAIT)) > 0)
		buf_add(&out, part, (size_t)n);
	close(fd[0]);
	for (int i = 0; i < 5; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	buf_add(&out, "", 1);
	buf_add(&seen, "", 1);
	assert_int_equal(http_server_connections(server), 0);
	return out;
}

/* The handler sees `want`, however the bytes come. */
static void reads(const char *text, const char *want)
{
	for (int bytes = 0; bytes < 2; bytes++) {
		struct buf out = exchange(text, bytes);
		assert_string_equal(seen.p, want);
		buf_done(&out);
	}
}

/* The last answer has this status, and the connection ends with it. */
static void refuses(const char *text, int status)
{
	for (int bytes = 0; bytes < 2; bytes++) {
		struct buf out = exchange(text, bytes);
		char want[32];
		snprintf(want, sizeof want, "HTTP/1.1 %d ", status);
		if (!out.n || !strstr(out.p, want))
			fail_msg("%s\nis answered\n%s", text, out.p);
		assert_non_null(strstr(out.p, "Connection: close\r\n"));
		assert_int_equal(seen.n, 1);
		buf_done(&out);
	}
}

#define HOST "Host: h.example\r\n"

static char *line(int field, const char *value, const char *more)
{
	static char text[8][512];
	static unsigned at;
	char *out = text[at++ % 8];
	snprintf(out, 512, "GET / %d=%s%s\n", field, value, more);
	return out;
}

TEST(fields_in_several_lines_are_one_list)
{
	reads("GET / HTTP/1.1\r\n" HOST "Cookie: crumb=1\r\nCookie: _ga=2\r\n\r\n",
	    line(H_COOKIE, "crumb=1; _ga=2", ""));
	reads("GET / HTTP/1.1\r\nCookie: a=1\r\n" HOST
	      "cookie:b=2\r\nX: y\r\nCOOKIE:  c=3  \r\n\r\n",
	    line(H_COOKIE, "a=1; b=2; c=3", ""));
	reads("GET / HTTP/1.1\r\n" HOST
	      "X-Forwarded-For: 81.2.69.142\r\nX-Forwarded-For: 10.0.0.2\r\n\r\n",
	    line(H_FORWARDED_FOR, "81.2.69.142, 10.0.0.2", ""));
	reads("GET / HTTP/1.1\r\n" HOST
	      "Cookie:\r\nCookie: a=1\r\nCookie: \t \r\nCookie:b=2\r\n\r\n",
	    line(H_COOKIE, "a=1; b=2", ""));
	/* others between them stay what they are */
	char want[200];
	snprintf(want, sizeof want,
	    "GET / %d=a=1; b=22; c=333 %d=o, p %d=agent %d=t %d=1.1.1.1, 2.2.2.2, 3.3.3.3\n",
	    H_COOKIE, H_ORIGIN, H_USER_AGENT, H_CONTENT_TYPE, H_FORWARDED_FOR);
	reads("GET / HTTP/1.1\r\nCookie: a=1\r\nX-Forwarded-For: 1.1.1.1\r\nUser-Agent: "
	      "agent\r\nCookie: b=22\r\nOrigin:o\r\n" HOST
	      "X-Forwarded-For:2.2.2.2\r\nContent-Type: "
	      "t\r\nCookie:c=333\r\nOrigin:p\r\nX-Forwarded-For: 3.3.3.3 \r\n\r\n",
	    want);
}

TEST(random_orders_of_lines_give_each_field_its_own)
{
	static const struct {
		enum http_header field;
		const char *name, *sep;
	} fields[] = {{H_COOKIE, "Cookie", "; "}, {H_ORIGIN, "Origin", ", "},
	    {H_USER_AGENT, "User-Agent", ", "}, {H_FORWARDED_FOR, "X-Forwarded-For", ", "}};
	srandom(5);
	for (int round = 0; round < 300; round++) {
		struct buf text = {0}, values[4] = {{0}}, want = {0};
		buf_c(&text, "GET / HTTP/1.1\r\n" HOST);
		for (long i = random() % 20; i >= 0; i--) {
			size_t f = (size_t)random() % 4, n = (size_t)random() % 30;
			buf_addf(&text, "%s:%*s", fields[f].name, (int)(random() % 3), "");
			if (n && values[f].n)
				buf_c(&values[f], fields[f].sep);
			for (size_t k = 0; k < n; k++) {
				char ch = (char)('a' + random() % 26);
				buf_add(&text, &ch, 1);
				buf_add(&values[f], &ch, 1);
			}
			buf_c(&text, random() % 3 ? "\r\n" : " \r\nX-Other: something\r\n");
		}
		buf_add(&text, "\r\n", 3);
		buf_c(&want, "GET /");
		for (size_t f = 0; f < 4; f++)
			if (values[f].n)
				buf_addf(&want, " %d=%.*s", fields[f].field, (int)values[f].n,
				    values[f].p);
		buf_add(&want, "\n", 2);
		reads(text.p, want.p);
		buf_done(&text);
		buf_done(&want);
		for (size_t f = 0; f < 4; f++)
			buf_done(&values[f]);
	}
}

TEST(too_many_lines_of_a_field_are_refused)
{
	struct buf text = {0};
	buf_c(&text, "GET / HTTP/1.1\r\n" HOST);
	for (int i = 0; i < 200; i++)
		buf_c(&text, "Cookie: a=1\r\n");
	buf_add(&text, "\r\n", 3);
	refuses(text.p, 431);
	buf_done(&text);
}

TEST(blanks_around_a_value_are_no_part_of_it)
{
	char want[100];
	snprintf(
	    want, sizeof want, "GET / %d=1 %d=1 %d=a  b gpc dnt\n", H_DNT, H_SEC_GPC, H_USER_AGENT);
	reads("GET / HTTP/1.1\r\nHost: \t h.example:80 \t\r\nUser-Agent:   a  b\t \r\nSec-GPC: 1 "
	      "\r\nDNT:\t1\t\r\n\r\n",
	    want);
	reads("GET / HTTP/1.1\r\n" HOST "Sec-GPC: 0\r\nSec-GPC: 1\r\n\r\n",
	    line(H_SEC_GPC, "0, 1", " gpc"));
	reads("GET / HTTP/1.1\r\n" HOST "Sec-GPC: 1\r\nSec-GPC: 0\r\n\r\n",
	    line(H_SEC_GPC, "1, 0", " gpc"));
	reads("GET / HTTP/1.1\r\n" HOST "DNT: 1\r\nDNT:0\r\n\r\n", line(H_DNT, "1, 0", " dnt"));
	reads("GET / HTTP/1.1\r\n" HOST "Sec-GPC: 11\r\n\r\n", line(H_SEC_GPC, "11", ""));
}

TEST(trailers_are_no_headers)
{
	char want[100];
	snprintf(want, sizeof want, "POST / %d=a=1 body=hello world\nGET /next\n", H_COOKIE);
	reads("POST / HTTP/1.1\r\n" HOST "Cookie: a=1\r\nTransfer-Encoding: "
					 "chunked\r\n\r\n6\r\nhello \r\n5;x=y\r\nworld\r\n0\r\n"
	      "X-Forwarded-For: 81.2.69.142\r\nCookie: b=2\r\nSec-GPC: 1\r\nHost: other\r\n: "
	      "nameless\r\n\r\n"
	      "GET /next HTTP/1.1\r\n" HOST "\r\n",
	    want);
}

TEST(a_wish_for_another_protocol_is_ignored)
{
	reads("GET /1 HTTP/1.1\r\n" HOST "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: "
					 "h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
	      "GET /2 HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	      "POST /3 HTTP/1.1\r\n" HOST
	      "Connection: upgrade\r\nUpgrade: TLS/1.0\r\nContent-Length: 4\r\n\r\nbody"
	      "GET /4 HTTP/1.1\r\n" HOST "\r\n",
	    "GET /1\nGET /2\nPOST /3 body=body\nGET /4\n");
}

TEST(a_head_gets_no_body_and_the_connection_goes_on)
{
	static const char *const paths[] = {"/", "/ready"};
	for (int i = 0; i < 2; i++) {
		char text[300];
		snprintf(text, sizeof text,
		    "HEAD %s HTTP/1.1\r\n" HOST "\r\nHEAD %s HTTP/1.1\r\n" HOST
		    "\r\nGET %s HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
		    paths[i], paths[i], paths[i]);
		struct buf out = exchange(text, false);
		const char *at = out.p;
		for (int k = 0; k < 3; k++) {
			assert_memory_equal(at, "HTTP/1.1 200 OK\r\n", 17);
			const char *length = strstr(at, "Content-Length: 5\r\n");
			assert_non_null(length);
			at = strstr(at, "\r\n\r\n") + 4;
			assert_true(length < at);
		}
		assert_string_equal(at, i ? "ready" : "hello");
		buf_done(&out);
		/* the last one, too */
		snprintf(text, sizeof text, "HEAD %s HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
		    paths[i]);
		out = exchange(text, true);
		assert_non_null(strstr(out.p, "Connection: close\r\n"));
		assert_string_equal(strstr(out.p, "\r\n\r\n"), "\r\n\r\n");
		buf_done(&out);
	}
}

TEST(a_host_is_named_once_and_fits)
{
	static const char *const good[] = {"h", "h.example", "h.example:8080", "h:", "127.0.0.1:80",
	    "[::1]", "[::1]:80", "xn--bcher-kva.example", "a_b.example", "%41"};
	static const char *const bad[] = {"", "a b", "a,b", "a/b", "a@b", "a:b", "[::1", "[::1]x",
	    "::1", "h:80:80", "a\\b", "<a>", "h\x80", "h?", "h#", ":80", "[]:x"};
	char text[200];
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", good[i]);
		reads(text, "GET /\n");
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", bad[i]);
		refuses(text, 400);
		snprintf(text, sizeof text, "GET / HTTP/1.0\r\nHost: %s\r\n\r\n", bad[i]);
		refuses(text, 400);
	}
	refuses("GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400);
	refuses("GET / HTTP/1.1\r\nHost:\r\nHost: h\r\n\r\n", 400);
	refuses("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", 400);
	refuses("GET / HTTP/1.1\r\n\r\n", 400);
	reads("GET / HTTP/1.0\r\n\r\n", "GET /\n");
}

TEST(what_may_mean_two_things_is_refused)
{
	static const struct {
		const char *lines;
		int status;
	} cases[] = {
	    {": nameless", 400},
	    {"Cookie : a=1", 400},
	    {" Cookie: a=1", 400},
	    {"Cookie: a=1\r\n b=2", 400},
	    {"Transfer-Encoding: gzip, chunked", 501},
	    {"Transfer-Encoding: gzip", 501},
	    {"Transfer-Encoding: identity", 501},
	    {"Transfer-Encoding:", 501},
	    {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 501},
	    {"Transfer-Encoding: xchunked", 501},
	    {"Transfer-Encoding: chunked;q=1", 501},
	    {"Content-Length: 5\r\nTransfer-Encoding: chunked", 400},
	    {"Content-Length: 5\r\nContent-Length: 6", 400},
	    {"Content-Length: +5", 400},
	    {"Content-Length: 5, 5", 400},
	    {"Content-Length: 0x5", 400},
	};
	char text[300];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text, "POST / HTTP/1.1\r\n" HOST "%s\r\n\r\n0\r\n\r\n",
		    cases[i].lines);
		struct buf out = exchange(text, false);
		assert_int_equal(seen.n, 1);
		/* the parser itself finds some of them: both numbers say no and close */
		if (!out.n || !(strstr(out.p, "HTTP/1.1 400 ") ||
				  (cases[i].status == 501 && strstr(out.p, "HTTP/1.1 501 "))))
			fail_msg("%s\nis answered\n%s", cases[i].lines, out.p);
		assert_non_null(strstr(out.p, "Connection: close\r\n"));
		buf_done(&out);
	}
	refuses("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
	refuses(
	    "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501);
	reads("POST / HTTP/1.1\r\n" HOST "transfer-encoding: \tChunked \r\n\r\n1\r\nx\r\n0\r\n\r\n",
	    "POST / body=x\n");
}

static int setup(void **state)
{
	(void)state;
	if (config_init(&config) != OK || !(base = event_base_new()))
		return -1;
	return http_server_new(base, &config, NULL, HTTP_PORT_OWN, handle, NULL, &server) != OK;
}

static int teardown(void **state)
{
	(void)state;
	http_server_free(server);
	event_base_free(base);
	buf_done(&seen);
	config_done(&config);
	return 0;
}

UNIT_TESTS_BETWEEN(setup, teardown, cmocka_unit_test(fields_in_several_lines_are_one_list),
    cmocka_unit_test(random_orders_of_lines_give_each_field_its_own),
    cmocka_unit_test(too_many_lines_of_a_field_are_refused),
    cmocka_unit_test(blanks_around_a_value_are_no_part_of_it),
    cmocka_unit_test(trailers_are_no_headers),
    cmocka_unit_test(a_wish_for_another_protocol_is_ignored),
    cmocka_unit_test(a_head_gets_no_body_and_the_connection_goes_on),
    cmocka_unit_test(a_host_is_named_once_and_fits),
    cmocka_unit_test(what_may_mean_two_things_is_refused))

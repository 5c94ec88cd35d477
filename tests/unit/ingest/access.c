/* Access logs: a table of lines for each form, and what becomes of them. */
#include "unit.h"

#include "crumb/ingest/access.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static struct config config;

static struct access *reader(const char *form)
{
	static struct access a;
	assert_int_equal(access_init(&a, &config, "shop.example"), OK);
	assert_true(access_set_form(&a, form));
	return &a;
}

#define T 1764187117 /* 2025-11-26T19:58:37Z */

struct row {
	const char *line;
	enum access_kind kind;
	const char *ip, *url, *agent, *referer; /* of an event; NULL: none, or not looked at */
};

static void look(struct access *a, const struct row *r)
{
	struct buf out = {0};
	json_error_t error;
	enum access_kind kind = access_line(a, str_c(r->line), &out);
	if (kind != r->kind)
		fail_msg("%s: %d instead of %d (%s)", r->line, kind, r->kind, a->why);
	assert_true((out.n > 0) == (kind == ACCESS_EVENT));
	if (kind == ACCESS_EVENT) {
		json_t *j = json_loadb(out.p, out.n, 0, &error);
		if (!j)
			fail_msg("%.*s: %s", (int)out.n, out.p, error.text);
		assert_string_equal(json_string_value(json_object_get(j, "ip")), r->ip);
		if (json_integer_value(json_object_get(j, "t")) != T)
			fail_msg("%s: time %lld", r->line,
			    (long long)json_integer_value(json_object_get(j, "t")));
		const char *wanted[] = {r->url, r->agent, r->referer}, *keys[] = {"u", "ua", "r"};
		for (int i = 0; i < 3; i++) {
			const char *is = json_string_value(json_object_get(j, keys[i]));
			if (wanted[i] && *wanted[i] ? !is || strcmp(is, wanted[i]) != 0
						    : wanted[i] && is)
				fail_msg("%s: %s is %s", r->line, keys[i], is ? is : "nothing");
		}
		json_decref(j);
	}
	buf_done(&out);
}

#define LOOK(reader, rows)                                                                         \
	do {                                                                                       \
		struct access *a_ = reader;                                                        \
		for (size_t i_ = 0; i_ < sizeof(rows) / sizeof *(rows); i_++)                      \
			look(a_, &(rows)[i_]);                                                     \
		access_done(a_);                                                                   \
	} while (0)

#define WHEN "[26/Nov/2025:19:58:37 +0000]"
#define REST WHEN " \"GET /coats/a HTTP/1.1\" 200 1 \"-\" \"M\""
#define U "https://shop.example/coats/a"

TEST(lines_of_combined)
{
	static const struct row rows[] = {
	    {"203.0.113.1 - - " REST, ACCESS_EVENT, "203.0.113.1", U, "M", ""},
	    {"203.0.113.1 - - [26/Nov/2025:21:58:37 +0200] \"GET /coats/a?x=1 HTTP/1.1\" 304 - "
	     "\"https://a.example/?q=b\" \"M (x; y)\"",
		ACCESS_EVENT, "203.0.113.1", U "?x=1", "M (x; y)", "https://a.example/?q=b"},
	    {"203.0.113.1 - - " WHEN " \"GET /coats/a HTTP/1.1\" 200 1", ACCESS_EVENT,
		"203.0.113.1", U, "", ""},
	    {"203.0.113.1 - John Doe " REST, ACCESS_EVENT, "203.0.113.1", U, NULL, NULL},
	    {"203.0.113.1 - 198.51.100.7 " REST, ACCESS_EVENT, "203.0.113.1", U, NULL,
		NULL}, /* a user may call himself anything */
	    {"203.0.113.1 - 198.51.100.7 - - " REST, ACCESS_EVENT, "203.0.113.1", U, NULL, NULL},
	    {"203.0.113.1 ident user " REST, ACCESS_EVENT, "203.0.113.1", U, NULL, NULL},
	    /* before the address */
	    {"other.example:443 203.0.113.2 - - " REST, ACCESS_EVENT, "203.0.113.2",
		"https://other.example/coats/a", NULL, NULL},
	    {"other.example 203.0.113.2 - - " REST, ACCESS_EVENT, "203.0.113.2",
		"https://other.example/coats/a", NULL, NULL},
	    {"localhost:80 203.0.113.2 - - " REST, ACCESS_EVENT, "203.0.113.2",
		"https://localhost/coats/a", NULL, NULL},
	    {"192.0.2.80:443 203.0.113.2 - - " REST, ACCESS_EVENT, "203.0.113.2",
		"https://192.0.2.80/coats/a", NULL, NULL},
	    {"- 203.0.113.2 - - " REST, ACCESS_EVENT, "203.0.113.2", U, NULL, NULL},
	    {"Nov 26 19:58:37 web1 nginx: 203.0.113.2 - - " REST, ACCESS_EVENT, "203.0.113.2", U,
		NULL, NULL},
	    {"Nov 26 19:58:37 10.1.2.3 nginx[123]: 203.0.113.2 - - " REST, ACCESS_EVENT,
		"203.0.113.2", U, NULL, NULL},
	    {"<190>Nov 26 19:58:37 web1.example nginx: other.example:80 203.0.113.2 - - " REST,
		ACCESS_EVENT, "203.0.113.2", "https://other.example/coats/a", NULL, NULL},
	    {"<165>1 2025-11-26T19:58:37.003Z 10.1.2.3 - - - - 203.0.113.2 - - " REST, ACCESS_EVENT,
		"203.0.113.2", U, NULL, NULL},
	    {"<165>1 2025-11-26T19:58:37Z h app 1 - [x@1 a=\"b c\"] 203.0.113.2 - - " REST,
		ACCESS_EVENT, "203.0.113.2", U, NULL, NULL},
	    {"2025-11-26T19:58:37.123456+00:00 web1 nginx: 203.0.113.2 - - " REST, ACCESS_EVENT,
		"203.0.113.2", U, NULL, NULL},
	    {"web_1  | 203.0.113.2 - - " REST, ACCESS_EVENT, "203.0.113.2", U, NULL, NULL},
	    {"2025-11-26T19:58:37.1Z stdout F 203.0.113.2 - - " REST, ACCESS_EVENT, "203.0.113.2",
		U, NULL, NULL},
	    {"\x1b[36mweb-1  |\x1b[0m 203.0.113.2 - - " REST, ACCESS_EVENT, "203.0.113.2", U, NULL,
		NULL},
	    {"web-1  | 2025-11-26T19:58:37.1Z 203.0.113.2 - - " REST, ACCESS_EVENT, "203.0.113.2",
		U, NULL, NULL},
	    {"[pod/web-7d9f/nginx] 203.0.113.2 - - " REST, ACCESS_EVENT, "203.0.113.2", U, NULL,
		NULL},
	    {"{\"log\":\"203.0.113.2 - - " WHEN
	     " \\\"GET /coats/a HTTP/1.1\\\" 200 1 \\\"-\\\" \\\"M \\u0026 "
	     "N\\\"\\n\",\"stream\":\"stdout\",\"time\":\"2025-11-26T20:00:00.1Z\"}",
		ACCESS_EVENT, "203.0.113.2", U, "M & N", NULL},
	    {"{\"__REALTIME_TIMESTAMP\":\"1\",\"_PID\":\"7\",\"MESSAGE\":\"203.0.113.2 - - " WHEN
	     " \\\"GET /coats/a HTTP/1.1\\\" 200 1\"}",
		ACCESS_EVENT, "203.0.113.2", U, "", NULL},
	    {"{\"@timestamp\":\"2025-11-26T20:00:00Z\",\"message\":\"203.0.113.2 - - " WHEN
	     " \\\"GET /coats/a HTTP/1.1\\\" 200 1\",\"host\":{\"name\":\"w\"}}",
		ACCESS_EVENT, "203.0.113.2", U, "", NULL},
	    {"{\"log\":\"starting\\n\",\"stream\":\"stderr\"}", ACCESS_MALFORMED, NULL, NULL, NULL,
		NULL},
	    {"{\"log\":7}", ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"{\"log\":\"\"}", ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"0.123 203.0.113.2 - - " REST, ACCESS_EVENT, "203.0.113.2", U, NULL,
		NULL}, /* how long it took */
	    {"\"203.0.113.2\" - - " REST, ACCESS_EVENT, "203.0.113.2", U, NULL, NULL},
	    {"\"203.0.113.2, 192.0.2.9\" - - " REST, ACCESS_EVENT, "203.0.113.2", U, NULL, NULL},
	    {"(203.0.113.2) - - " REST, ACCESS_EVENT, "203.0.113.2", U, NULL, NULL},
	    /* addresses */
	    {"203.0.113.1:54321 - - " REST, ACCESS_EVENT, "203.0.113.1", U, NULL, NULL},
	    {"2001:db8::1 - - " REST, ACCESS_EVENT, "2001:db8::1", U, NULL, NULL},
	    {"2001:DB8:0:0::1 - - " REST, ACCESS_EVENT, "2001:db8::1", U, NULL, NULL},
	    {"[2001:db8::1]:443 - - " REST, ACCESS_EVENT, "2001:db8::1", U, NULL, NULL},
	    {"[2001:db8::1] - - " REST, ACCESS_EVENT, "2001:db8::1", U, NULL, NULL},
	    {"fe80::1%eth0 - - " REST, ACCESS_EVENT, "fe80::1", U, NULL, NULL},
	    {"::ffff:203.0.113.1 - - " REST, ACCESS_EVENT, "203.0.113.1", U, NULL, NULL},
	    /* lists */
	    {"203.0.113.1, 192.0.2.9 - - " REST, ACCESS_EVENT, "203.0.113.1", U, NULL,
		NULL}, /* a proxy of ours */
	    {"203.0.113.1,192.0.2.9 - - " REST, ACCESS_EVENT, "203.0.113.1", U, NULL, NULL},
	    {"6.6.6.6, 203.0.113.1, 192.0.2.9, 192.0.2.8 - - " REST, ACCESS_EVENT, "203.0.113.1", U,
		NULL, NULL},
	    {"203.0.113.1, 198.51.100.7 - - " REST, ACCESS_EVENT, "198.51.100.7", U, NULL, NULL},
	    {"203.0.113.1, 10.0.0.2 - - " REST, ACCESS_EVENT, "203.0.113.1", U, NULL, NULL},
	    {"10.0.0.7, 10.0.0.2 - - " REST, ACCESS_EVENT, "10.0.0.7", U, NULL, NULL},
	    {"unknown, 203.0.113.1 - - " REST, ACCESS_EVENT, "203.0.113.1", U, NULL, NULL},
	    {"other.example:443 203.0.113.1:99, 192.0.2.9 - - " REST, ACCESS_EVENT, "203.0.113.1",
		"https://other.example/coats/a", NULL, NULL},
	    {"192.0.2.9 - - " REST " \"203.0.113.1\"", ACCESS_EVENT, "203.0.113.1", U, NULL,
		NULL}, /* nginx's "main" */
	    {"198.51.100.7 - - " REST " \"203.0.113.1\"", ACCESS_EVENT, "198.51.100.7", U, NULL,
		NULL},
	    {"192.0.2.9 - - " REST " \"for=6.6.6.6, for=203.0.113.1;proto=https\"", ACCESS_EVENT,
		"203.0.113.1", U, NULL, NULL},
	    {"198.51.100.7 - - " REST " \"for=203.0.113.1\"", ACCESS_EVENT, "198.51.100.7", U, NULL,
		NULL},
	    {"192.0.2.9 - - " REST " \"-\"", ACCESS_EVENT, "192.0.2.9", U, NULL, NULL},
	    /* what is no address is no visitor */
	    {"shop.example:443 - - - " REST, ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"host.example - - " REST, ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"- - - " REST, ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"unknown - - " REST, ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"203.0.113.256 - - " REST, ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"203.0.113.1:x - - " REST, ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"0.0.0.0 - - " REST, ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"::1::2 - - " REST, ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"203.0.113.1, unknown - - " REST, ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"", ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"203.0.113.1 - - " WHEN, ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"203.0.113.1 - - [99/Foo/2026:19:58:37 +0000] \"GET / HTTP/1.1\" 200 1",
		ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"203.0.113.1 - - [31/Feb/2025:19:58:37 +0000] \"GET / HTTP/1.1\" 200 1",
		ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"203.0.113.1 - - " WHEN " \"GET /coats/a HTTP/1.1", ACCESS_MALFORMED, NULL, NULL, NULL,
		NULL},
	    /* requests */
	    {"203.0.113.1 - - " WHEN " \"GET http://other.example:8080/coats/a HTTP/1.1\" 200 1",
		ACCESS_EVENT, "203.0.113.1", "https://other.example/coats/a", NULL, NULL},
	    {"203.0.113.1 - - " WHEN " \"GET https://other.example HTTP/1.1\" 200 1", ACCESS_EVENT,
		"203.0.113.1", "https://other.example/", NULL, NULL},
	    {"203.0.113.1 - - " WHEN
	     " \"GET /caf\\xc3\\xa9 HTTP/1.1\" 200 1 \"-\" \"\\xe2\\x82\\xac \\\"q\\\" \\\\\"",
		ACCESS_EVENT, "203.0.113.1", "https://shop.example/caf%C3%A9", "€ \"q\" \\", NULL},
	    {"203.0.113.1 - - " WHEN " \"GET /a \\\"b\\\" HTTP/1.1\" 200 1", ACCESS_EVENT,
		"203.0.113.1", "https://shop.example/a%20\"b\"", NULL, NULL},
	    {"203.0.113.1 - - " WHEN " \"GET /caf\xe9 HTTP/1.1\" 200 1 \"-\" \"x\xe9\"",
		ACCESS_EVENT, "203.0.113.1", "https://shop.example/caf%E9", "x?", NULL},
	    {"203.0.113.1 - - " WHEN " \"GET /coats/a\" 200 1", ACCESS_EVENT, "203.0.113.1", U,
		NULL, NULL},
	    {"203.0.113.1 - - " WHEN " \"-\" 408 -", ACCESS_REQUEST, NULL, NULL, NULL, NULL},
	    {"203.0.113.1 - - " WHEN " \"\" 400 0 \"-\" \"-\"", ACCESS_REQUEST, NULL, NULL, NULL,
		NULL},
	    {"203.0.113.1 - - " WHEN " \"\\x16\\x03\\x01\\x02\\x00\\x01\\x00\" 400 166",
		ACCESS_REQUEST, NULL, NULL, NULL, NULL},
	    {"203.0.113.1 - - " WHEN " \"\x16\x03\x01\" 200 166", ACCESS_REQUEST, NULL, NULL, NULL,
		NULL},
	    {"203.0.113.1 - - " WHEN " \"GET\" 400 166", ACCESS_REQUEST, NULL, NULL, NULL, NULL},
	    {"203.0.113.1 - - " WHEN " \"GET shop HTTP/1.1\" 200 166", ACCESS_REQUEST, NULL, NULL,
		NULL, NULL},
	    {"203.0.113.1 - - " WHEN " \"OPTIONS * HTTP/1.0\" 200 1", ACCESS_METHOD, NULL, NULL,
		NULL, NULL},
	    {"203.0.113.1 - - " WHEN " \"CONNECT a.example:443 HTTP/1.1\" 405 1", ACCESS_METHOD,
		NULL, NULL, NULL, NULL},
	    {"203.0.113.1 - - " WHEN " \"GET /coats/a HTTP/1.1\" 404 1", ACCESS_STATUS, NULL, NULL,
		NULL, NULL},
	    {"203.0.113.1 - - " WHEN " \"GET /a.css?v=1 HTTP/1.1\" 200 1", ACCESS_STATIC, NULL,
		NULL, NULL, NULL},
	};
	LOOK(reader("combined"), rows);
}

TEST(lines_of_w3c)
{
	static const struct row iis[] = {
	    {"2025-11-26 19:58:37 203.0.113.1", ACCESS_MALFORMED, NULL, NULL, NULL,
		NULL}, /* no #Fields yet */
	    {"#Software: Microsoft Internet Information Services 10.0", ACCESS_NOTHING, NULL, NULL,
		NULL, NULL},
	    {"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip "
	     "cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
		ACCESS_NOTHING, NULL, NULL, NULL, NULL},
	    {"2025-11-26 19:58:37 10.0.0.4 GET /coats/a - 443 - 203.0.113.1 "
	     "Mozilla/5.0+(X11;+Linux) https://a.example/ 200 0 0 15\r",
		ACCESS_EVENT, "203.0.113.1", U, "Mozilla/5.0 (X11; Linux)", "https://a.example/"},
	    {"2025-11-26 19:58:37 10.0.0.4 GET /coats/a x=1&y=2 443 - 2001:db8::1 M - 200 0 0 15",
		ACCESS_EVENT, "2001:db8::1", U "?x=1&y=2", "M", ""},
	    {"2025-11-26 19:58:37 10.0.0.4 POST /coats/a - 443 - 203.0.113.1 M - 200 0 0 15",
		ACCESS_METHOD, NULL, NULL, NULL, NULL},
	    {"2025-11-26 19:58:37 10.0.0.4 GET /coats/a - 443 - - M - 200 0 0 15", ACCESS_MALFORMED,
		NULL, NULL, NULL, NULL},
	    {"2025-11-26 19:58:37 10.0.0.4 GET /coats/a", ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"2025-11-26 19:58:37 10.0.0.4 GET /coats/a - 443 - 203.0.113.1 M - 200 0 0 15 more",
		ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    /* the columns change in the middle of the file */
	    {"#Date: 2025-11-26 00:00:00", ACCESS_NOTHING, NULL, NULL, NULL, NULL},
	    {"#Fields: time c-ip cs-method cs-uri-stem sc-status cs-host cs(X-Forwarded-For)",
		ACCESS_NOTHING, NULL, NULL, NULL, NULL},
	    {"19:58:37 203.0.113.1 GET /coats/a 200 other.example:443 -", ACCESS_EVENT,
		"203.0.113.1", "https://other.example/coats/a", "", ""},
	    {"19:58:37 192.0.2.9 GET /coats/a 200 - 203.0.113.7,+192.0.2.8", ACCESS_EVENT,
		"203.0.113.7", U, "", ""},
	    {"19:58:37 198.51.100.7 GET /coats/a 200 - 203.0.113.7", ACCESS_EVENT, "198.51.100.7",
		U, "", ""},
	    {"#Fields: date time c-ip cs-method cs-uri sc-status cs(User-Agent)", ACCESS_NOTHING,
		NULL, NULL, NULL, NULL},
	    {"2025-11-26 19:58:37 203.0.113.1 GET /coats/a?b=c 200 \"M \"\"q\"\" +\"", ACCESS_EVENT,
		"203.0.113.1", U "?b=c", NULL, ""},
	};
	LOOK(reader("w3c"), iis);
#define CF(stem, query, agent, forwarded)                                                          \
	"2025-11-26\t19:58:37\tFRA2\t2390\t203.0.113.1\tGET\td111.cloudfront.net\t" stem           \
	"\t200\thttps://a.example/x%2520y\t" agent "\t" query                                      \
	"\t-\tHit\tid==\tother.example\thttps\t23\t0.001\t" forwarded
	static const struct row cloudfront[] = {
	    {"#Version: 1.0", ACCESS_NOTHING, NULL, NULL, NULL, NULL},
	    {"#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem "
	     "sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type "
	     "x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for",
		ACCESS_NOTHING, NULL, NULL, NULL, NULL},
	    {CF("/coats/a", "-", "Mozilla/5.0%20(X11)", "-"), ACCESS_EVENT, "203.0.113.1",
		"https://other.example/coats/a", "Mozilla/5.0 (X11)", "https://a.example/x%20y"},
	    {CF("/coats%2520new/a", "q=a%2520b", "Mozilla/5.0%2520(X11)", "-"), ACCESS_EVENT,
		"203.0.113.1", "https://other.example/coats%20new/a?q=a%20b", "Mozilla/5.0 (X11)",
		NULL},
	    {CF("/caf%C3%A9", "x=1", "M", "198.51.100.1"), ACCESS_EVENT, "203.0.113.1",
		"https://other.example/caf%C3%A9?x=1", "M", NULL},
	};
	LOOK(reader("w3c"), cloudfront);
}

TEST(lines_of_load_balancers)
{
#define ALB(type, client, status, request)                                                         \
	type "2025-11-26T19:58:37.186641Z app/my-lb/50dc6c " client                                \
	     " 10.0.0.1:80 0.000 0.001 0.000 " status " 200 34 366 \"" request                     \
	     "\" \"curl/7 (x)\" - - arn:aws \"Root=1\""
	static const struct row rows[] = {
	    {ALB("https ", "203.0.113.1:2817", "200",
		 "GET https://other.example:443/coats/a?x=1 HTTP/2.0"),
		ACCESS_EVENT, "203.0.113.1", "https://other.example/coats/a?x=1", "curl/7 (x)", ""},
	    {ALB("", "203.0.113.1:2817", "200", "GET http://other.example:80/ HTTP/1.1"),
		ACCESS_EVENT, "203.0.113.1", "https://other.example/", NULL, NULL},
	    {ALB("h2 ", "2001:db8::1:2817", "200", "GET https://other.example:443/ HTTP/2.0"),
		ACCESS_EVENT, "2001:db8::1", NULL, NULL, NULL},
	    {ALB("h2 ", "[2001:db8::1]:2817", "200", "GET https://other.example:443/ HTTP/2.0"),
		ACCESS_EVENT, "2001:db8::1", NULL, NULL, NULL},
	    {ALB("http ", "203.0.113.1:2817", "400", "- http://other.example:80- -"),
		ACCESS_REQUEST, NULL, NULL, NULL, NULL},
	    {ALB("http ", "203.0.113.1:2817", "302", "GET http://other.example:80/ HTTP/1.1"),
		ACCESS_STATUS, NULL, NULL, NULL, NULL},
	    {ALB("http ", "-", "200", "GET http://other.example:80/ HTTP/1.1"), ACCESS_MALFORMED,
		NULL, NULL, NULL, NULL},
	    {"203.0.113.1 - - " REST, ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	};
	LOOK(reader("alb"), rows);
}

TEST(lines_of_json)
{
	static const struct row rows[] = {
	    /* Caddy, now and before */
	    {"{\"level\":\"info\",\"ts\":1764187117.5241024,\"logger\":\"http.log.access\",\"msg\":"
	     "\"handled "
	     "request\",\"request\":{\"remote_ip\":\"192.0.2.9\",\"remote_port\":\"41342\","
	     "\"client_ip\":\"203.0.113.1\",\"proto\":\"HTTP/"
	     "2.0\",\"method\":\"GET\",\"host\":\"other.example\",\"uri\":\"/coats/"
	     "a?x=1\",\"headers\":{\"User-Agent\":[\"M\"],\"Referer\":[\"https://a.example/"
	     "\"]},\"tls\":{\"server_name\":\"other.example\"}},\"bytes_read\":0,\"user_id\":\"\","
	     "\"duration\":0.0009,\"size\":10900,\"status\":200,\"resp_headers\":{\"Server\":["
	     "\"Caddy\"]}}",
		ACCESS_EVENT, "203.0.113.1", "https://other.example/coats/a?x=1", "M",
		"https://a.example/"},
	    {"{\"ts\":\"2025/11/26 "
	     "19:58:37\",\"request\":{\"remote_addr\":\"192.0.2.9:4134\",\"method\":\"GET\","
	     "\"host\":\"other.example:443\",\"uri\":\"/"
	     "\",\"headers\":{\"X-Forwarded-For\":[\"6.6.6.6\",\"203.0.113.1\"]}},\"status\":200}",
		ACCESS_EVENT, "203.0.113.1", "https://other.example/", "", ""},
	    {"{\"ts\":1764187117,\"request\":{\"remote_ip\":\"192.0.2.9\",\"method\":\"GET\","
	     "\"host\":\"other.example\",\"uri\":\"/"
	     "\",\"headers\":{\"Forwarded\":[\"for=\\\"203.0.113.1:80\\\";proto=https\",\"for=192."
	     "0.2.8\"]}},\"status\":200}",
		ACCESS_EVENT, "203.0.113.1", "https://other.example/", "", ""},
	    /* nginx escape=json */
	    {"{\"time_local\":\"26/Nov/2025:19:58:37 "
	     "+0000\",\"remote_addr\":\"203.0.113.1\",\"remote_user\":\"\",\"request\":\"GET "
	     "/coats/a HTTP/1.1\",\"status\": "
	     "\"200\",\"body_bytes_sent\":\"1\",\"http_referrer\":\"\",\"http_user_agent\":\"M "
	     "\\\"q\\\"\"}",
		ACCESS_EVENT, "203.0.113.1", U, "M \"q\"", ""},
	    {"{\"time_iso8601\":\"2025-11-26T20:58:37+01:00\",\"remote_addr\":\"192.0.2.9\",\"http_"
	     "x_forwarded_for\":\"203.0.113.1\",\"request_method\":\"GET\",\"request_uri\":\"/"
	     "coats/a?x\",\"uri\":\"/"
	     "index.php\",\"args\":\"q=1\",\"status\":200,\"http_host\":\"other.example\",\"server_"
	     "name\":\"_\"}",
		ACCESS_EVENT, "203.0.113.1", "https://other.example/coats/a?x", "", ""},
	    {"{\"msec\":\"1764187117.005\",\"remote_addr\":\"203.0.113.1\",\"method\":\"GET\","
	     "\"uri\":\"/coats/"
	     "a\",\"args\":\"q=1\",\"status\":200,\"host\":\"_\",\"http_user_agent\":"
	     "\"caf\\xc3\\xa9\"}",
		ACCESS_EVENT, "203.0.113.1", U "?q=1", "café", ""},
	    {"Nov 26 19:58:37 web1 nginx: "
	     "{\"@timestamp\":\"2025-11-26T19:58:37.000Z\",\"clientip\":\"203.0.113.1\",\"verb\":"
	     "\"GET\",\"path\":\"/coats/a\",\"response\":\"200\"}",
		ACCESS_EVENT, "203.0.113.1", U, "", ""},
	    /* Azure, Envoy, and objects around the fields */
	    {"{\"time\":\"2025-11-26T19:58:37Z\",\"properties\":{\"httpMethod\":\"GET\","
	     "\"requestUri\":\"https://other.example:443/coats/"
	     "a\",\"httpStatusCode\":\"200\",\"clientIp\":\"203.0.113.1\",\"userAgent\":\"M\"}}",
		ACCESS_EVENT, "203.0.113.1", "https://other.example/coats/a", "M", ""},
	    {"{\"start_time\":\"2025-11-26T19:58:37.3Z\",\"method\":\"GET\",\"path\":\"/coats/"
	     "a\",\"response_code\":200,\"x_forwarded_for\":\"203.0.113.1\",\"authority\":\"other."
	     "example\"}",
		ACCESS_EVENT, "203.0.113.1", "https://other.example/coats/a", "", ""},
	    {"{\"start_time\":\"2025-11-26T19:58:37.3Z\",\"method\":\"GET\",\"path\":\"/coats/"
	     "a\",\"response_code\":200,\"downstream_remote_address\":\"203.0.113.1:80\"}",
		ACCESS_EVENT, "203.0.113.1", U, "", ""},
	    {"{\"jsonPayload\":{\"remote_addr\":\"203.0.113.1\",\"request\":\"GET /coats/a "
	     "HTTP/1.1\",\"status\":200},\"timestamp\":\"2025-11-26T19:58:37Z\"}",
		ACCESS_EVENT, "203.0.113.1", U, "", ""},
	    {"{\"log\":{\"time\":\"2025-11-26T19:58:37Z\",\"remote_addr\":\"203.0.113.1\","
	     "\"request\":\"GET /coats/a "
	     "HTTP/1.1\",\"status\":200},\"kubernetes\":{\"host\":\"n1\"}}",
		ACCESS_EVENT, "203.0.113.1", U, "", ""},
	    /* within another object */
	    {"{\"log\":\"{\\\"ts\\\":1764187117,\\\"request\\\":{\\\"remote_ip\\\":\\\"203.0.113."
	     "1\\\",\\\"method\\\":\\\"GET\\\",\\\"uri\\\":\\\"/coats/"
	     "a\\\"},\\\"status\\\":200}\\n\",\"stream\":\"stdout\",\"time\":\"2025-11-26T20:00:"
	     "00Z\"}",
		ACCESS_EVENT, "203.0.113.1", U, "", ""},
	    {"{\"message\":\"GET /coats/a "
	     "200\",\"time\":\"2025-11-26T19:58:37Z\",\"remote_addr\":\"203.0.113.1\",\"method\":"
	     "\"GET\",\"uri\":\"/coats/a\",\"status\":200}",
		ACCESS_EVENT, "203.0.113.1", U, "", ""},
	    {"web-1  | "
	     "{\"time\":\"2025-11-26T19:58:37Z\",\"remote_addr\":\"203.0.113.1\",\"method\":"
	     "\"GET\",\"uri\":\"/coats/a\",\"status\":200}",
		ACCESS_EVENT, "203.0.113.1", U, "", ""},
	    /* Traefik */
	    {"{\"ClientAddr\":\"203.0.113.1:5000\",\"ClientHost\":\"203.0.113.1\",\"ClientPort\":"
	     "\"5000\",\"DownstreamStatus\":200,\"RequestAddr\":\"other.example\",\"RequestHost\":"
	     "\"other.example\",\"RequestMethod\":\"GET\",\"RequestPath\":\"/coats/"
	     "a?x\",\"RequestProtocol\":\"HTTP/"
	     "1.1\",\"StartUTC\":\"2025-11-26T19:58:37.123456789Z\",\"request_User-Agent\":\"M\","
	     "\"request_Referer\":\"https://a.example/"
	     "\",\"time\":\"2025-11-26T20:00:00Z\",\"level\":\"info\",\"msg\":\"\"}",
		ACCESS_EVENT, "203.0.113.1", "https://other.example/coats/a?x", "M",
		"https://a.example/"},
	    /* Cloudflare, ECS, Google */
	    {"{\"ClientIP\":\"203.0.113.1\",\"ClientRequestHost\":\"other.example\","
	     "\"ClientRequestMethod\":\"GET\",\"ClientRequestURI\":\"/"
	     "a?b\",\"EdgeResponseStatus\":200,\"EdgeStartTimestamp\":1764187117000000000,"
	     "\"ClientRequestUserAgent\":\"M\"}",
		ACCESS_EVENT, "203.0.113.1", "https://other.example/a?b", "M", ""},
	    {"{\"@timestamp\":\"2025-11-26T19:58:37Z\",\"source\":{\"ip\":\"203.0.113.1\"},"
	     "\"http\":{\"request\":{\"method\":\"GET\",\"referrer\":\"https://a.example/"
	     "\"},\"response\":{\"status_code\":200}},\"url\":{\"original\":\"/"
	     "a?b\",\"domain\":\"other.example\"},\"user_agent\":{\"original\":\"M\"},\"host\":{"
	     "\"name\":\"web1\"}}",
		ACCESS_EVENT, "203.0.113.1", "https://other.example/a?b", "M",
		"https://a.example/"},
	    {"{\"httpRequest\":{\"requestMethod\":\"GET\",\"requestUrl\":\"https://other.example/"
	     "a\",\"status\":200,\"userAgent\":\"M\",\"remoteIp\":\"203.0.113.1\"},\"timestamp\":"
	     "\"2025-11-26T19:58:37.5Z\"}",
		ACCESS_EVENT, "203.0.113.1", "https://other.example/a", "M", ""},
	    {"{\"ts\":1764187117,\"request\":{\"remote_ip\":\"203.0.113.1\",\"method\":\"POST\","
	     "\"uri\":\"/a\"},\"status\":200}",
		ACCESS_METHOD, NULL, NULL, NULL, NULL},
	    {"{\"ts\":1764187117,\"request\":{\"remote_ip\":\"localhost\",\"method\":\"GET\","
	     "\"uri\":\"/a\"},\"status\":200}",
		ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"{\"ts\":1764187117,\"request\":{\"remote_ip\":\"203.0.113.1\",\"method\":\"GET\","
	     "\"uri\":\"/a\"}}",
		ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"{\"ts\":17", ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"[1]", ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"{\"remote_addr\":\"203.0.113.1\",\"time\":\"2025-11-26T19:58:37Z\",\"request\":\"-\","
	     "\"status\":400}",
		ACCESS_REQUEST, NULL, NULL, NULL, NULL},
	};
	LOOK(reader("json"), rows);
}

TEST(lines_of_haproxy)
{
	static const struct row rows[] = {
	    {"Nov 26 19:58:37 lb haproxy[14389]: 203.0.113.1:33317 [26/Nov/2025:19:58:37.655] "
	     "http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {a|b} {} \"GET "
	     "/coats/a HTTP/1.1\"",
		ACCESS_EVENT, "203.0.113.1", U, "", ""},
	    {"2001:db8::1:33317 [26/Nov/2025:19:58:37.655] in~ b/<NOSRV> 0/0/0/1/+1 304 +2750 - - "
	     "---- 1/1/1/1/0 0/0 \"GET https://other.example/coats/a HTTP/2.0\"",
		ACCESS_EVENT, "2001:db8::1", "https://other.example/coats/a", "", ""},
	    {"203.0.113.1:33317 [26/Nov/2025:19:58:37.655] in b/<NOSRV> -1/-1/-1/-1/0 400 0 - - "
	     "PR-- 1/1/0/0/0 0/0 \"<BADREQ>\"",
		ACCESS_REQUEST, NULL, NULL, NULL, NULL},
	    {"203.0.113.1:33317 [26/Nov/2025:19:58:37.655] in b/s 10/0/30 2750 -- 1/1/1/1/0 0/0",
		ACCESS_MALFORMED, NULL, NULL, NULL, NULL}, /* of "tcplog" */
	    {"lb:33317 [26/Nov/2025:19:58:37.655] in b/s 10/0/30/69/109 200 2750 - - ---- "
	     "1/1/1/1/0 0/0 \"GET / HTTP/1.1\"",
		ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"203.0.113.1 - - " REST, ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	    {"haproxy", ACCESS_MALFORMED, NULL, NULL, NULL, NULL},
	};
	LOOK(reader("haproxy"), rows);
}

TEST(times_of_objects)
{
	static const char *const times[] = {"\"2025-11-26 19:58:37 +0000 UTC\"",
	    "\"Wed, 26 Nov 2025 19:58:37 GMT\"", "\"Wed, 26 Nov 2025 20:58:37 +0100\"",
	    "\"Wednesday, 26-Nov-25 19:58:37 UTC\"", "\"Wed Nov 26 19:58:37 2025\"",
	    "\"Wed Nov 26 19:58:37 UTC 2025\"", "\"20251126T195837Z\"",
	    "\"2025/11/26 19:58:37.123\"", "\"2025-11-26t19:58:37z\"", "\"2025-11-26 19:58:37,5\"",
	    "1764187117123", "1764187117.5", "\"1764187117\"", "1764187117000000000"};
	char line[400];
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		snprintf(line, sizeof line,
		    "{\"ts\":%s,\"request\":{\"remote_ip\":\"203.0.113.1\",\"method\":\"GET\","
		    "\"uri\":\"/coats/a\"},\"status\":200}",
		    times[i]);
		struct row row[] = {{line, ACCESS_EVENT, "203.0.113.1", U, "", ""}};
		LOOK(reader("json"), row);
	}
}

TEST(notations)
{
	static const struct {
		const char *notation;
		struct row row;
	} rows[] = {
	    {"$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
	     "\"$http_referer\" \"$http_user_agent\"",
		{"203.0.113.1 - a b [26/Nov/2025:19:58:37 +0000] \"GET /coats/a HTTP/1.1\" 200 1 "
		 "\"-\" \"M \\\"x\\\" y\"",
		    ACCESS_EVENT, "203.0.113.1", U, "M \"x\" y", ""}},
	    {"$http_x_forwarded_for|$host|$time_iso8601|$request_method|$request_uri|$status|$"
	     "request_time",
		{"203.0.113.1, "
		 "10.0.0.2|other.example|2025-11-26T19:58:37+00:00|GET|/coats/a?x|200|0.001",
		    ACCESS_EVENT, "203.0.113.1", "https://other.example/coats/a?x", "", ""}},
	    {"log_format main '$http_x_forwarded_for - [$time_local] '\n  '\"$request\" "
	     "${status}';",
		{"203.0.113.1, 10.0.0.2 - [26/Nov/2025:19:58:37 +0000] \"GET /coats/a HTTP/1.1\" "
		 "200",
		    ACCESS_EVENT, "203.0.113.1", U, "", ""}},
	    {"$msec\t$remote_addr\t$request\t$status\t$http_user_agent",
		{"1764187117.123\t203.0.113.1\tGET /coats/a HTTP/1.1\t200\tM x", ACCESS_EVENT,
		    "203.0.113.1", U, "M x", ""}},
	    {"$msec\\t$remote_addr\\t$request\\t$status",
		{"1764187117.123\t203.0.113.1\tGET /coats/a HTTP/1.1\t200", ACCESS_EVENT,
		    "203.0.113.1", U, NULL, ""}},
	    {"%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-agent}i\"",
		{"203.0.113.1 - - " REST, ACCESS_EVENT, "203.0.113.1", U, "M", ""}},
	    {"LogFormat \"%v:%p %h %l %u %t \\\"%r\\\" %>s %O \\\"%{Referer}i\\\" "
	     "\\\"%{User-Agent}i\\\"\" vhost_combined",
		{"other.example:443 203.0.113.1 - - " REST, ACCESS_EVENT, "203.0.113.1",
		    "https://other.example/coats/a", "M", ""}},
	    {"%{X-Forwarded-For}i %a [%{%Y-%m-%d %H:%M:%S}t] %m %U%q %s",
		{"203.0.113.1, 192.0.2.8 192.0.2.9 [2025-11-26 19:58:37] GET /coats/a 200",
		    ACCESS_EVENT, "203.0.113.1", U, "", ""}},
	    {"%a %t \"%m %U%q %H\" %>s",
		{"203.0.113.1 " WHEN " \"GET /coats/a?x=1/2 HTTP/1.1\" 200", ACCESS_EVENT,
		    "203.0.113.1", U "?x=1/2", "", ""}},
	    {"%{X-Real-IP}i %t \"%r\" %>s", {"203.0.113.1 " WHEN " \"GET /coats/a HTTP/1.1\" 200",
						ACCESS_EVENT, "203.0.113.1", U, "", ""}},
	    {"%{c}a %t \"%r\" %>s", {"203.0.113.1 " WHEN " \"GET /coats/a HTTP/1.1\" 200",
					ACCESS_EVENT, "203.0.113.1", U, "", ""}},
	    {"$remote_addr [$time_iso8601] \"$request_method $scheme://$host$request_uri "
	     "$server_protocol\" $status",
		{"203.0.113.1 [2025-11-26T19:58:37+00:00] \"GET https://other.example/coats/a?x=1 "
		 "HTTP/1.1\" 200",
		    ACCESS_EVENT, "203.0.113.1", "https://other.example/coats/a?x=1", "", ""}},
	    {"$remote_addr $msec $request_method $uri$is_args$args $status",
		{"203.0.113.1 1764187117.1 GET /coats/a?x=1 200", ACCESS_EVENT, "203.0.113.1",
		    U "?x=1", "", ""}},
	    {"$remote_addr $msec $request_method $uri$is_args$args $status",
		{"203.0.113.1 1764187117.1 GET /coats/a 200", ACCESS_EVENT, "203.0.113.1", U, "",
		    ""}},
	    {"$remote_addr $time_local $request $status",
		{"203.0.113.1 26/Nov/2025:19:58:37 +0000 GET /coats/a HTTP/1.1 200", ACCESS_EVENT,
		    "203.0.113.1", U, "", ""}},
	    {"vhost_combined", {"other.example:443 203.0.113.1 - - " REST, ACCESS_EVENT,
				   "203.0.113.1", "https://other.example/coats/a", "M", ""}},
	    {"%{X-Forwarded-For}i %a [%{%Y-%m-%d %H:%M:%S}t] %m %U %q %s",
		{"203.0.113.1, 192.0.2.8 192.0.2.9 [2025-11-26 19:58:37] GET /coats/a ?x=1 200",
		    ACCESS_EVENT, "203.0.113.1", U "?x=1", "", ""}},
	    {"%a %t \"%r\" %>s \"%{Forwarded}i\"",
		{"192.0.2.9 " WHEN
		 " \"GET /coats/a HTTP/1.1\" 200 \"for=203.0.113.1;by=192.0.2.9\"",
		    ACCESS_EVENT, "203.0.113.1", U, "", ""}},
	    {"$http_forwarded|$time_iso8601|$request|$status",
		{"for=203.0.113.1;host=a, for=10.0.0.2|2025-11-26T19:58:37+00:00|GET /coats/a "
		 "HTTP/1.1|200",
		    ACCESS_EVENT, "203.0.113.1", U, "", ""}},
	    {"%a %{%d/%b/%Y:%T %z}t \"%r\" %>s",
		{"203.0.113.1 26/Nov/2025:20:58:37 +0100 \"GET /coats/a HTTP/1.1\" 200",
		    ACCESS_EVENT, "203.0.113.1", U, "", ""}},
	    {"%a %{usec}t \"%r\" %!404>s 100%%",
		{"203.0.113.1 1764187117123456 \"GET /coats/a HTTP/1.1\" 200 100%", ACCESS_EVENT,
		    "203.0.113.1", U, "", ""}},
	    {"%a %t \"%r\" %>s", {"203.0.113.1 " WHEN " \"GET /coats/a HTTP/1.1\" 200 more",
				     ACCESS_MALFORMED, NULL, NULL, NULL, NULL}},
	    {"%a %t \"%r\" %>s", {"- " WHEN " \"GET /coats/a HTTP/1.1\" 200", ACCESS_MALFORMED,
				     NULL, NULL, NULL, NULL}},
	    {"%a %t \"%r\" %>s",
		{"203.0.113.1 " WHEN " \"-\" 408", ACCESS_REQUEST, NULL, NULL, NULL, NULL}},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct access a;
		struct config *c = &config;
		assert_int_equal(access_init(&a, c, "shop.example"), OK);
		enum err e = access_set_notation(&a, rows[i].notation);
		if (e)
			fail_msg("%s: %s", rows[i].notation, err_text());
		look(&a, &rows[i].row);
		access_done(&a);
	}
	static const char *const wrong[][2] = {{"combinedx", "nginx's notation"},
	    {"", "nginx's notation"}, {"$remote_addr$status", "where the value before it ends"},
	    {"$status [$time_local] \"$request\"", "no address"},
	    {"$remote_addr \"$request\" $status", "no time"},
	    {"$remote_addr [$time_local] $status", "no request"}, {"%h %t \"%r\"", "no status"},
	    {"%h %", "letter"}, {"$remote_addr $", "name"}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct access a;
		assert_int_equal(access_init(&a, &config, "shop.example"), OK);
		enum err e = access_set_notation(&a, wrong[i][0]);
		if (e == OK || !strstr(err_text(), wrong[i][1]))
			fail_msg("%s: %s", wrong[i][0], e ? err_text() : "taken");
		access_done(&a);
	}
}

TEST(forms_are_known_by_their_first_lines)
{
	static const struct {
		const char *text, *form;
	} rows[] = {
	    {"203.0.113.1 - - " REST "\n", "combined"},
	    {"rubbish\n\nother.example:443 203.0.113.1 - - " REST "\n", "combined"},
	    {"#Version: 1.0\n#Fields: date time c-ip cs-method cs-uri-stem sc-status\n2025-11-26 "
	     "19:58:37 203.0.113.1 GET / 200\n",
		"w3c"},
	    {"#Fields: date time c-ip cs-method cs-uri-stem sc-status\n", "w3c"},
	    {ALB("https ", "203.0.113.1:2817", "200",
		 "GET https://other.example:443/ HTTP/2.0") "\n",
		"alb"},
	    {"{\"ts\":1764187117,\"request\":{\"remote_ip\":\"203.0.113.1\",\"method\":\"GET\","
	     "\"uri\":\"/a\"},\"status\":200}\n",
		"json"},
	    {"<134>Nov 26 19:58:37 haproxy[7]: 203.0.113.1:33317 [26/Nov/2025:19:58:37.655] in b/s "
	     "10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 \"GET / HTTP/1.1\"\n",
		"haproxy"},
	    {"{\"log\":\"203.0.113.1 - - " WHEN
	     " \\\"GET /coats/a HTTP/1.1\\\" 200 1\\n\",\"stream\":\"stdout\"}\n",
		"combined"},
	    {"{\"log\":\"{\\\"ts\\\":1764187117,\\\"remote_ip\\\":\\\"203.0.113.1\\\","
	     "\\\"method\\\":\\\"GET\\\",\\\"uri\\\":\\\"/a\\\",\\\"status\\\":200}\"}\n",
		"json"},
	    {"{\"id\":\"a\",\"t\":1764187117,\"u\":\"https://shop.example/\"}\n", NULL},
	    {"hello world\n", NULL},
	    {"", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct access a;
		assert_int_equal(access_init(&a, &config, "shop.example"), OK);
		bool found = access_detect(&a, str_c(rows[i].text));
		if (found != (rows[i].form != NULL) ||
		    (found && strcmp(access_form_name(a.form), rows[i].form) != 0))
			fail_msg("%s: %s", rows[i].text, access_form_name(a.form));
		access_done(&a);
	}
}

TEST(a_visitor_is_address_and_agent)
{
	struct access *a = reader("combined");
	struct buf out[6] = {{0}};
	static const char *const lines[] = {"203.0.113.1 - - " REST, "203.0.113.1:99 - - " REST,
	    "::ffff:203.0.113.1 - - " REST, "other.example:443 203.0.113.1 - x " REST,
	    "203.0.113.2 - - " REST,
	    "203.0.113.1 - - " WHEN " \"GET /coats/a HTTP/1.1\" 200 1 \"-\" \"N\""};
	char id[6][48];
	for (int i = 0; i < 6; i++) {
		assert_int_equal(access_line(a, str_c(lines[i]), &out[i]), ACCESS_EVENT);
		memcpy(id[i], out[i].p, 44);
		buf_done(&out[i]);
		assert_true((memcmp(id[i], id[0], 44) == 0) == (i < 4));
	}
	access_done(a);
}

static int begin(void **state)
{
	(void)state;
	return config_init(&config) || config_set(&config, "trusted_proxies=192.0.2.0/24");
}

static int end(void **state)
{
	(void)state;
	config_done(&config);
	return 0;
}

UNIT_TESTS_BETWEEN(begin, end, cmocka_unit_test(lines_of_combined), cmocka_unit_test(lines_of_w3c),
    cmocka_unit_test(lines_of_load_balancers), cmocka_unit_test(lines_of_json),
    cmocka_unit_test(lines_of_haproxy), cmocka_unit_test(times_of_objects),
    cmocka_unit_test(notations), cmocka_unit_test(forms_are_known_by_their_first_lines),
    cmocka_unit_test(a_visitor_is_address_and_agent))

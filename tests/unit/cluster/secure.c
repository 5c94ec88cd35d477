/* TLS in front of http, over real sockets: who comes through, and who does not. The server runs in
 * a thread; clients are cluster/peer and OpenSSL, which may be told to do it wrongly. */
#include "unit.h"

#include "../../src/cluster/certificate.h"

#include "crumb/base/thread.h"
#include "crumb/cluster/peer.h"
#include "crumb/cluster/secure.h"
#include "crumb/core/metric.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define FOREVER_MS 600000 /* longer than any test */
#define LONG_BODY 900000u /* more than sockets and buffers hold */

static struct cluster_key ours, theirs;

/* --- the server */

struct world {
	struct config config;
	struct event_base *base;
	struct http_server *server;
	struct secure *secure;
	pthread_t thread;
	int wake[2];
	char address[64];
	unsigned handled; /* server's thread; read when it has ended */
};

static void handle(void *ctx, struct http_request *r)
{
	struct world *w = ctx;
	struct buf b = {0};
	w->handled++;
	if (str_eq(r->path, STR("/long")))
		for (unsigned i = 0; i < LONG_BODY; i++)
			buf_add(&b, &"abcdefghijk"[i % 11], 1);
	else
		buf_c(&b, "hello");
	http_reply_whole(r->ticket, 200, "text/plain", &BUF_OF(STR("")), &b);
	buf_done(&b);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	event_base_loopbreak(arg);
}

static void *run(void *arg)
{
	struct world *w = arg;
	struct event *stop = event_new(w->base, w->wake[0], EV_READ, on_stop, w->base);
	event_add(stop, NULL);
	event_base_dispatch(w->base);
	event_free(stop);
	return NULL;
}

static void begin(struct world *w, unsigned most, unsigned handshake_ms)
{
	*w = (struct world){.handled = 0};
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(config_init(&w->config), OK);
	w->base = event_base_new();
	assert_non_null(w->base);
	assert_int_equal(http_server_new(w->base, &w->config, "127.0.0.1:0", HTTP_PORT_OWN, handle,
			     w, &w->server),
	    OK);
	assert_int_equal(secure_new(w->base, w->server, &ours,
			     (struct secure_limits){most, handshake_ms}, &w->secure),
	    OK);
	http_server_address(w->server, w->address, sizeof w->address);
	assert_int_equal(pipe(w->wake), 0);
	assert_int_equal(thread_start(&w->thread, "server", run, w), OK);
}

static void end(struct world *w)
{
	assert_int_equal(write(w->wake[1], "x", 1), 1);
	pthread_join(w->thread, NULL);
	secure_free(w->secure);
	http_server_free(w->server);
	event_base_free(w->base);
	close(w->wake[0]);
	close(w->wake[1]);
	config_done(&w->config);
}

/* --- a client that may be wrong */

static int dial(const struct world *w)
{
	unsigned port;
	assert_int_equal(sscanf(w->address, "127.0.0.1:%u", &port), 1);
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
	return fd;
}

/* Shows the certificate of `k`; NULL: none. It believes whoever answers. */
static SSL_CTX *client(const struct cluster_key *k, int version)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());
	assert_non_null(c);
	SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL);
	assert_int_equal(SSL_CTX_set_max_proto_version(c, version), 1);
	if (k) {
		static struct cluster_identity id;
		assert_int_equal(cluster_identity(k, &id), OK);
		BIO *b = BIO_new_mem_buf(id.certificate, -1), *s = BIO_new_mem_buf(id.key, -1);
		X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);
		EVP_PKEY *pair = PEM_read_bio_PrivateKey(s, NULL, NULL, NULL);
		assert_int_equal(SSL_CTX_use_certificate(c, x), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(c, pair), 1);
		X509_free(x);
		EVP_PKEY_free(pair);
		BIO_free(b);
		BIO_free(s);
	}
	return c;
}

/* Asks, and says how many bytes of an answer came. Takes the settings. */
static int asked(const struct world *w, SSL_CTX *c)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
	char answer[4096];
	int fd = dial(w), n = 0;
	SSL *ssl = SSL_new(c);
	assert_int_equal(SSL_set_fd(ssl, fd), 1);
	if (SSL_connect(ssl) == 1 && SSL_write(ssl, request, sizeof request - 1) > 0)
		n = SSL_read(ssl, answer, sizeof answer);
	SSL_free(ssl);
	SSL_CTX_free(c);
	ERR_clear_error();
	close(fd);
	return n > 0 ? n : 0;
}

/* --- tests */

TEST(a_node_with_the_same_key_is_answered_again_and_again)
{
	struct world w;
	struct peer *p;
	begin(&w, 8, FOREVER_MS);
	assert_int_equal(peer_new(&ours, w.address, &p), OK);
	for (int i = 0; i < 3; i++) {
		struct buf b = {0};
		long status = 0;
		assert_int_equal(peer_get(p, "/", &status, &b), OK);
		assert_int_equal(status, 200);
		assert_true(str_eq(buf_view(&b), STR("hello")));
		buf_done(&b);
	}
	peer_free(p);
	end(&w);
	assert_int_equal(w.handled, 3);
}

TEST(a_long_answer_comes_whole)
{
	struct world w;
	struct peer *p;
	struct buf b = {0};
	long status = 0;
	begin(&w, 8, FOREVER_MS);
	assert_int_equal(peer_new(&ours, w.address, &p), OK);
	assert_int_equal(peer_get(p, "/long", &status, &b), OK);
	assert_int_equal(b.n, LONG_BODY);
	for (unsigned i = 0; i < LONG_BODY; i++)
		assert_int_equal(b.p[i], "abcdefghijk"[i % 11]);
	buf_done(&b);
	peer_free(p);
	end(&w);
}

TEST(a_client_does_not_ask_a_server_with_another_key)
{
	struct world w;
	struct peer *p;
	struct buf b = {0};
	long status = 0;
	begin(&w, 8, FOREVER_MS);
	assert_int_equal(peer_new(&theirs, w.address, &p), OK);
	assert_int_equal(peer_get(p, "/", &status, &b), ERR_USAGE);
	assert_non_null(strstr(err_text(), "another cluster.key"));
	assert_int_equal(b.n, 0);
	peer_free(p);
	end(&w);
	assert_int_equal(w.handled, 0);
}

TEST(a_server_answers_nobody_with_another_key_or_none)
{
	struct world w;
	begin(&w, 8, FOREVER_MS);
	uint64_t before = metric_get(M_NODE_REFUSED);
	assert_int_equal(asked(&w, client(&theirs, TLS1_3_VERSION)), 0);
	assert_int_equal(asked(&w, client(NULL, TLS1_3_VERSION)), 0);
	assert_true(asked(&w, client(&ours, TLS1_3_VERSION)) > 0); /* this client can be right */
	end(&w);
	assert_int_equal(w.handled, 1);
	assert_int_equal(metric_get(M_NODE_REFUSED) - before, 2);
}

TEST(tls_1_2_is_not_spoken)
{
	struct world w;
	begin(&w, 8, FOREVER_MS);
	assert_int_equal(asked(&w, client(&ours, TLS1_2_VERSION)), 0);
	end(&w);
	assert_int_equal(w.handled, 0);
}

TEST(plain_http_is_closed_without_an_answer)
{
	struct world w;
	static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
	char answer[512];
	begin(&w, 8, FOREVER_MS);
	int fd = dial(&w);
	assert_int_equal(send(fd, request, sizeof request - 1, 0), sizeof request - 1);
	ssize_t n, all = 0;
	while ((n = recv(fd, answer, sizeof answer, 0)) > 0) {
		assert_null(memmem(answer, (size_t)n, "HTTP", 4));
		all += n;
	}
	assert_true(all < 64); /* an alert of TLS, or nothing */
	close(fd);
	end(&w);
	assert_int_equal(w.handled, 0);
}

/* What a node said is sent again, byte by byte, by one who has listened. */
TEST(what_was_recorded_and_is_sent_again_opens_nothing)
{
	struct world w;
	static char sent[16384];
	size_t n = 0;
	begin(&w, 8, FOREVER_MS);
	SSL_CTX *c = client(&ours, TLS1_3_VERSION);
	SSL *ssl = SSL_new(c);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	SSL_set_bio(ssl, in, out);
	SSL_set_connect_state(ssl);
	int fd = dial(&w);
	char piece[4096];
	bool asked_it = false, answered = false;
	while (!answered) {
		if (SSL_do_handshake(ssl) == 1 && !asked_it)
			asked_it = SSL_write(ssl, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 27) == 27;
		int k = BIO_read(out, sent + n, (int)(sizeof sent - n));
		if (k > 0) {
			assert_int_equal(send(fd, sent + n, (size_t)k, 0), k);
			n += (size_t)k;
			continue;
		}
		ssize_t got = recv(fd, piece, sizeof piece, 0);
		assert_true(got > 0);
		assert_int_equal(BIO_write(in, piece, (int)got), got);
		answered = asked_it && SSL_read(ssl, piece, sizeof piece) > 0;
	}
	close(fd);
	SSL_free(ssl);
	SSL_CTX_free(c);
	fd = dial(&w);
	assert_int_equal(send(fd, sent, n, 0), n);
	while (recv(fd, piece, sizeof piece, 0) > 0)
		;
	close(fd);
	end(&w);
	assert_int_equal(w.handled, 1);
}

TEST(who_comes_when_all_places_are_taken_is_closed)
{
	struct world w;
	char byte;
	begin(&w, 1, FOREVER_MS);
	int one = dial(&w), two = dial(&w);
	assert_int_equal(recv(two, &byte, 1, 0), 0);
	close(one);
	close(two);
	end(&w);
}

/* The beginning of a record of TLS, and then nothing. */
TEST(who_takes_too_long_to_begin_is_closed)
{
	struct world w;
	char byte;
	begin(&w, 1, 50);
	uint64_t before = metric_get(M_NODE_REFUSED);
	int fd = dial(&w);
	assert_int_equal(send(fd, "\x16\x03\x01", 3, 0), 3);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
	end(&w);
	assert_int_equal(metric_get(M_NODE_REFUSED) - before, 1);
}

TEST(no_address_is_refused_before_anything_is_asked)
{
	static const char *const wrong[] = {"", "host", "host:", ":8443", "host:0", "https://h:1"};
	struct peer *p = NULL;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(peer_new(&ours, wrong[i], &p), ERR_USAGE);
	assert_null(p);
}

static int make_keys(void **state)
{
	memset(ours.bytes, 1, sizeof ours.bytes);
	memset(theirs.bytes, 2, sizeof theirs.bytes);
	return 0;
}

UNIT_TESTS_BETWEEN(make_keys, NULL,
    cmocka_unit_test(a_node_with_the_same_key_is_answered_again_and_again),
    cmocka_unit_test(a_long_answer_comes_whole),
    cmocka_unit_test(a_client_does_not_ask_a_server_with_another_key),
    cmocka_unit_test(a_server_answers_nobody_with_another_key_or_none),
    cmocka_unit_test(tls_1_2_is_not_spoken),
    cmocka_unit_test(plain_http_is_closed_without_an_answer),
    cmocka_unit_test(what_was_recorded_and_is_sent_again_opens_nothing),
    cmocka_unit_test(who_comes_when_all_places_are_taken_is_closed),
    cmocka_unit_test(who_takes_too_long_to_begin_is_closed),
    cmocka_unit_test(no_address_is_refused_before_anything_is_asked))

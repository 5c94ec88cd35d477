/* Bytes on a connection: a real server on loopback, a real socket, every answer well formed. */
#include "crumb/http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct event_base *base;
static struct http_server *server;
static struct sockaddr_in address;

static void handle(void *ctx, struct http_request *r)
{
	(void)ctx;
	CHECK(r->path.n + r->query.n <= 70000);
	http_reply(r->ticket, 200, "text/plain", STR(""), r->body.n ? r->body : STR("ok"));
}

static void start(void)
{
	static struct config config;
	char where[64];
	unsigned port;
	CHECK(config_init(&config) == OK && config_set(&config, "collect.body_bytes=4096") == OK);
	struct event_config *cfg = event_config_new();
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	CHECK(http_server_new(base, &config, "127.0.0.1:0", HTTP_PORT_OWN, handle, NULL, &server) == OK);
	http_server_address(server, where, sizeof where);
	CHECK(sscanf(where, "127.0.0.1:%u", &port) == 1);
	address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (!base)
		start();
	char in[4096];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct linger hard = {1, 0}; /* no time-wait: millions of connections come and go */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	/* many source addresses, or waiting ends of earlier connections use up the ports */
	static uint32_t runs;
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = {htonl(0x7f000002u + runs++ / 16 % 65000)}};
	CHECK(bind(fd, (struct sockaddr *)&from, sizeof from) == 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		CHECK(errno == EINTR); /* the fuzzer's own alarm */
		close(fd);
		return 0;
	}
	size_t cut = n ? data[0] % n : 0; /* in two parts */
	CHECK(send(fd, data, cut, MSG_NOSIGNAL) >= 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_loop(base, EVLOOP_NONBLOCK);
	if (send(fd, data + cut, n - cut, MSG_NOSIGNAL) >= 0)
		event_base_loop(base, EVLOOP_NONBLOCK);
	ssize_t got = recv(fd, in, sizeof in, MSG_DONTWAIT);
	CHECK(got <= 0 || (got > 8 && memcmp(in, "HTTP/1.1", 8) == 0));
	close(fd);
	event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_loop(base, EVLOOP_NONBLOCK);
	return 0;
}

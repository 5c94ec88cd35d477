/* A server and its listeners: descriptors that run out, names with several addresses. */
#include "talk.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <sys/resource.h>

static int dial(const struct world *w)
{
	char where[64];
	unsigned port;
	http_server_address(w->server, where, sizeof where);
	assert_int_equal(sscanf(where, "127.0.0.1:%u", &port), 1);
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
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
	assert_int_equal(http_server_new(w->base, &w->config, "127.0.0.1:0", HTTP_PORT_OWN, handle,
			     w, &w->server),
	    OK);
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
	put(first, STR("GET /now?1 HTTP/1.1\r\nHost: h\r\n\r\n")); /* now the second has been idle
								      for longer */
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

/* Each kind of connection that does not wait for us makes room for the next one; who waits for us
 * stays. */
TEST(who_does_not_wait_for_us_makes_room)
{
	static const char *const begun[] = {"", "GET /now HT",
	    "POST /now HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf",
	    "GET /now?1 HTTP/1.1\r\nHost: h\r\n\r\n", "no request\r\n\r\nand more",
	    "GET /hold?1 HTTP/1.1\r\nHost: h\r\n\r\n", "GET /gate?1 HTTP/1.1\r\nHost: h\r\n\r\n"};
	static const enum phase phases[] = {PHASE_IDLE, PHASE_HEAD, PHASE_BODY, PHASE_SEND,
	    PHASE_LINGER, PHASE_ANSWER, PHASE_ANSWER};
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

/* A name with several addresses, of which this machine has the last only: what the resolver of such
 * a machine says. */
static const char *addresses[3];
static struct addrinfo *ours; /* what was made here and not yet freed */

int getaddrinfo(
    const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	if (strcmp(name, "many") != 0 && strcmp(name, "none") != 0) {
		*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
		return real(name, service, hints, out);
	}
	struct addrinfo *last = NULL;
	*out = NULL;
	for (size_t i = 0; i < 3 && addresses[i] && strcmp(name, "many") == 0; i++) {
		struct {
			struct addrinfo a;
			struct sockaddr_in6 to;
		} *one = calloc(1, sizeof *one);
		one->a = (struct addrinfo){.ai_socktype = hints->ai_socktype,
		    .ai_addr = (struct sockaddr *)&one->to,
		    .ai_addrlen = sizeof one->to};
		one->to.sin6_family = (sa_family_t)(one->a.ai_family = AF_INET6);
		one->to.sin6_port = htons((uint16_t)strtoul(service, NULL, 10));
		if (inet_pton(AF_INET6, addresses[i], &one->to.sin6_addr) != 1) {
			struct sockaddr_in *v4 = (struct sockaddr_in *)&one->to;
			inet_pton(AF_INET, addresses[i], &v4->sin_addr);
			v4->sin_family = (sa_family_t)(one->a.ai_family = AF_INET);
			one->a.ai_addrlen = sizeof *v4;
		}
		*(last ? &last->ai_next : out) = &one->a;
		last = &one->a;
	}
	ours = *out;
	return *out ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *a)
{
	static void (*real)(struct addrinfo *);
	*(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
	if (a != ours) {
		real(a);
		return;
	}
	while (a) {
		struct addrinfo *next = a->ai_next;
		free(a);
		a = next;
	}
}

TEST(of_a_name_the_first_address_that_there_is_is_taken)
{
	struct world *w = world_new(NULL);
	struct http_server *s;
	char where[64];
	memcpy(addresses, (const char *[3]){"2001:db8::1", "192.0.2.1", "127.0.0.1"},
	    sizeof addresses);
	assert_int_equal(
	    http_server_new(w->base, &w->config, "many:0", HTTP_PORT_OWN, handle, w, &s), OK);
	http_server_address(s, where, sizeof where);
	assert_memory_equal(where, "127.0.0.1:", 10);
	http_server_free(s);
	memcpy(addresses, (const char *[3]){"2001:db8::1", "192.0.2.1"}, sizeof addresses);
	assert_int_equal(
	    http_server_new(w->base, &w->config, "many:0", HTTP_PORT_OWN, handle, w, &s), ERR_IO);
	assert_non_null(strstr(err_text(), "many:0"));
	assert_int_equal(
	    http_server_new(w->base, &w->config, "none:0", HTTP_PORT_OWN, handle, w, &s),
	    ERR_USAGE);
	if (access("/proc/net/if_inet6", F_OK) == 0) {
		memcpy(addresses, (const char *[3]){"::1"}, sizeof addresses);
		assert_int_equal(
		    http_server_new(w->base, &w->config, "many:0", HTTP_PORT_OWN, handle, w, &s),
		    OK);
		http_server_address(s, where, sizeof where);
		assert_memory_equal(where, "[::1]:", 6);
		http_server_free(s);
	}
	world_free(w);
}

UNIT_TESTS(cmocka_unit_test(out_of_descriptors_the_longest_idle_makes_room),
    cmocka_unit_test(out_of_descriptors_with_nobody_idle_the_listener_rests),
    cmocka_unit_test(who_does_not_wait_for_us_makes_room),
    cmocka_unit_test(of_a_name_the_first_address_that_there_is_is_taken))

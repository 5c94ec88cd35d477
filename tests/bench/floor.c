/* The least that a pixel on libevent can cost: reads, and writes the same answer. Keeps nothing, looks at nothing.
 *
 *     bench-floor        prints HOST:PORT */
#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] =
    "HTTP/1.1 200 OK\r\nContent-Type: image/gif\r\nContent-Length: 43\r\nCache-Control: no-store\r\n\r\n"
    "GIF89a\x01\0\x01\0\x80\x01\0\0\0\0\xff\xff\xff\x21\xf9\x04\x01\0\0\x01\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x4c\x01\0\x3b";

static void on_read(evutil_socket_t fd, short what, void *arg)
{
	char in[4096];
	struct event **me = arg;
	ssize_t n = recv(fd, in, sizeof in, 0);
	(void)what;
	if (n > 0 && send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) > 0)
		return;
	event_free(*me);
	free(me);
	close(fd);
}

static void on_accept(evutil_socket_t fd, short what, void *base)
{
	int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK), yes = 1;
	struct event **me = malloc(sizeof(struct event *));
	(void)what;
	if (conn < 0 || !me)
		return free(me);
	setsockopt(conn, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	*me = event_new(base, conn, EV_READ | EV_PERSIST, on_read, me);
	event_add(*me, NULL);
}

int main(void)
{
	struct event_base *base = event_base_new();
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (!base || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 4096) != 0 || getsockname(fd, (struct sockaddr *)&at, &n) != 0)
		return 1;
	printf("127.0.0.1:%u\n", (unsigned)ntohs(at.sin_port));
	fflush(stdout);
	event_add(event_new(base, fd, EV_READ | EV_PERSIST, on_accept, base), NULL);
	return event_base_dispatch(base) != 0;
}

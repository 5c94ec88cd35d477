/* A partner at a port of this machine: it answers each request with the next of a few texts, and
 * keeps what it was asked. */
#ifndef CRUMB_TESTS_PARTNER_H
#define CRUMB_TESTS_PARTNER_H

#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct partner_talk {
	pthread_t thread;
	int listener;
	char url[64];
	const char *const *answers; /* NULL behind the last: then it listens no more */
	char asked[4000];	    /* all requests, one behind the other */
	size_t asked_n;
} partner;

/* The whole of one request: its head, and the body that Content-Length tells. */
static inline void partner_read(int fd)
{
	size_t begin = partner.asked_n;
	for (;;) {
		char *at = partner.asked + begin, *body = strstr(at, "\r\n\r\n"),
		     *length = strcasestr(at, "content-length:");
		size_t whole = length ? strtoul(length + 15, NULL, 10) : 0;
		if (body && partner.asked_n - begin >= (size_t)(body + 4 - at) + whole)
			return;
		ssize_t n = read(fd, partner.asked + partner.asked_n,
		    sizeof partner.asked - 1 - partner.asked_n);
		if (n <= 0)
			return;
		partner.asked_n += (size_t)n;
		partner.asked[partner.asked_n] = 0;
	}
}

static inline void *partner_run(void *arg)
{
	(void)arg;
	for (const char *const *a = partner.answers; *a; a++) {
		int fd = accept(partner.listener, NULL, NULL);
		partner_read(fd);
		for (const char *p = *a; *p;) {
			ssize_t n = write(fd, p, strlen(p));
			if (n <= 0)
				break;
			p += n;
		}
		close(fd);
	}
	return NULL;
}

static inline void partner_begin(const char *const *answers)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;
	partner.answers = answers;
	partner.asked_n = 0;
	partner.asked[0] = 0;
	partner.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(partner.listener, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(partner.listener, 8), 0);
	assert_int_equal(getsockname(partner.listener, (struct sockaddr *)&at, &n), 0);
	snprintf(partner.url, sizeof partner.url, "http://127.0.0.1:%u/in", ntohs(at.sin_port));
	assert_int_equal(pthread_create(&partner.thread, NULL, partner_run, NULL), 0);
}

/* When all answers were given; what it was asked, until the next one begins. */
static inline const char *partner_end(void)
{
	pthread_join(partner.thread, NULL);
	close(partner.listener);
	return partner.asked;
}

#define PARTNER(...)                                                                               \
	static const char *const answers_[] = {__VA_ARGS__, NULL};                                 \
	partner_begin(answers_)
#define TAKES "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"

#endif

/* Hits at a steady rate, and how long each answer takes, counted from when it should have been sent.
 *
 *     bench-load HOST PORT RATE SECONDS [/path [COOKIES]]
 *
 * 32 connections on loopback, each with a browser's cookie of its own, or, with a file of cookies, another one's with every request. Prints p50, p99,
 * p99.9 and the longest, in milliseconds. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 32

struct client {
	int fd;
	char cookie[200];
	double due; /* of the request that is on its way; 0: none is */
	char in[4096];
	size_t n;
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static char *jar; /* cookies, one in a line, all of one length */
static size_t jar_n, line_n;

static void read_jar(const char *file)
{
	FILE *f = fopen(file, "r");
	if (!f || fseek(f, 0, SEEK_END) != 0)
		perror(file), exit(1);
	size_t bytes = (size_t)ftell(f);
	rewind(f);
	jar = malloc(bytes + 1);
	if (!jar || fread(jar, 1, bytes, f) != bytes)
		perror(file), exit(1);
	jar[bytes] = 0;
	fclose(f);
	line_n = strcspn(jar, "\n") + 1;
	jar_n = bytes / line_n;
}

static void ask(struct client *c, const char *path, unsigned n)
{
	char out[1024];
	if (jar_n) {
		uint64_t r = (n + 1) * 0x9e3779b97f4a7c15;
		snprintf(c->cookie, sizeof c->cookie, "%.*s", (int)line_n - 1, jar + (r ^ r >> 31) % jar_n * line_n);
	}
	int len = snprintf(out, sizeof out, "GET %s%u HTTP/1.1\r\nHost: x\r\n%s%s%s\r\n", path, n % 1000, *c->cookie ? "Cookie: crumb=" : "",
	    c->cookie, *c->cookie ? "\r\n" : "");
	if (write(c->fd, out, (size_t)len) != len)
		perror("write"), exit(1);
}

/* True when an answer is complete. */
static int answered(struct client *c)
{
	ssize_t got = read(c->fd, c->in + c->n, sizeof c->in - 1 - c->n);
	if (got <= 0)
		fprintf(stderr, "the server closed a connection\n"), exit(1);
	c->n += (size_t)got;
	c->in[c->n] = 0;
	char *end = strstr(c->in, "\r\n\r\n"), *length = strcasestr(c->in, "content-length: "), *set = strstr(c->in, "Set-Cookie: crumb=");
	if (!end)
		return 0;
	size_t body = length ? strtoul(length + 16, NULL, 10) : 0;
	if (c->n < (size_t)(end - c->in) + 4 + body)
		return 0;
	if (strncmp(c->in, "HTTP/1.1 20", 11) != 0)
		fprintf(stderr, "answered %.40s\n", c->in), exit(1);
	if (set && set < end && !jar_n) {
		size_t k = strcspn(set + 18, ";");
		if (k < sizeof c->cookie)
			memcpy(c->cookie, set + 18, k), c->cookie[k] = 0;
	}
	c->n = 0;
	return 1;
}

int main(int argc, char **argv)
{
	static struct client clients[CONNECTIONS];
	static struct pollfd polls[CONNECTIONS];
	if (argc < 5)
		return fputs("usage: bench-load HOST PORT RATE SECONDS [/path [COOKIES]]\n", stderr), 2;
	double rate = strtod(argv[3], NULL), seconds = strtod(argv[4], NULL);
	const char *path = argc > 5 ? argv[5] : "/p.gif?u=https%3A%2F%2Fshop.example%2Fkind1%2Fpage-";
	if (argc > 6)
		read_jar(argv[6]);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10))};
	inet_pton(AF_INET, argv[1], &to.sin_addr);
	for (int i = 0; i < CONNECTIONS; i++) {
		struct client *c = &clients[i];
		c->fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0)
			return perror("connect"), 1;
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		if (!jar_n) {
			ask(c, "/p.gif?u=https%3A%2F%2Fshop.example%2F", 0);
			while (!answered(c))
				;
		}
		polls[i] = (struct pollfd){c->fd, POLLIN, 0};
	}
	size_t most = (size_t)(rate * seconds) + 1, n = 0, sent = 0;
	double *took = calloc(most, sizeof *took), from = now();
	while (n < most) {
		double t = now(), due = from + (double)sent / rate;
		for (int i = 0; i < CONNECTIONS && sent < most && due <= t; i++)
			if (clients[i].due == 0) {
				clients[i].due = due;
				ask(&clients[i], path, (unsigned)sent++);
				due = from + (double)sent / rate;
			}
		double wait = due > t ? (due - t) * 1e3 : 0;
		struct timespec for_now = {0, (long)((wait > 50 ? 50 : wait) * 1e6)};
		if (ppoll(polls, CONNECTIONS, sent < most && due <= t ? &(struct timespec){0, 200000} : &for_now, NULL) < 0 && errno != EINTR)
			return 1;
		for (int i = 0; i < CONNECTIONS; i++)
			if (polls[i].revents && answered(&clients[i])) {
				took[n++] = (now() - clients[i].due) * 1e3;
				clients[i].due = 0;
			}
	}
	qsort(took, n, sizeof *took, by_size);
	printf("{\"hits\":%zu,\"p50\":%.2f,\"p99\":%.2f,\"p999\":%.2f,\"max\":%.2f}\n", n, took[n / 2], took[n * 99 / 100], took[n * 999 / 1000],
	    took[n - 1]);
	return 0;
}

/* Fills a store with made-up events, straight into its journal, as fast as it takes them: for measuring at size.
 *
 *     bench-fill STORE RULES VISITORS EVENTS DAYS [FIRST [AGO [COOKIES]]]
 *
 * Visitor i is the same in every run. Each event looks at one of 2,000 pages of 40 kinds; a few buy. Nothing here is random. Visitors are numbered
 * from FIRST, and the days begin AGO days ago and go back. With COOKIES, the visitors are browsers of this store, and their cookies are written to
 * the file, one in a line. */
#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/node/node.h"
#include "crumb/privacy/cookie.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#define SLICE 100000

static sem_t free_batches;

static void done(struct batch *b)
{
	CHECK(b->result == OK);
	batch_clear(b);
	sem_post(&free_batches);
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static struct vkey *browsers; /* of the store; NULL: visitors are made up */
static uint64_t first;

static void make_browsers(struct store *s, uint64_t n, const char *file)
{
	struct identity_keys keys;
	char text[COOKIE_LEN + 1] = {0};
	uint16_t today = day_of(clock_now());
	FILE *f = fopen(file, "w");
	browsers = malloc(n * sizeof *browsers);
	CHECK(f && browsers && keys_identity(s->keys, today, &keys) == OK);
	for (uint64_t i = 0; i < n; i++) {
		struct cookie c;
		cookie_make(today, &c);
		cookie_write(&keys, &c, text);
		CHECK(cookie_visitor(&keys, &c, &browsers[i]) && fprintf(f, "%s\n", text) > 0);
	}
	CHECK(fclose(f) == 0);
}

static void make_event(uint64_t n, uint64_t visitors, uint32_t days, uint32_t now, struct event *e, char path[64])
{
	/* every visitor comes once before any comes at random */
	uint64_t r = mix(n * 0x9e3779b97f4a7c15 + 1), who = n < visitors ? n : mix(r) % visitors, a = mix(first + who),
		 b = mix(first + who + 0x1234567);
	memcpy(e->visitor.b, &a, 8);
	memcpy(e->visitor.b + 8, &b, 8);
	if (browsers)
		e->visitor = browsers[who];
	e->flags = EVENT_IMPORTED;
	e->t = now - (uint32_t)(r >> 40) % (days * DAY_S);
	e->name = r % 97 == 0 ? STR("purchase") : STR("view");
	e->has_v = r % 97 == 0;
	e->v = (double)(r >> 20 & 0xfff) / 100;
	e->host = STR("shop.example");
	e->path = str_make(path, (size_t)snprintf(path, 64, "/kind%u/page-%u", (unsigned)(r >> 8) % 40, (unsigned)(r >> 8) % 2000));
	e->agent = (struct agent){(uint8_t)(DEVICE_DESKTOP + who % 2), OS_WINDOWS, BROWSER_CHROME};
	memcpy(e->place.country, who % 3 ? "DE" : "US", 2);
}

int main(int argc, char **argv)
{
	static struct config c;
	static struct node node;
	static struct event e;
	static struct batch batches[2];
	char store[4096], rules[4096], path[64];
	if (argc < 6) {
		fputs("usage: bench-fill STORE RULES VISITORS EVENTS DAYS [FIRST [AGO [COOKIES]]]\n", stderr);
		return 2;
	}
	log_threshold(LOG_WARN);
	snprintf(store, sizeof store, "store.path=%s", argv[1]);
	snprintf(rules, sizeof rules, "rules.path=%s", argv[2]);
	CHECK(sodium_init() >= 0 && config_init(&c) == OK && config_set(&c, store) == OK && config_set(&c, rules) == OK);
	uint64_t visitors = strtoull(argv[3], NULL, 10), events = strtoull(argv[4], NULL, 10);
	uint32_t days = (uint32_t)strtoul(argv[5], NULL, 10);
	if (node_start(&node, &c, NODE_CLOCK_BELIEVED) != OK) {
		fprintf(stderr, "%s\n", err_text());
		return 1;
	}
	sem_init(&free_batches, 0, 2);
	for (int i = 0; i < 2; i++)
		batch_init(&batches[i], node.store->shards, done, NULL);
	uint32_t now = clock_now();
	first = argc > 6 ? strtoull(argv[6], NULL, 10) : 0;
	if (argc > 7)
		now -= (uint32_t)strtoul(argv[7], NULL, 10) * DAY_S;
	if (argc > 8)
		make_browsers(node.store, visitors, argv[8]);
	uint64_t from = clock_mono_us();
	for (uint64_t n = 0, turn = 0; n < events; turn ^= 1) {
		sem_wait(&free_batches);
		for (uint64_t k = 0; k < SLICE && n < events; k++, n++) {
			make_event(n, visitors, days, now, &e, path);
			batch_event(&batches[turn], &e);
		}
		writer_submit(node.writer, &batches[turn]);
	}
	sem_wait(&free_batches);
	sem_wait(&free_batches);
	uint64_t journalled = clock_mono_us();
	if (!node_wait(&node, 3600, NODE_SERVES))
		fprintf(stderr, "not folded within an hour\n");
	printf("%llu events journalled in %.1f s, folded in %.1f s\n", (unsigned long long)events, (double)(journalled - from) / 1e6,
	    (double)(clock_mono_us() - from) / 1e6);
	for (int i = 0; i < 2; i++)
		batch_done(&batches[i]);
	free(browsers);
	node_stop(&node);
	config_done(&c);
	return 0;
}

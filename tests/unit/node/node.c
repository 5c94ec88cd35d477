/* Two nodes in one program: each has its own store, rules, options, clock and counters, and what
 * one does is no matter of the other. */
#include "stored.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/ingest/ingest.h"
#include "crumb/node/node.h"
#include "crumb/views/each_visitor.h"

#include <semaphore.h>
#include <unistd.h>

#define WAIT_S 60
#define AHEAD (40 * DAY_S) /* seconds by which the second node's clock is moved */

static const char SHOES[] =
    "version: 1\ncategories:\n  - id: shoes\n    any:\n      - path: /shoes/*\n"
    "segments:\n  - id: fans\n    when: shoes >= 2 in 7d\n";
static const char COATS[] = "version: 1\ncategories:\n  - id: coats\n    any:\n      - path: "
			    "/coats/*\n  - id: shoes\n    any:\n      - path: /shoes/*\n"
			    "segments:\n  - id: cold\n    when: coats >= 1 in 7d\n  - id: shod\n   "
			    " when: shoes >= 1 in 7d\n";

struct side {
	struct ambient ambient;
	struct config c;
	struct node node;
	struct ingest ingest;
	sem_t committed;
};

static void set(struct config *c, const char *name, const char *fmt, const char *value)
{
	char option[200];
	size_t n = (size_t)snprintf(option, sizeof option, "%s=%s", name, folder);
	snprintf(option + n, sizeof option - n, fmt, value);
	assert_int_equal(config_set(c, option), OK);
}

static void write_rules(const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s.yaml", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void committed(struct batch *b)
{
	sem_post(b->owner);
}

/* The folder is not wiped between: a node that was there goes on. */
static void start(struct side *s)
{
	struct ambient *before = ambient_enter(&s->ambient);
	if (node_start(&s->node, &s->c, NODE_CLOCK_BELIEVED) != OK)
		fail_msg("%s", err_text());
	assert_int_equal(ingest_init(&s->ingest, &s->c, s->node.store, NULL), OK);
	assert_int_equal(ingest_rules(&s->ingest, node_rules(&s->node)), OK);
	ambient_enter(before);
}

static struct side *make(const char *name, const char *rules, const char *shards, int64_t ahead)
{
	struct side *s = calloc(1, sizeof *s);
	assert_non_null(s);
	ambient_init(&s->ambient);
	sem_init(&s->committed, 0, 0);
	assert_int_equal(config_init(&s->c), OK);
	set(&s->c, "store.path", "/%s", name);
	set(&s->c, "rules.path", "/%s.yaml", name);
	set(&s->c, "destinations.path", "/%s-destinations.yaml", name);
	assert_int_equal(config_set(&s->c, shards), OK);
	write_rules(name, rules);
	struct ambient *before = ambient_enter(&s->ambient);
	struct store *store;
	assert_int_equal(store_open(&s->c, STORE_WRITE, &store), OK);
	assert_int_equal(store_save_clock(store, ahead), OK);
	store_close(store);
	ambient_enter(before);
	start(s);
	return s;
}

static void stop(struct side *s)
{
	struct ambient *before = ambient_enter(&s->ambient);
	ingest_done(&s->ingest);
	node_stop(&s->node);
	ambient_enter(before);
}

static void drop(struct side *s)
{
	config_done(&s->c);
	sem_destroy(&s->committed);
	ambient_done(&s->ambient);
	free(s);
}

/* As many new visitors look at a page, and then at the same again with the cookie that they got. */
static void visit(struct side *s, const char *url, unsigned visitors)
{
	struct ambient *before = ambient_enter(&s->ambient);
	uint32_t now = clock_now();
	struct batch b;
	batch_init(&b, s->node.store->shards, committed, &s->committed);
	for (unsigned i = 0; i < visitors; i++) {
		struct hit h = {.url = str_c(url), .here = true};
		struct ingest_who first = ingest_visitor(&s->ingest, &h, now, &b);
		assert_true(first.set_cookie && ingest_event(&s->ingest, &first, &h, now, &b));
		h.cookie = str_make(first.cookie, COOKIE_LEN);
		struct ingest_who again = ingest_visitor(&s->ingest, &h, now, &b);
		assert_true(again.write && ingest_event(&s->ingest, &again, &h, now, &b));
		assert_memory_equal(&first.visitor, &again.visitor, sizeof first.visitor);
	}
	writer_submit(s->node.writer, &b);
	while (sem_wait(&s->committed) != 0)
		;
	assert_int_equal(b.result, OK);
	batch_done(&b);
	if (!node_wait(&s->node, WAIT_S, NODE_SERVES))
		fail_msg("%s", err_text());
	ambient_enter(before);
}

struct numbers {
	uint64_t visitors, events, hits, journalled, cookies;
	unsigned members[2];
	uint16_t first, last; /* day of what is known */
};

static void count_members(struct generation *g, struct numbers *out)
{
	for (unsigned i = 0; i < g->shards; i++) {
		struct each_visitor v;
		assert_int_equal(each_visitor_begin(&v, g, i, clock_now(), NULL, NULL), OK);
		while (each_visitor(&v)) {
			assert_true(profile_days(v.profile, &out->first, &out->last));
			for (size_t k = 0; k < v.profile->segments_n; k++)
				out->members[v.profile->segments[k]]++;
		}
		assert_int_equal(each_visitor_end(&v, OK), OK);
	}
}

static struct numbers ask(struct side *s)
{
	struct ambient *before = ambient_enter(&s->ambient);
	struct generation *g = engine_serving(s->node.engine);
	struct totals t;
	assert_int_equal(view_totals(g, clock_now(), &t), OK);
	struct numbers n = {t.visitors, t.events, metric_get(M_HITS), metric_get(M_EVENTS),
	    metric_get(M_COOKIE_NEW), {0}, 0, 0};
	count_members(g, &n);
	generation_unref(g);
	ambient_enter(before);
	return n;
}

#define SAY(n, v, a, b)                                                                            \
	do {                                                                                       \
		struct numbers got = (n);                                                          \
		assert_int_equal(got.visitors, v);                                                 \
		assert_int_equal(got.events, 2 * (v));                                             \
		assert_int_equal(got.members[0], a);                                               \
		assert_int_equal(got.members[1], b);                                               \
	} while (0)

TEST(two_nodes_answer_their_own_numbers)
{
	struct side *a = make("a", SHOES, "store.shards=1", 0),
		    *b = make("b", COATS, "store.shards=2", AHEAD);
	visit(a, "https://shop.example/shoes/1", 30);
	visit(b, "https://shop.example/shoes/1", 7);
	visit(b, "https://shop.example/coats/1", 5);
	SAY(ask(a), 30, 30, 0);
	SAY(ask(b), 12, 5, 7);
	struct numbers of_a = ask(a), of_b = ask(b);
	assert_int_equal(of_a.first + AHEAD / DAY_S, of_b.first);
	stop(a);
	stop(b);
	drop(a);
	drop(b);
}

TEST(counters_do_not_mix)
{
	uint64_t outside = metric_get(M_HITS);
	struct side *a = make("a", SHOES, "store.shards=1", 0),
		    *b = make("b", COATS, "store.shards=2", 0);
	visit(a, "https://shop.example/shoes/1", 30);
	visit(b, "https://shop.example/shoes/1", 7);
	visit(a, "https://shop.example/shoes/1", 1);
	struct numbers of_a = ask(a), of_b = ask(b);
	assert_int_equal(of_a.hits, 62);
	assert_int_equal(of_a.journalled, 62); /* counted on the journal's thread */
	assert_int_equal(of_a.cookies, 31);
	assert_int_equal(of_b.hits, 14);
	assert_int_equal(of_b.journalled, 14);
	assert_int_equal(of_b.cookies, 7);
	assert_int_equal(metric_get(M_HITS), outside);
	stop(a);
	stop(b);
	drop(a);
	drop(b);
}

TEST(one_is_stopped_and_the_other_goes_on)
{
	struct side *a = make("a", SHOES, "store.shards=1", 0),
		    *b = make("b", COATS, "store.shards=2", AHEAD);
	visit(a, "https://shop.example/shoes/1", 30);
	visit(b, "https://shop.example/coats/1", 5);
	stop(a);
	visit(b, "https://shop.example/coats/2", 6);
	SAY(ask(b), 11, 11, 0);
	start(a);
	visit(a, "https://shop.example/shoes/2", 2);
	SAY(ask(a), 32, 32, 0);
	SAY(ask(b), 11, 11, 0);
	stop(b);
	visit(a, "https://shop.example/shoes/2", 1);
	SAY(ask(a), 33, 33, 0);
	stop(a);
	drop(a);
	drop(b);
}

TEST(the_clock_of_one_is_no_matter_of_the_other)
{
	struct side *a = make("a", SHOES, "store.shards=1", 0),
		    *b = make("b", SHOES, "store.shards=1", 0);
	visit(a, "https://shop.example/shoes/1", 3);
	visit(b, "https://shop.example/shoes/1", 3);
	struct ambient *before = ambient_enter(&b->ambient);
	clock_set_offset(8 * DAY_S); /* nobody is a fan for longer than seven days */
	clock_doubt();
	clock_set_floor(clock_now());
	ambient_enter(&a->ambient);
	assert_int_equal(clock_offset(), 0);
	assert_false(clock_jumped());
	assert_int_equal(clock_floor(), CLOCK_LEAST);
	assert_true(node_wait(&a->node, WAIT_S, NODE_SERVES));
	ambient_enter(&b->ambient);
	assert_true(clock_jumped());
	clock_believe();
	assert_true(node_wait(&b->node, WAIT_S, NODE_SERVES));
	ambient_enter(before);
	assert_int_equal(clock_offset(), 0);
	SAY(ask(a), 3, 3, 0);
	SAY(ask(b), 3, 0, 0);
	stop(a);
	stop(b);
	drop(a);
	drop(b);
}

static int quiet_folder(void **state)
{
	log_threshold(LOG_ERROR);
	return make_folder(state);
}
#define QUIETLY(name) cmocka_unit_test_setup_teardown(name, quiet_folder, drop_folder)

UNIT_TESTS(QUIETLY(two_nodes_answer_their_own_numbers), QUIETLY(counters_do_not_mix),
    QUIETLY(one_is_stopped_and_the_other_goes_on),
    QUIETLY(the_clock_of_one_is_no_matter_of_the_other))

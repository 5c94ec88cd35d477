/* What is built beside the serving views, when writes fail meanwhile. */
#include "stored.h"

#include "crumb/base/clock.h"
#include "crumb/ingest/deploy.h"
#include "crumb/journal/in_memory.h"
#include "crumb/views/engine.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOOKS 3

static const struct vkey who = {{1, 2, 3}};
static struct journal_memory *medium;
static long fails_in = -1; /* commits that still work; -1: all */
static time_t ahead;	   /* of the clock that retries go by, in seconds */

/* These take the place of the C library's. What goes to the first two pages of a file names a commit. */
ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (at < 8192 && fails_in >= 0 && fails_in-- == 0) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, p, n, at);
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	long rc = syscall(SYS_clock_gettime, id, t);
	t->tv_sec += id == CLOCK_MONOTONIC ? ahead : 0;
	return (int)rc;
}

static int begin(void **state)
{
	return make_folder(state) != 0 || journal_memory_new(&medium) != OK;
}

static int end(void **state)
{
	journal_memory_free(medium);
	return drop_folder(state);
}

static struct store *open_it(struct config *c)
{
	struct store *s;
	char option[128];
	assert_int_equal(config_init(c), OK);
	snprintf(option, sizeof option, "store.path=%s/store", folder);
	assert_int_equal(config_set(c, option), OK);
	assert_int_equal(config_set(c, "store.shards=1"), OK);
	assert_int_equal(store_open_on(c, STORE_WRITE, medium, &s), OK);
	return s;
}

/* A segment asks for `times` looks; categories are the same, so views are made from profiles. */
static struct rules *rules_asking(struct config *c, int times)
{
	struct rules *r;
	char path[128], text[300];
	snprintf(path, sizeof path, "%s/rules.yaml", folder);
	snprintf(text, sizeof text, "version: 1\ncategories:\n  - id: coats\n    any: [{path: /coats}]\nsegments:\n  - id: keen\n    when: coats >= %d in 30d\n",
	    times);
	assert_int_equal(file_replace(path, str_c(text)), OK);
	assert_int_equal(deploy_rules(c, path, NULL, &r), OK);
	return r;
}

static void commit_looks(struct store *s, uint32_t t, unsigned n)
{
	static const uint8_t rules[16] = {1};
	struct event e = {.visitor = who, .t = t, .name = STR("view"), .host = STR("shop.example"), .path = STR("/coats")};
	struct buf b = {0};
	for (unsigned i = 0; i < n; i++)
		event_encode(&e, &b);
	struct journal_block block = {.day = day_of(t), .shard = 0, .count = n, .records = buf_view(&b), .events = n};
	assert_int_equal(journal_commit(s->journal, &block, 1, rules), OK);
	assert_int_equal(journal_publish(s->journal), OK);
	buf_done(&b);
}

static void check_visitor(struct engine *e, bool keen)
{
	struct generation *g = engine_serving(e);
	struct fold *f = &g->fold[0];
	struct profile p = {0};
	struct db_txn t;
	assert_int_equal(db_begin(&f->shard.db, false, &t), OK);
	assert_true(fold_profile(f, &t, &who, &p));
	assert_int_equal(p.rows_n, 2); /* visits and coats */
	assert_int_equal(p.rows[0].count, LOOKS);
	assert_int_equal(p.rows[1].count, LOOKS);
	assert_int_equal(p.segments_n, keen);
	assert_int_equal(members_size(&f->shard, &t, 0), keen);
	assert_int_equal(shard_count(&f->shard, &t, p.rows[1].cat), 1);
	assert_int_equal(shard_events(&f->shard, &t, p.rows[0].day), LOOKS);
	db_abort(&t);
	profile_done(&p);
	generation_unref(g);
}

/* Serves rules while the commit after `works` others fails. False: there were not so many. */
static bool reload_failing(struct engine *e, struct rules *r, long works)
{
	engine_reload(e, r);
	fails_in = works;
	while (engine_building(e)) {
		(void)engine_turn(e);
		ahead += 61;
	}
	bool failed = fails_in < 0;
	fails_in = -1;
	while (engine_turn(e))
		;
	return failed;
}

TEST(whichever_commit_of_a_build_fails_each_look_is_counted_once)
{
	struct config c;
	struct engine *e;
	struct store *s = open_it(&c);
	struct rules *asks[] = {rules_asking(&c, LOOKS), rules_asking(&c, LOOKS + 1)};
	long works = 0;
	assert_int_equal(engine_open(&c, s, asks[0], &e), OK);
	commit_looks(s, clock_now(), LOOKS);
	while (engine_turn(e))
		;
	check_visitor(e, true);
	for (bool failed = true; failed; works++) {
		failed = reload_failing(e, asks[(works + 1) % 2], works);
		check_visitor(e, works % 2);
	}
	assert_true(works > 5);
	engine_stop(e);
	rules_unref(asks[0]);
	rules_unref(asks[1]);
	store_close(s);
	config_done(&c);
}

RUN(cmocka_unit_test_setup_teardown(whichever_commit_of_a_build_fails_each_look_is_counted_once, begin, end))

/* The serving views, and what is built beside them, when writes fail and when files are damaged. */
#include "calls.h"
#include "stored.h"

#include "crumb/base/clock.h"
#include "crumb/model/record.h"
#include "crumb/base/code.h"
#include "crumb/ingest/deploy.h"
#include "crumb/journal/in_memory.h"
#include "crumb/store/each_stored.h"
#include "crumb/views/engine.h"
#include "crumb/views/since.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#define LOOKS 3
#define TURNS_MOST 1000

static const struct vkey who = {{1, 2, 3}};
static struct journal_memory *medium;
static long fails_in = -1; /* commits that still work; -1: all */
static bool lies;	   /* the one that fails is written, and cannot be taken back */
static bool failed;	   /* so did the call before this one */
static time_t ahead;	   /* of the clock that retries go by, in seconds */
static void (*while_asleep)(void);
static void (*while_writing)(int fd);

/* What goes to the first two pages of a file names a commit. */
static ssize_t write_page(int fd, const void *p, size_t n, off_t at)
{
	bool names = at < 8192, fails = names && fails_in == 0;
	bool takes_back =
	    names && failed; /* LMDB puts the name of the commit before in its place */
	if (while_writing)
		while_writing(fd);
	fails_in -= names && fails_in >= 0;
	failed = fails && lies;
	ssize_t done = (fails && !lies) || takes_back ? -1 : libc_pwrite(fd, p, n, at);
	if (!fails && !takes_back)
		return done;
	errno = EIO;
	return -1;
}

static int clock_ahead(clockid_t id, struct timespec *t)
{
	int rc = libc_clock_gettime(id, t);
	t->tv_sec += id == CLOCK_MONOTONIC ? ahead : 0;
	return rc;
}

/* Time that is slept goes by at once. */
static int sleep_at_once(const struct timespec *t, struct timespec *left)
{
	assert_true(ahead < 1000000); /* somebody waits for what nobody does */
	ahead++;
	if (while_asleep)
		while_asleep();
	return 0;
}

static int begin(void **state)
{
	calls = (struct calls){
	    .pwrite = write_page, .clock_gettime = clock_ahead, .nanosleep = sleep_at_once};
	while_asleep = NULL;
	while_writing = NULL;
	return make_folder(state) != 0 || journal_memory_new(&medium) != OK;
}

static int end(void **state)
{
	journal_memory_free(medium);
	return drop_folder(state);
}

static struct store *open_shards(struct config *c, const char *shards)
{
	struct store *s;
	char option[128];
	assert_int_equal(config_init(c), OK);
	snprintf(option, sizeof option, "store.path=%s/store", folder);
	assert_int_equal(config_set(c, option), OK);
	assert_int_equal(config_set(c, shards), OK);
	assert_int_equal(store_open_on(c, STORE_WRITE, medium, NULL, &s), OK);
	return s;
}

static struct store *open_it(struct config *c)
{
	return open_shards(c, "store.shards=1");
}

/* A segment asks for `times` looks at a page. Where the page is the same, so are categories, and
 * views are made from profiles. */
static struct rules *rules_about(struct config *c, const char *page, int times)
{
	struct rules *r;
	char path[128], text[300];
	snprintf(path, sizeof path, "%s/rules.yaml", folder);
	snprintf(text, sizeof text,
	    "version: 1\ncategories:\n  - id: coats\n    any: [{path: /%s}]\nsegments:\n  - id: "
	    "keen\n    destinations: [lake]\n    when: coats >= %d in 30d\n",
	    page, times);
	assert_int_equal(file_replace(path, str_c(text)), OK);
	assert_int_equal(deploy_rules(c, path, NULL, &r), OK);
	return r;
}

static struct rules *rules_asking(struct config *c, int times)
{
	return rules_about(c, "coats", times);
}

static void commit_to(struct store *s, uint16_t shard, uint32_t t, const struct buf *b,
    unsigned records, unsigned events)
{
	static const uint8_t rules[16] = {1};
	struct journal_block block = {.day = day_of(t),
	    .shard = shard,
	    .count = records,
	    .records = buf_view(b),
	    .events = events};
	assert_int_equal(journal_commit(s->journal, &block, 1, rules), OK);
	assert_int_equal(journal_publish(s->journal), OK);
}

static void commit_records(
    struct store *s, uint32_t t, const struct buf *b, unsigned records, unsigned events)
{
	commit_to(s, 0, t, b, records, events);
}

static void commit_looks(struct store *s, uint32_t t, unsigned n)
{
	struct event e = {.visitor = who,
	    .t = t,
	    .name = STR("view"),
	    .host = STR("shop.example"),
	    .path = STR("/coats")};
	struct buf b = {0};
	for (unsigned i = 0; i < n; i++)
		event_encode(&e, &b);
	commit_records(s, t, &b, n, n);
	buf_done(&b);
}

static void check_visitor(struct engine *e, uint32_t looks, bool keen)
{
	struct generation *g = engine_serving(e);
	struct fold *f = &g->fold[0];
	struct profile p = {0};
	struct db_txn t;
	assert_int_equal(db_begin(&f->shard.db, DB_READ, &t), OK);
	assert_true(fold_profile(f, &t, &who, &p));
	assert_int_equal(p.rows_n, 2); /* visits and coats */
	assert_int_equal(p.rows[0].count, looks);
	assert_int_equal(p.rows[1].count, looks);
	assert_int_equal(p.segments_n, keen);
	assert_int_equal(members_size(&f->shard, &t, 0), keen);
	assert_int_equal(shard_count(&f->shard, &t, p.rows[1].cat), 1);
	assert_int_equal(shard_events(&f->shard, &t, p.rows[0].day), looks);
	db_abort(&t);
	profile_done(&p);
	generation_unref(g);
}

/* Until all is done, while the commit after `works` others fails. False: there were not so many. */
static bool settle_failing(struct engine *e, long works)
{
	fails_in = works;
	for (int i = 0;
	     i < TURNS_MOST && (engine_building(e) || !engine_settled(e, hour_of(clock_now())));
	     i++) {
		(void)engine_turn(e);
		ahead += 61;
	}
	assert_false(engine_building(e));
	bool did = fails_in < 0;
	fails_in = -1;
	while (engine_turn(e))
		;
	return did;
}

static void begin_engine(struct config *c, struct store *s, struct rules *r, struct engine **e)
{
	assert_int_equal(engine_open(c, s, r, e), OK);
	commit_looks(s, clock_now(), LOOKS);
	while (engine_turn(*e))
		;
	check_visitor(*e, LOOKS, true);
}

static void end_engine(struct engine *e, struct rules **asks, struct store *s, struct config *c)
{
	engine_stop(e);
	rules_unref(asks[0]);
	rules_unref(asks[1]);
	store_close(s);
	config_done(c);
}

static void fails_in_a_build(bool lying)
{
	struct config c;
	struct engine *e;
	struct store *s = open_it(&c);
	struct rules *asks[] = {rules_asking(&c, LOOKS), rules_asking(&c, LOOKS + 1)};
	long works = 0;
	lies = lying;
	begin_engine(&c, s, asks[0], &e);
	for (bool did = true; did; works++) {
		engine_reload(e, asks[(works + 1) % 2]);
		did = settle_failing(e, works);
		check_visitor(e, LOOKS, works % 2);
	}
	assert_true(works > 5);
	end_engine(e, asks, s, &c);
}

TEST(whichever_commit_of_a_build_fails_each_look_is_counted_once)
{
	fails_in_a_build(false);
}

TEST(whichever_commit_of_a_build_is_there_although_it_failed_each_look_is_counted_once)
{
	fails_in_a_build(true);
}

static void fails_in_a_fold(bool lying)
{
	struct config c;
	struct engine *e;
	struct store *s = open_it(&c);
	struct rules *asks[] = {rules_asking(&c, LOOKS), NULL};
	uint32_t looks = LOOKS;
	lies = lying;
	begin_engine(&c, s, asks[0], &e);
	for (long works = 0; works < 3; works++) {
		commit_looks(s, clock_now(), 1);
		(void)settle_failing(e, works);
		check_visitor(e, ++looks, true);
	}
	end_engine(e, asks, s, &c);
}

TEST(whichever_commit_of_a_fold_fails_each_look_is_counted_once)
{
	fails_in_a_fold(false);
}

TEST(whichever_commit_of_a_fold_is_there_although_it_failed_each_look_is_counted_once)
{
	fails_in_a_fold(true);
}

/* The folds that it waits for are this thread's, too. */
TEST(a_build_waits_for_a_fold_that_is_half_done_without_keeping_it_from_being_done)
{
	struct config c;
	struct engine *e;
	struct store *s = open_it(&c);
	struct rules *asks[] = {rules_asking(&c, LOOKS), rules_asking(&c, LOOKS + 1)};
	struct db_txn t;
	char why[200];
	lies = false;
	begin_engine(&c, s, asks[0], &e);
	struct generation *g = engine_serving(e);
	struct shard *sh = &g->fold[0].shard;
	assert_int_equal(db_begin(&sh->db, DB_WRITE, &t), OK);
	shard_unfinished_put(sh, &t, journal_last(s->journal, 0), 1);
	assert_int_equal(db_end(&t), OK);
	engine_reload(e, asks[1]);
	(void)engine_turn(e);
	assert_true(engine_building(e));
	assert_false(engine_build_trouble(e, why, sizeof why));
	assert_int_equal(db_begin(&sh->db, DB_WRITE, &t), OK);
	shard_unfinished_done(sh, &t);
	assert_int_equal(db_end(&t), OK);
	generation_unref(g);
	(void)settle_failing(e, 1000);
	check_visitor(e, LOOKS, false);
	end_engine(e, asks, s, &c);
}

/* What is told as folded is in the next views before they serve, also when they may not be named
 * for a while. */
TEST(what_was_told_as_folded_is_in_the_views_that_serve_next)
{
	struct config c;
	struct engine *e;
	struct store *s = open_it(&c);
	struct rules *asks[] = {rules_asking(&c, LOOKS), rules_asking(&c, LOOKS + 1)};
	char current[128], aside[128];
	bool more;
	size_t done;
	lies = false;
	snprintf(current, sizeof current, "%s/store/state/CURRENT", folder);
	snprintf(aside, sizeof aside, "%s/store/state/CURRENT.aside", folder);
	begin_engine(&c, s, asks[0], &e);
	engine_reload(e, asks[1]);
	/* a folder where the name should be: the new views catch up, and cannot be named */
	assert_int_equal(rename(current, aside), 0);
	assert_int_equal(mkdir(current, 0700), 0);
	for (int i = 0; i < 20; i++)
		(void)engine_turn(e);
	assert_true(engine_building(e) && engine_settled(e, hour_of(clock_now())));
	/* the serving views alone fold a look */
	struct generation *g = engine_serving(e);
	commit_looks(s, clock_now(), 1);
	struct journal_pos at = journal_committed(s->journal, 0);
	assert_int_equal(fold_some(&g->fold[0], s->journal, clock_now(), 1000, &done, &more), OK);
	assert_true(fold_reached(&g->fold[0], at));
	generation_unref(g);
	assert_false(engine_folded(e, 0, &at));
	assert_false(engine_settled(e, hour_of(clock_now())));
	(void)engine_turn(e);
	assert_true(engine_building(e) && engine_folded(e, 0, &at));
	assert_true(engine_settled(e, hour_of(clock_now())));
	assert_int_equal(rmdir(current), 0);
	assert_int_equal(rename(aside, current), 0);
	(void)settle_failing(e, 1000);
	check_visitor(e, LOOKS + 1, true);
	end_engine(e, asks, s, &c);
}

static struct engine *building;
static struct store *stored;
static unsigned folded_meanwhile;

/* The serving views fold a look. */
static void fold_a_look(void)
{
	bool more;
	size_t done;
	struct generation *g = engine_serving(building);
	commit_looks(stored, clock_now(), 1);
	struct journal_pos at = journal_committed(stored->journal, 0);
	assert_int_equal(
	    fold_some(&g->fold[0], stored->journal, clock_now(), 1000, &done, &more), OK);
	generation_unref(g);
	assert_true(engine_folded(building, 0, &at));
	folded_meanwhile++;
}

static void look_elsewhere(void)
{
	struct event other = {.visitor = {{1, 3}},
	    .t = clock_now(),
	    .name = STR("view"),
	    .host = STR("shop.example"),
	    .path = STR("/coats")};
	struct buf b = {0};
	event_encode(&other, &b);
	commit_to(stored, 1, other.t, &b, 1, 1);
	buf_done(&b);
}

/* Two shards that one builder has, with somebody in each. */
static void begin_both(struct config *c, struct rules *r)
{
	lies = false;
	folded_meanwhile = 0;
	begin_engine(c, stored, r, &building);
	look_elsewhere();
	while (engine_turn(building))
		;
}

/* One builder has both shards, and cannot fill the second yet. */
TEST(a_look_is_told_as_folded_while_another_shard_is_filled)
{
	struct config c;
	struct store *s = stored = open_shards(&c, "store.shards=2");
	struct rules *asks[] = {rules_asking(&c, LOOKS), rules_asking(&c, LOOKS + 1)};
	struct db_txn t;
	begin_both(&c, asks[0]);
	struct generation *g = engine_serving(building);
	struct shard *sh = &g->fold[1].shard;
	assert_int_equal(db_begin(&sh->db, DB_WRITE, &t), OK);
	shard_unfinished_put(sh, &t, journal_last(s->journal, 1), 1);
	assert_int_equal(db_end(&t), OK);
	engine_reload(building, asks[1]);
	while_asleep = fold_a_look;
	for (int i = 0; i < 4; i++)
		(void)engine_turn(building);
	while_asleep = NULL;
	assert_true(folded_meanwhile >= 4);
	assert_int_equal(db_begin(&sh->db, DB_WRITE, &t), OK);
	shard_unfinished_done(sh, &t);
	assert_int_equal(db_end(&t), OK);
	generation_unref(g);
	(void)settle_failing(building, 1000);
	check_visitor(building, LOOKS + folded_meanwhile, true);
	end_engine(building, asks, s, &c);
}

/* The second shard of what is built is written: first it is filled, and then it has to catch up. */
static void fold_a_look_while(int fd)
{
	char link[64], path[256] = "";
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	if (readlink(link, path, sizeof path - 1) <= 0 || !strstr(path, "/state/2/1/"))
		return;
	if (!folded_meanwhile)
		look_elsewhere();
	fold_a_look();
}

TEST(a_look_is_told_as_folded_while_another_shard_catches_up)
{
	struct config c;
	struct store *s = stored = open_shards(&c, "store.shards=2");
	struct rules *asks[] = {rules_asking(&c, LOOKS), rules_asking(&c, LOOKS + 1)};
	begin_both(&c, asks[0]);
	engine_reload(building, asks[1]);
	while_writing = fold_a_look_while;
	(void)engine_turn(building);
	while_writing = NULL;
	assert_true(folded_meanwhile > 1);
	(void)settle_failing(building, 1000);
	check_visitor(building, LOOKS + folded_meanwhile, true);
	end_engine(building, asks, s, &c);
}

static uint64_t changes_told(struct engine *e)
{
	struct generation *g = engine_serving(e);
	uint64_t n = atomic_load(&g->fold[0].changes);
	generation_unref(g);
	return n;
}

static void tells_a_change(bool lying)
{
	struct config c;
	struct engine *e;
	struct store *s = open_it(&c);
	struct rules *asks[] = {rules_asking(&c, LOOKS), NULL};
	lies = lying;
	assert_int_equal(config_set(&c, "stream.keep_h=2"), OK);
	assert_int_equal(engine_open(&c, s, asks[0], &e), OK);
	commit_looks(s, clock_now(), LOOKS);
	fails_in = 0;
	(void)engine_turn(e);
	assert_int_equal(fails_in, -1);
	assert_int_equal(changes_told(e), 0);
	while (engine_turn(e))
		;
	check_visitor(e, LOOKS, true);
	assert_int_equal(changes_told(e), 1);
	end_engine(e, asks, s, &c);
}

/* Streams begin at the latest change: one that is told before it is there would be passed over. */
TEST(a_change_is_told_when_it_is_there)
{
	tells_a_change(false);
}

/* Nobody else may cross for hours. */
TEST(a_change_is_told_although_its_commit_failed_and_is_there)
{
	tells_a_change(true);
}

static void activate(struct store *s, const struct rules *r)
{
	struct buf b = {0};
	struct record activation = {
	    .kind = RECORD_RULES, .event = {.t = clock_now()}, .rules_text = buf_view(&r->bundle)};
	memcpy(activation.rules, r->hash, sizeof activation.rules);
	record_encode(&activation, &b);
	commit_records(s, clock_now(), &b, 1, 0);
	buf_done(&b);
}

/* Since when are any rules in force, as the serving views have it? 0: they do not know. */
static uint32_t since_stored(struct engine *e)
{
	struct generation *g = engine_serving(e);
	struct since since;
	struct db_txn t;
	assert_true(since_init(&since, g->rules));
	assert_int_equal(db_begin(&g->fold[0].shard.db, DB_READ, &t), OK);
	since_load(&since, &g->fold[0].shard, &t);
	uint32_t first = since_of(&since, 0);
	db_abort(&t);
	since_done(&since);
	generation_unref(g);
	return first;
}

/* When rules came into force is read from the journal once. */
TEST(since_when_rules_are_in_force_is_stored_although_a_commit_failed)
{
	struct config c;
	struct engine *e;
	struct store *s = open_it(&c);
	struct rules *asks[] = {rules_asking(&c, LOOKS), NULL};
	lies = false;
	assert_int_equal(engine_open(&c, s, asks[0], &e), OK);
	activate(s, asks[0]);
	(void)settle_failing(e, 0);
	assert_true(since_stored(e) > 0);
	end_engine(e, asks, s, &c);
}

/* It ends when a commit fails, whichever, and goes on in another run. */
TEST(since_when_rules_are_in_force_is_stored_wherever_a_build_from_the_journal_was_cut_off)
{
	struct config c;
	struct engine *e;
	struct store *s = open_it(&c);
	struct rules *asks[] = {rules_asking(&c, 1), rules_about(&c, "boots", 1)};
	long works = 0;
	lies = false;
	assert_int_equal(engine_open(&c, s, asks[0], &e), OK);
	activate(s, asks[0]);
	commit_looks(s, clock_now(), LOOKS);
	while (engine_turn(e))
		;
	for (bool did = true; did; works++) {
		struct rules *next = asks[(works + 1) % 2];
		engine_reload(e, next);
		fails_in = works;
		(void)engine_turn(e);
		did = fails_in < 0;
		fails_in = -1;
		engine_stop(e);
		assert_int_equal(engine_open(&c, s, next, &e), OK);
		(void)settle_failing(e, 1000000);
		assert_true(since_stored(e) > 0);
	}
	assert_true(works > 5);
	end_engine(e, asks, s, &c);
}

/* The events of a day are counted, and the count goes with the day. */
TEST(what_a_failed_sweep_did_not_remove_is_removed_by_the_next)
{
	struct config c;
	struct engine *e;
	struct store *s = open_it(&c);
	struct rules *asks[] = {rules_asking(&c, LOOKS), NULL};
	struct db_txn t;
	bool more;
	lies = false;
	begin_engine(&c, s, asks[0], &e);
	struct generation *g = engine_serving(e);
	struct fold *f = &g->fold[0];
	uint32_t now = clock_now() + (f->retention + 1) * (uint32_t)DAY_S;
	fails_in = 0;
	assert_int_not_equal(fold_sweep(f, now, 1000, &more), OK);
	for (more = true; more;)
		assert_int_equal(fold_sweep(f, now, 1000, &more), OK);
	assert_int_equal(db_begin(&f->shard.db, DB_READ, &t), OK);
	assert_int_equal(shard_events_since(&f->shard, &t, 0), 0);
	db_abort(&t);
	generation_unref(g);
	end_engine(e, asks, s, &c);
}

/* --- damage */

#define MANY 3000 /* visitors, whose table is two pages deep */

static void commit_visitors(struct store *s)
{
	struct event e = {.t = clock_now(),
	    .name = STR("view"),
	    .host = STR("shop.example"),
	    .path = STR("/coats")};
	struct buf b = {0};
	for (uint32_t i = 0; i < MANY; i++) {
		put_u32(e.visitor.b, i * 1400000);
		event_encode(&e, &b);
	}
	commit_records(s, e.t, &b, MANY, MANY);
	buf_done(&b);
}

static uint64_t visitors_of(struct engine *e)
{
	struct generation *g = engine_serving(e);
	struct db_txn t;
	uint64_t n = 0;
	struct each_stored w;
	assert_int_equal(db_begin(&g->fold[0].shard.db, DB_READ, &t), OK);
	each_stored_begin(&w, &g->fold[0].shard, &t, NULL);
	while (each_stored(&w))
		n++;
	each_stored_end(&w);
	assert_int_equal(db_end(&t), OK);
	generation_unref(g);
	return n;
}

/* Those behind the damage would be missing for ever: the views are made from the journal. */
TEST(views_are_not_made_from_profiles_of_which_some_cannot_be_read)
{
	struct config c;
	struct engine *e;
	struct store *s = open_it(&c);
	struct rules *asks[] = {rules_asking(&c, 1), rules_asking(&c, 2)};
	lies = false;
	assert_int_equal(engine_open(&c, s, asks[0], &e), OK);
	commit_visitors(s);
	while (engine_turn(e))
		;
	assert_int_equal(visitors_of(e), MANY);
	damage_branches("state/1/0/data.mdb");
	engine_reload(e, asks[1]);
	(void)settle_failing(e, 1000000);
	assert_int_equal(visitors_of(e), MANY);
	struct generation *g = engine_serving(e);
	assert_memory_equal(g->rules->hash, asks[1]->hash, sizeof asks[1]->hash);
	generation_unref(g);
	end_engine(e, asks, s, &c);
}

UNIT_TESTS(cmocka_unit_test_setup_teardown(
	       whichever_commit_of_a_build_fails_each_look_is_counted_once, begin, end),
    cmocka_unit_test_setup_teardown(
	whichever_commit_of_a_build_is_there_although_it_failed_each_look_is_counted_once, begin,
	end),
    cmocka_unit_test_setup_teardown(
	whichever_commit_of_a_fold_fails_each_look_is_counted_once, begin, end),
    cmocka_unit_test_setup_teardown(
	whichever_commit_of_a_fold_is_there_although_it_failed_each_look_is_counted_once, begin,
	end),
    cmocka_unit_test_setup_teardown(
	a_build_waits_for_a_fold_that_is_half_done_without_keeping_it_from_being_done, begin, end),
    cmocka_unit_test_setup_teardown(
	what_was_told_as_folded_is_in_the_views_that_serve_next, begin, end),
    cmocka_unit_test_setup_teardown(
	a_look_is_told_as_folded_while_another_shard_is_filled, begin, end),
    cmocka_unit_test_setup_teardown(
	a_look_is_told_as_folded_while_another_shard_catches_up, begin, end),
    cmocka_unit_test_setup_teardown(a_change_is_told_when_it_is_there, begin, end),
    cmocka_unit_test_setup_teardown(
	a_change_is_told_although_its_commit_failed_and_is_there, begin, end),
    cmocka_unit_test_setup_teardown(
	since_when_rules_are_in_force_is_stored_although_a_commit_failed, begin, end),
    cmocka_unit_test_setup_teardown(
	since_when_rules_are_in_force_is_stored_wherever_a_build_from_the_journal_was_cut_off,
	begin, end),
    cmocka_unit_test_setup_teardown(
	what_a_failed_sweep_did_not_remove_is_removed_by_the_next, begin, end),
    cmocka_unit_test_setup_teardown(
	views_are_not_made_from_profiles_of_which_some_cannot_be_read, begin, end))

/* Folding records of the journal into profiles, and the sweep. */
#include "stored.h"

#include "crumb/views/fold.h"
#include "crumb/base/clock.h"
#include "crumb/ingest/deploy.h"
#include "crumb/journal/in_memory.h"

static const struct vkey who = {{1, 2, 3}};
static struct journal_memory *medium;

static int begin(void **state)
{
	return make_folder(state) != 0 || journal_memory_new(&medium) != OK;
}

static int end(void **state)
{
	journal_memory_free(medium);
	return drop_folder(state);
}

static void open_views(struct config *c, struct store **s, struct fold *f)
{
	struct rules *r;
	char option[128], path[128];
	assert_int_equal(config_init(c), OK);
	snprintf(option, sizeof option, "store.path=%s/store", folder);
	assert_int_equal(config_set(c, option), OK);
	assert_int_equal(config_set(c, "store.shards=1"), OK);
	assert_int_equal(store_open_on(c, STORE_WRITE, medium, s), OK);
	snprintf(path, sizeof path, "%s/rules.yaml", folder);
	assert_int_equal(file_replace(path, STR("version: 1\ncategories:\n  - id: coats\n    any: [{path: /coats}]\n")), OK);
	assert_int_equal(deploy_rules(c, path, NULL, &r), OK);
	assert_int_equal(fold_open(f, *s, 1, 0, r, c), OK);
	rules_unref(r);
}

static void commit_hit(struct store *s, uint32_t t, uint8_t flags)
{
	static const uint8_t rules[16] = {1};
	struct event e = {.visitor = who, .t = t, .flags = flags, .name = STR("view"), .host = STR("shop.example"), .path = STR("/coats")};
	struct buf b = {0};
	event_encode(&e, &b);
	struct journal_block block = {.day = day_of(t), .shard = 0, .count = 1, .records = buf_view(&b), .events = 1};
	assert_int_equal(journal_commit(s->journal, &block, 1, rules), OK);
	buf_done(&b);
}

static void fold_and_sweep(struct fold *f, struct store *s, uint32_t now)
{
	size_t done;
	bool more = true;
	while (more)
		assert_int_equal(fold_some(f, s->journal, now, 1000, &done, &more), OK);
	for (more = true; more;)
		assert_int_equal(fold_sweep(f, now, 1000, &more), OK);
}

/* The hour turns between the commit of a hit and its publishing. */
TEST(a_first_hit_waits_for_whoever_came_back_in_time_and_is_not_published_yet)
{
	struct config c;
	struct store *s;
	struct fold f;
	struct db_txn t;
	struct profile p = {0};
	const uint32_t hour = 500000;
	open_views(&c, &s, &f);
	commit_hit(s, hour * 3600, EVENT_NEW);
	assert_int_equal(journal_publish(s->journal), OK);
	fold_and_sweep(&f, s, hour * 3600 + 10);
	commit_hit(s, (hour + 25) * 3600 - 1, 0);
	fold_and_sweep(&f, s, (hour + 25) * 3600 + 1);
	assert_int_equal(journal_publish(s->journal), OK);
	fold_and_sweep(&f, s, (hour + 25) * 3600 + 2);
	assert_int_equal(db_begin(&f.shard.db, false, &t), OK);
	assert_true(fold_profile(&f, &t, &who, &p));
	uint32_t looks = 0;
	for (size_t i = 0; i < p.rows_n; i++)
		looks += p.rows[i].cat == CATEGORY_ALL ? p.rows[i].count : 0;
	db_abort(&t);
	assert_int_equal(looks, 2);
	profile_done(&p);
	fold_close(&f);
	store_close(s);
	config_done(&c);
}

UNIT_TESTS(cmocka_unit_test_setup_teardown(a_first_hit_waits_for_whoever_came_back_in_time_and_is_not_published_yet, begin, end))

/* Folding records of the journal into profiles, and the sweep. */
#include "records.h"
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
	assert_int_equal(store_open_on(c, STORE_WRITE, medium, NULL, s), OK);
	snprintf(path, sizeof path, "%s/rules.yaml", folder);
	static const char text[] =
	    "version: 1\ncategories:\n  - id: coats\n    any: [{path: /coats}]\n"
	    "attributes:\n  - {id: tier, source: liveramp, values: [gold, silver]}\n";
	assert_int_equal(file_replace(path, STR(text)), OK);
	assert_int_equal(deploy_rules(c, path, NULL, &r), OK);
	assert_int_equal(fold_open(f, *s, 1, 0, r, c), OK);
	rules_unref(r);
}

static void commit_hit(struct store *s, uint32_t t, uint8_t flags)
{
	static const uint8_t rules[16] = {1};
	struct event e = {.visitor = who,
	    .t = t,
	    .flags = flags,
	    .name = STR("view"),
	    .host = STR("shop.example"),
	    .path = STR("/coats")};
	struct buf b = {0};
	event_encode(&e, &b);
	struct journal_block block = {
	    .day = day_of(t), .shard = 0, .count = 1, .records = buf_view(&b), .events = 1};
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
	assert_int_equal(db_begin(&f.shard.db, DB_READ, &t), OK);
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

/* --- each record once */

static void commit_record(struct store *s, const struct record *r, uint32_t t)
{
	static const uint8_t rules[16] = {1};
	struct buf b = {0};
	record_encode(r, &b);
	struct journal_block block = {
	    .day = day_of(t), .shard = 0, .count = 1, .records = buf_view(&b)};
	assert_int_equal(journal_commit(s->journal, &block, 1, rules), OK);
	assert_int_equal(journal_publish(s->journal), OK);
	buf_done(&b);
}

/* Everything that is stored of a shard but how far it has read. */
static struct hash16 views_of(struct fold *f)
{
	struct shard *s = &f->shard;
	const db_table tables[] = {s->visitors, s->ordinals, s->free, s->due, s->members,
	    s->provisional, s->prov_hours, s->tombstones, s->partners, s->changes, s->names,
	    s->counts, s->daily, s->meta};
	struct buf all = {0};
	struct db_txn t;
	struct db_cursor c;
	struct str key, value;
	assert_int_equal(db_begin(&s->db, DB_READ, &t), OK);
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		db_walk(&t, tables[i], &c);
		while (db_next(&c, &key, &value)) {
			if (str_eq(key, STR("watermark")))
				continue;
			buf_addf(&all, "%zu %zu %zu ", i, key.n, value.n);
			buf_str(&all, key);
			buf_str(&all, value);
		}
		db_walk_end(&c);
	}
	db_abort(&t);
	struct hash16 h = hash_content(buf_view(&all));
	buf_done(&all);
	return h;
}

/* A record behind a hit of its visitor, then again: what it did once it does not do again. */
static void applied_once(enum record_kind kind, const struct vkey *visitor, uint8_t flags)
{
	const uint32_t day = 20000 * (uint32_t)DAY_S, later = day + 3600;
	struct config c;
	struct store *s;
	struct fold f;
	struct record r = sample(kind), hit = {.kind = RECORD_EVENT};
	open_views(&c, &s, &f);
	hit.event = (struct event){.visitor = *visitor,
	    .t = day,
	    .flags = flags,
	    .name = STR("view"),
	    .host = STR("shop.example"),
	    .path = STR("/coats")};
	r.event.visitor = *visitor;
	r.event.t = day + 60;
	r.until = 20000 + 40;
	commit_record(s, &hit, day);
	commit_record(s, &r, day);
	fold_and_sweep(&f, s, later);
	const struct hash16 once = views_of(&f);
	commit_record(s, &r, day);
	fold_and_sweep(&f, s, later);
	const struct hash16 twice = views_of(&f);
	assert_memory_equal(&once, &twice, sizeof once);
	fold_close(&f);
	store_close(s);
	config_done(&c);
	journal_memory_free(medium);
	assert_int_equal(drop_folder(NULL), 0);
	assert_int_equal(begin(NULL), 0);
}

TEST(a_record_that_the_journal_has_twice_is_applied_once)
{
	EACH_KIND(kind)
	{
		if (kind == RECORD_EVENT)
			continue; /* it counts as often as it stands there */
		applied_once(kind, &who, 0);
		applied_once(kind, &who, EVENT_NEW);
	}
}

UNIT_TESTS(
    cmocka_unit_test_setup_teardown(
	a_first_hit_waits_for_whoever_came_back_in_time_and_is_not_published_yet, begin, end),
    cmocka_unit_test_setup_teardown(
	a_record_that_the_journal_has_twice_is_applied_once, begin, end))

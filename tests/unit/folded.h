/* Views of one shard that are folded from a journal in memory: what a test commits is in them after
 * fold(). */
#ifndef CRUMB_TESTS_FOLDED_H
#define CRUMB_TESTS_FOLDED_H

#include "loaded.h"
#include "records.h"
#include "stored.h"

#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "crumb/journal/in_memory.h"
#include "crumb/views/view.h"
#include "src/views/generations.h"

#define TODAY 20700u
#define NOON (TODAY * DAY_S + 43200u) /* of TODAY, seconds */

/* Coats, boots within footwear; the keen looked at coats twice within a week, the rich spent on
 * boots. */
#define SHOP                                                                                       \
	"version: 1\ncategories:\n  - {id: coats, any: [{path: /coats}]}\n"                        \
	"  - {id: footwear.boots, any: [{path: /boots}]}\n"                                        \
	"segments:\n  - {id: keen, destinations: [lake], when: coats >= 2 in 7d}\n"                \
	"  - {id: rich, when: sum(v of boots) >= 100}\n"

static struct journal_memory *medium; /* of the test that runs */

struct folded {
	struct config c;
	struct store *s;
	struct generation *g;
	struct fold *f;
};

static inline int make_medium(void **state)
{
	memory_begin();
	return make_folder(state) != 0 || journal_memory_new(&medium) != OK;
}

static inline int drop_medium(void **state)
{
	journal_memory_free(medium);
	return drop_folder(state);
}
#define FOLDED(name) cmocka_unit_test_setup_teardown(name, make_medium, drop_medium)

/* To be given back with close_folded(). */
static inline struct folded *open_folded(const char *rules)
{
	struct folded *w = calloc(1, sizeof *w);
	char option[128];
	assert_int_equal(config_init(&w->c), OK);
	snprintf(option, sizeof option, "store.path=%s/store", folder);
	assert_int_equal(config_set(&w->c, option), OK);
	assert_int_equal(config_set(&w->c, "store.shards=1"), OK);
	assert_int_equal(store_open_on(&w->c, STORE_WRITE, medium, NULL, &w->s), OK);
	struct rules *r = load(rules);
	w->g = generation_new(w->s, 1, r);
	rules_unref(r);
	assert_int_equal(generation_open_folds(w->g, w->s, &w->c), OK);
	w->f = &w->g->fold[0];
	return w;
}

static inline void close_folded(struct folded *w)
{
	generation_unref(w->g);
	store_close(w->s);
	config_done(&w->c);
	free(w);
}

/* Another generation of the same store, for other rules. generation_unref() it. */
static inline struct generation *beside(struct folded *w, uint32_t number, const char *rules)
{
	struct rules *r = load(rules);
	struct generation *g = generation_new(w->s, number, r);
	rules_unref(r);
	assert_int_equal(generation_open_folds(g, w->s, &w->c), OK);
	return g;
}

static inline struct vkey visitor(uint8_t first)
{
	return (struct vkey){{0, 0, first}};
}

static inline void commit(struct folded *w, uint32_t t, struct buf *records, unsigned n)
{
	static const uint8_t rules[16] = {1};
	struct journal_block b = {
	    .day = day_of(t), .shard = 0, .count = n, .records = buf_view(records)};
	assert_int_equal(journal_commit(w->s->journal, &b, 1, rules), OK);
	assert_int_equal(journal_publish(w->s->journal), OK);
	buf_done(records);
}

static inline void commit_event(struct folded *w, const struct event *e)
{
	struct buf b = {0};
	event_encode(e, &b);
	commit(w, e->t, &b, 1);
}

/* The visitor looks at a page; `v` below zero: without a value. */
static inline void look_worth(struct folded *w, uint8_t who, uint32_t t, const char *path, double v)
{
	struct event e = {.visitor = visitor(who),
	    .t = t,
	    .name = STR("view"),
	    .host = STR("shop.example"),
	    .path = str_c(path)};
	e.has_v = v >= 0;
	e.v = v >= 0 ? v : 0;
	commit_event(w, &e);
}

static inline void look(struct folded *w, uint8_t who, uint32_t t, const char *path)
{
	look_worth(w, who, t, path, -1);
}

static inline void erase(struct folded *w, uint8_t who, uint32_t t)
{
	struct vkey k = visitor(who);
	struct buf b = {0};
	record_encode_erase(&k, t, &b);
	commit(w, t, &b, 1);
}

/* All that was committed, and all that is due at `now`. */
static inline void fold(struct folded *w, uint32_t now)
{
	size_t done;
	bool more = true;
	while (more)
		assert_int_equal(fold_some(w->f, w->s->journal, now, 1000, &done, &more), OK);
	for (more = true; more;)
		assert_int_equal(fold_sweep(w->f, now, 1000, &more), OK);
}

static inline struct db_txn reading(struct folded *w)
{
	struct db_txn t;
	assert_int_equal(db_begin(&w->f->shard.db, DB_READ, &t), OK);
	return t;
}

/* What is stored of a visitor; profile_done() it. */
static inline bool stored(struct folded *w, uint8_t who, struct profile *p)
{
	struct vkey k = visitor(who);
	struct db_txn t = reading(w);
	bool there = fold_profile(w->f, &t, &k, p);
	db_abort(&t);
	return there;
}

/* How often a category was seen on all retained days. */
static inline uint32_t looks_at(
    const struct folded *w, const struct profile *p, const char *category)
{
	uint16_t cat =
	    category ? (uint16_t)rules_category(w->g->rules, str_c(category)) : CATEGORY_ALL;
	size_t n;
	uint32_t sum = 0;
	const struct cat_day *rows = profile_span(p, cat, &n);
	for (size_t i = 0; i < n; i++)
		sum += rows[i].count;
	return sum;
}

static inline uint64_t members(struct folded *w, const char *segment)
{
	struct db_txn t = reading(w);
	uint64_t n =
	    members_size(&w->f->shard, &t, (uint16_t)rules_segment(w->g->rules, str_c(segment)));
	db_abort(&t);
	return n;
}

static inline uint64_t counted(struct folded *w, const char *category)
{
	struct db_txn t = reading(w);
	uint64_t n = shard_count(&w->f->shard, &t,
	    category ? (uint16_t)rules_category(w->g->rules, str_c(category)) : CATEGORY_ALL);
	db_abort(&t);
	return n;
}

#endif

/* Views of one shard that a test writes itself, and rules with one segment. */
#ifndef CRUMB_TESTS_VIEWED_H
#define CRUMB_TESTS_VIEWED_H

#include "loaded.h"
#include "stored.h"

#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "crumb/condition/eval.h"
#include "crumb/views/view.h"

#define TODAY 20700u
#define NOW (TODAY * DAY_S + 3600)
#define RETAINED 90u

/* Fans looked at shoes twice within a week. */
#define RULES                                                                                      \
	"version: 1\ncategories:\n  - id: shoes\n    any:\n      - path: /shoes/*\n"               \
	"segments:\n  - id: fans\n    when: shoes >= 2 in 7d\n"
#define FEWER "version: 1\n"

/* A generation of one shard, written by the test itself. */
struct views {
	struct config c;
	struct store *s;
	struct generation *g;
};

static inline struct views open_views(void)
{
	struct views v = {.s = open_store(&v.c)};
	v.g = calloc(1, sizeof *v.g + sizeof *v.g->fold);
	v.g->shards = 1;
	v.g->store = v.s;
	v.g->rules = load(RULES);
	if (fold_open(&v.g->fold[0], v.s, 1, 0, v.g->rules, &v.c) != OK)
		fail_msg("%s", err_text());
	memory_begin();
	return v;
}

static inline void close_views(struct views *v)
{
	fold_close(&v->g->fold[0]);
	rules_unref(v->g->rules);
	free(v->g);
	store_close(v->s);
	config_done(&v->c);
}

static inline struct shard *shard_of(struct views *v)
{
	return &v->g->fold[0].shard;
}

static inline struct vkey key_of(uint8_t first)
{
	return (struct vkey){{first}};
}

static inline void put_bytes(struct views *v, struct str key, struct str bytes)
{
	struct db_txn t;
	assert_int_equal(db_begin(&shard_of(v)->db, DB_WRITE, &t), OK);
	db_put(&t, shard_of(v)->visitors, key, bytes);
	assert_int_equal(db_end(&t), OK);
}

/* A visitor who saw shoes twice on `day`, with the memberships of that day. */
static inline void put_visitor(struct views *v, uint8_t first, uint16_t day)
{
	struct vkey k = key_of(first);
	struct profile p = {.ordinal = first};
	struct buf bytes = {0};
	uint16_t segments[1];
	for (uint16_t cat = 0; cat < 2; cat++)
		profile_add(&p, cat, day, 2);
	p.evaluated_day = day;
	p.due_hour = rules_next_due(v->g->rules, &p, day, RETAINED) * 24u;
	p.segments = segments;
	p.segments_n = rules_eval_all(v->g->rules, &p, day, segments);
	profile_save(&p, &bytes);
	put_bytes(v, vkey_str(&k), buf_view(&bytes));
	p.segments = NULL;
	profile_done(&p);
	buf_done(&bytes);
}

#endif

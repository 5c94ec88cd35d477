/* The models of a store: which of two trainings is kept, and what is said of one. */
#include "loaded.h"
#include "stored.h"

#include "crumb/base/clock.h"
#include "crumb/base/file.h"
#include "crumb/base/memory.h"
#include "crumb/condition/eval.h"
#include "crumb/node/lookalike.h"

#include <jansson.h>

#define VISITORS 800u

static const char RULES[] =
    "version: 1\ncategories:\n  - {id: bought, any: [{path: /bought/*}]}\n  - {id: coats, any: "
    "[{path: /coats/*}]}\n"
    "  - {id: shoes, any: [{path: /shoes/*}]}\nsegments:\n  - {id: buyers, when: bought}\n"
    "lookalikes:\n  - {id: like-buyers, seed: buyers, reach: 10%}\n"
    "  - {id: by-device, seed: buyers, reach: 10%, refresh: by hand, exclude: {categories: [coats, "
    "shoes]}}\n";

/* Every other visitor likes coats and has a telephone, and a half of those have bought something.
 */
static void put_visitors(struct generation *g, uint16_t day)
{
	struct shard *s = &g->fold[0].shard;
	struct buf bytes = {0};
	struct db_txn t;
	assert_int_equal(db_begin(&s->db, DB_WRITE, &t), OK);
	for (uint32_t i = 1; i <= VISITORS; i++) {
		struct vkey k = {{(uint8_t)(i >> 8), (uint8_t)i}};
		struct profile p = {.ordinal = i};
		uint16_t segments[3];
		bool fan = i % 2;
		profile_add(&p, 0, day, 2);
		if (fan && i % 4 == 1)
			profile_add(&p, (uint16_t)rules_category(g->rules, STR("bought")), day, 1);
		if (fan ? i % 5 != 0 : i % 10 == 0)
			profile_add(&p, (uint16_t)rules_category(g->rules, STR("coats")), day, 1);
		if (i % 3 == 0)
			profile_add(&p, (uint16_t)rules_category(g->rules, STR("shoes")), day, 1);
		p.agent.device = fan && i % 7 ? DEVICE_MOBILE : DEVICE_DESKTOP;
		p.agent_day = day;
		p.evaluated_day = day;
		p.due_hour = rules_next_due(g->rules, &p, day, 90) * 24u;
		p.segments = segments;
		p.segments_n = rules_eval_all(g->rules, &p, day, segments);
		bytes.n = 0;
		profile_save(&p, &bytes);
		db_put(&t, s->visitors, vkey_str(&k), buf_view(&bytes));
		p.segments = NULL;
		profile_done(&p);
	}
	assert_int_equal(db_end(&t), OK);
	buf_done(&bytes);
}

static void kept_is_of(uint16_t day)
{
	char path[128], text[DAY_TEXT];
	json_error_t error;
	snprintf(path, sizeof path, "%s/store/models/like-buyers.json", folder);
	json_t *model = json_load_file(path, 0, &error);
	day_text(day, text);
	assert_string_equal(json_string_value(json_object_get(model, "trained")), text);
	json_decref(model);
}

static struct generation *open_views(struct config *c, uint16_t day)
{
	struct generation *g = calloc(1, sizeof *g + sizeof *g->fold);
	g->shards = 1;
	g->store = open_store(c);
	g->rules = load(RULES);
	if (fold_open(&g->fold[0], g->store, 1, 0, g->rules, c) != OK)
		fail_msg("%s", err_text());
	memory_begin();
	put_visitors(g, day);
	return g;
}

static void close_views(struct generation *g, struct config *c)
{
	fold_close(&g->fold[0]);
	rules_unref(g->rules);
	store_close(g->store);
	config_done(c);
	free(g);
}

TEST(of_two_trainings_the_later_one_is_kept)
{
	struct config c;
	uint32_t now = clock_now();
	uint16_t today = day_of(now);
	struct generation *g = open_views(&c, (uint16_t)(today - 2));
	char path[128];
	bool changed;
	if (lookalike_train(g, &c, STR("like-buyers"), now - DAY_S, NULL, NULL) != OK)
		fail_msg("%s", err_text());
	kept_is_of((uint16_t)(today - 1));
	assert_int_equal(lookalike_train(g, &c, STR("like-buyers"), now, NULL, NULL), OK);
	kept_is_of(today);
	/* it began yesterday, and ends only now */
	assert_int_equal(
	    lookalike_train(g, &c, STR("like-buyers"), now - DAY_S, NULL, NULL), ERR_BUSY);
	kept_is_of(today);
	assert_int_equal(lookalike_refresh(g, &c, now - DAY_S, NULL, &changed), OK);
	assert_false(changed);
	kept_is_of(today);
	assert_int_equal(lookalike_train(g, &c, STR("like-buyers"), now, NULL, NULL),
	    OK); /* the same day: the last one */
	/* a clock that was wrong */
	snprintf(path, sizeof path, "%s/store/models/like-buyers.json", folder);
	assert_int_equal(file_replace(path, STR("{\"trained\":\"2099-01-01\"}")), OK);
	assert_int_equal(lookalike_train(g, &c, STR("like-buyers"), now, NULL, NULL), OK);
	kept_is_of(today);
	close_views(g, &c);
}

TEST(nothing_is_said_of_categories_where_none_may_be_learned_from)
{
	struct config c;
	struct generation *g = open_views(&c, (uint16_t)(day_of(clock_now()) - 2));
	json_t *told, *warning;
	size_t i;
	if (lookalike_train(g, &c, STR("by-device"), clock_now(), NULL, &told) != OK)
		fail_msg("%s", err_text());
	json_array_foreach(json_object_get(told, "warnings"), i, warning)
	    assert_null(strstr(json_string_value(warning), "of 0 categories"));
	json_decref(told);
	close_views(g, &c);
}

UNIT_TESTS(IN_FOLDER(of_two_trainings_the_later_one_is_kept),
    IN_FOLDER(nothing_is_said_of_categories_where_none_may_be_learned_from))

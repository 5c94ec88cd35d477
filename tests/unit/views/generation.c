/* views/generation: who holds it, what it was built for, and the steps of work on it. */
#include "folded.h"

#include <unistd.h>

static bool there(const char *below)
{
	char path[160];
	snprintf(path, sizeof path, "%s/store/state/%s", folder, below);
	return access(path, F_OK) == 0;
}

TEST(a_generation_that_is_dropped_goes_with_its_last_reader)
{
	struct folded *w = open_folded(SHOP);
	struct generation *g = beside(w, 7, SHOP);
	(void)generation_ref(g);
	atomic_store(&g->dropped, true);
	generation_unref(g);
	assert_true(there("7"));
	generation_unref(g);
	assert_false(there("7"));
	assert_true(there("1"));
	generation_unref(NULL);
	close_folded(w);
}

TEST(the_rules_it_was_built_for_are_read_back)
{
	struct folded *w = open_folded(SHOP);
	struct rules *r = NULL;
	char hash[RULES_HASH_TEXT];
	snprintf(hash, sizeof hash, "%s", w->g->rules->hash_text);
	look(w, 1, NOON, "/coats");
	fold(w, NOON);
	generation_unref(w->g);
	assert_int_equal(generation_stored_rules(w->s, 1, &r), OK);
	assert_string_equal(r->hash_text, hash);
	w->g = generation_new(w->s, 1, r);
	rules_unref(r);
	assert_int_equal(generation_open_folds(w->g, w->s, &w->c), OK);
	close_folded(w);
}

TEST(what_is_not_named_in_current_is_not_opened)
{
	struct folded *w = open_folded(SHOP);
	struct generation *g = NULL;
	assert_int_equal(generation_open(w->s, &w->c, &g), ERR_NOT_FOUND);
	assert_null(g);
	assert_int_equal(store_set_current(w->s, 1), OK);
	generation_unref(w->g); /* a folder is opened once in a process */
	assert_int_equal(generation_open(w->s, &w->c, &g), OK);
	assert_int_equal(g->number, 1);
	assert_int_equal(g->lineage, 1);
	assert_int_equal(rules_segment(g->rules, STR("keen")), 0);
	w->g = g;
	close_folded(w);
}

/* Enough of an engine for its steps. */
static struct progress step(struct folded *w, size_t most, uint32_t now)
{
	struct engine e = {.config = &w->c, .store = w->s, .serving = w->g};
	struct progress p = {.worked = false};
	engine_step(&e, w->g, 0, most, now, &p);
	return p;
}

TEST(a_step_says_what_it_did_and_what_is_left)
{
	struct folded *w = open_folded(SHOP);
	struct engine e = {.config = &w->c, .store = w->s, .serving = w->g};
	for (int i = 0; i < 3; i++)
		look(w, (uint8_t)(i + 1), NOON, "/coats");
	assert_false(engine_caught_up(&e, w->g, 0, hour_of(NOON)));
	struct progress p = step(w, 1, NOON);
	assert_true(p.worked && p.pending && !p.failed);
	for (int i = 0; p.pending && i < 10; i++)
		p = step(w, 1, NOON);
	assert_true(!p.pending && !p.failed && !p.damaged);
	assert_true(engine_caught_up(&e, w->g, 0, hour_of(NOON)));
	assert_false(engine_caught_up(&e, w->g, 0, hour_of(NOON) + 1)); /* not swept so far */
	p = step(w, 1, NOON);
	assert_false(p.worked);
	assert_int_equal(counted(w, "coats"), 3);
	close_folded(w);
}

TEST(a_step_says_when_it_met_damage)
{
	struct folded *w = open_folded(SHOP);
	struct vkey k = visitor(1);
	struct db_txn t;
	assert_int_equal(db_begin(&w->f->shard.db, DB_WRITE, &t), OK);
	db_put(&t, w->f->shard.visitors, vkey_str(&k), STR("no profile"));
	assert_int_equal(db_end(&t), OK);
	assert_false(generation_damaged(w->g));
	look(w, 1, NOON, "/coats");
	assert_true(step(w, 100, NOON).damaged);
	assert_true(generation_damaged(w->g));
	assert_false(generation_replaced(w->g));
	close_folded(w);
}

UNIT_TESTS(FOLDED(a_generation_that_is_dropped_goes_with_its_last_reader),
    FOLDED(the_rules_it_was_built_for_are_read_back),
    FOLDED(what_is_not_named_in_current_is_not_opened),
    FOLDED(a_step_says_what_it_did_and_what_is_left), FOLDED(a_step_says_when_it_met_damage))

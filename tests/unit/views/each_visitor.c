/* The two walks over a shard's visitors: as they are stored, and as they are now. */
#include "viewed.h"

#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "crumb/condition/eval.h"
#include "crumb/views/each_visitor.h"

/* The first bytes of the keys that a walk comes by, as text. */
static const char *walk(
    struct views *v, const struct vkey *after, const uint64_t *wanted, unsigned *members)
{
	static char seen[32];
	struct each_visitor w;
	size_t n = 0;
	*members = 0;
	assert_int_equal(each_visitor_begin(&w, v->g, 0, NOW, wanted, after), OK);
	while (each_visitor(&w)) {
		assert_int_equal(w.profile->ordinal, w.stored.key.b[0]);
		seen[n++] = (char)w.stored.key.b[0];
		*members += w.profile->segments_n == 1 && w.profile->segments[0] == 0;
	}
	assert_int_equal(each_visitor_end(&w, OK), OK);
	seen[n] = 0;
	return seen;
}

static const uint64_t nothing[65536 / 64];

TEST(visitors_come_in_order_and_behind_a_key)
{
	struct views v = open_views();
	unsigned members;
	for (const char *k = "dbac"; *k; k++)
		put_visitor(&v, (uint8_t)*k, TODAY);
	assert_string_equal(walk(&v, NULL, NULL, &members), "abcd");
	assert_int_equal(members, 4);
	struct vkey b = key_of('b'), gone = {{'b', 1}}, last = key_of('d');
	assert_string_equal(walk(&v, &b, nothing, &members), "cd");
	assert_string_equal(walk(&v, &gone, nothing, &members), "cd");
	assert_string_equal(walk(&v, &last, nothing, &members), "");
	close_views(&v);
}

TEST(what_is_overdue_is_as_it_is_now)
{
	struct views v = open_views();
	unsigned members;
	put_visitor(&v, 'a', TODAY);
	put_visitor(&v, 'b', TODAY - 8);	    /* was a fan */
	put_visitor(&v, 'c', TODAY - RETAINED);	    /* nothing is left */
	put_visitor(&v, 'd', TODAY - RETAINED + 1); /* the last day */
	assert_string_equal(walk(&v, NULL, NULL, &members), "abd");
	assert_int_equal(members, 1);
	assert_string_equal(walk(&v, NULL, nothing, &members), "abd");
	assert_int_equal(members, 1);
	close_views(&v);
}

TEST(damage_is_told_and_passed_over)
{
	struct views v = open_views();
	unsigned members;
	struct vkey b = key_of('b');
	put_visitor(&v, 'a', TODAY);
	put_bytes(&v, vkey_str(&b), STR("no profile"));
	assert_false(db_damaged(&shard_of(&v)->db));
	assert_string_equal(walk(&v, NULL, nothing, &members), "a");
	assert_true(db_damaged(&shard_of(&v)->db));
	close_views(&v);
}

TEST(a_profile_of_other_rules_is_damage)
{
	struct views v = open_views();
	unsigned members;
	struct rules *fewer = load(FEWER), *own = v.g->rules;
	put_visitor(&v, 'a', TODAY);
	v.g->rules = fewer; /* has no category 1 */
	assert_string_equal(walk(&v, NULL, NULL, &members), "");
	assert_true(db_damaged(&shard_of(&v)->db));
	v.g->rules = own;
	rules_unref(fewer);
	close_views(&v);
}

TEST(a_key_of_another_length_is_counted)
{
	struct views v = open_views();
	struct each_stored w;
	struct db_txn t;
	put_visitor(&v, 'a', TODAY);
	put_bytes(&v, STR("short"), STR("x"));
	put_visitor(&v, 'z', TODAY);
	assert_int_equal(db_begin(&shard_of(&v)->db, DB_READ, &t), OK);
	each_stored_begin(&w, shard_of(&v), &t, NULL);
	assert_true(each_stored(&w) && w.key.b[0] == 'a' && w.misfits == 0);
	assert_true(each_stored(&w) && w.key.b[0] == 'z' && w.misfits == 1);
	assert_false(each_stored(&w) || w.there);
	each_stored_end(&w);
	db_abort(&t);
	close_views(&v);
}

TEST(a_walk_without_memory_fails_and_the_callers_error_goes_first)
{
	struct views v = open_views();
	struct each_visitor w;
	put_visitor(&v, 'a', TODAY);
	assert_int_equal(each_visitor_begin(&w, v.g, 0, NOW, NULL, NULL), OK);
	memory_none();
	assert_false(each_visitor(&w));
	assert_int_equal(each_visitor_end(&w, OK), ERR_NOMEM);
	assert_int_equal(each_visitor_begin(&w, v.g, 0, NOW, NULL, NULL), OK);
	assert_int_equal(each_visitor_end(&w, ERR_BUSY), ERR_BUSY);
	memory_begin();
	close_views(&v);
}

UNIT_TESTS(IN_FOLDER(visitors_come_in_order_and_behind_a_key),
    IN_FOLDER(what_is_overdue_is_as_it_is_now), IN_FOLDER(damage_is_told_and_passed_over),
    IN_FOLDER(a_profile_of_other_rules_is_damage), IN_FOLDER(a_key_of_another_length_is_counted),
    IN_FOLDER(a_walk_without_memory_fails_and_the_callers_error_goes_first))

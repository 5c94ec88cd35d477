/* views/since: since when what is decided at the door has been decided as it is now. */
#include "stored.h"

#include "loaded.h"

#include "crumb/base/clock.h"
#include "crumb/views/since.h"

#define DAY(n) ((n) * (uint32_t)DAY_S)

#define DOOR                                                                                       \
	"version: 1\ncategories:\n  - {id: a, any: [{path: /a}]}\n"                                \
	"  - {id: b, any: [{title: winter coat}]}\n  - {id: b.c, any: [{path: /c}]}\n"             \
	"  - {id: d, any: [{attr.size: m}]}\n"                                                     \
	"attributes:\n  - {id: size, values: [m, l]}\n"                                            \
	"segments:\n  - {id: s, when: a}\n  - {id: t, when: a or b}\n  - {id: u, when: d}\n"       \
	"  - {id: v, when: segment(t)}\n  - {id: w, when: a and attr.size = l}\n"
#define OTHER "version: 1\ncategories:\n  - {id: x, any: [{title: winter coat}]}\n"
#define NOTHING "version: 1\n"

static void note(struct since *s, const struct rules *ours, const struct rules *r, uint32_t t)
{
	struct record activation = {
	    .kind = RECORD_RULES, .event = {.t = t}, .rules_text = buf_view(&r->bundle)};
	memcpy(activation.rules, r->hash, sizeof activation.rules);
	since_note(s, ours, &activation);
}

static uint16_t from_of(const struct since *s, const struct rules *r, const char *category,
    const char *segment, uint16_t today)
{
	uint16_t *categories, *segments, day;
	assert_int_equal(since_days(s, r, today, 90, &categories, &segments), OK);
	day = category ? categories[rules_category(r, str_c(category))]
		       : segments[rules_segment(r, str_c(segment))];
	free(categories);
	free(segments);
	return day;
}

TEST(a_history_begins_where_its_patterns_were_first_in_force)
{
	struct rules *r = load(DOOR), *before = load(NOTHING);
	struct since s;
	assert_true(since_init(&s, r));
	assert_int_equal(from_of(&s, r, "b", NULL, 20000), 0); /* nothing was ever journalled */
	note(&s, r, before, DAY(19950));
	assert_int_equal(from_of(&s, r, "b", NULL, 20000), 20000); /* not in force yet */
	note(&s, r, r, DAY(19980) + 5);
	assert_true(s.changed);
	assert_int_equal(
	    from_of(&s, r, "a", NULL, 20000), 0); /* a path is kept: its history is whole */
	assert_int_equal(from_of(&s, r, "b", NULL, 20000), 19980);
	assert_int_equal(from_of(&s, r, "b.c", NULL, 20000), 0);
	assert_int_equal(from_of(&s, r, "d", NULL, 20000), 19980); /* by its vocabulary */
	assert_int_equal(from_of(&s, r, NULL, "s", 20000), 0);
	assert_int_equal(from_of(&s, r, NULL, "t", 20000), 19980);
	assert_int_equal(from_of(&s, r, NULL, "u", 20000), 19980);
	assert_int_equal(from_of(&s, r, NULL, "v", 20000), 19980); /* through another segment */
	assert_int_equal(from_of(&s, r, NULL, "w", 20000), 19980);
	assert_int_equal(
	    from_of(&s, r, "b", NULL, 19980 + 89), 0); /* older than anything retained */
	since_done(&s);
	rules_unref(r);
	rules_unref(before);
}

TEST(what_was_in_force_from_the_beginning_is_whole)
{
	struct rules *r = load(DOOR);
	struct since s;
	assert_true(since_init(&s, r));
	note(&s, r, r, DAY(19980));
	assert_int_equal(from_of(&s, r, "b", NULL, 20000), 0);
	since_done(&s);
	rules_unref(r);
}

TEST(a_gap_makes_it_begin_anew_and_other_rules_with_the_same_pattern_are_none)
{
	struct rules *r = load(DOOR), *other = load(OTHER), *nothing = load(NOTHING);
	struct since s;
	assert_true(since_init(&s, r));
	note(&s, r, nothing, DAY(19940));
	note(&s, r, other, DAY(19950)); /* has the title */
	note(&s, r, r, DAY(19960));
	assert_int_equal(from_of(&s, r, "b", NULL, 20000), 19950);
	assert_int_equal(from_of(&s, r, "d", NULL, 20000), 19960);
	note(&s, r, nothing, DAY(19970));
	note(&s, r, r, DAY(19975));
	assert_int_equal(from_of(&s, r, "b", NULL, 20000), 19975);
	since_done(&s);
	rules_unref(r);
	rules_unref(other);
	rules_unref(nothing);
}

TEST(what_is_saved_is_loaded_for_the_names_that_are_still_there)
{
	struct config c;
	struct store *store = open_store(&c);
	struct shard sh;
	struct db_txn t;
	struct rules *r = load(DOOR), *other = load(OTHER), *nothing = load(NOTHING);
	struct since s, again;
	assert_int_equal(store_shard(store, 1, 0, &sh), OK);
	assert_true(since_init(&s, r) && since_init(&again, other));
	note(&s, r, nothing, DAY(19940));
	note(&s, r, r, DAY(19960));
	assert_int_equal(db_begin(&sh.db, DB_WRITE, &t), OK);
	since_save(&s, &sh, &t);
	assert_true(s.saved);
	since_load(&again, &sh, &t);
	assert_int_equal(from_of(&again, other, "x", NULL, 20000), 19960);
	again.changed = false;
	since_save(&again, &sh, &t); /* nothing changed: what is stored stays */
	assert_false(again.saved);
	assert_int_equal(db_end(&t), OK);
	since_done(&s);
	since_done(&again);
	shard_close(&sh);
	rules_unref(r);
	rules_unref(other);
	rules_unref(nothing);
	close_store(store, &c);
}

TEST(rules_that_cannot_be_read_decided_nothing)
{
	struct rules *r = load(DOOR);
	struct since s;
	assert_true(since_init(&s, r));
	note(&s, r, r, DAY(19940));
	since_note(&s, r,
	    &(struct record){.kind = RECORD_RULES,
		.event = {.t = DAY(19950)},
		.rules = "0123456789abcde",
		.rules_text = STR("no bundle")});
	note(&s, r, r, DAY(19960));
	assert_int_equal(from_of(&s, r, "b", NULL, 20000), 19960);
	since_done(&s);
	rules_unref(r);
}

TEST(rules_that_were_over_are_not_in_force_again_because_their_record_comes_again)
{
	struct rules *ours =
	    load("version: 1\ncategories:\n  - id: coats\n    any: [{title: coat}]\n");
	struct rules *others =
	    load("version: 1\ncategories:\n  - id: coats\n    any: [{path: /coats}]\n");
	const uint64_t leaf = ours->patterns[0].leaf;
	struct since s;
	assert_true(since_init(&s, ours));
	note(&s, ours, ours, 100);
	note(&s, ours, others, 200);
	assert_int_equal(since_of(&s, leaf), 0);
	note(&s, ours, ours, 100);
	assert_int_equal(since_of(&s, leaf), 0);
	note(&s, ours, ours, 300);
	note(&s, ours, others, 200);
	note(&s, ours, ours, 100);
	assert_int_equal(since_of(&s, leaf), 300);
	assert_int_equal(since_of(&s, 0), 100);
	/* changed and changed back within a second is no record that comes again */
	note(&s, ours, others, 300);
	note(&s, ours, ours, 300);
	assert_int_equal(since_of(&s, leaf), 300);
	since_done(&s);
	rules_unref(ours);
	rules_unref(others);
}

UNIT_TESTS(cmocka_unit_test(a_history_begins_where_its_patterns_were_first_in_force),
    cmocka_unit_test(what_was_in_force_from_the_beginning_is_whole),
    cmocka_unit_test(a_gap_makes_it_begin_anew_and_other_rules_with_the_same_pattern_are_none),
    IN_FOLDER(what_is_saved_is_loaded_for_the_names_that_are_still_there),
    cmocka_unit_test(rules_that_cannot_be_read_decided_nothing),
    cmocka_unit_test(rules_that_were_over_are_not_in_force_again_because_their_record_comes_again))

/* ask/verify: what must hold of the views, and the words for what does not. */
#include "folded.h"

#include "crumb/ask/verify.h"

#include <unistd.h>

static char problems[4000];

static void note(void *arg, const char *text)
{
	size_t n = strlen(problems);
	(void)arg;
	snprintf(problems + n, sizeof problems - n, "%s\n", text);
}

/* One visitor is keen, has a match, and spent nothing; another looked once. */
static struct folded *sound(void)
{
	struct folded *w = open_folded(SHOP);
	struct vkey one = visitor(1);
	struct buf b = {0};
	clock_set_offset(0);
	clock_set_offset((int64_t)NOON - (int64_t)clock_now());
	for (uint32_t i = 0; i < 3; i++)
		look(w, 1, NOON - 1000 + i, "/coats");
	look(w, 2, NOON - 500, "/boots");
	look(w, 2, NOON - 400, "/boots");
	record_encode_match(&one, NOON, STR("ads"), STR("x1"), &b);
	commit(w, NOON, &b, 1);
	fold(w, NOON);
	return w;
}

static void done(struct folded *w)
{
	clock_set_offset(0);
	close_folded(w);
}

static const char *verified(struct folded *w)
{
	problems[0] = 0;
	assert_int_equal(verify_generation(w->g, note, NULL), OK);
	return problems;
}

static const char *replayed(struct folded *w)
{
	char second[100];
	problems[0] = 0;
	snprintf(second, sizeof second, "%s/second", folder);
	assert_int_equal(verify_replay(w->g, w->s, &w->c, second, NOON, note, NULL), OK);
	return problems;
}

/* The first row of a table is gone. */
static void take(struct folded *w, db_table table)
{
	struct db_txn t;
	struct db_cursor c;
	struct str key, value;
	char kept[600];
	assert_int_equal(db_begin(&w->f->shard.db, DB_WRITE, &t), OK);
	db_walk(&t, table, &c);
	assert_true(db_next(&c, &key, &value));
	memcpy(kept, key.p, key.n);
	db_walk_end(&c);
	assert_true(db_del(&t, table, str_make(kept, key.n)));
	assert_int_equal(db_end(&t), OK);
}

static void put(struct folded *w, db_table table, struct str key, struct str value)
{
	struct db_txn t;
	assert_int_equal(db_begin(&w->f->shard.db, DB_WRITE, &t), OK);
	db_put(&t, table, key, value);
	assert_int_equal(db_end(&t), OK);
}

#define SAYS(text, part)                                                                           \
	do {                                                                                       \
		if (!strstr(text, part))                                                           \
			fail_msg("'%s' is not in: %s", part, problems);                            \
	} while (0)

TEST(of_sound_views_there_is_nothing_to_say)
{
	struct folded *w = sound();
	assert_string_equal(verified(w), "");
	assert_string_equal(replayed(w), "");
	done(w);
}

TEST(a_visitor_who_is_not_due_is_found)
{
	struct folded *w = sound();
	take(w, w->f->shard.due);
	SAYS(verified(w), "no due entry at the hour that the profile names");
	SAYS(problems, "1 due entries for 2 visitors");
	done(w);
}

TEST(a_visitor_without_an_ordinal_is_found)
{
	struct folded *w = sound();
	take(w, w->f->shard.ordinals);
	SAYS(verified(w), "its ordinal names somebody else");
	SAYS(problems, "1 ordinals for 2 visitors");
	done(w);
}

TEST(a_member_who_is_missing_from_a_bitmap_is_found)
{
	struct folded *w = sound();
	take(w, w->f->shard.members);
	SAYS(verified(w), "missing from the bitmap of segment");
	SAYS(problems, "bitmaps hold 0, profiles say 1");
	done(w);
}

TEST(counters_that_do_not_add_up_are_found)
{
	struct folded *w = sound();
	take(w, w->f->shard.counts);
	SAYS(verified(w), "counted, 2 there");
	done(w);
}

TEST(a_match_that_only_one_direction_knows_is_found)
{
	struct folded *w = sound();
	take(w, w->f->shard.partners);
	SAYS(verified(w), "1 rows in both");
	SAYS(problems, "a match that the other direction does not know");
	done(w);
}

TEST(a_match_that_is_not_in_the_journal_is_found_by_replay)
{
	struct folded *w = sound();
	put(w, w->f->shard.partners, STR("v0123456789abcdefads"), STR("\177\1\1\177x1"));
	SAYS(replayed(w), "matches with partners differ after replay");
	SAYS(verified(w), "a match of a visitor who is not there");
	done(w);
}

TEST(a_profile_that_does_not_decode_is_found)
{
	struct folded *w = sound();
	struct vkey k = visitor(1);
	put(w, w->f->shard.visitors, vkey_str(&k), STR("\xc1"));
	SAYS(verified(w), "the profile does not decode");
	SAYS(replayed(w), "visitor 00000100000000000000000000000000 differs after replay");
	done(w);
}

TEST(a_visitor_of_whom_the_journal_knows_nothing_is_found_by_replay_alone)
{
	struct folded *w = sound();
	struct vkey k = visitor(2);
	struct db_txn t;
	assert_int_equal(db_begin(&w->f->shard.db, DB_WRITE, &t), OK);
	assert_true(db_del(&t, w->f->shard.visitors, vkey_str(&k)));
	assert_int_equal(db_end(&t), OK);
	SAYS(replayed(w), "visitor 00000200000000000000000000000000 is only in the replayed views");
	done(w);
}

TEST(views_that_are_behind_the_journal_are_told_from_wrong_ones)
{
	struct folded *w = sound();
	look(w, 1, NOON, "/boots");
	SAYS(replayed(w), "the views are not at the end of the journal");
	done(w);
}

TEST(views_that_were_replaced_and_removed_while_they_are_read_are_no_damage)
{
	struct folded *w = sound();
	char file[2100];
	snprintf(file, sizeof file, "%s/state/1/0/data.mdb", w->s->path);
	assert_int_equal(unlink(file), 0);
	assert_string_equal(verified(w), "");
	assert_int_equal(store_set_current(w->s, 1), OK); /* they serve: the file is lost */
	assert_int_equal(verify_generation(w->g, note, NULL), ERR_NOT_FOUND);
	done(w);
}

UNIT_TESTS(FOLDED(of_sound_views_there_is_nothing_to_say),
    FOLDED(a_visitor_who_is_not_due_is_found), FOLDED(a_visitor_without_an_ordinal_is_found),
    FOLDED(a_member_who_is_missing_from_a_bitmap_is_found),
    FOLDED(counters_that_do_not_add_up_are_found),
    FOLDED(a_match_that_only_one_direction_knows_is_found),
    FOLDED(a_match_that_is_not_in_the_journal_is_found_by_replay),
    FOLDED(a_profile_that_does_not_decode_is_found),
    FOLDED(a_visitor_of_whom_the_journal_knows_nothing_is_found_by_replay_alone),
    FOLDED(views_that_are_behind_the_journal_are_told_from_wrong_ones),
    FOLDED(views_that_were_replaced_and_removed_while_they_are_read_are_no_damage))

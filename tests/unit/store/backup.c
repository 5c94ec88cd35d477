/* A backup of a store that is in use. */
#include "blocks.h"
#include "followed.h"

#include "crumb/store/backup.h"

static struct store *backed_up;

static void commit_between(uint64_t done, uint64_t of)
{
	if (done == 1)
		assert_int_equal(commit_three_days(backed_up, "x "), OK);
}

TEST(a_backup_has_no_part_of_a_commit_that_came_between_its_days)
{
	struct config c;
	struct store *s = backed_up = open_store(&c);
	char copy[96], from[160], to[160];
	struct backup_totals totals;
	put_block(s, 100, 0, "a ");
	put_block(s, 101, 0, "b ");
	put_block(s, 102, 0, "c ");
	snprintf(copy, sizeof copy, "%s/copy", folder);
	assert_int_equal(backup_write(s, copy, commit_between, &totals), OK);
	assert_int_equal(totals.days, 3);
	blocks_are(s, 0, 0, "a b c x x x ");
	store_close(s);
	snprintf(from, sizeof from, "%s/store/journal", folder);
	snprintf(to, sizeof to, "%s/journal.before", folder);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(backup_restore(&c, copy, NULL, &totals), OK);
	assert_int_equal(totals.days, 3);
	config_done(&c);
	s = open_store(&c);
	blocks_are(s, 0, 0, "a b c ");
	blocks_are(s, 1, 0, "");
	nothing_is_lost(s);
	put_block(s, 102, 0, "d");
	s = again(s, &c);
	blocks_are(s, 0, 0, "a b c d");
	nothing_is_lost(s);
	close_store(s, &c);
}

/* --- of a store that follows a log outside */

static struct made_log outside;
static uint64_t dice;

static void follow_between(uint64_t done, uint64_t of)
{
	for (unsigned n = any_of(&dice, 4); n > 0; n--)
		assert_int_equal(follow_once(backed_up->journal, &outside, &dice), OK);
}

static uint64_t taken(struct store *s)
{
	struct log_mark m;
	uint64_t sum = 0;
	assert_int_equal(local_log_marks(s->journal, &m), OK);
	for (uint32_t p = 0; p < PARTS; p++)
		sum += log_mark_next(&m, p);
	log_mark_done(&m);
	return sum;
}

/* Returns how many records came between the moment of the backup and its last day. */
static uint64_t back_up_and_restore(struct store **s, struct config *c)
{
	char copy[96], from[160], to[160];
	struct backup_totals totals;
	uint64_t at = taken(*s);
	snprintf(copy, sizeof copy, "%s/copy", folder);
	assert_int_equal(backup_write(*s, copy, follow_between, &totals), OK);
	at = taken(*s) - at;
	store_close(*s);
	snprintf(from, sizeof from, "%s/store/journal", folder);
	snprintf(to, sizeof to, "%s/journal.before", folder);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(backup_restore(c, copy, NULL, &totals), OK);
	config_done(c);
	assert_int_equal(folder_remove(to), OK);
	assert_int_equal(folder_remove(copy), OK);
	*s = open_store(c);
	return at;
}

TEST(a_restored_store_goes_on_with_the_log_where_the_backup_stands)
{
	uint64_t between = 0;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct config c;
		struct store *s = backed_up = open_store(&c);
		dice = seed * 77;
		make_log(&outside, seed, journal_control(s->journal));
		while (taken(s) < 70) /* so that both days are there */
			assert_int_equal(follow_once(s->journal, &outside, &dice), OK);
		for (int i = 0; i < 2; i++) {
			between += back_up_and_restore(&s, &c);
			blocks_are_as_marked(s, &outside);
			backed_up = s;
		}
		while (!followed(s->journal, &outside))
			assert_int_equal(follow_once(s->journal, &outside, &dice), OK);
		blocks_are_as_marked(s, &outside);
		nothing_is_lost(s);
		close_store(s, &c);
		assert_int_equal(folder_remove(folder), OK);
		assert_int_equal(mkdir(folder, 0700), 0);
	}
	assert_true(between > 20);
}

UNIT_TESTS(IN_FOLDER(a_backup_has_no_part_of_a_commit_that_came_between_its_days),
    IN_FOLDER(a_restored_store_goes_on_with_the_log_where_the_backup_stands))

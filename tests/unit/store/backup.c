/* A backup of a store that is in use. */
#include "blocks.h"

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

UNIT_TESTS(IN_FOLDER(a_backup_has_no_part_of_a_commit_that_came_between_its_days))

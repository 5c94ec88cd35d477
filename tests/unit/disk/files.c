/* disk/files: how the large files stood when the store was closed, and who changed them since. */
#include "folder.h"

#include "crumb/base/file.h"
#include "crumb/disk/files.h"

#include <utime.h>

static void path_of(char out[160], const char *name)
{
	snprintf(out, 160, "%s/%s", folder, name);
}

static void put(const char *name, const char *text)
{
	char path[160];
	path_of(path, name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void touch(const char *name, time_t when)
{
	char path[160];
	path_of(path, name);
	assert_int_equal(utime(path, &(struct utimbuf){when, when}), 0);
}

static int begin(void **state)
{
	static const char *const folders[] = {
	    "journal", "journal/2026-01-02", "state", "state/3", "state/3/0"};
	char path[160];
	if (make_folder(state) != 0)
		return -1;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		path_of(path, folders[i]);
		if (mkdir(path, 0700) != 0)
			return -1;
	}
	put("journal/2026-01-02/data.mdb", "a day");
	put("state/3/0/data.mdb", "views");
	put("wal", "log");
	put("erased", "list");
	return 0;
}
#define STORE(name) cmocka_unit_test_setup_teardown(name, begin, drop_folder)

#define DAY "journal/2026-01-02/data.mdb"
#define VIEWS "state/3/0/data.mdb"

/* The store is closed in order, with its views as they were found. */
static void stop(enum store_views views)
{
	struct files *f = files_load(folder, FILES_OURS);
	files_accept(f, DAY);
	assert_int_equal(files_save(f, 3, views), OK);
	files_free(f);
}

static enum files_state look(const char *name)
{
	struct files *f = files_load(folder, FILES_OURS);
	enum files_state s = files_look(f, name);
	files_free(f);
	return s;
}

TEST(what_is_as_it_stood_is_trusted)
{
	assert_int_equal(look(DAY), FILES_UNKNOWN);
	stop(STORE_VIEWS_FINE);
	assert_int_equal(look(DAY), FILES_SAME);
	assert_int_equal(look(VIEWS), FILES_SAME);
	assert_int_equal(look("wal"), FILES_SAME);
	assert_int_equal(look("journal/2026-01-03/data.mdb"), FILES_UNKNOWN);
}

TEST(a_copy_with_another_time_is_told_from_a_change)
{
	stop(STORE_VIEWS_FINE);
	touch(DAY, 1000);
	assert_int_equal(look(DAY), FILES_SAME); /* the same bytes */
	put(DAY, "a dax");
	touch(DAY, 1000);
	assert_int_equal(look(DAY), FILES_CHANGED);
	touch(VIEWS, 1000); /* of which no sum is kept */
	assert_int_equal(look(VIEWS), FILES_CHANGED);
	put("wal", "longer");
	assert_int_equal(look("wal"), FILES_CHANGED);
}

TEST(after_a_crash_nothing_is_held_against_anybody)
{
	stop(STORE_VIEWS_FINE);
	struct files *f = files_load(folder, FILES_OURS);
	assert_true(files_stopped(f));
	assert_int_equal(files_running(f), OK);
	files_free(f);
	f = files_load(folder, FILES_OURS);
	assert_false(files_stopped(f));
	files_free(f);
	put(DAY, "more than a day");
	assert_int_equal(look(DAY), FILES_UNKNOWN);
	assert_int_equal(look(VIEWS), FILES_SAME);
}

TEST(who_finds_a_store_in_use_takes_it_as_it_is)
{
	stop(STORE_VIEWS_FINE);
	put(DAY, "changed");
	struct files *f = files_load(folder, FILES_IN_USE);
	assert_int_equal(files_look(f, DAY), FILES_SAME);
	files_free(f);
}

TEST(a_change_that_nobody_here_made_is_looked_at_again)
{
	stop(STORE_VIEWS_FINE);
	put(DAY, "somebody else's");
	struct files *f = files_load(folder, FILES_OURS);
	assert_int_equal(files_save(f, 3, STORE_VIEWS_FINE), OK); /* it was not accepted */
	files_free(f);
	assert_int_equal(look(DAY), FILES_CHANGED);
	stop(STORE_VIEWS_FINE);
	assert_int_equal(look(DAY), FILES_SAME);
	f = files_load(folder, FILES_OURS);
	files_doubt(f, DAY);
	assert_int_equal(files_save(f, 3, STORE_VIEWS_FINE), OK);
	files_free(f);
	assert_int_equal(look(DAY), FILES_UNKNOWN);
}

TEST(views_are_remembered_as_whoever_had_them_left_them)
{
	stop(STORE_VIEWS_FINE);
	stop(STORE_VIEWS_UNSEEN); /* nobody had them: their line stays */
	assert_int_equal(look(VIEWS), FILES_SAME);
	stop(STORE_VIEWS_DAMAGED);
	assert_int_equal(look(VIEWS), FILES_UNKNOWN);
}

TEST(what_is_damaged_is_as_if_it_were_not_there)
{
	char path[160];
	struct stat st;
	stop(STORE_VIEWS_FINE);
	path_of(path, "files");
	assert_int_equal(stat(path, &st), 0);
	char *text = malloc((size_t)st.st_size + 1);
	assert_int_equal(file_read_text(path, text, (size_t)st.st_size + 1), OK);
	text[20] ^= 1;
	assert_int_equal(file_replace(path, str_c(text)), OK);
	free(text);
	assert_int_equal(look(DAY), FILES_UNKNOWN);
}

TEST(a_mark_is_kept_from_run_to_run)
{
	stop(STORE_VIEWS_FINE);
	struct files *f = files_load(folder, FILES_OURS);
	assert_false(files_marked(f));
	files_mark(f);
	assert_int_equal(files_running(f), OK);
	files_free(f);
	f = files_load(folder, FILES_OURS);
	assert_true(files_marked(f) && !files_stopped(f));
	files_free(f);
}

UNIT_TESTS(STORE(what_is_as_it_stood_is_trusted),
    STORE(a_copy_with_another_time_is_told_from_a_change),
    STORE(after_a_crash_nothing_is_held_against_anybody),
    STORE(who_finds_a_store_in_use_takes_it_as_it_is),
    STORE(a_change_that_nobody_here_made_is_looked_at_again),
    STORE(views_are_remembered_as_whoever_had_them_left_them),
    STORE(what_is_damaged_is_as_if_it_were_not_there), STORE(a_mark_is_kept_from_run_to_run))

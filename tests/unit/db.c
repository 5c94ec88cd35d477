/* An environment whose newest commit could not be named goes on without a restart. */
#include "unit.h"

#include "crumb/disk/db.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool failing;
static unsigned failed;

/* Takes the place of the C library's, also for LMDB: what goes to the first two pages of a file names a commit. */
ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (failing && at < 8192) {
		failed++;
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, p, n, at);
}

static char folder[64];

static int remove_one(const char *name, const struct stat *st, int kind, struct FTW *where)
{
	return remove(name);
}

static int make_folder(void **state)
{
	strcpy(folder, "/tmp/crumb-unit.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static enum err put(struct db *d, db_table table, const char *key, const char *value)
{
	struct db_txn t;
	enum err e = db_begin(d, true, &t);
	if (e)
		return e;
	db_put(&t, table, str_c(key), str_c(value));
	return db_end(&t);
}

static enum err has(struct db *d, db_table table, const char *key, const char *value)
{
	struct db_txn t;
	struct str v;
	enum err e = db_begin(d, false, &t);
	if (e)
		return e;
	bool there = db_get(&t, table, str_c(key), &v);
	if (value) {
		assert_true(there);
		assert_true(str_eq(v, str_c(value)));
	} else {
		assert_false(there);
	}
	return db_end(&t);
}

static void recovers(enum db_mode mode)
{
	struct db d;
	struct db_txn t, reader;
	db_table one, two;
	assert_int_equal(db_open(&d, folder, 1 << 24, 4, mode), OK);
	assert_int_equal(db_begin(&d, true, &t), OK);
	assert_int_equal(db_open_table(&t, "one", &one), OK);
	assert_int_equal(db_open_table(&t, "two", &two), OK);
	assert_int_equal(db_end(&t), OK);
	assert_int_equal(put(&d, one, "a", "1"), OK);
	assert_int_equal(put(&d, two, "a", "2"), OK);
	assert_int_equal(db_begin(&d, false, &reader), OK);
	failing = true;
	failed = 0;
	assert_int_not_equal(put(&d, one, "b", "lost"), OK);
	assert_true(failed > 0);
	failing = false;
	assert_int_not_equal(put(&d, one, "b", "waits for the reader"), OK);
	struct str v;
	assert_true(db_get(&reader, one, STR("a"), &v)); /* who was in it reads on */
	assert_int_equal(db_end(&reader), OK);
	assert_int_equal(put(&d, one, "c", "3"), OK);
	assert_int_equal(put(&d, two, "c", "4"), OK);
	assert_int_equal(has(&d, one, "a", "1"), OK);
	assert_int_equal(has(&d, two, "a", "2"), OK);
	assert_int_equal(has(&d, one, "b", NULL), OK);
	assert_int_equal(has(&d, one, "c", "3"), OK);
	assert_int_equal(has(&d, two, "c", "4"), OK);
	db_close(&d);
	assert_int_equal(db_open(&d, folder, 1 << 24, 4, mode), OK);
	assert_int_equal(db_begin(&d, true, &t), OK);
	assert_int_equal(db_open_table(&t, "one", &one), OK);
	assert_int_equal(db_end(&t), OK);
	assert_int_equal(has(&d, one, "c", "3"), OK);
	db_close(&d);
}

TEST(a_commit_that_could_not_be_named_is_followed_by_others)
{
	recovers(DB_DURABLE);
}

TEST(views_go_on_too)
{
	recovers(DB_REBUILT);
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, make_folder, drop_folder)
RUN(IN_FOLDER(a_commit_that_could_not_be_named_is_followed_by_others), IN_FOLDER(views_go_on_too))

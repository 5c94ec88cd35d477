/* An environment whose newest commit could not be named goes on without a restart. */
#include "calls.h"
#include "folder.h"

#include "crumb/disk/db.h"

#include <errno.h>

static bool failing;
static unsigned failed;

/* What goes to the first two pages of a file names a commit. */
static ssize_t write_page(int fd, const void *p, size_t n, off_t at)
{
	if (failing && at < 8192) {
		failed++;
		errno = EIO;
		return -1;
	}
	return libc_pwrite(fd, p, n, at);
}

static enum err put(struct db *d, db_table table, const char *key, const char *value)
{
	struct db_txn t;
	enum err e = db_begin(d, DB_WRITE, &t);
	if (e)
		return e;
	db_put(&t, table, str_c(key), str_c(value));
	return db_end(&t);
}

static enum err has(struct db *d, db_table table, const char *key, const char *value)
{
	struct db_txn t;
	struct str v;
	enum err e = db_begin(d, DB_READ, &t);
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
	assert_int_equal(db_begin(&d, DB_WRITE, &t), OK);
	assert_int_equal(db_open_table(&t, "one", &one), OK);
	assert_int_equal(db_open_table(&t, "two", &two), OK);
	assert_int_equal(db_end(&t), OK);
	assert_int_equal(put(&d, one, "a", "1"), OK);
	assert_int_equal(put(&d, two, "a", "2"), OK);
	assert_int_equal(db_begin(&d, DB_READ, &reader), OK);
	calls.pwrite = write_page;
	failing = true;
	failed = 0;
	assert_int_not_equal(put(&d, one, "b", "lost"), OK);
	assert_true(failed > 0);
	calls.pwrite = NULL;
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
	assert_int_equal(db_begin(&d, DB_WRITE, &t), OK);
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

UNIT_TESTS(
    IN_FOLDER(a_commit_that_could_not_be_named_is_followed_by_others), IN_FOLDER(views_go_on_too))

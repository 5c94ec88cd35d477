/* disk/pages: an LMDB file in which somebody wrote is told before LMDB maps it. */
#include "folder.h"

#include "crumb/disk/db.h"
#include "crumb/disk/pages.h"

#include <unistd.h>

#define MAP ((size_t)16 << 20)
#define PAGE 4096

static char file[128];
static uint8_t *whole; /* a sound file */
static size_t whole_n;

static void slurp(void)
{
	FILE *f = fopen(file, "rb");
	assert_non_null(f);
	whole = malloc(1 << 20);
	whole_n = fread(whole, 1, 1 << 20, f);
	fclose(f);
}

static void spit(const uint8_t *p, size_t n)
{
	FILE *f = fopen(file, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	fclose(f);
}

/* Two tables, one with a tree of two levels and large values, and pages that were freed. */
static int begin(void **state)
{
	struct db d;
	struct db_txn t;
	db_table one, two;
	char key[16], value[6000];
	memset(value, 'v', sizeof value);
	if (make_folder(state) != 0 || db_open(&d, folder, MAP, 4, DB_DURABLE) != OK)
		return -1;
	snprintf(file, sizeof file, "%s/data.mdb", folder);
	assert_int_equal(db_begin(&d, DB_WRITE, &t), OK);
	assert_int_equal(db_open_table(&t, "one", &one), OK);
	assert_int_equal(db_open_table(&t, "two", &two), OK);
	for (unsigned i = 0; i < 400; i++) {
		snprintf(key, sizeof key, "key %05u", i);
		db_put(&t, one, str_c(key), str_make(value, 60));
		if (i % 40 == 0)
			db_put(&t, two, str_c(key), str_make(value, sizeof value));
	}
	assert_int_equal(db_end(&t), OK);
	assert_int_equal(db_begin(&d, DB_WRITE, &t), OK);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(key, sizeof key, "key %05u", i);
		db_del(&t, one, str_c(key));
	}
	assert_int_equal(db_end(&t), OK);
	db_close(&d);
	slurp();
	return 0;
}

static int end(void **state)
{
	free(whole);
	return drop_folder(state);
}
#define WITH_FILE(name) cmocka_unit_test_setup_teardown(name, begin, end)

TEST(a_sound_file_is_sound)
{
	assert_int_equal(pages_check(file, PAGES_META, 0), OK);
	assert_int_equal(pages_check(file, PAGES_ALL, 0), OK);
	spit(whole, whole_n);
	assert_int_equal(pages_check(file, PAGES_ALL, 0), OK);
}

TEST(no_file_and_none_that_lmdb_wrote)
{
	uint8_t zeros[2 * PAGE] = {0};
	assert_int_equal(unlink(file), 0);
	assert_int_equal(pages_check(file, PAGES_ALL, 0), ERR_NOT_FOUND);
	spit(zeros, sizeof zeros);
	assert_int_equal(pages_check(file, PAGES_META, 0), ERR_CORRUPT);
	assert_non_null(strstr(err_text(), file));
	spit(whole, 100);
	assert_int_equal(pages_check(file, PAGES_META, 0), ERR_CORRUPT);
}

TEST(a_file_that_was_cut_is_told)
{
	for (size_t n = PAGE; n < whole_n / 2; n += 3 * PAGE) {
		spit(whole, n);
		assert_int_equal(pages_check(file, PAGES_ALL, 0), ERR_CORRUPT);
	}
}

TEST(a_page_that_was_overwritten_is_told)
{
	unsigned seen = 0, pages = 0;
	for (size_t at = 2 * PAGE; at + PAGE <= whole_n; at += PAGE, pages++) {
		uint8_t was[PAGE];
		memcpy(was, whole + at, PAGE);
		memset(whole + at, 0xa5, PAGE);
		spit(whole, whole_n);
		seen += pages_check(file, PAGES_ALL, 0) == ERR_CORRUPT;
		memcpy(whole + at, was, PAGE);
	}
	assert_true(
	    pages > 20 &&
	    seen > pages / 2); /* free pages and the insides of large values may hold anything */
	spit(whole, whole_n);
	assert_int_equal(pages_check(file, PAGES_ALL, 0), OK);
}

TEST(a_size_and_a_head_are_seen_without_walking)
{
	whole[16] ^= 1; /* magic of the first head */
	whole[PAGE + 16] ^= 1;
	spit(whole, whole_n);
	assert_int_equal(pages_check(file, PAGES_META, 0), ERR_CORRUPT);
}

TEST(an_open_environment_is_looked_at_as_of_a_reader)
{
	struct db d;
	assert_int_equal(db_open(&d, folder, MAP, 4, DB_DURABLE), OK);
	assert_int_equal(pages_check_open(&d, file), OK);
	db_close(&d);
}

UNIT_TESTS(WITH_FILE(a_sound_file_is_sound), WITH_FILE(no_file_and_none_that_lmdb_wrote),
    WITH_FILE(a_file_that_was_cut_is_told), WITH_FILE(a_page_that_was_overwritten_is_told),
    WITH_FILE(a_size_and_a_head_are_seen_without_walking),
    WITH_FILE(an_open_environment_is_looked_at_as_of_a_reader))

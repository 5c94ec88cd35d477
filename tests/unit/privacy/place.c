/* privacy/place: networks to countries by a file that may be anything. */
#include "folder.h"

#include "crumb/base/file.h"
#include "crumb/privacy/junk.h"
#include "crumb/privacy/place.h"

#include <unistd.h>

#define FILE_OF_BUILD                                                                              \
	"build/country.mmdb" /* made by make, with networks for documentation in it                \
			      */

static struct buf whole(const char *path)
{
	struct buf b = {0};
	assert_int_equal(file_read(path, 64 << 20, &b), OK);
	return b;
}

static struct place find(struct place_db *db, const char *address)
{
	struct network n;
	assert_true(network_parse(str_c(address), &n));
	return place_db_find(db, &n);
}

TEST(a_network_has_a_country_or_none)
{
	struct place_db *db;
	if (access(FILE_OF_BUILD, R_OK) != 0)
		skip();
	assert_int_equal(place_db_open(FILE_OF_BUILD, &db), OK);
	struct place p = find(db, "127.0.0.1");
	assert_int_equal(place_country(&p).n, 0);
	p = find(db, "::1");
	assert_int_equal(place_country(&p).n, 0);
	struct network none = {.family = 0};
	p = place_db_find(db, &none);
	assert_int_equal(place_country(&p).n, 0);
	p = place_db_find(NULL, &none);
	assert_int_equal(place_country(&p).n, 0);
	assert_false(place_db_regions(db));
	struct place_db *again = place_db_ref(db);
	place_db_unref(db);
	place_db_unref(again);
	place_db_unref(NULL);
	assert_null(place_db_ref(NULL));
}

TEST(what_is_no_such_file_is_refused)
{
	struct place_db *db = NULL;
	char path[100];
	snprintf(path, sizeof path, "%s/places", folder);
	assert_int_not_equal(place_db_open(path, &db), OK);
	assert_int_equal(place_db_open(folder, &db), ERR_USAGE);
	assert_int_equal(file_replace(path, STR("no places")), OK);
	assert_int_equal(place_db_open(path, &db), ERR_CORRUPT);
	assert_null(db);
}

TEST(a_file_that_was_cut_is_refused_and_one_that_is_damaged_answers_or_is)
{
	struct place_db *db;
	char path[100];
	if (access(FILE_OF_BUILD, R_OK) != 0)
		skip();
	struct buf b = whole(FILE_OF_BUILD);
	snprintf(path, sizeof path, "%s/places", folder);
	assert_int_equal(file_replace(path, str_make(b.p, b.n / 2)), OK);
	assert_int_equal(place_db_open(path, &db), ERR_CORRUPT);
	for (size_t at = 0; at < 3000; at += 331) {
		char was = b.p[at];
		b.p[at] = (char)~was;
		assert_int_equal(file_replace(path, buf_view(&b)), OK);
		if (place_db_open(path, &db) == OK) {
			for (int i = 1; i < 200; i += 7) {
				char address[32];
				snprintf(address, sizeof address, "%d.%d.3.4", i, 255 - i);
				struct place p = find(db, address);
				assert_true(place_country(&p).n == 0 || place_country(&p).n == 2);
			}
			place_db_unref(db);
		}
		b.p[at] = was;
	}
	buf_done(&b);
}

UNIT_TESTS(cmocka_unit_test(a_network_has_a_country_or_none),
    IN_FOLDER(what_is_no_such_file_is_refused),
    IN_FOLDER(a_file_that_was_cut_is_refused_and_one_that_is_damaged_answers_or_is))

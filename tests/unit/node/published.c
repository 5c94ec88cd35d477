/* The history of rules: what a crash leaves between any two steps is whole or not there. */
#include "../folder.h"

#include "crumb/base/clock.h"
#include "crumb/base/file.h"
#include "crumb/load/put.h"
#include "crumb/node/published.h"

#include <jansson.h>

static char rules[160];

static void put(const char *text)
{
	char path[200];
	snprintf(rules, sizeof rules, "%s/rules", folder);
	mkdir(rules, 0700);
	snprintf(path, sizeof path, "%s/a.yaml", rules);
	if (text)
		assert_int_equal(file_replace(path, str_c(text)), OK);
	else
		remove(path);
}

static json_t *publication(const char *before, const char *after, int64_t t)
{
	char a[RULE_FILES_HASH] = "", b[RULE_FILES_HASH] = "";
	if (before)
		rule_file_hash(str_c(before), a);
	if (after)
		rule_file_hash(str_c(after), b);
	return json_pack("{s:I,s:s,s:s,s:s,s:s,s:[],s:n}", "t", (json_int_t)t, "who", "anna",
	    "file", "a.yaml", "file_before", a, "file_after", b, "segments", "undoes");
}

/* Begins a publication, and ends it unless a crash comes before. */
static unsigned publish(const char *before, const char *after, int64_t t, bool done)
{
	json_t *j = publication(before, after, t);
	unsigned n = 0;
	struct str was = before ? str_c(before) : (struct str){NULL, 0};
	assert_int_equal(published_begin(folder, j, was, STR("a patch"), &n), OK);
	if (done)
		assert_int_equal(published_done(folder, n, j), OK);
	json_decref(j);
	return n;
}

static size_t how_many(void)
{
	json_t *list = published_list(folder, 0);
	size_t n = json_array_size(list);
	json_decref(list);
	return n;
}

static bool is_there(const char *name)
{
	char path[200];
	struct stat st;
	snprintf(path, sizeof path, "%s/rules-history/%s", folder, name);
	return stat(path, &st) == 0;
}

TEST(a_publication_is_read_as_it_was_written)
{
	struct buf b = {0};
	bool there = false;
	assert_int_equal(published_newest(folder), 0);
	assert_int_equal(publish("one", "two", 7, true), 1);
	assert_int_equal(publish(NULL, "one", 8, true), 2);
	assert_int_equal(published_newest(folder), 2);
	assert_int_equal(published_before(folder, 1, &b, &there), OK);
	assert_true(there && str_eq(buf_view(&b), STR("one")));
	buf_clear(&b);
	assert_int_equal(published_before(folder, 2, &b, &there), OK);
	assert_false(there);
	assert_int_equal(published_patch(folder, 2, &b), OK);
	assert_true(str_eq(buf_view(&b), STR("a patch")));
	assert_int_equal(published_patch(folder, 3, &b), ERR_NOT_FOUND);
	json_t *list = published_list(folder, 0), *newest = json_array_get(list, 0);
	assert_int_equal(json_integer_value(json_object_get(newest, "n")), 2);
	assert_string_equal(json_string_value(json_object_get(newest, "who")), "anna");
	assert_null(json_object_get(newest, "file_before"));
	json_decref(list);
	buf_done(&b);
}

TEST(a_long_history_is_read_in_pieces)
{
	for (int i = 0; i < PUBLISHED_TOLD + 5; i++)
		publish("one", "two", 7, true);
	json_t *list = published_list(folder, 0), *rest = published_list(folder, 6);
	assert_int_equal(json_array_size(list), PUBLISHED_TOLD);
	assert_int_equal(
	    json_integer_value(json_object_get(json_array_get(list, PUBLISHED_TOLD - 1), "n")), 6);
	assert_int_equal(json_array_size(rest), 5);
	json_decref(list), json_decref(rest);
}

TEST(a_crash_before_the_file_was_replaced_leaves_nothing)
{
	put("one");
	publish("one", "two", 7, false);
	published_recover(folder, rules);
	assert_int_equal(how_many(), 0);
	assert_false(is_there("00000001.before") || is_there("00000001.patch"));
	put(NULL);
	publish(NULL, "two", 7, false);
	published_recover(folder, rules);
	assert_int_equal(how_many(), 0);
}

TEST(a_crash_behind_it_leaves_all_of_it)
{
	put("two");
	publish("one", "two", 7, false);
	published_recover(folder, rules);
	assert_int_equal(how_many(), 1);
	put("one");
	published_recover(folder, rules); /* what is done stays done */
	assert_int_equal(how_many(), 1);
}

TEST(what_belongs_to_nothing_is_removed)
{
	char path[200];
	put("one");
	publish("one", "two", 7, true);
	snprintf(path, sizeof path, "%s/rules-history/00000001.json", folder);
	assert_int_equal(remove(path), 0);
	published_recover(folder, rules);
	assert_false(is_there("00000001.before") || is_there("00000001.patch"));
}

TEST(what_is_damaged_is_passed_over)
{
	char path[200];
	publish("one", "two", 7, true);
	publish("two", "three", 8, true);
	snprintf(path, sizeof path, "%s/rules-history/00000001.json", folder);
	assert_int_equal(file_replace(path, STR("{")), OK);
	assert_int_equal(how_many(), 1);
	published_prune(folder, 9);
	assert_int_equal(how_many(), 1);
}

TEST(what_is_older_than_ninety_days_goes_but_not_the_newest)
{
	for (int i = 0; i < 4; i++)
		publish("one", "two", 20000 * DAY_S + 30 * DAY_S * i, true);
	published_prune(folder, 20000 * DAY_S + 91 * DAY_S);
	assert_int_equal(how_many(), 3);
	published_prune(folder, 20000 * DAY_S + 400 * DAY_S);
	assert_int_equal(how_many(), 1);
	assert_int_equal(published_newest(folder), 4);
	assert_false(is_there("00000003.before"));
}

UNIT_TESTS(IN_FOLDER(a_publication_is_read_as_it_was_written),
    IN_FOLDER(a_long_history_is_read_in_pieces),
    IN_FOLDER(a_crash_before_the_file_was_replaced_leaves_nothing),
    IN_FOLDER(a_crash_behind_it_leaves_all_of_it), IN_FOLDER(what_belongs_to_nothing_is_removed),
    IN_FOLDER(what_is_damaged_is_passed_over),
    IN_FOLDER(what_is_older_than_ninety_days_goes_but_not_the_newest))

/* ingest/import: lines of a file, and what becomes of each. */
#include "stored.h"

#include "crumb/base/clock.h"
#include "crumb/ingest/ingest.h"

static struct config config;
static struct store *store;
static struct ingest ingest;
static uint32_t now;

static int begin(void **state)
{
	if (make_folder(state) != 0)
		return -1;
	store = open_store(&config);
	now = clock_now();
	return ingest_init(&ingest, &config, store, NULL) != OK;
}

static int end(void **state)
{
	ingest_done(&ingest);
	close_store(store, &config);
	return drop_folder(state);
}
#define IMPORTING(name) cmocka_unit_test_setup_teardown(name, begin, end)

static struct import_totals import(const char *lines, uint32_t *records)
{
	struct import_totals t = {.read = 0};
	struct batch b;
	batch_init(&b, store->shards, NULL, NULL);
	import_lines(&ingest, str_c(lines), now, &b, &t);
	if (records)
		*records = b.count;
	batch_done(&b);
	return t;
}

TEST(each_line_is_counted_by_what_became_of_it)
{
	char lines[2000];
	uint32_t records;
	snprintf(lines, sizeof lines,
	    "{\"id\":\"v1\",\"t\":%u,\"e\":\"view\",\"u\":\"https://a.example/x\"}\n"
	    "\n"
	    "no json\n"
	    "{\"t\":%u,\"e\":\"view\",\"u\":\"https://a.example/x\"}\n"
	    "{\"id\":\"v1\",\"t\":%u,\"e\":\"view\"}\n"
	    "{\"id\":\"v1\",\"t\":%u,\"e\":\"view\"}\n"
	    "{\"id\":\"v1\",\"t\":\"yesterday\",\"e\":\"view\"}\n"
	    "  {\"id\":\"v2\",\"e\":\"view\",\"u\":\"https://a.example/y\"}  ",
	    now - 10, now - 10, now + 3600, now - 90 * (uint32_t)DAY_S);
	struct import_totals t = import(lines, &records);
	assert_true(t.read == 7 && t.accepted == 2 && records == 2);
	assert_true(t.refused_json == 2 && t.refused_id == 1 && t.refused_future == 1 &&
		    t.refused_old == 1);
	assert_int_equal(t.first.n, 5);
	assert_true(t.first.at[0].line == 3 && strcmp(t.first.at[0].why, "json") == 0);
	assert_true(t.first.at[1].line == 4 && strcmp(t.first.at[1].why, "id") == 0);
	assert_true(t.first.at[2].line == 5 && strcmp(t.first.at[2].why, "future") == 0);
	assert_true(t.first.at[3].line == 6 && strcmp(t.first.at[3].why, "old") == 0);
}

TEST(ids_that_many_have_are_nobody)
{
	static const char *const none[] = {
	    "undefined", "null", "00000000-0000-0000-0000-000000000000", ""};
	char line[200];
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		snprintf(line, sizeof line,
		    "{\"id\":\"%s\",\"e\":\"view\",\"u\":\"https://a.example/\"}", none[i]);
		assert_int_equal(import(line, NULL).refused_id, 1);
	}
}

TEST(who_said_no_or_was_erased_is_refused)
{
	struct identity_keys keys;
	struct import_totals t = import(
	    "{\"id\":\"v1\",\"e\":\"view\",\"u\":\"https://a.example/\",\"us_privacy\":\"1YYN\"}",
	    NULL);
	assert_int_equal(t.refused_consent, 1);
	assert_int_equal(keys_identity(store->keys, day_of(now), &keys), OK);
	struct vkey k = imported_visitor(&keys, STR("v1"));
	assert_int_equal(erased_add(store->erased, &k, 1, day_of(now)), OK);
	erased_settle(store->erased, &k, 1, true);
	t = import("{\"id\":\"v1\",\"e\":\"view\",\"u\":\"https://a.example/"
		   "\"}\n{\"id\":\"v2\",\"e\":\"view\",\"u\":\"https://a.example/\"}",
	    NULL);
	assert_true(t.refused_id == 1 && t.accepted == 1);
}

TEST(only_the_first_refused_lines_are_shown)
{
	struct import_totals t = import("x\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\n", NULL);
	assert_int_equal(t.refused_json, 12);
	assert_int_equal(t.first.n, REFUSED_SHOWN);
	assert_int_equal(t.first.at[REFUSED_SHOWN - 1].line, REFUSED_SHOWN);
}

UNIT_TESTS(IMPORTING(each_line_is_counted_by_what_became_of_it),
    IMPORTING(ids_that_many_have_are_nobody), IMPORTING(who_said_no_or_was_erased_is_refused),
    IMPORTING(only_the_first_refused_lines_are_shown))

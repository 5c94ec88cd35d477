/* A clock is in doubt by what the store knows, and is believed again. */
#include "folder.h"

#include "crumb/base/clock.h"
#include "crumb/node/node.h"

static struct config config;

static int setup(void **state)
{
	char option[128];
	clock_set_offset(0);
	clock_confirm();
	if (make_folder(state) != 0 || config_init(&config) != OK)
		return -1;
	snprintf(option, sizeof option, "store.path=%s/store", folder);
	return config_set(&config, option) != OK || config_set(&config, "store.shards=1") != OK;
}

static int teardown(void **state)
{
	config_done(&config);
	clock_set_offset(0);
	return drop_folder(state);
}

static void begin(struct watch *w, struct store **s, int64_t days)
{
	clock_set_offset(days * DAY_S);
	assert_int_equal(store_open(&config, STORE_WRITE, s), OK);
	watch_start(w, *s, NODE_CLOCK_JUDGED);
}

static enum doubt doubt_at(struct watch *w, int64_t days)
{
	clock_set_offset(days * DAY_S);
	watch_look(w);
	assert_int_equal(clock_jumped(), w->doubt != DOUBT_NONE);
	assert_int_equal(clock_now() < clock_floor(), watch_refuses(w));
	return w->doubt;
}

TEST(a_clock_is_in_doubt_by_what_the_store_knows)
{
	struct store *s;
	struct watch w;
	char why[400];
	begin(&w, &s, 0);
	assert_int_equal(
	    w.doubt, DOUBT_NONE); /* an empty store knows nothing, and from then on today */
	store_close(s);
	const struct {
		int64_t days;
		enum doubt doubt;
	} cases[] = {{0, DOUBT_NONE}, {-1, DOUBT_NONE}, {-2, DOUBT_BEHIND}, {-400, DOUBT_BEHIND},
	    {31, DOUBT_AHEAD}, {91, DOUBT_AHEAD}, {-15000, DOUBT_UNSET}, {30, DOUBT_NONE}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin(&w, &s, cases[i].days);
		assert_int_equal(doubt_at(&w, cases[i].days), cases[i].doubt);
		assert_int_equal(watch_tell(&w, why, sizeof why), cases[i].doubt != DOUBT_NONE);
		store_close(s);
	}
	begin(&w, &s, 60); /* from the 30th day on, which was believed */
	assert_int_equal(w.doubt, DOUBT_NONE);
	store_close(s);
}

TEST(a_clock_that_is_set_right_is_believed_again)
{
	struct store *s;
	struct watch w;
	begin(&w, &s, 0);
	const int64_t wrong[] = {91, -91, -15000};
	for (int i = 0; i < 3; i++) {
		assert_int_not_equal(doubt_at(&w, wrong[i]), DOUBT_NONE);
		assert_int_equal(doubt_at(&w, 1), DOUBT_NONE);
	}
	store_close(s);
}

TEST(a_confirmed_clock_stays_confirmed)
{
	struct store *s;
	struct watch w;
	begin(&w, &s, 0);
	store_close(s);
	const int64_t days[] = {91, 0, -500};
	for (int i = 0; i < 3; i++) {
		begin(&w, &s, days[i]);
		assert_int_not_equal(w.doubt, DOUBT_NONE);
		assert_int_equal(watch_confirm(&w), OK);
		assert_int_equal(w.doubt, DOUBT_NONE);
		assert_false(clock_jumped());
		store_close(s);
		begin(&w, &s, days[i]);
		assert_int_equal(w.doubt, DOUBT_NONE);
		store_close(s);
	}
	begin(&w, &s, -15000);
	assert_int_equal(watch_confirm(&w), ERR_USAGE);
	store_close(s);
}

TEST(what_stands_in_seen_may_be_anything)
{
	struct store *s;
	struct watch w;
	char path[4096];
	const char *const texts[] = {"", "\n", "x", "2026-02-31\n", "2026-11-26 \n",
	    "2026-11-26 x\n", "2026-11-26", "2026-11-26 2026-12-26 2027-01-01 and much more\n"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		begin(&w, &s, 0);
		snprintf(path, sizeof path, "%s/seen", s->path);
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		fputs(texts[i], f);
		fclose(f);
		store_close(s);
		begin(&w, &s, 0);
		assert_true(w.seen.ahead == 0 || w.seen.day != 0);
		store_close(s);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

UNIT_TESTS(CASE(a_clock_is_in_doubt_by_what_the_store_knows),
    CASE(a_clock_that_is_set_right_is_believed_again), CASE(a_confirmed_clock_stays_confirmed),
    CASE(what_stands_in_seen_may_be_anything))

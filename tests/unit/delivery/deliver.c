/* delivery/deliver: a delivery is made, goes on, is replaced, and given up. */
#include "folded.h"

#include "crumb/base/file.h"
#include "crumb/delivery/deliver.h"
#include "crumb/partners/format.h"

#include <unistd.h>

static struct folded *world;
static struct destination lake;
static struct destinations all;
static char there[100], path[4200];
static uint32_t now;

static int begin(void **state)
{
	if (make_medium(state) != 0)
		return -1;
	world = open_folded(SHOP);
	snprintf(there, sizeof there, "%s/there", folder);
	lake = (struct destination){.id = (char *)(uintptr_t) "lake",
	    .format = &format_csv,
	    .way = &way_directory,
	    .where = str_c(there),
	    .partner = -1,
	    .timeout_s = 5};
	all = (struct destinations){.list = &lake, .n = 1, .found = true};
	now = NOON;
	return config_set(&world->c, "privacy.k=20") != OK;
}

static int end(void **state)
{
	close_folded(world);
	return drop_medium(state);
}
#define DELIVERING(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void keen(uint8_t from, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		look(world, (uint8_t)(from + i), now, "/coats");
		look(world, (uint8_t)(from + i), now, "/coats");
	}
	fold(world, now);
}

static struct deliver_wish wish(enum deliver_mode mode)
{
	return (struct deliver_wish){
	    .plan = {.g = world->g, .config = &world->c, .all = &all, .d = &lake, .now = now},
	    .mode = mode};
}

static struct delivery delivered(enum deliver_mode mode)
{
	struct deliver_wish w = wish(mode);
	struct delivery d;
	assert_int_equal(deliver(&w, &d), OK);
	delivery_done(&d);
	return d;
}

static bool is_there(const char *name)
{
	snprintf(path, sizeof path, "%s/%s", there, name);
	return access(path, F_OK) == 0;
}

static const char *in_box(const char *name)
{
	snprintf(path, sizeof path, "%s/exports/lake/%s", world->s->path, name);
	return path;
}

/* Nobody listens there: what goes there waits. */
static void nobody_listens(void)
{
	lake.way = &way_https;
	lake.where = STR("http://127.0.0.1:1/");
	lake.retries = 5;
}

TEST(the_first_is_whole_and_then_come_changes_and_then_nothing)
{
	keen(1, 25);
	struct delivery d = delivered(DELIVER_AUTO);
	assert_true(d.state == DELIVERY_DONE && d.extent == FORMAT_FULL && d.adds == 25 && d.files == 1);
	assert_int_equal(strncmp(d.id, "lake-full-", 10), 0);
	char name[200];
	snprintf(name, sizeof name, "%s.manifest.json", d.id);
	assert_true(is_there(name));
	keen(50, 2);
	d = delivered(DELIVER_AUTO);
	assert_true(d.state == DELIVERY_DONE && d.extent == FORMAT_DELTA && d.adds == 2);
	assert_int_equal(strncmp(d.id, "lake-delta-", 11), 0);
	d = delivered(DELIVER_AUTO);
	assert_int_equal(d.state, DELIVERY_NOTHING);
	d = delivered(DELIVER_FULL);
	assert_true(d.extent == FORMAT_FULL && d.adds == 27);
}

TEST(deliveries_of_one_second_have_names_of_their_own)
{
	char first[128];
	keen(1, 25);
	struct delivery d = delivered(DELIVER_FULL);
	snprintf(first, sizeof first, "%s", d.id);
	d = delivered(DELIVER_FULL);
	assert_string_not_equal(d.id, first);
	snprintf(first, sizeof first, "%s", d.id);
	assert_int_equal(file_replace(in_box("made"), STR("no time")), OK);
	d = delivered(DELIVER_FULL); /* the log knows, too */
	snprintf(path, sizeof path, "lake-full-%u", now + 2);
	assert_string_equal(d.id, path);
}

TEST(a_destination_that_does_not_say_where_needs_a_folder)
{
	struct delivery d;
	keen(1, 25);
	lake.where = STR("");
	struct deliver_wish w = wish(DELIVER_AUTO);
	assert_int_equal(deliver(&w, &d), ERR_USAGE);
	assert_non_null(strstr(err_text(), "does not say where it goes"));
	w.folder = there;
	assert_int_equal(deliver(&w, &d), OK);
	assert_int_equal(d.state, DELIVERY_DONE);
	delivery_done(&d);
}

TEST(what_waits_goes_on_under_its_name_and_is_followed_by_what_changed)
{
	char first[128];
	keen(1, 25);
	nobody_listens();
	struct delivery d = delivered(DELIVER_AUTO);
	assert_int_equal(d.state, DELIVERY_WAITS);
	assert_int_equal(d.next_try, now + 60);
	assert_int_equal(deliver_next_try(world->s->path, "lake", now), now + 60);
	snprintf(first, sizeof first, "%s", d.id);
	d = delivered(DELIVER_AUTO);
	assert_string_equal(d.id, first);
	assert_int_equal(d.attempts, 2);
}

TEST(what_is_left_of_another_day_is_replaced_by_a_new_one)
{
	char first[128];
	keen(1, 25);
	nobody_listens();
	struct delivery d = delivered(DELIVER_AUTO);
	snprintf(first, sizeof first, "%s", d.id);
	now += DAY_S;
	fold(world, now);
	lake.way = &way_directory;
	lake.where = str_c(there);
	d = delivered(DELIVER_AUTO);
	assert_string_not_equal(d.id, first);
	assert_true(d.state == DELIVERY_DONE && d.adds == 25);
	struct buf log = {0};
	assert_int_equal(file_read(in_box("log"), 1 << 20, &log), OK);
	assert_true(str_has(buf_view(&log), STR("\"state\":\"replaced\"")));
	buf_done(&log);
}

TEST(who_is_patient_leaves_alone_what_waits)
{
	keen(1, 25);
	nobody_listens();
	(void)delivered(DELIVER_AUTO);
	struct deliver_wish w = wish(DELIVER_AUTO);
	struct delivery d;
	w.patient = true;
	assert_int_equal(deliver(&w, &d), OK);
	assert_int_equal(d.state, DELIVERY_WAITS);
	assert_int_equal(d.attempts, 1);
	delivery_done(&d);
}

TEST(the_night_gives_up_what_has_waited_for_a_week)
{
	keen(1, 25);
	nobody_listens();
	(void)delivered(DELIVER_AUTO);
	now += 7 * DAY_S;
	struct deliver_wish w = wish(DELIVER_AUTO);
	assert_int_equal(deliver_tend(&w.plan), OK);
	assert_int_equal(access(in_box("pending"), F_OK), 0);
	w.plan.now += DAY_S;
	assert_int_equal(deliver_tend(&w.plan), OK);
	assert_int_not_equal(access(in_box("pending"), F_OK), 0);
	assert_int_equal(access(in_box("dead"), F_OK), 0);
}

TEST(what_was_given_up_is_kept_for_a_week)
{
	char dead[100];
	keen(1, 25);
	(void)delivered(DELIVER_AUTO);
	snprintf(dead, sizeof dead, "dead/lake-full-%u", now);
	assert_int_equal(folder_make(in_box(dead), 0700), OK);
	now += 7 * DAY_S;
	struct deliver_wish w = wish(DELIVER_AUTO);
	assert_int_equal(deliver_tend(&w.plan), OK);
	assert_int_equal(access(in_box(dead), F_OK), 0);
	w.plan.now++;
	assert_int_equal(deliver_tend(&w.plan), OK);
	assert_int_not_equal(access(in_box(dead), F_OK), 0);
}

UNIT_TESTS(DELIVERING(the_first_is_whole_and_then_come_changes_and_then_nothing),
    DELIVERING(deliveries_of_one_second_have_names_of_their_own),
    DELIVERING(a_destination_that_does_not_say_where_needs_a_folder),
    DELIVERING(what_waits_goes_on_under_its_name_and_is_followed_by_what_changed),
    DELIVERING(what_is_left_of_another_day_is_replaced_by_a_new_one),
    DELIVERING(who_is_patient_leaves_alone_what_waits),
    DELIVERING(the_night_gives_up_what_has_waited_for_a_week),
    DELIVERING(what_was_given_up_is_kept_for_a_week))

/* delivery/differ: what there is to say to a destination, row by row of its table, from delivery to
 * delivery. */
#include "folded.h"

#include "crumb/base/file.h"
#include "crumb/delivery/plan.h"
#include "crumb/partners/format.h"

#define K 20

static struct folded *world;
static struct destination lake;
static struct destinations all;
static char held[100], rows[100], outbox[100];
static uint32_t now;
static unsigned delivery;
static bool refusing; /* the destination takes the file, and refuses every id of it */

static int begin(void **state)
{
	if (make_medium(state) != 0)
		return -1;
	world = open_folded(SHOP);
	lake = (struct destination){.id = (char *)(uintptr_t) "lake",
	    .format = &format_csv,
	    .way = &way_directory,
	    .partner = -1};
	all = (struct destinations){.list = &lake, .n = 1, .found = true};
	snprintf(held, sizeof held, "%s/held", folder);
	snprintf(rows, sizeof rows, "%s/rows", folder);
	now = NOON;
	delivery = 0;
	refusing = false;
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

static void leave(uint8_t who)
{
	erase(world, who, now);
	fold(world, now);
}

/* One delivery, which the destination takes or not; what it says, as "add 3 remove 1". The rows are
 * counted in the file itself. */
static const char *deliver_it(enum format_extent extent, bool taken)
{
	static char text[60];
	struct plan_wish w = {.g = world->g,
	    .config = &world->c,
	    .all = &all,
	    .d = &lake,
	    .now = now,
	    .extent = extent};
	struct plan_result r;
	struct package *p;
	unsigned files, adds = 0, removes = 0;
	struct map refused = {NULL, 0, 0};
	char keys[64][64];
	unsigned keys_n = 0;
	snprintf(outbox, sizeof outbox, "%s/out-%u", folder, delivery++);
	assert_int_equal(mkdir(outbox, 0700), 0);
	assert_int_equal(package_begin(&lake, outbox, extent, STR("d"), now, now, &p), OK);
	assert_int_equal(plan_write(&w, held, rows, p, &r), OK);
	assert_int_equal(package_end(p), OK);
	const struct format_file *f = package_files(p, &files);
	for (unsigned i = 0; i < files; i++) {
		char path[500];
		struct buf b = {0};
		snprintf(path, sizeof path, "%s/%s", outbox, f[i].name);
		assert_int_equal(file_read(path, 1 << 20, &b), OK);
		struct str rest = buf_view(&b), line;
		while (str_cut(&rest, '\n', &line)) {
			adds += str_has(line, STR(",add"));
			removes += str_has(line, STR(",remove"));
			if (!refusing || !str_has(line, STR(",keen")))
				continue;
			assert_true(keys_n < 64);
			char *key = keys[keys_n++];
			snprintf(key, sizeof keys[0], "%.32s\t*\t%u", line.p, i);
			assert_true(map_put(&refused, str_c(key), 1));
		}
		buf_done(&b);
	}
	assert_int_equal(adds, r.adds);
	assert_int_equal(removes, r.removes);
	bool acked[1] = {taken};
	unsigned sent[1] = {1};
	struct plan_ack a = {
	    .acked = acked, .files = files, .refused = &refused, .sent = sent, .day = day_of(now)};
	if (files)
		assert_int_equal(plan_confirm(held, rows, &a), OK);
	plan_done(&r);
	package_free(p);
	map_done(&refused);
	snprintf(text, sizeof text, "add %u remove %u", adds, removes);
	return text;
}

/* Between two deliveries: nothing is said, and the ledger takes note of who is no member. */
static void take_note(void)
{
	struct plan_wish w = {
	    .g = world->g, .config = &world->c, .all = &all, .d = &lake, .now = now};
	struct plan_result r;
	assert_int_equal(plan_write(&w, held, NULL, NULL, &r), OK);
	plan_done(&r);
}

TEST(who_is_new_is_added_once_and_who_left_is_removed_once)
{
	keen(1, 25);
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 25 remove 0");
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 0 remove 0");
	keen(50, 2);
	leave(1);
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 2 remove 1");
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 0 remove 0");
}

TEST(what_nobody_acknowledged_is_said_again)
{
	keen(1, 25);
	assert_string_equal(deliver_it(FORMAT_DELTA, false), "add 25 remove 0");
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 25 remove 0"); /* perhaps there */
	leave(1);
	assert_string_equal(deliver_it(FORMAT_DELTA, false), "add 0 remove 1");
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 0 remove 1");
}

TEST(a_full_delivery_says_all_that_holds)
{
	keen(1, 25);
	(void)deliver_it(FORMAT_DELTA, true);
	leave(1);
	assert_string_equal(deliver_it(FORMAT_FULL, true), "add 24 remove 1");
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 0 remove 0");
}

TEST(below_k_nobody_is_added_and_removals_go_out)
{
	keen(1, K - 1);
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 0 remove 0");
	keen(50, 1);
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 20 remove 0");
	for (uint8_t i = 1; i < 6; i++)
		leave(i);
	keen(60, 2);
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 0 remove 5"); /* 17 are left */
}

TEST(who_leaves_by_time_is_forgotten_by_the_partner_where_rows_say_their_end)
{
	keen(1, 25);
	(void)deliver_it(FORMAT_DELTA, true);
	now += 7 * DAY_S;
	fold(world, now);
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 0 remove 0");
	keen(1, 25);
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 25 remove 0"); /* they are back */
}

TEST(a_row_that_lives_longer_is_told_anew_before_it_ends)
{
	keen(1, 25);
	(void)deliver_it(FORMAT_DELTA, true);
	now += 2 * DAY_S;
	for (uint8_t i = 1; i <= 25; i++) {
		look(world, i, now, "/coats");
		look(world, i, now, "/coats");
	}
	fold(world, now);
	assert_string_equal(
	    deliver_it(FORMAT_DELTA, true), "add 0 remove 0"); /* in time: not yet */
	now += 3 * DAY_S;
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 25 remove 0");
}

TEST(a_segment_that_does_not_go_there_any_more_is_taken_back)
{
	keen(1, 25);
	(void)deliver_it(FORMAT_DELTA, true);
	struct segment *s = &world->g->rules->segments[rules_segment(world->g->rules, STR("keen"))];
	unsigned n = s->destinations_n;
	s->destinations_n = 0;
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 0 remove 25");
	s->destinations_n = n;
	s->paused = true; /* nobody is added to one that rests, and who is there is taken back */
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 0 remove 0");
	s->paused = false;
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 25 remove 0");
}

/* The rows were said twice, so the partner may have had them, and then it refused them. */
static void refuse_all_of(uint8_t from, unsigned n)
{
	keen(from, n);
	(void)deliver_it(FORMAT_DELTA, false);
	refusing = true;
	(void)deliver_it(FORMAT_DELTA, true);
	refusing = false;
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 0 remove 0");
}

TEST(who_was_refused_and_is_noted_to_have_left_is_not_asked_for_early)
{
	refuse_all_of(1, 25);
	struct segment *s = &world->g->rules->segments[rules_segment(world->g->rules, STR("keen"))];
	s->paused = true; /* all are out */
	take_note();
	s->paused = false;
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 0 remove 0");
	now += 6 * DAY_S;
	fold(world, now);
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 0 remove 0");
	now += DAY_S;
	keen(1, 25);
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 25 remove 0");
}

TEST(who_was_refused_and_left_is_taken_back)
{
	refuse_all_of(1, 25);
	leave(1);
	take_note();
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 0 remove 1");
}

TEST(a_full_delivery_of_a_small_segment_does_not_forget_when_to_ask_again)
{
	refuse_all_of(1, K + 1);
	leave(1);
	leave(2);
	assert_string_equal(deliver_it(FORMAT_FULL, true), "add 0 remove 2");
	keen(50, 1); /* as many as k again */
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 1 remove 0");
	assert_string_equal(deliver_it(FORMAT_FULL, true), "add 20 remove 0");
}

TEST(a_full_delivery_of_a_small_segment_does_not_forget_what_was_never_taken)
{
	keen(1, K);
	refusing = true;
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 20 remove 0");
	refusing = false;
	leave(1);
	assert_string_equal(deliver_it(FORMAT_FULL, true), "add 0 remove 0");
	keen(50, 1);
	assert_string_equal(deliver_it(FORMAT_DELTA, true), "add 1 remove 0");
}

UNIT_TESTS(DELIVERING(who_is_new_is_added_once_and_who_left_is_removed_once),
    DELIVERING(what_nobody_acknowledged_is_said_again),
    DELIVERING(a_full_delivery_says_all_that_holds),
    DELIVERING(below_k_nobody_is_added_and_removals_go_out),
    DELIVERING(who_leaves_by_time_is_forgotten_by_the_partner_where_rows_say_their_end),
    DELIVERING(a_row_that_lives_longer_is_told_anew_before_it_ends),
    DELIVERING(a_segment_that_does_not_go_there_any_more_is_taken_back),
    DELIVERING(who_was_refused_and_is_noted_to_have_left_is_not_asked_for_early),
    DELIVERING(who_was_refused_and_left_is_taken_back),
    DELIVERING(a_full_delivery_of_a_small_segment_does_not_forget_when_to_ask_again),
    DELIVERING(a_full_delivery_of_a_small_segment_does_not_forget_what_was_never_taken))

/* delivery/stream: who enters and leaves, from a position on, and all anew where that is no more.
 */
#include "folded.h"

#include "crumb/delivery/stream.h"
#include "crumb/partners/format.h"

static struct folded *world;
static struct destination lake;
static struct destinations all;
static char position[2000];

static int begin(void **state)
{
	if (make_medium(state) != 0)
		return -1;
	clock_set_offset(0);
	clock_set_offset((int64_t)NOON - (int64_t)clock_now());
	world = open_folded(SHOP);
	lake = (struct destination){.id = (char *)(uintptr_t) "lake",
	    .format = &format_stream,
	    .way = &way_stream,
	    .partner = -1};
	all = (struct destinations){.list = &lake, .n = 1};
	position[0] = 0;
	world->f->stream_keep_h = 24; /* as the option that is set too late for it */
	return config_set(&world->c, "privacy.k=20") != OK ||
	       config_set(&world->c, "stream.keep_h=24") != OK;
}

static int end(void **state)
{
	close_folded(world);
	clock_set_offset(0);
	return drop_medium(state);
}
#define STREAMING(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* So many visitors look at coats twice, and are keen. */
static void keen(uint8_t from, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		look(world, (uint8_t)(from + i), NOON, "/coats");
		look(world, (uint8_t)(from + i), NOON, "/coats");
	}
	fold(world, NOON);
}

/* What a piece says, as "reset 1 enter 20 leave 0 state 1"; the position behind it is the next
 * one's. */
static const char *piece(void)
{
	static char text[100];
	unsigned n[4] = {0};
	static const char *const kinds[] = {
	    "event: reset\n", "event: enter\n", "event: leave\n", "event: state\n"};
	struct plan_wish w = {
	    .g = world->g, .config = &world->c, .all = &all, .d = &lake, .now = clock_now()};
	struct buf out = {0};
	bool any;
	if (stream_piece(&w, str_c(position), &out, &any) != OK)
		return err_text();
	buf_add(&out, "", 1);
	for (int i = 0; i < 4; i++)
		for (const char *at = out.p; (at = strstr(at, kinds[i])); at++)
			n[i]++;
	const char *id = NULL;
	for (const char *at = out.p; (at = strstr(at, "id: ")); at++)
		if (at == out.p || at[-1] == '\n')
			id = at + 4;
	if (id)
		snprintf(position, sizeof position, "%.*s", (int)strcspn(id, "\n"), id);
	buf_done(&out);
	snprintf(text, sizeof text, "reset %u enter %u leave %u state %u", n[0], n[1], n[2], n[3]);
	return text;
}

TEST(without_a_position_all_that_holds_is_said)
{
	keen(1, 25);
	assert_string_equal(piece(), "reset 1 enter 25 leave 0 state 1");
	assert_string_equal(piece(), "reset 0 enter 0 leave 0 state 0"); /* nothing is new */
}

TEST(changes_follow_and_each_is_what_holds_now)
{
	keen(1, 25);
	(void)piece();
	keen(50, 3);
	erase(world, 1, NOON);
	fold(world, NOON);
	assert_string_equal(piece(), "reset 0 enter 3 leave 1 state 0");
	keen(60, 1);
	erase(world, 60, NOON);
	fold(world, NOON);
	assert_string_equal(
	    piece(), "reset 0 enter 0 leave 1 state 0"); /* entered and left: it left */
}

TEST(below_k_nobody_is_said_to_enter_and_from_k_on_all_are)
{
	keen(1, 10);
	assert_string_equal(piece(), "reset 1 enter 0 leave 0 state 1");
	keen(20, 5);
	assert_string_equal(piece(), "reset 0 enter 0 leave 0 state 0");
	keen(30, 10);
	assert_string_equal(piece(), "reset 1 enter 25 leave 0 state 1"); /* it opened: all anew */
}

/* So many visitors are keen, and their TC strings consent to these purposes. */
static void keen_with(uint8_t from, unsigned n, uint16_t purposes)
{
	for (unsigned i = 0; i < 2 * n; i++) {
		struct event e = {.visitor = visitor((uint8_t)(from + i / 2)),
		    .t = NOON,
		    .name = STR("view"),
		    .host = STR("shop.example"),
		    .path = STR("/coats"),
		    .purposes = purposes};
		commit_event(world, &e);
	}
	fold(world, NOON);
}

TEST(whom_purposes_leave_out_does_not_count_for_k)
{
	lake.purposes = 1 << 3;
	keen_with(1, 19, 1 << 3);
	keen_with(100, 60, 1 << 0);
	assert_string_equal(piece(), "reset 1 enter 0 leave 0 state 1");
	keen_with(50, 1, 1 << 3);
	assert_string_equal(piece(), "reset 1 enter 20 leave 0 state 1");
}

TEST(whom_a_split_holds_out_does_not_count_for_k)
{
	world->g->rules->segments[0].target = 50;
	keen(1, 25); /* some twelve of them could be told */
	assert_string_equal(piece(), "reset 1 enter 0 leave 0 state 1");
}

TEST(a_position_that_is_too_old_or_of_other_rules_begins_anew)
{
	keen(1, 25);
	(void)piece();
	clock_set_offset(clock_offset() + 200 * 3600); /* longer than stream.keep_h */
	look(world, 1, clock_now(), "/");
	fold(world, clock_now());
	assert_memory_equal(piece(), "reset 1", 7);
	snprintf(position, sizeof position, "1.00000000.%u.1.0", NOON);
	assert_memory_equal(piece(), "reset 1", 7);
}

TEST(what_is_no_position_is_refused)
{
	static const char *const none[] = {"x", "1", "1.2.3.4", "1.12345678.x.1.0",
	    "1.12345678.1.g.0", "1.12345678.1.1.0,0", "1.12345678.1.1.0.0",
	    "99999999999.12345678.1.1.0"};
	keen(1, 25);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		snprintf(position, sizeof position, "%s", none[i]);
		if (strcmp(piece(), "this is no position of a stream") != 0)
			fail_msg("'%s' is taken", none[i]);
	}
	position[0] = 0;
	lake.way = &way_directory;
	assert_string_equal(piece(), "destination 'lake' is no stream");
}

UNIT_TESTS(STREAMING(without_a_position_all_that_holds_is_said),
    STREAMING(changes_follow_and_each_is_what_holds_now),
    STREAMING(below_k_nobody_is_said_to_enter_and_from_k_on_all_are),
    STREAMING(whom_purposes_leave_out_does_not_count_for_k),
    STREAMING(whom_a_split_holds_out_does_not_count_for_k),
    STREAMING(a_position_that_is_too_old_or_of_other_rules_begins_anew),
    STREAMING(what_is_no_position_is_refused))

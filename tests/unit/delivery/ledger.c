/* delivery/ledger: a damaged ledger is set aside and made anew, so that nothing that the partner
 * may hold is forgotten. */
#include "folder.h"
#include "said.h"

#include "src/delivery/ledger.h"
#include "src/delivery/pending.h"

#include "crumb/base/file.h"
#include "crumb/base/memory.h"
#include "crumb/delivery/held.h"

#include <unistd.h>

static struct outbox box;

static int begin(void **state)
{
	memory_begin();
	if (make_folder(state) != 0 || said_begin() != 0)
		return -1;
	return outbox_open(folder, "lake", 0, &box) != OK;
}

static int end(void **state)
{
	outbox_close(&box);
	return said_end() != 0 || drop_folder(state) != 0;
}
#define BOXED(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct held_segment ours[] = {{"coats", "101"}, {"boots", "102"}},
				 others[] = {{"boots", "102"}, {"hats", "103"}};

static void write_ledger(const char *name, const struct held_segment *names, const char *id,
    uint16_t segment, uint16_t until, uint8_t state)
{
	char path[OUTBOX_PATH];
	struct held_writer *w;
	struct held_item i = {.id_n = (unsigned)strlen(id)};
	outbox_path(&box, name, path);
	memcpy(i.id, id, i.id_n);
	*held_item_add(&i) = (struct held_row){.segment = segment, .until = until, .state = state};
	assert_int_equal(held_create(path, names, 2, &w), OK);
	held_put(w, &i);
	held_item_done(&i);
	assert_int_equal(held_finish(w), OK);
}

static void damage(const char *name)
{
	char path[OUTBOX_PATH];
	outbox_path(&box, name, path);
	assert_int_equal(file_replace(path, STR("this is no ledger")), OK);
}

/* "id:theirs until state", sorted by id; "none" where there is no file. */
static const char *ledger(void)
{
	static char text[500];
	char path[OUTBOX_PATH];
	struct held_reader *r;
	struct held_item i = {.id_n = 0};
	unsigned names;
	size_t n = 0;
	outbox_path(&box, "held", path);
	assert_int_equal(held_open(path, &r), OK);
	text[0] = 0;
	if (!held_exists(r))
		snprintf(text, sizeof text, "none");
	while (held_next(r, &i))
		for (unsigned k = 0; k < i.rows_n; k++)
			n += (size_t)snprintf(text + n, sizeof text - n, "%s%.*s:%s %u %s",
			    n ? ", " : "", (int)i.id_n, i.id,
			    held_segments(r, &names)[i.rows[k].segment].theirs, i.rows[k].until,
			    i.rows[k].state == HELD_MAYBE ? "maybe" : "sure");
	held_item_done(&i);
	held_close(r);
	return text;
}

static bool there(const char *name)
{
	char path[OUTBOX_PATH];
	outbox_path(&box, name, path);
	return access(path, F_OK) == 0;
}

TEST(a_sound_ledger_is_left_as_it_is)
{
	write_ledger("held", ours, "a", 0, 20010, HELD_SURE);
	assert_int_equal(ledger_mend(&box, "lake", 1000), OK);
	assert_string_equal(ledger(), "a:101 20010 sure");
	assert_false(there("dead"));
}

TEST(the_one_before_takes_its_place_and_all_of_it_is_perhaps_there)
{
	write_ledger("held.before", ours, "a", 0, 20010, HELD_SURE);
	damage("held");
	assert_int_equal(ledger_mend(&box, "lake", 1000), OK);
	assert_string_equal(ledger(), "a:101 20010 maybe");
	assert_true(there("dead/ledger-1000") && there("log"));
	assert_non_null(strstr(said(), "The copy before it takes its place"));
}

TEST(what_is_under_way_is_joined_with_it_by_name)
{
	char path[OUTBOX_PATH];
	outbox_path(&box, "pending", path);
	assert_int_equal(mkdir(path, 0700), 0);
	write_ledger("held.before", ours, "a", 1, 20010, HELD_SURE);
	write_ledger(
	    "pending/rows", others, "a", 0, 20030, OP_ADD); /* boots, too: under another number */
	damage("held");
	assert_int_equal(ledger_mend(&box, "lake", 1000), OK);
	assert_string_equal(ledger(), "a:102 20030 maybe");
	write_ledger("held.before", ours, "a", 0, 20010, HELD_SURE);
	write_ledger("pending/rows", others, "b", 1, 20030, OP_REMOVE);
	damage("held");
	assert_int_equal(ledger_mend(&box, "lake", 2000), OK);
	assert_string_equal(ledger(), "a:101 20010 maybe, b:103 20030 maybe");
}

TEST(with_nothing_left_it_is_said_that_the_partners_lists_must_be_emptied)
{
	damage("held");
	damage("held.before");
	assert_int_equal(ledger_mend(&box, "lake", 1000), OK);
	assert_string_equal(ledger(), "none");
	assert_non_null(strstr(said(), "have the partner empty its lists first"));
}

TEST(a_delivery_that_is_damaged_is_set_aside_whole)
{
	char path[OUTBOX_PATH];
	outbox_path(&box, "pending", path);
	assert_int_equal(mkdir(path, 0700), 0);
	damage("pending/manifest");
	assert_int_equal(ledger_drop_pending(&box, "lake", 1000), OK);
	assert_true(!there("pending") && there("dead/damaged-1000/manifest"));
}

UNIT_TESTS(BOXED(a_sound_ledger_is_left_as_it_is),
    BOXED(the_one_before_takes_its_place_and_all_of_it_is_perhaps_there),
    BOXED(what_is_under_way_is_joined_with_it_by_name),
    BOXED(with_nothing_left_it_is_said_that_the_partners_lists_must_be_emptied),
    BOXED(a_delivery_that_is_damaged_is_set_aside_whole))

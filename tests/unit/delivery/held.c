/* delivery/held: what a partner holds of us comes back as it was written, or is told to be damaged.
 */
#include "folder.h"

#include "crumb/base/memory.h"
#include "crumb/delivery/held.h"

#include "starve.h"

#include <unistd.h>

static char path[100];
static const struct held_segment names[] = {{"coats", "101"}, {"boots", "boots"}};

static int begin(void **state)
{
	memory_begin();
	int rc = make_folder(state);
	snprintf(path, sizeof path, "%s/held", folder);
	return rc;
}
#define LEDGER(name) cmocka_unit_test_setup_teardown(name, begin, drop_folder)

static void put(struct held_writer *w, const char *id, unsigned rows)
{
	struct held_item i = {.id_n = 0};
	i.id_n = (unsigned)strlen(id);
	memcpy(i.id, id, i.id_n);
	for (unsigned k = 0; k < rows; k++)
		*held_item_add(&i) = (struct held_row){.segment = (uint16_t)k,
		    .until = 20000,
		    .owed = 7,
		    .file = 1u << 20,
		    .state = HELD_MAYBE};
	held_put(w, &i);
	held_item_done(&i);
}

static void write_three(void)
{
	struct held_writer *w;
	assert_int_equal(held_create(path, names, 2, &w), OK);
	put(w, "a", 2);
	put(w, "nobody", 0); /* who has no row is left out */
	put(w, "b", 1);
	put(w, "b1", 1);
	assert_int_equal(held_finish(w), OK);
}

/* The ids with their rows, as "a2 b1", and "!" behind where the file is none. */
static const char *read_all(void)
{
	static char text[200];
	struct held_reader *r;
	struct held_item i = {.id_n = 0};
	size_t n = 0;
	text[0] = 0;
	if (held_open(path, &r) != OK)
		return "!";
	while (held_next(r, &i))
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%.*s:%u", n ? " " : "",
		    (int)i.id_n, i.id, i.rows_n);
	held_item_done(&i);
	held_close(r);
	return text;
}

TEST(what_was_written_comes_back_in_order)
{
	struct held_reader *r;
	struct held_item i = {.id_n = 0};
	unsigned n;
	write_three();
	assert_string_equal(read_all(), "a:2 b:1 b1:1");
	assert_int_equal(held_open(path, &r), OK);
	assert_true(held_exists(r));
	assert_string_equal(held_segments(r, &n)[0].theirs, "101");
	assert_int_equal(n, 2);
	assert_true(held_next(r, &i));
	assert_true(i.rows[1].segment == 1 && i.rows[1].until == 20000 && i.rows[1].owed == 7 &&
		    i.rows[1].file == 1u << 20);
	assert_int_equal(i.rows[1].state, HELD_MAYBE);
	held_item_done(&i);
	held_close(r);
}

TEST(a_file_that_is_not_there_is_empty)
{
	struct held_reader *r;
	struct held_item i = {.id_n = 0};
	unsigned n;
	assert_int_equal(held_open(path, &r), OK);
	assert_false(held_exists(r) || held_next(r, &i));
	assert_true(held_segments(r, &n) == NULL || n == 0);
	held_close(r);
	assert_false(held_next(NULL, &i)); /* as no reader at all is */
}

TEST(each_changed_byte_and_each_cut_is_damage)
{
	static uint8_t whole[1000];
	write_three();
	FILE *f = fopen(path, "rb");
	size_t n = fread(whole, 1, sizeof whole, f);
	fclose(f);
	for (size_t i = 0; i <= n; i++) {
		f = fopen(path, "wb");
		if (i < n)
			whole[i] ^= 0x10;
		fwrite(whole, 1, n - (i == n), f);
		fclose(f);
		assert_string_equal(read_all(), "!");
		if (i < n)
			whole[i] ^= 0x10;
	}
	f = fopen(path, "wb");
	fwrite(whole, 1, n, f);
	fclose(f);
	assert_string_equal(read_all(), "a:2 b:1 b1:1");
}

TEST(what_is_dropped_leaves_what_was_there)
{
	struct held_writer *w;
	char fresh[120];
	write_three();
	assert_int_equal(held_create(path, names, 2, &w), OK);
	put(w, "z", 1);
	held_drop(w);
	assert_string_equal(read_all(), "a:2 b:1 b1:1");
	snprintf(fresh, sizeof fresh, "%s.new", path);
	assert_int_not_equal(access(fresh, F_OK), 0);
}

TEST(without_memory_nothing_is_finished)
{
	struct held_writer *w;
	struct held_item i = {.id_n = 1, .id = "x"};
	write_three();
	assert_int_equal(held_create(path, names, 2, &w), OK);
	starve_after(0);
	for (int k = 0; k < 100; k++)
		(void)held_item_add(&i);
	starve_end();
	assert_int_equal(i.rows_n, 1); /* the spare one */
	held_put(w, &i);
	held_item_done(&i);
	assert_int_equal(held_finish(w), ERR_NOMEM);
	memory_begin();
	assert_string_equal(read_all(), "a:2 b:1 b1:1");
}

TEST(the_ledger_before_is_kept)
{
	struct held_writer *w;
	char kept[120];
	write_three();
	held_keep(path);
	assert_int_equal(held_create(path, names, 2, &w), OK);
	put(w, "z", 1);
	assert_int_equal(held_finish(w), OK);
	assert_string_equal(read_all(), "z:1");
	snprintf(kept, sizeof kept, "%s.before", path);
	assert_int_equal(rename(kept, path), 0);
	assert_string_equal(read_all(), "a:2 b:1 b1:1");
}

TEST(ids_are_in_order_of_their_bytes)
{
	struct held_item a = {.id = "a", .id_n = 1}, ab = {.id = "ab", .id_n = 2},
			 b = {.id = "b", .id_n = 1};
	assert_true(
	    held_compare(&a, &ab) < 0 && held_compare(&ab, &b) < 0 && held_compare(&b, &a) > 0);
	assert_int_equal(held_compare(&a, &a), 0);
}

UNIT_TESTS(LEDGER(what_was_written_comes_back_in_order), LEDGER(a_file_that_is_not_there_is_empty),
    LEDGER(each_changed_byte_and_each_cut_is_damage), LEDGER(what_is_dropped_leaves_what_was_there),
    LEDGER(without_memory_nothing_is_finished), LEDGER(the_ledger_before_is_kept),
    cmocka_unit_test(ids_are_in_order_of_their_bytes))

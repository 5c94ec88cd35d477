/* store/format: the file that says what store it is. */
#include "folder.h"

#include "src/store/store_format.h"

#include "crumb/base/file.h"

static void put(const char *text)
{
	char path[100];
	snprintf(path, sizeof path, "%s/format", folder);
	assert_int_equal(file_replace(path, str_c(text)), OK);
}

static void get(char text[300])
{
	char path[100];
	snprintf(path, sizeof path, "%s/format", folder);
	assert_int_equal(file_read_text(path, text, 300), OK);
}

TEST(what_was_written_is_read)
{
	struct format f = {.there = true,
			  .sealed = true,
			  .shards = 12,
			  .id = {1, 2, 0xff},
			  .serial = 1234567890123u},
		      g;
	char text[300];
	assert_int_equal(format_write(folder, &f), OK);
	assert_int_equal(format_read(folder, &g), OK);
	assert_true(g.there && g.sealed && g.shards == 12 && g.serial == 1234567890123u);
	assert_memory_equal(g.id, f.id, sizeof f.id);
	get(text);
	assert_non_null(
	    strstr(text, "crumb store 1\nshards 12\nid 0102ff00000000000000000000000000\nkeys "
			 "1234567890123\ncheck "));
}

TEST(none_is_none)
{
	struct format f = {.there = true};
	assert_int_equal(format_read(folder, &f), OK);
	assert_false(f.there);
}

TEST(an_older_crumb_wrote_two_lines)
{
	struct format f, g = {.there = true, .shards = 3};
	char text[300];
	put("crumb store 1\nshards 4\n");
	assert_int_equal(format_read(folder, &f), OK);
	assert_true(f.there && !f.sealed && f.shards == 4);
	assert_int_equal(format_write(folder, &g), OK);
	get(text);
	assert_string_equal(text, "crumb store 1\nshards 3\n");
}

TEST(every_changed_byte_is_damage)
{
	struct format f = {.there = true, .sealed = true, .shards = 4, .id = {9}, .serial = 17}, g;
	char text[300];
	assert_int_equal(format_write(folder, &f), OK);
	get(text);
	for (size_t i = 0; text[i]; i++) {
		char was = text[i];
		text[i] = was == '1' ? '2' : '1';
		put(text);
		if (format_read(folder, &g) != ERR_CORRUPT)
			fail_msg("a '%c' at %zu is taken", text[i], i);
		text[i] = was;
	}
	for (size_t n = strlen(text); n-- > 0;) {
		text[n] = 0;
		put(text);
		if (strcmp(text, "crumb store 1\nshards 4\n") != 0) /* as an older one */
			assert_int_equal(format_read(folder, &g), ERR_CORRUPT);
	}
	assert_non_null(strstr(err_text(), "put it back, every backup has it"));
}

TEST(numbers_that_no_store_has_are_damage)
{
	static const char *const wrong[] = {"crumb store 1\nshards 0\n",
	    "crumb store 1\nshards 257\n", "crumb store 1\nshards -1\n",
	    "crumb store 1\nshards 04\n", "crumb store 1\nshards 4\n\n",
	    "crumb store 2\nshards 4\n", ""};
	struct format f;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		put(wrong[i]);
		assert_int_equal(format_read(folder, &f), ERR_CORRUPT);
	}
}

TEST(a_folder_of_that_name_is_told)
{
	struct format f;
	char path[100];
	snprintf(path, sizeof path, "%s/format", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(format_read(folder, &f), ERR_CORRUPT);
	assert_non_null(strstr(err_text(), "is no file"));
}

UNIT_TESTS(IN_FOLDER(what_was_written_is_read), IN_FOLDER(none_is_none),
    IN_FOLDER(an_older_crumb_wrote_two_lines), IN_FOLDER(every_changed_byte_is_damage),
    IN_FOLDER(numbers_that_no_store_has_are_damage), IN_FOLDER(a_folder_of_that_name_is_told))

/* disk/checked: small files whose last line says that the rest is as it was written. */
#include "folder.h"

#include "crumb/base/file.h"
#include "crumb/disk/checked.h"

TEST(what_was_written_is_read_back_without_its_last_line)
{
	struct buf text = {0}, again = {0};
	struct str rest;
	char path[100];
	snprintf(path, sizeof path, "%s/file", folder);
	buf_c(&text, "one\ntwo\n");
	assert_int_equal(checked_write(path, &text), OK);
	assert_true(checked_read(path, 1000, &again));
	assert_int_equal(again.p[again.n], 0);
	assert_true(checked_text(buf_view(&again), &rest));
	assert_true(str_eq(rest, STR("one\ntwo\n")));
	buf_done(&text);
	buf_done(&again);
}

TEST(nothing_is_a_text_too)
{
	struct buf text = {0};
	struct str rest;
	checked_end(&text);
	assert_true(checked_text(buf_view(&text), &rest) && rest.n == 0);
	buf_done(&text);
}

TEST(any_change_and_any_cut_is_seen)
{
	struct buf text = {0};
	struct str rest;
	buf_c(&text, "days 3\n2026-11-23 5\n");
	checked_end(&text);
	for (size_t i = 0; i < text.n; i++) {
		text.p[i] ^= 1;
		assert_false(checked_text(buf_view(&text), &rest));
		text.p[i] ^= 1;
	}
	for (size_t n = 0; n < text.n; n++)
		assert_false(checked_text(str_make(text.p, n), &rest));
	assert_true(checked_text(buf_view(&text), &rest));
	buf_c(&text, "\n");
	assert_false(checked_text(buf_view(&text), &rest));
	buf_done(&text);
}

TEST(what_is_too_long_or_no_file_is_not_read)
{
	struct buf out = {0};
	char path[100];
	snprintf(path, sizeof path, "%s/file", folder);
	assert_false(checked_read(path, 1000, &out));
	assert_int_equal(file_replace(path, STR("0123456789")), OK);
	assert_false(checked_read(path, 9, &out));
	assert_true(checked_read(path, 10, &out) && out.n == 10);
	assert_false(checked_read(folder, 100000, &out));
	buf_done(&out);
}

UNIT_TESTS(IN_FOLDER(what_was_written_is_read_back_without_its_last_line),
    cmocka_unit_test(nothing_is_a_text_too), cmocka_unit_test(any_change_and_any_cut_is_seen),
    IN_FOLDER(what_is_too_long_or_no_file_is_not_read))

/* base/buf: what is written is there, a failure sticks, and secrets are wiped. */
#include "unit.h"

#include "starve.h"

#include "crumb/base/buf.h"

#include <stdio.h>

TEST(what_was_written_is_there_after_it_grew)
{
	struct buf b = {0};
	for (unsigned i = 0; i < 5000; i++)
		buf_addf(&b, "%u,", i);
	struct str rest = buf_view(&b), part;
	for (unsigned i = 0; i < 5000; i++) {
		char want[12];
		snprintf(want, sizeof want, "%u", i);
		assert_true(str_cut(&rest, ',', &part) && str_eq(part, str_c(want)));
	}
	assert_int_equal(rest.n, 0);
	assert_true(b.cap < 2 * b.n); /* it doubles, and no more */
	buf_done(&b);
	assert_true(b.p == NULL && b.n == 0 && b.cap == 0);
}

TEST(a_formatted_text_is_not_cut_where_the_buffer_ended)
{
	struct buf b = {0};
	char long_one[300];
	memset(long_one, 'x', sizeof long_one - 1);
	long_one[sizeof long_one - 1] = 0;
	for (size_t n = 250; n < 260; n++) { /* around the first 256 bytes */
		buf_done(&b);
		buf_addf(&b, "%.*s|%d", (int)n, long_one, 42);
		assert_int_equal(b.n, n + 3);
		assert_memory_equal(b.p + n, "|42", 3);
	}
	buf_done(&b);
}

TEST(nothing_is_added_of_nothing)
{
	struct buf b = {0};
	buf_add(&b, NULL, 0);
	buf_c(&b, "");
	assert_true(b.p == NULL && b.n == 0 && !b.failed);
}

TEST(a_failure_sticks_until_the_buffer_is_cleared)
{
	struct buf b = {0};
	buf_c(&b, "before");
	starve_after(0);
	char more[1000] = {0};
	buf_add(&b, more, sizeof more);
	starve_end();
	assert_true(b.failed);
	assert_true(str_eq(buf_view(&b), STR("before"))); /* and nothing is lost */
	buf_c(&b, "!");
	assert_true(b.failed && b.n == 7);
	buf_clear(&b);
	assert_false(b.failed);
	buf_done(&b);
}

TEST(a_secret_is_gone_where_it_was)
{
	struct buf open_one = {0}, b = BUF_SECRET;
	buf_c(&b, "write key");
	buf_c(&open_one, "write key");
	char *was = b.p;
	buf_clear(&b);
	buf_clear(&open_one);
	assert_ptr_equal(b.p, was); /* its room is used again */
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(was[i], 0);
	assert_memory_equal(
	    open_one.p, "write key", 9); /* what is no secret is not worth the work */
	buf_c(&b, "another");
	buf_wipe(&b);
	assert_memory_equal(b.p, "\0\0\0\0\0\0\0", 7);
	buf_done(&b);
	assert_true(b.secret); /* and the next text in it is one, too */
	buf_done(&open_one);
}

TEST(a_secret_that_grows_comes_along_whole)
{
	struct buf b = BUF_SECRET;
	for (unsigned i = 0; i < 3000; i++)
		buf_add(&b, &(char){(char)('a' + i % 26)}, 1);
	for (unsigned i = 0; i < 3000; i++)
		assert_int_equal(b.p[i], 'a' + i % 26);
	buf_done(&b);
}

UNIT_TESTS(cmocka_unit_test(what_was_written_is_there_after_it_grew),
    cmocka_unit_test(a_formatted_text_is_not_cut_where_the_buffer_ended),
    cmocka_unit_test(nothing_is_added_of_nothing),
    cmocka_unit_test(a_failure_sticks_until_the_buffer_is_cleared),
    cmocka_unit_test(a_secret_is_gone_where_it_was),
    cmocka_unit_test(a_secret_that_grows_comes_along_whole))

/* base/err: what the system says becomes one code and one sentence. */
#include "unit.h"

#include "crumb/base/err.h"
#include "crumb/base/memory.h"

#include <errno.h>

TEST(what_the_system_says_has_a_code)
{
	static const struct {
		int system;
		enum err code, path;
	} all[] = {{ENOSPC, ERR_FULL, ERR_FULL}, {EDQUOT, ERR_FULL, ERR_FULL},
	    {EFBIG, ERR_FULL, ERR_FULL}, {ENOMEM, ERR_NOMEM, ERR_NOMEM},
	    {ENOENT, ERR_IO, ERR_NOT_FOUND}, {EACCES, ERR_IO, ERR_IO}, {EIO, ERR_IO, ERR_IO},
	    {EMFILE, ERR_IO, ERR_IO}};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		errno = all[i].system;
		assert_int_equal(err_sys("it"), all[i].code);
		assert_int_equal(errno, all[i].system); /* whoever asks again hears the same */
		assert_int_equal(err_sys_path("it"), all[i].path);
		assert_int_equal(errno, all[i].system);
	}
}

TEST(the_words_name_what_it_is_about_and_what_the_system_said)
{
	errno = EACCES;
	assert_int_equal(err_sys("%s/lock of %d", "store", 3), ERR_IO);
	assert_string_equal(err_text(), "store/lock of 3: Permission denied");
	errno = ENOENT;
	assert_int_equal(err_sys_path("100%s"), ERR_NOT_FOUND); /* a path is no format */
	assert_string_equal(err_text(), "100%s: No such file or directory");
}

TEST(a_long_path_leaves_room_for_the_reason)
{
	char path[3000];
	memset(path, 'a', sizeof path - 1);
	path[sizeof path - 1] = 0;
	errno = EACCES;
	assert_int_equal(err_sys_path(path), ERR_IO);
	assert_non_null(strstr(err_text(), "aaa: Permission denied"));
	assert_int_equal(err_sys("%s", path), ERR_IO);
	assert_non_null(strstr(err_text(), "aaa: Permission denied"));
}

TEST(a_job_hears_that_the_system_had_no_memory)
{
	memory_begin();
	errno = ENOSPC;
	assert_int_equal(err_sys("it"), ERR_FULL);
	assert_false(memory_short());
	errno = ENOMEM;
	assert_int_equal(err_sys("it"), ERR_NOMEM);
	assert_true(memory_short());
}

UNIT_TESTS(cmocka_unit_test(what_the_system_says_has_a_code),
    cmocka_unit_test(the_words_name_what_it_is_about_and_what_the_system_said),
    cmocka_unit_test(a_long_path_leaves_room_for_the_reason),
    cmocka_unit_test(a_job_hears_that_the_system_had_no_memory))

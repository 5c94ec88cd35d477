/* base/file: a file is read whole, or it is said why not. */
#include "unit.h"

#include "starve.h"

#include "crumb/base/file.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[128];

static void write_file(size_t n)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	for (size_t i = 0; i < n; i++)
		fputc('a' + (int)(i % 26), f);
	assert_int_equal(fclose(f), 0);
}

TEST(a_file_is_read_whole_whatever_its_length)
{
	static const size_t lengths[] = {0, 1, 65535, 65536, 65537, 300001};
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct buf b = {0};
		write_file(lengths[i]);
		buf_c(&b, "before");
		assert_int_equal(file_read(path, 300001, &b), OK);
		assert_int_equal(b.n, lengths[i] + 6);
		assert_memory_equal(b.p, "before", 6);
		for (size_t k = 0; k < lengths[i]; k++)
			assert_int_equal(b.p[6 + k], 'a' + (int)(k % 26));
		buf_done(&b);
	}
}

TEST(a_file_that_is_too_long_is_refused_and_one_that_just_fits_is_not)
{
	struct buf b = {0};
	write_file(65536);
	assert_int_equal(file_read(path, 65536, &b), OK);
	buf_clear(&b);
	assert_int_equal(file_read(path, 65535, &b), ERR_USAGE);
	assert_non_null(strstr(err_text(), "is longer than it can be (65535 bytes)"));
	assert_int_equal(b.n, 0);
	assert_int_equal(file_read(path, 0, &b), ERR_USAGE);
	buf_done(&b);
}

TEST(a_pipe_is_read_until_it_ends)
{
	struct buf b = {0};
	char self[64];
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "one", 3), 3);
	close(ends[1]);
	snprintf(self, sizeof self, "/proc/self/fd/%d", ends[0]);
	assert_int_equal(file_read(self, 100, &b), OK);
	assert_true(str_eq(buf_view(&b), STR("one")));
	close(ends[0]);
	buf_done(&b);
}

TEST(what_is_missing_or_a_folder_is_said)
{
	struct buf b = {0};
	char text[8] = "x";
	char none[160];
	snprintf(none, sizeof none, "%s/none", folder);
	assert_int_equal(file_read(none, 100, &b), ERR_NOT_FOUND);
	assert_non_null(strstr(err_text(), "none: No such file"));
	assert_int_equal(file_read_text(none, text, sizeof text), ERR_NOT_FOUND);
	assert_string_equal(text, "x");
	assert_int_equal(file_read(folder, 100, &b), ERR_IO);
	assert_int_equal(file_read_text(folder, text, sizeof text), ERR_IO);
	assert_int_equal(b.n, 0);
	buf_done(&b);
}

TEST(without_memory_nothing_is_read_and_what_was_there_stays)
{
	struct buf b = {0};
	write_file(200000);
	for (long granted = 0; granted < 4; granted++) {
		buf_clear(&b);
		buf_c(&b, "before");
		starve_after(granted);
		enum err e = file_read(path, 1 << 20, &b);
		starve_end();
		if (e != OK)
			assert_true(e == ERR_NOMEM && b.n == 6 && memcmp(b.p, "before", 6) == 0);
		else
			assert_int_equal(b.n, 200006);
		if (granted == 0)
			assert_int_equal(e, ERR_NOMEM);
		buf_done(&b);
		b = (struct buf){0};
	}
}

TEST(the_beginning_of_a_file_is_a_string)
{
	char text[11];
	write_file(26);
	assert_int_equal(file_read_text(path, text, sizeof text), OK);
	assert_string_equal(text, "abcdefghij");
	write_file(3);
	assert_int_equal(file_read_text(path, text, sizeof text), OK);
	assert_string_equal(text, "abc");
}

static void read_all(const char *to, char *out, size_t cap)
{
	FILE *f = fopen(to, "rb");
	assert_non_null(f);
	out[fread(out, 1, cap - 1, f)] = 0;
	fclose(f);
}

static unsigned entries(const char *own)
{
	unsigned n = 0;
	DIR *d = opendir(own);
	for (struct dirent *f; (f = readdir(d));)
		n += strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0;
	closedir(d);
	return n;
}

TEST(a_copy_is_whole_and_overwrites_nothing)
{
	static const size_t lengths[] = {0, 1, 65536, 65537, 200001};
	char to[140];
	snprintf(to, sizeof to, "%s.copy", path);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct buf was = {0}, is = {0};
		struct stat st;
		uint64_t bytes = 7;
		write_file(lengths[i]);
		assert_int_equal(file_copy(path, to, 0640, &bytes), OK);
		assert_int_equal(bytes, 7 + lengths[i]);
		assert_int_equal(stat(to, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0640);
		assert_int_equal(file_read(path, 1 << 20, &was), OK);
		assert_int_equal(file_read(to, 1 << 20, &is), OK);
		assert_true(str_eq(buf_view(&was), buf_view(&is)));
		assert_int_not_equal(file_copy(path, to, 0640, NULL), OK); /* it is there */
		assert_non_null(strstr(err_text(), to));
		buf_done(&was);
		buf_done(&is);
		assert_int_equal(unlink(to), 0);
	}
	assert_int_not_equal(file_copy(folder, to, 0640, NULL), OK); /* a folder cannot be read */
	assert_non_null(strstr(err_text(), folder));
	assert_null(strstr(err_text(), ".copy"));
	assert_int_equal(unlink(to), 0);
}

TEST(a_new_file_replaces_a_link_and_never_writes_through_one)
{
	char own[] = "/tmp/crumb-file-XXXXXX", to[64], victim[64], old[64], text[64];
	struct file_new n;
	struct stat st;
	assert_non_null(mkdtemp(own));
	snprintf(to, sizeof to, "%s/seg.csv", own);
	snprintf(victim, sizeof victim, "%s/victim", own);
	snprintf(old, sizeof old, "%s/seg.csv.new", own);
	assert_int_equal(file_replace(victim, STR("mine")), OK);
	assert_int_equal(symlink(victim, to), 0);
	assert_int_equal(symlink(victim, old), 0);
	assert_int_equal(file_replace(to, STR("fresh")), OK);
	read_all(victim, text, sizeof text);
	assert_string_equal(text, "mine");
	read_all(to, text, sizeof text);
	assert_string_equal(text, "fresh");
	assert_int_equal(lstat(to, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	/* dropped: as if nothing had been */
	assert_int_equal(file_begin(&n, to, 0644), OK);
	fputs("half", n.file);
	file_drop(&n);
	read_all(to, text, sizeof text);
	assert_string_equal(text, "fresh");
	assert_int_equal(entries(own), 3);
	/* what is no file stays what it is */
	unlink(to);
	assert_int_equal(mkfifo(to, 0600), 0);
	assert_int_equal(file_begin(&n, to, 0644), ERR_USAGE);
	assert_int_equal(file_begin(&n, own, 0644), ERR_USAGE);
	assert_int_equal(file_begin(&n, "", 0644), ERR_USAGE);
	assert_int_equal(file_begin(&n, "/tmp/", 0644), ERR_USAGE);
	assert_int_equal(file_begin(&n, "/dev/stdout", 0644), ERR_USAGE);
	assert_int_equal(file_begin(&n, "/proc/self/fd/1", 0644), ERR_USAGE);
	unlink(to);
	assert_int_equal(symlink("/dev/null", to), 0);
	assert_int_equal(file_begin(&n, to, 0644), ERR_USAGE);
	unlink(to);
	assert_int_equal(symlink("/nowhere/at/all", to), 0);
	assert_int_equal(file_replace(to, STR("fresh")), OK);
	unlink(to);
	unlink(victim);
	unlink(old);
	rmdir(own);
}

static void *replace_often(void *to)
{
	char text[4000];
	memset(text, 'a' + (int)((uintptr_t)&text / 65536 % 26), sizeof text);
	for (int i = 0; i < 50; i++)
		CHECK(file_replace(to, str_make(text, sizeof text)) == OK);
	return NULL;
}

TEST(two_writers_of_one_path_leave_one_whole_file)
{
	char own[] = "/tmp/crumb-file-XXXXXX", to[64], text[4100];
	pthread_t threads[4];
	assert_non_null(mkdtemp(own));
	snprintf(to, sizeof to, "%s/model", own);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, replace_often, to), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	read_all(to, text, sizeof text);
	assert_int_equal(strlen(text), 4000);
	assert_int_equal(strspn(text, (char[]){text[0], 0}), 4000);
	assert_int_equal(entries(own), 1);
	unlink(to);
	rmdir(own);
}

static int begin(void **state)
{
	snprintf(folder, sizeof folder, "/tmp/crumb-file-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/file", folder);
	return 0;
}

static int end(void **state)
{
	unlink(path);
	return rmdir(folder);
}

UNIT_TESTS_BETWEEN(begin, end, cmocka_unit_test(a_file_is_read_whole_whatever_its_length),
    cmocka_unit_test(a_file_that_is_too_long_is_refused_and_one_that_just_fits_is_not),
    cmocka_unit_test(a_pipe_is_read_until_it_ends),
    cmocka_unit_test(what_is_missing_or_a_folder_is_said),
    cmocka_unit_test(without_memory_nothing_is_read_and_what_was_there_stays),
    cmocka_unit_test(the_beginning_of_a_file_is_a_string),
    cmocka_unit_test(a_copy_is_whole_and_overwrites_nothing),
    cmocka_unit_test(a_new_file_replaces_a_link_and_never_writes_through_one),
    cmocka_unit_test(two_writers_of_one_path_leave_one_whole_file))

/* disk/guard: a mapped file that is cut ends the process with a sentence that names it. */
#include "folder.h"

#include "src/disk/guard.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Reads a map behind the end of its file in a child; what it said, and how it ended. */
static int fault(const char *name, char said[1000])
{
	int to[2], status;
	char path[160];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(pipe(to), 0);
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		signal(SIGBUS, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		dup2(to[1], STDERR_FILENO);
		guard_begin();
		int fd = open(path, O_RDWR | O_CREAT, 0600);
		if (fd < 0 || ftruncate(fd, 8192) != 0)
			_exit(9);
		volatile const char *p = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
		if (ftruncate(fd, 0) != 0)
			_exit(9);
		_exit(p[4096] ? 8 : 7);
	}
	close(to[1]);
	size_t n = 0;
	ssize_t part;
	while ((part = read(to[0], said + n, 999 - n)) > 0)
		n += (size_t)part;
	said[n] = 0;
	close(to[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

TEST(a_file_of_lmdb_is_named_and_the_process_ends_in_order)
{
	char said[1000];
	int status = fault("data.mdb", said);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_non_null(strstr(said, folder));
	assert_non_null(strstr(said, "data.mdb was damaged while it was in use"));
}

TEST(any_other_fault_is_as_if_nobody_had_looked)
{
	char said[1000];
	int status = fault("other.bin", said);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_null(strstr(said, "was damaged while it was in use"));
}

UNIT_TESTS(IN_FOLDER(a_file_of_lmdb_is_named_and_the_process_ends_in_order),
    IN_FOLDER(any_other_fault_is_as_if_nobody_had_looked))

/* What stands in the place of calls of the C library in unit tests (calls.h). */
#include "calls.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

struct calls calls;

ssize_t libc_pwrite(int fd, const void *p, size_t n, off_t at)
{
	return syscall(SYS_pwrite64, fd, p, n, at);
}

int libc_fsync(int fd)
{
	return (int)syscall(SYS_fsync, fd);
}

int libc_fdatasync(int fd)
{
	return (int)syscall(SYS_fdatasync, fd);
}

int libc_clock_gettime(clockid_t id, struct timespec *t)
{
	return (int)syscall(SYS_clock_gettime, id, t);
}

int libc_nanosleep(const struct timespec *t, struct timespec *left)
{
	return (int)syscall(SYS_nanosleep, t, left);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	return calls.pwrite ? calls.pwrite(fd, p, n, at) : libc_pwrite(fd, p, n, at);
}

int fsync(int fd)
{
	return calls.fsync ? calls.fsync(fd) : libc_fsync(fd);
}

int fdatasync(int fd)
{
	return calls.fdatasync ? calls.fdatasync(fd) : libc_fdatasync(fd);
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	return calls.clock_gettime ? calls.clock_gettime(id, t) : libc_clock_gettime(id, t);
}

int nanosleep(const struct timespec *t, struct timespec *left)
{
	return calls.nanosleep ? calls.nanosleep(t, left) : libc_nanosleep(t, left);
}

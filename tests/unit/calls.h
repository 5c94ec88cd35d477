/* Calls of the C library that a test answers in its place, for LMDB and other libraries too:
 * failing disks, clocks that jump, sleep that takes no time. A member that is NULL is the C
 * library's own; libc_…() is that, for those who answer sometimes. Members are set before threads
 * start that may come by. */
#ifndef CRUMB_TEST_CALLS_H
#define CRUMB_TEST_CALLS_H

#include <sys/types.h>
#include <time.h>

struct calls {
	ssize_t (*pwrite)(int fd, const void *p, size_t n, off_t at);
	int (*fsync)(int fd), (*fdatasync)(int fd);
	int (*clock_gettime)(clockid_t id, struct timespec *t);
	int (*nanosleep)(const struct timespec *t, struct timespec *left);
};

extern struct calls calls;

ssize_t libc_pwrite(int fd, const void *p, size_t n, off_t at);
int libc_fsync(int fd);
int libc_fdatasync(int fd);
int libc_clock_gettime(clockid_t id, struct timespec *t);
int libc_nanosleep(const struct timespec *t, struct timespec *left);

#endif

/* What the program asks the system for comes by here: these functions stand before libc's. */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000u

static uint64_t chance[2], own[2]; /* the simulation's and the program's */
static uint64_t mono_ns = NS;
static int64_t wall_ahead_ns = (int64_t)(SIM_STARTS - 1) * NS;
static long fails_in = -1, fails_n, kill_in = -1;
static int fails_with;
static bool dead, journal_fails;
static uint64_t operations;
void (*world_slept)(void);

/* --- chance: splitmix64 into xorshift128+ (Vigna 2014) */

static uint64_t mix(uint64_t *x)
{
	uint64_t z = (*x += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t next(uint64_t s[2])
{
	uint64_t a = s[0], b = s[1];
	s[0] = b;
	a ^= a << 23;
	s[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
	return s[1] + b;
}

static uint32_t own_random(void)
{
	return (uint32_t)(next(own) >> 32);
}

static void own_bytes(void *to, size_t n)
{
	for (uint8_t *p = to; n; p++, n--)
		*p = (uint8_t)(next(own) >> 56);
}

static const char *own_name(void)
{
	return "seed";
}

static randombytes_implementation from_seed = {.implementation_name = own_name, .random = own_random, .buf = own_bytes};

void world_begin(uint64_t seed)
{
	for (int i = 0; i < 2; i++) {
		chance[i] = mix(&seed);
		own[i] = mix(&seed);
	}
	randombytes_set_implementation(&from_seed);
}

uint64_t world_any(void)
{
	return next(chance);
}

uint32_t world_below(uint32_t n)
{
	return (uint32_t)((next(chance) >> 32) * n >> 32);
}

bool world_one_in(uint32_t n)
{
	return world_below(n) == 0;
}

/* --- the clock */

void world_forward(int64_t s)
{
	mono_ns += (uint64_t)s * NS;
}

void world_set_back(int64_t s)
{
	wall_ahead_ns -= s * NS;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	mono_ns += 1000;
	uint64_t ns = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE ? mono_ns + (uint64_t)wall_ahead_ns : mono_ns;
	t->tv_sec = (time_t)(ns / NS);
	t->tv_nsec = (long)(ns % NS);
	return 0;
}

int nanosleep(const struct timespec *t, struct timespec *left)
{
	(void)left;
	mono_ns += (uint64_t)t->tv_sec * NS + (uint64_t)t->tv_nsec;
	if (world_slept)
		world_slept();
	return 0;
}

/* --- what goes wrong */

void world_fail_in(long n, long times, int error)
{
	fails_in = n;
	fails_n = times;
	fails_with = error;
}

void world_kill_in(long n)
{
	kill_in = n;
}

void world_calm(void)
{
	fails_in = kill_in = -1;
	fails_n = 0;
	journal_fails = false;
}

bool world_dead(void)
{
	return dead;
}

void world_revive(void)
{
	dead = false;
	world_calm();
}

uint64_t world_operations(void)
{
	return operations;
}

void world_journal_fails(bool fails)
{
	journal_fails = fails;
}

enum happens { WORKS, FAILS, DIES };

static enum happens operation(void)
{
	if (dead) {
		errno = EIO;
		return FAILS;
	}
	operations++;
	if (kill_in >= 0 && kill_in-- == 0) {
		dead = true;
		errno = EIO;
		return DIES;
	}
	if (fails_in > 0) {
		fails_in--;
	} else if (fails_in == 0 && fails_n > 0) {
		fails_n--;
		errno = fails_with;
		return FAILS;
	}
	return WORKS;
}

/* A machine that dies in a commit may have written nothing of it, a part, or all. */
enum memory_fate world_fate(void *arg, enum memory_act act)
{
	(void)arg;
	enum happens h = operation();
	if (h == DIES && act == MEMORY_COMMIT)
		return (enum memory_fate)world_below(3); /* works, and nobody hears of it */
	if (h != WORKS)
		return MEMORY_FAILS;
	if (!journal_fails || !world_one_in(3))
		return MEMORY_WORKS;
	if (world_one_in(3)) {
		world_forward(world_below(120));
		return MEMORY_WORKS;
	}
	return world_one_in(2) ? MEMORY_TORN : MEMORY_FAILS;
}

/* --- the disk */

static bool may(void)
{
	return operation() == WORKS;
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
	enum happens h = operation();
	int error = errno;
	if (h == DIES) /* a part of it is there */
		(void)!syscall(SYS_pwrite64, fd, from, n / 2, at);
	else if (h == FAILS && !dead && world_one_in(2)) /* all of it is there, and nobody hears of it */
		(void)!syscall(SYS_pwrite64, fd, from, n, at);
	errno = h == DIES ? EIO : error;
	return h == WORKS ? syscall(SYS_pwrite64, fd, from, n, at) : -1;
}

ssize_t pwrite64(int fd, const void *from, size_t n, off_t at)
{
	return pwrite(fd, from, n, at);
}

ssize_t pwritev(int fd, const struct iovec *from, int n, off_t at)
{
	return may() ? syscall(SYS_pwritev, fd, from, n, at, 0) : -1;
}

ssize_t pwritev64(int fd, const struct iovec *from, int n, off_t at)
{
	return pwritev(fd, from, n, at);
}

ssize_t writev(int fd, const struct iovec *from, int n)
{
	return may() ? syscall(SYS_writev, fd, from, n) : -1;
}

ssize_t write(int fd, const void *from, size_t n)
{
	return fd <= 2 || may() ? syscall(SYS_write, fd, from, n) : -1;
}

int fsync(int fd)
{
	(void)fd;
	return may() ? 0 : -1;
}

int fdatasync(int fd)
{
	(void)fd;
	return may() ? 0 : -1;
}

int msync(void *p, size_t n, int flags)
{
	(void)p, (void)n, (void)flags;
	return may() ? 0 : -1;
}

int ftruncate(int fd, off_t n)
{
	return may() ? (int)syscall(SYS_ftruncate, fd, n) : -1;
}

int rename(const char *from, const char *to)
{
	return may() ? (int)syscall(SYS_rename, from, to) : -1;
}

int link(const char *from, const char *to)
{
	return may() ? (int)syscall(SYS_link, from, to) : -1;
}

int unlink(const char *path)
{
	return may() ? (int)syscall(SYS_unlink, path) : -1;
}

int rmdir(const char *path)
{
	return may() ? (int)syscall(SYS_rmdir, path) : -1;
}

int remove(const char *path)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return -1;
	return S_ISDIR(st.st_mode) ? rmdir(path) : unlink(path);
}

int mkdir(const char *path, mode_t mode)
{
	return may() ? (int)syscall(SYS_mkdir, path, mode) : -1;
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	int mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(ap, int) : 0;
	va_end(ap);
	if (dead && flags & (O_CREAT | O_TRUNC)) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	int mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(ap, int) : 0;
	va_end(ap);
	return open(path, flags, mode);
}

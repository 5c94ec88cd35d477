/* A disk, a memory and a kernel that fail when they are told to: LD_PRELOAD it into crumbd or crumb.
 *
 * CRUMB_FAULT_CONTROL names a file that the driver maps, too. It says which calls on which files are counted, and what becomes of the Nth one
 * and of those after it; the driver arms and disarms it while the program runs, and reads how many calls there were. What is watched are
 * files below CRUMB_FAULT_ROOT; the store is CRUMB_FAULT_ROOT/store. For power cuts CRUMB_FAULT_POWER names a folder beside the root.
 *
 *     armed u32 │ act u32 │ errno i32 │ blocks u32 │ calls u64 │ files u64 │ first u64 │ times u64 │ seen u64 │ fired u64 │
 *     counts u64 [32 calls][16 files] │ path of the first file that was hit, 512 bytes
 *
 * Where the first fault hit is written to CRUMB_FAULT_CONTROL.trace; where the program crashed to stderr. */
#include "power.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* The driver knows both by their place in these lists. */
enum call {
	WRITE,
	PWRITE,
	PWRITEV,
	WRITEV,
	FWRITE,
	FSYNC,
	FDATASYNC,
	MSYNC,
	SYNC_FILE_RANGE,
	RENAME,
	OPEN,
	CREATE, /* open() of a file that is not there yet */
	UNLINK,
	MKDIR,
	MMAP,
	FTRUNCATE,
	FALLOCATE,
	READ,
	DESCRIPTOR,
	THREAD,
	MEMORY,
	FOLDERSYNC, /* fsync() of a folder */
	CALLS = 32
};
enum file {
	WAL,
	JOURNAL,
	STATE,
	KEYS,
	ERASED,
	EXPORTS,
	MODELS,
	LOCK, /* lock.mdb of any environment */
	OTHER,
	OUTSIDE, /* below the root, not in the store: backups, what is exported */
	ELSEWHERE,
	OWN,	 /* memory that the program asked for itself */
	LIBRARY, /* memory that a library asked for */
	FILES = 16
};
enum act { FAIL, SHORT, TORN, KILL, KILL_AFTER, POWER, POWER_SOME }; /* the last two: killed, and what was not synced is lost, or a part of it */

struct control {
	_Atomic uint32_t armed;
	uint32_t act;
	int32_t error;
	uint32_t blocks;
	uint64_t calls, files, first, times;
	_Atomic uint64_t seen, fired;
	_Atomic uint64_t counts[CALLS][FILES];
	char path[512];
};

static struct control *control;
static char root[512], trace_path[600];
static size_t root_n;
static uintptr_t text_from, text_to; /* of the program itself */

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);

/* --- which file */

static enum file file_of_path(const char *path)
{
	static const struct {
		const char *name;
		enum file file;
	} names[] = {{"wal", WAL}, {"journal", JOURNAL}, {"state", STATE}, {"keys", KEYS}, {"erased", ERASED}, {"exports", EXPORTS}, {"models", MODELS}};
	if (!root_n || strncmp(path, root, root_n) != 0 || path[root_n] != '/')
		return ELSEWHERE;
	const char *rest = path + root_n + 1;
	if (strncmp(rest, "store", 5) != 0 || (rest[5] != '/' && rest[5] != 0))
		return OUTSIDE;
	rest += rest[5] ? 6 : 5;
	if (strstr(rest, "lock.mdb"))
		return LOCK;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strncmp(rest, names[i].name, strlen(names[i].name)) == 0)
			return names[i].file;
	return OTHER;
}

static enum file file_of_fd(int fd, char path[512])
{
	char link[40];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	long n = syscall(SYS_readlink, link, path, 511);
	path[n > 0 ? n : 0] = 0;
	return file_of_path(path);
}

/* --- shall this one fail? */

static void tell(enum file f, const char *path)
{
	void *frames[40];
	snprintf(control->path, sizeof control->path, "%s", path ? path : f == OWN ? "memory of the program" : "memory of a library");
	int fd = (int)syscall(SYS_openat, AT_FDCWD, trace_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	backtrace_symbols_fd(frames, backtrace(frames, 40), fd);
	syscall(SYS_close, fd);
}

static void die(void)
{
	syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
	for (;;)
		pause();
}

static void power_fails(void)
{
	power_cut(control->act == POWER_SOME, control->first * 7919 + control->blocks);
}

/* It has ended by itself, and then the power fails. */
__attribute__((destructor)) static void end(void)
{
	if (control && atomic_load(&control->armed) && control->act >= POWER && atomic_fetch_add(&control->fired, 1) == 0) {
		power_fails();
		power_over();
	}
}

/* True: the call is to fail or to be cut, as control->act says; errno is set. */
static bool fails(enum call c, enum file f, const char *path)
{
	if (!control)
		return false;
	atomic_fetch_add(&control->counts[c][f], 1);
	if (!atomic_load(&control->armed) || !(control->calls >> c & 1) || !(control->files >> f & 1))
		return false;
	uint64_t n = atomic_fetch_add(&control->seen, 1) + 1;
	if (n < control->first || n - control->first >= control->times)
		return false;
	int saved = errno;
	if (atomic_fetch_add(&control->fired, 1) == 0)
		tell(f, path);
	if (control->act >= POWER)
		power_fails();
	if (control->act == KILL || control->act >= POWER)
		die();
	errno = control->act == FAIL ? control->error : saved;
	return true;
}

static bool fails_fd(enum call c, int fd)
{
	char path[512];
	if (!control)
		return false;
	int saved = errno;
	enum file f = file_of_fd(fd, path);
	errno = saved;
	return fails(c, f, path);
}

static bool fails_path(enum call c, const char *path)
{
	return control && fails(c, file_of_path(path), path);
}

/* --- writes: they fail, are short, or reach the disk in part and then the power goes */

static size_t cut(size_t n)
{
	if (control->act == SHORT)
		return n > 1 ? n / 2 : n;
	if (control->act == TORN) {
		size_t most = 512u * (control->blocks ? control->blocks : 1);
		return n > most ? most : n / 2;
	}
	return n;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	bool hit = fails_fd(PWRITE, fd);
	if (hit && control->act == FAIL)
		return -1;
	ssize_t done = power_pwrite(fd, p, hit ? cut(n) : n, at);
	if (hit && control->act >= TORN)
		die();
	return done;
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at) __attribute__((alias("pwrite")));

ssize_t write(int fd, const void *p, size_t n)
{
	bool hit = fails_fd(WRITE, fd);
	if (hit && control->act == FAIL)
		return -1;
	ssize_t done = power_write(fd, p, hit ? cut(n) : n);
	if (hit && control->act >= TORN)
		die();
	return done;
}

/* A list is cut within its first part. */
static ssize_t part_of(int fd, const struct iovec *v, bool at_place, off_t at)
{
	size_t n = cut(v->iov_len);
	return at_place ? power_pwrite(fd, v->iov_base, n, at) : power_write(fd, v->iov_base, n);
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
	bool hit = fails_fd(WRITEV, fd);
	if (hit && control->act == FAIL)
		return -1;
	ssize_t done = hit && control->act != KILL_AFTER ? part_of(fd, v, false, 0) : power_writev(fd, v, n);
	if (hit && control->act >= TORN)
		die();
	return done;
}

ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	bool hit = fails_fd(PWRITEV, fd);
	if (hit && control->act == FAIL)
		return -1;
	ssize_t done = hit && control->act != KILL_AFTER ? part_of(fd, v, true, at) : power_pwritev(fd, v, n, at);
	if (hit && control->act >= TORN)
		die();
	return done;
}

/* --- what is all or nothing */

/* Runs the call unless it is to fail; ends the program after it where that was asked for. */
#define WHOLE(hit, failed, call)                                                                                                                     \
	do {                                                                                                                                         \
		bool hit_ = (hit);                                                                                                                   \
		if (hit_ && control->act != KILL_AFTER)                                                                                              \
			return errno = control->error, (failed);                                                                                     \
		__auto_type done_ = (call);                                                                                                          \
		if (hit_)                                                                                                                            \
			die();                                                                                                                       \
		return done_;                                                                                                                        \
	} while (0)

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

int fsync(int fd)
{
	struct stat st;
	int saved = errno;
	bool folder = control && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
	errno = saved;
	WHOLE(fails_fd(folder ? FOLDERSYNC : FSYNC, fd), -1, power_sync(fd, false));
}

int fdatasync(int fd)
{
	WHOLE(fails_fd(FDATASYNC, fd), -1, power_sync(fd, true));
}

int sync_file_range(int fd, off64_t at, off64_t n, unsigned flags)
{
	WHOLE(fails_fd(SYNC_FILE_RANGE, fd), -1, (int)syscall(SYS_sync_file_range, fd, at, n, flags));
}

int msync(void *p, size_t n, int flags)
{
	WHOLE(fails(MSYNC, OTHER, "a map"), -1, (int)syscall(SYS_msync, p, n, flags));
}

int ftruncate(int fd, off_t n)
{
	WHOLE(fails_fd(FTRUNCATE, fd), -1, power_ftruncate(fd, n));
}

int ftruncate64(int fd, off64_t n) __attribute__((alias("ftruncate")));

int fallocate(int fd, int mode, off_t at, off_t n)
{
	WHOLE(fails_fd(FALLOCATE, fd), -1, power_fallocate(fd, mode, at, n));
}

int fallocate64(int fd, int mode, off64_t at, off64_t n) __attribute__((alias("fallocate")));

int posix_fallocate(int fd, off_t at, off_t n)
{
	WHOLE(fails_fd(FALLOCATE, fd), control->error, power_fallocate(fd, 0, at, n) == 0 ? 0 : errno);
}

int posix_fallocate64(int fd, off64_t at, off64_t n) __attribute__((alias("posix_fallocate")));

int rename(const char *from, const char *to)
{
	WHOLE(fails_path(RENAME, to), -1, power_rename(from, to));
}

int unlink(const char *path)
{
	WHOLE(fails_path(UNLINK, path), -1, power_unlink(path));
}

int rmdir(const char *path)
{
	WHOLE(fails_path(UNLINK, path), -1, power_rmdir(path));
}

int remove(const char *path)
{
	struct stat st;
	bool folder = lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
	WHOLE(fails_path(UNLINK, path), -1, folder ? power_rmdir(path) : power_unlink(path));
}

int mkdir(const char *path, mode_t mode)
{
	WHOLE(fails_path(MKDIR, path), -1, power_mkdir(path, mode));
}

int link(const char *from, const char *to)
{
	return power_link(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int linkat(int folder, const char *from, int to_folder, const char *to, int flags)
{
	return power_link(folder, from, to_folder, to, flags);
}

/* --- opening */

static enum call kind_of_open(const char *path, int flags)
{
	struct stat st;
	int saved = errno;
	bool creates = flags & O_CREAT && stat(path, &st) != 0;
	errno = saved;
	return creates ? CREATE : OPEN;
}

static mode_t mode_in(int flags, va_list ap)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = mode_in(flags, ap);
	va_end(ap);
	WHOLE(control && fails_path(kind_of_open(path, flags), path), -1, power_open(AT_FDCWD, path, flags, mode));
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int openat(int folder, const char *path, int flags, ...)
{
	va_list ap;
	char whole[1200] = "";
	va_start(ap, flags);
	mode_t mode = mode_in(flags, ap);
	va_end(ap);
	if (control && *path != '/' && folder != AT_FDCWD) {
		char at[512];
		(void)file_of_fd(folder, at);
		snprintf(whole, sizeof whole, "%s/%s", at, path);
	}
	const char *name = *whole ? whole : path;
	WHOLE(control && fails_path(kind_of_open(name, flags), name), -1, power_open(folder, path, flags, mode));
}

int openat64(int folder, const char *path, int flags, ...) __attribute__((alias("openat")));

FILE *fopen(const char *path, const char *mode)
{
	REAL(fopen);
	WHOLE(control && fails_path(kind_of_open(path, *mode == 'r' ? 0 : O_CREAT), path), NULL, power_fopen(real, path, mode));
}

FILE *fopen64(const char *path, const char *mode) __attribute__((alias("fopen")));

size_t fwrite(const void *p, size_t size, size_t n, FILE *f)
{
	REAL(fwrite);
	WHOLE(control && f != stderr && f != stdout && fails_fd(FWRITE, fileno(f)), 0, real(p, size, n, f));
}

int fflush(FILE *f)
{
	REAL(fflush);
	WHOLE(control && f && f != stderr && f != stdout && fails_fd(FWRITE, fileno(f)), EOF, real(f));
}

DIR *opendir(const char *path)
{
	REAL(opendir);
	WHOLE(fails_path(OPEN, path), NULL, real(path));
}

void *mmap(void *p, size_t n, int prot, int flags, int fd, off_t at)
{
	if (fd < 0)
		return (void *)syscall(SYS_mmap, p, n, prot, flags, fd, at);
	WHOLE(fails_fd(MMAP, fd), MAP_FAILED, (void *)syscall(SYS_mmap, p, n, prot, flags, fd, at));
}

void *mmap64(void *p, size_t n, int prot, int flags, int fd, off64_t at) __attribute__((alias("mmap")));

/* --- reading */

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
	bool hit = fails_fd(READ, fd);
	if (hit && control->act == FAIL)
		return -1;
	return syscall(SYS_pread64, fd, p, hit ? cut(n) : n, at);
}

ssize_t pread64(int fd, void *p, size_t n, off64_t at) __attribute__((alias("pread")));

ssize_t read(int fd, void *p, size_t n)
{
	bool hit = fails_fd(READ, fd);
	if (hit && control->act == FAIL)
		return -1;
	return syscall(SYS_read, fd, p, hit ? cut(n) : n);
}

/* --- descriptors and threads */

int accept4(int fd, struct sockaddr *a, socklen_t *n, int flags)
{
	WHOLE(fails(DESCRIPTOR, ELSEWHERE, "accept"), -1, (int)syscall(SYS_accept4, fd, a, n, flags));
}

int accept(int fd, struct sockaddr *a, socklen_t *n)
{
	return accept4(fd, a, n, 0);
}

int socket(int domain, int type, int protocol)
{
	WHOLE(fails(DESCRIPTOR, ELSEWHERE, "socket"), -1, (int)syscall(SYS_socket, domain, type, protocol));
}

int eventfd(unsigned start, int flags)
{
	WHOLE(fails(DESCRIPTOR, ELSEWHERE, "eventfd"), -1, (int)syscall(SYS_eventfd2, start, flags));
}

int pipe2(int fds[2], int flags)
{
	WHOLE(fails(DESCRIPTOR, ELSEWHERE, "pipe"), -1, (int)syscall(SYS_pipe2, fds, flags));
}

int epoll_create1(int flags)
{
	WHOLE(fails(DESCRIPTOR, ELSEWHERE, "epoll"), -1, (int)syscall(SYS_epoll_create1, flags));
}

int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg)
{
	REAL(pthread_create);
	WHOLE(fails(THREAD, ELSEWHERE, "thread"), control->error, real(t, a, run, arg));
}

/* --- memory */

static bool no_memory(const void *caller)
{
	uintptr_t at = (uintptr_t)caller;
	return control && fails(MEMORY, at >= text_from && at < text_to ? OWN : LIBRARY, NULL);
}

#define MEMORY_OR_NOT(call)                                                                                                                          \
	do {                                                                                                                                         \
		if (no_memory(__builtin_return_address(0)))                                                                                          \
			return errno = ENOMEM, NULL;                                                                                                 \
		return call;                                                                                                                         \
	} while (0)

void *malloc(size_t n)
{
	MEMORY_OR_NOT(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
	MEMORY_OR_NOT(__libc_calloc(n, size));
}

void *realloc(void *p, size_t n)
{
	MEMORY_OR_NOT(__libc_realloc(p, n));
}

int posix_memalign(void **out, size_t align, size_t n)
{
	if (no_memory(__builtin_return_address(0)))
		return ENOMEM;
	void *p = __libc_memalign(align, n);
	if (p)
		*out = p;
	return p ? 0 : ENOMEM;
}

/* --- where it crashed */

static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};

static void on_crash(int sig)
{
	void *frames[40];
	char line[64];
	int n = snprintf(line, sizeof line, "crash: signal %d\n", sig);
	syscall(SYS_write, 2, line, (size_t)n);
	backtrace_symbols_fd(frames, backtrace(frames, 40), 2);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Threads that block every signal shall not block these: the handler would not run. */
int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t less;
	if (set && how != SIG_UNBLOCK) {
		less = *set;
		for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
			sigdelset(&less, crashes[i]);
		set = &less;
	}
	REAL(pthread_sigmask);
	return real(how, set, old);
}

/* The first object is the program. */
static int find_text(struct dl_phdr_info *o, size_t size, void *arg)
{
	(void)size, (void)arg;
	for (int i = 0; i < o->dlpi_phnum; i++) {
		if (o->dlpi_phdr[i].p_type != PT_LOAD || !(o->dlpi_phdr[i].p_flags & PF_X))
			continue;
		text_from = o->dlpi_addr + o->dlpi_phdr[i].p_vaddr;
		text_to = text_from + o->dlpi_phdr[i].p_memsz;
	}
	return 1;
}

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("CRUMB_FAULT_CONTROL"), *below = getenv("CRUMB_FAULT_ROOT");
	void *frames[4];
	if (!file || !below)
		return;
	(void)backtrace(frames, 4); /* loads what it needs now, not in the middle of a fault */
	dl_iterate_phdr(find_text, NULL);
	root_n = (size_t)snprintf(root, sizeof root, "%s", below);
	snprintf(trace_path, sizeof trace_path, "%s.trace", file);
	for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
		signal(crashes[i], on_crash);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	void *p = (void *)syscall(SYS_mmap, NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	syscall(SYS_close, fd);
	if (p == MAP_FAILED)
		return;
	const char *aside = getenv("CRUMB_FAULT_POWER");
	if (aside)
		power_begin(root, aside);
	control = p;
}

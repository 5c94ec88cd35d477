#include "power.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BLOCK 4096
#define NAME_MOST 256

extern void *__libc_calloc(size_t, size_t);
extern void __libc_free(void *);

struct range { /* what stood there; newest first */
	struct range *older;
	off_t at;
	size_t n;
	uint8_t was[];
};

struct dirty { /* a file with bytes that are not synced */
	struct dirty *next;
	dev_t dev;
	ino_t ino;
	int fd;
	off_t size; /* as it is on the disk */
	struct range *ranges;
};

enum kind { MADE, MADE_FOLDER, REMOVED, REMOVED_FOLDER, RENAMED };

struct name { /* a change of names that is not synced; newest first */
	struct name *older;
	enum kind kind;
	int folder, other; /* open; `other`: where it was renamed from */
	struct stat in, in_other;
	char what[NAME_MOST], from[NAME_MOST];
	unsigned aside; /* the number of what the name stood for; 0: nothing */
};

static bool on;
static char below[512];
static size_t below_n;
static int aside_folder = -1;
static unsigned asides;
static struct dirty *files;
static struct name *names;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *have(size_t n)
{
	void *p = __libc_calloc(1, n);
	if (!p)
		_exit(99);
	return p;
}

static int raw_open(int folder, const char *path, int flags)
{
	return (int)syscall(SYS_openat, folder, path, flags | O_CLOEXEC, 0);
}

static void raw_close(int fd)
{
	if (fd >= 0)
		syscall(SYS_close, fd);
}

static bool enter(void)
{
	if (!on)
		return false;
	pthread_mutex_lock(&lock);
	return true;
}

static void leave(void)
{
	int saved = errno;
	pthread_mutex_unlock(&lock);
	errno = saved;
}

/* Locks of processes live in these files, and closing one lets go of them. They hold nothing. */
static bool watched(const char *path)
{
	const char *slash = strrchr(path, '/');
	return below_n && strncmp(path, below, below_n) == 0 && path[below_n] == '/' && slash && strcmp(slash, "/lock.mdb") != 0 && strcmp(slash, "/lock") != 0;
}

static bool watched_fd(int fd)
{
	char link[40], path[512];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	long n = syscall(SYS_readlink, link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = 0;
	return watched(path);
}

/* --- bytes */

static struct dirty **find(const struct stat *st)
{
	struct dirty **d = &files;
	while (*d && ((*d)->dev != st->st_dev || (*d)->ino != st->st_ino))
		d = &(*d)->next;
	return d;
}

static struct dirty *dirty_of(int fd, const struct stat *st, off_t size)
{
	char self[40];
	struct dirty **at = find(st), *d = *at;
	if (d)
		return d;
	d = have(sizeof *d);
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	*d = (struct dirty){.dev = st->st_dev, .ino = st->st_ino, .fd = raw_open(AT_FDCWD, self, O_RDWR), .size = size};
	d->next = files;
	files = d;
	return d;
}

static void forget_ranges(struct dirty *d)
{
	while (d->ranges) {
		struct range *r = d->ranges;
		d->ranges = r->older;
		__libc_free(r);
	}
}

static void clean(const struct stat *st)
{
	struct dirty **at = find(st), *d = *at;
	if (!d)
		return;
	*at = d->next;
	forget_ranges(d);
	raw_close(d->fd);
	__libc_free(d);
}

static void keep(struct dirty *d, off_t size, off_t at, size_t n)
{
	if (at >= size)
		return;
	if ((off_t)n > size - at)
		n = (size_t)(size - at);
	struct range *r = have(sizeof *r + n);
	r->at = at;
	long got = syscall(SYS_pread64, d->fd, r->was, n, at);
	r->n = got > 0 ? (size_t)got : 0;
	r->older = d->ranges;
	d->ranges = r;
}

/* Before bytes change; at < 0: where the file stands. */
static void will_write(int fd, off_t at, size_t n)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || !watched_fd(fd))
		return;
	int flags = fcntl(fd, F_GETFL);
	if (at < 0)
		at = flags & O_APPEND ? st.st_size : lseek(fd, 0, SEEK_CUR);
	if (!(flags & O_DSYNC))
		keep(dirty_of(fd, &st, st.st_size), st.st_size, at, n);
}

/* What was written to a file that syncs by itself is not undone any more, though something before it may be. */
static void wrote(int fd, off_t at, ssize_t n)
{
	struct stat st;
	if (n <= 0 || !(fcntl(fd, F_GETFL) & O_DSYNC) || fstat(fd, &st) != 0)
		return;
	struct dirty *d = *find(&st);
	if (at < 0)
		at = lseek(fd, 0, SEEK_CUR) - n;
	off_t end = at + n;
	if (d && d->size < end)
		d->size = end;
	for (struct range *r = d ? d->ranges : NULL; r; r = r->older) {
		off_t from = r->at > at ? r->at : at, to = r->at + (off_t)r->n < end ? r->at + (off_t)r->n : end;
		if (from < to)
			syscall(SYS_pread64, d->fd, r->was + (from - r->at), (size_t)(to - from), from);
	}
}

#define WRITING(fd, at, n, call)                                                                                                                     \
	do {                                                                                                                                         \
		bool in_ = enter();                                                                                                                  \
		if (in_)                                                                                                                             \
			will_write(fd, at, n);                                                                                                       \
		ssize_t done_ = (call);                                                                                                              \
		if (in_) {                                                                                                                           \
			int saved_ = errno;                                                                                                          \
			wrote(fd, at, done_);                                                                                                        \
			errno = saved_;                                                                                                              \
			leave();                                                                                                                     \
		}                                                                                                                                    \
		return done_;                                                                                                                        \
	} while (0)

static size_t bytes_of(const struct iovec *v, int n)
{
	size_t sum = 0;
	for (int i = 0; i < n; i++)
		sum += v[i].iov_len;
	return sum;
}

ssize_t power_pwrite(int fd, const void *p, size_t n, off_t at)
{
	WRITING(fd, at, n, syscall(SYS_pwrite64, fd, p, n, at));
}

ssize_t power_pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	WRITING(fd, at, bytes_of(v, n), syscall(SYS_pwritev, fd, v, n, at, 0L));
}

ssize_t power_write(int fd, const void *p, size_t n)
{
	WRITING(fd, -1, n, syscall(SYS_write, fd, p, n));
}

ssize_t power_writev(int fd, const struct iovec *v, int n)
{
	WRITING(fd, -1, bytes_of(v, n), syscall(SYS_writev, fd, v, n));
}

int power_ftruncate(int fd, off_t n)
{
	struct stat st;
	bool in = enter();
	if (in && fstat(fd, &st) == 0 && watched_fd(fd) && n != st.st_size) {
		struct dirty *d = dirty_of(fd, &st, st.st_size);
		if (n < st.st_size)
			keep(d, st.st_size, n, (size_t)(st.st_size - n));
	}
	int rc = (int)syscall(SYS_ftruncate, fd, n);
	if (in)
		leave();
	return rc;
}

int power_fallocate(int fd, int mode, off_t at, off_t n)
{
	struct stat st;
	bool in = enter();
	if (in && fstat(fd, &st) == 0 && watched_fd(fd))
		(void)dirty_of(fd, &st, st.st_size);
	int rc = (int)syscall(SYS_fallocate, fd, mode, at, n);
	if (in)
		leave();
	return rc;
}

/* --- names */

static void forget_name(struct name **at)
{
	struct name *n = *at;
	*at = n->older;
	raw_close(n->folder);
	raw_close(n->other);
	__libc_free(n);
}

static void split(int at, const char *path, int *folder, struct stat *st, char name[NAME_MOST])
{
	char up[4096];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	snprintf(up, sizeof up, "%.*s%s", (int)n, path, slash ? "/" : ".");
	snprintf(name, NAME_MOST, "%s", slash ? slash + 1 : path);
	*folder = raw_open(at, up, O_RDONLY | O_DIRECTORY);
	if (*folder < 0 || fstat(*folder, st) != 0)
		memset(st, 0, sizeof *st);
}

static void set_aside(struct name *n)
{
	char to[32];
	n->aside = ++asides;
	snprintf(to, sizeof to, "%u", n->aside);
	if (syscall(SYS_linkat, n->folder, n->what, aside_folder, to, 0) != 0)
		n->aside = 0;
}

/* Before a name changes. It is watched. */
static struct name *will_name(enum kind kind, int at, const char *path, const char *from)
{
	struct name *n = have(sizeof *n);
	n->kind = kind;
	n->other = -1;
	split(at, path, &n->folder, &n->in, n->what);
	if (from)
		split(AT_FDCWD, from, &n->other, &n->in_other, n->from);
	if (kind == REMOVED || kind == RENAMED)
		set_aside(n);
	n->older = names;
	names = n;
	return n;
}

static int named(bool in, int rc)
{
	if (in && rc != 0)
		forget_name(&names);
	if (in)
		leave();
	return rc;
}

static bool enter_for(const char *path)
{
	return on && watched(path) && enter();
}

int power_rename(const char *from, const char *to)
{
	bool in = enter_for(to);
	if (in)
		will_name(RENAMED, AT_FDCWD, to, from);
	return named(in, (int)syscall(SYS_rename, from, to));
}

int power_link(int folder, const char *from, int to_folder, const char *to, int flags)
{
	bool in = enter_for(to);
	if (in)
		will_name(MADE, to_folder, to, NULL);
	return named(in, (int)syscall(SYS_linkat, folder, from, to_folder, to, flags));
}

int power_unlink(const char *path)
{
	bool in = enter_for(path);
	if (in)
		will_name(REMOVED, AT_FDCWD, path, NULL);
	return named(in, (int)syscall(SYS_unlink, path));
}

int power_mkdir(const char *path, mode_t mode)
{
	bool in = enter_for(path);
	if (in)
		will_name(MADE_FOLDER, AT_FDCWD, path, NULL);
	return named(in, (int)syscall(SYS_mkdir, path, mode));
}

int power_rmdir(const char *path)
{
	bool in = enter_for(path);
	if (in)
		will_name(REMOVED_FOLDER, AT_FDCWD, path, NULL);
	return named(in, (int)syscall(SYS_rmdir, path));
}

/* --- opening, which makes names and empties files */

struct opening {
	bool in, there;
	struct stat st;
};

static struct opening will_open(int folder, const char *path, bool makes, bool empties)
{
	struct opening o = {.in = (makes || empties) && enter_for(path)};
	if (!o.in)
		return o;
	o.there = fstatat(folder, path, &o.st, 0) == 0;
	int fd = o.there && empties ? raw_open(folder, path, O_RDWR) : -1;
	if (fd >= 0 && S_ISREG(o.st.st_mode) && o.st.st_size)
		keep(dirty_of(fd, &o.st, o.st.st_size), o.st.st_size, 0, (size_t)o.st.st_size);
	raw_close(fd);
	if (!o.there && makes)
		will_name(MADE, folder, path, NULL);
	return o;
}

static void opened(struct opening *o, int fd, bool makes)
{
	struct stat st;
	if (!o->in)
		return;
	int saved = errno;
	if (!o->there && makes && fd < 0)
		forget_name(&names);
	if (!o->there && fd >= 0 && fstat(fd, &st) == 0)
		(void)dirty_of(fd, &st, 0); /* so that whoever writes past us, as stdio does, is seen */
	errno = saved;
	leave();
}

int power_open(int folder, const char *path, int flags, mode_t mode)
{
	bool nameless = (flags & O_TMPFILE) == O_TMPFILE, makes = flags & O_CREAT && !nameless, empties = flags & O_TRUNC;
	struct opening o = will_open(folder, path, makes, empties);
	int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
	opened(&o, fd, makes);
	struct stat st;
	if (nameless && fd >= 0 && enter()) {
		if (watched_fd(fd) && fstat(fd, &st) == 0)
			(void)dirty_of(fd, &st, 0);
		leave();
	}
	return fd;
}

FILE *power_fopen(FILE *(*real)(const char *, const char *), const char *path, const char *mode)
{
	struct opening o = will_open(AT_FDCWD, path, *mode != 'r', *mode == 'w');
	FILE *f = real(path, mode);
	opened(&o, f ? fileno(f) : -1, *mode != 'r');
	return f;
}

/* --- what lasts */

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int power_sync(int fd, bool data)
{
	struct stat st;
	bool in = enter();
	int rc = (int)syscall(data ? SYS_fdatasync : SYS_fsync, fd);
	if (in && rc == 0 && fstat(fd, &st) == 0) {
		if (S_ISREG(st.st_mode))
			clean(&st);
		for (struct name **n = &names; S_ISDIR(st.st_mode) && *n;) {
			if (same(&(*n)->in, &st) || ((*n)->other >= 0 && same(&(*n)->in_other, &st)))
				forget_name(n);
			else
				n = &(*n)->older;
		}
	}
	if (in)
		leave();
	return rc;
}

void power_begin(const char *root, const char *aside)
{
	below_n = (size_t)snprintf(below, sizeof below, "%s", root);
	syscall(SYS_mkdir, aside, 0700);
	aside_folder = raw_open(AT_FDCWD, aside, O_RDONLY | O_DIRECTORY);
	on = aside_folder >= 0;
}

/* --- the power is off */

static bool lands(uint64_t dice, const struct dirty *d, off_t block)
{
	uint64_t x = dice ^ (uint64_t)d->ino * 0x9e3779b97f4a7c15u ^ (uint64_t)block * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x >> 63;
}

static void put_back(struct dirty *d, bool some, uint64_t dice)
{
	static const uint8_t zeros[BLOCK];
	struct stat st;
	bool longer = some && lands(dice, d, -1);
	for (struct range *r = d->ranges; r; r = r->older)
		for (off_t at = r->at, next; at < r->at + (off_t)r->n; at = next) {
			next = (at / BLOCK + 1) * BLOCK;
			if (next > r->at + (off_t)r->n)
				next = r->at + (off_t)r->n;
			if (!some || !lands(dice, d, at / BLOCK))
				syscall(SYS_pwrite64, d->fd, r->was + (at - r->at), (size_t)(next - at), at);
		}
	if (!longer) {
		syscall(SYS_ftruncate, d->fd, d->size);
		return;
	}
	if (fstat(d->fd, &st) != 0)
		return;
	for (off_t at = d->size, next; at < st.st_size; at = next) { /* a size that lasted, and not all that it counts */
		next = (at / BLOCK + 1) * BLOCK < st.st_size ? (at / BLOCK + 1) * BLOCK : st.st_size;
		if (!lands(dice, d, at / BLOCK))
			syscall(SYS_pwrite64, d->fd, zeros, (size_t)(next - at), at);
	}
}

static void name_back(const struct name *n)
{
	char kept[32], gone[32];
	snprintf(kept, sizeof kept, "%u", n->aside);
	snprintf(gone, sizeof gone, "gone-%u", ++asides);
	switch (n->kind) {
	case MADE:
	case MADE_FOLDER:
		syscall(SYS_renameat, n->folder, n->what, aside_folder, gone);
		return;
	case REMOVED_FOLDER:
		syscall(SYS_mkdirat, n->folder, n->what, 0700);
		return;
	case RENAMED:
		syscall(SYS_renameat, n->folder, n->what, n->other, n->from);
		break;
	case REMOVED:
		break;
	}
	if (n->aside)
		syscall(SYS_linkat, aside_folder, kept, n->folder, n->what, 0);
}

void power_cut(bool some, uint64_t dice)
{
	if (!enter())
		return;
	unsigned left = 0;
	for (const struct name *n = names; n; n = n->older)
		left++;
	for (struct dirty *d = files; d; d = d->next)
		put_back(d, some, dice);
	if (some)
		left = (unsigned)(dice % (left + 1));
	for (const struct name *n = names; n && left; n = n->older, left--)
		name_back(n);
	/* nobody writes any more: the lock is kept */
}

void power_over(void)
{
	if (!on)
		return;
	on = false;
	pthread_mutex_unlock(&lock);
}

/* The file `files`: read whole at the start, held as a list, written whole at the end.
 *
 * The list has a line for each file that the last run wrote down, and a line without size for each
 * file that this run accepted or doubted besides. At the end add_file() makes of them:
 *
 *     doubted                                    no line: the next start looks at the file
 *     as in its line                             that line; its sum, if it has one
 *     changed, by us (accepted, or a kind        a line as it stands
 *     of file that only we write)
 *     changed in time, but of the same sum       a line as it stands
 *     changed by nobody here                     the old line: the next start finds it CHANGED
 *
 * There are some 400 lines at most (128 days, 256 shards, 2 others), so that the list is walked. */
#include "crumb/disk/files.h"

#include "crumb/base/array.h"
#include "crumb/base/buf.h"
#include "crumb/base/file.h"
#include "crumb/disk/checked.h"
#include "crumb/disk/pages.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "crumb files 1\n"
#define NAME_CAP 64
#define BYTES_MAX (1u << 20)	/* of the file `files` */
#define SUMMED_MOST (256 << 20) /* bytes: a larger file takes too long to sum at a start */
#define SUM_LEN 8
#define SUM_TEXT (2 * SUM_LEN + 1)

struct file {
	int64_t size, mtime; /* bytes, nanoseconds; -1: the last run did not write it down */
	char name[NAME_CAP], sum[SUM_TEXT]; /* sum "-": unknown */
	bool accepted, doubted;		    /* in this run */
};

struct files {
	char store[FILE_PATH_MAX];
	bool stopped, in_use;
	bool marked;	 /* the log's end says whose it is, as files_mark() was told */
	bool mark_known; /* the file that was read says so */
	struct file *list;
	size_t n, cap;
};

static int64_t mtime_of(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* The sum of a file, or "-": it is too large, cannot be read, or was written meanwhile. */
static void file_sum(const char *path, const struct stat *st, char out[SUM_TEXT])
{
	static const size_t part = 1 << 20;
	struct stat after;
	uint8_t sum[32];
	crypto_generichash_state h;
	ssize_t n = -1;
	int fd = st->st_size <= SUMMED_MOST ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	uint8_t *b = fd >= 0 ? malloc(part) : NULL;
	memcpy(out, "-", 2);
	crypto_generichash_init(&h, NULL, 0, sizeof sum);
	while (b && (n = read(fd, b, part)) > 0)
		crypto_generichash_update(&h, b, (size_t)n);
	crypto_generichash_final(&h, sum, sizeof sum);
	if (n == 0 && fstat(fd, &after) == 0 && after.st_size == st->st_size &&
	    mtime_of(&after) == mtime_of(st))
		sodium_bin2hex(out, SUM_TEXT, sum, SUM_LEN);
	free(b);
	if (fd >= 0)
		close(fd);
}

/* A fresh line at the end of the list; lines may move. */
static struct file *more_lines(struct files *f)
{
	CHECK(array_room(f->list, f->cap, f->n + 1));
	return &f->list[f->n++];
}

struct files *files_load(const char *store, enum files_writer writer)
{
	struct files *f = calloc(1, sizeof *f);
	struct buf b = {0};
	char path[FILE_PATH_MAX + 8];
	CHECK(f);
	f->in_use = writer == FILES_IN_USE;
	snprintf(f->store, sizeof f->store, "%s", store);
	snprintf(path, sizeof path, "%s/files", store);
	struct str rest, line;
	if (checked_read(path, BYTES_MAX, &b) && checked_text(buf_view(&b), &rest) &&
	    str_starts(rest, STR(MAGIC))) {
		while (str_cut(&rest, '\n', &line)) {
			struct file one = {.sum = "-"};
			char text[256];
			snprintf(text, sizeof text, STR_FMT, STR_ARG(line));
			f->stopped |= strcmp(text, "stopped") == 0;
			f->mark_known |= strcmp(text, "marked") == 0;
			if (sscanf(text, "%" SCNd64 " %" SCNd64 " %63s %16s", &one.size, &one.mtime,
				one.name, one.sum) >= 3)
				*more_lines(f) = one;
		}
	}
	buf_done(&b);
	return f;
}

void files_free(struct files *f)
{
	if (f)
		free(f->list);
	free(f);
}

bool files_stopped(const struct files *f)
{
	return f->stopped;
}

static struct file *find_line(const struct files *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->list[i].name, name) == 0)
			return &f->list[i];
	return NULL;
}

bool files_marked(const struct files *f)
{
	return f->mark_known;
}

void files_mark(struct files *f)
{
	f->marked = true;
}

bool files_known(const struct files *f, const char *name)
{
	const struct file *was = find_line(f, name);
	return was && was->size >= 0;
}

bool files_summed(const struct files *f, const char *name)
{
	const struct file *was = find_line(f, name);
	return was && *was->sum != '-';
}

static bool same_sum(const char *path, const struct stat *st, const struct file *was)
{
	char sum[SUM_TEXT];
	if (*was->sum == '-')
		return false;
	file_sum(path, st, sum);
	return strcmp(sum, was->sum) == 0;
}

enum files_state files_look(const struct files *f, const char *name)
{
	char path[FILE_PATH_MAX + NAME_CAP + 1];
	struct stat st;
	const struct file *was = find_line(f, name);
	if (f->in_use)
		return FILES_SAME;
	if (!was || was->size < 0)
		return FILES_UNKNOWN;
	snprintf(path, sizeof path, "%s/%s", f->store, name);
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == was->size &&
	    (mtime_of(&st) == was->mtime || same_sum(path, &st, was)))
		return FILES_SAME;
	return f->stopped ? FILES_CHANGED : FILES_UNKNOWN;
}

enum err files_check(const struct files *f, const char *name, enum files_state *how)
{
	char path[FILE_PATH_MAX + NAME_CAP + 1];
	snprintf(path, sizeof path, "%s/%s", f->store, name);
	*how = files_look(f, name);
	return pages_check(path, *how == FILES_SAME ? PAGES_META : PAGES_ALL, 0);
}

static enum err save_lines(const char *store, struct buf *b)
{
	char path[FILE_PATH_MAX + 8];
	snprintf(path, sizeof path, "%s/files", store);
	return checked_write(path, b);
}

static void put_line(struct buf *b, const struct file *one)
{
	buf_addf(b, "%" PRId64 " %" PRId64 " %s %s\n", one->size, one->mtime, one->name, one->sum);
}

enum err files_running(struct files *f)
{
	struct buf b = {0};
	if (!f->stopped && f->mark_known >= f->marked)
		return OK; /* the file says nothing that is not so */
	buf_c(&b, MAGIC);
	if (f->marked)
		buf_c(&b, "marked\n");
	for (size_t i = 0; i < f->n; i++)
		put_line(&b, &f->list[i]);
	enum err e = save_lines(f->store, &b);
	buf_done(&b);
	return e;
}

/* The line of a file, made when missing. NULL: too long a name. */
static struct file *have_line(struct files *f, const char *name)
{
	struct file *one = find_line(f, name);
	if (!one && strlen(name) < NAME_CAP) {
		one = more_lines(f);
		*one = (struct file){.size = -1, .mtime = -1, .sum = "-"};
		memcpy(one->name, name, strlen(name) + 1);
	}
	return one;
}

void files_accept(struct files *f, const char *name)
{
	struct file *one = have_line(f, name);
	if (one)
		one->accepted = true;
}

void files_doubt(struct files *f, const char *name)
{
	struct file *one = have_line(f, name);
	if (one)
		one->doubted = true;
}

/* Brings a file's bytes and times to disk. LMDB flushes bytes without times, and does not flush the
 * last commit of views: a power failure after the end would change a file that has its line. */
static bool synced(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool done = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return done;
}

/* Adds the line of a file: as it stands, or the line that it had (the table at the head).
 * `accepted`: files of this kind are written by us only. */
static void add_file(
    struct buf *b, const struct files *f, const char *name, bool summed, bool accepted)
{
	char path[FILE_PATH_MAX + NAME_CAP + 1];
	struct stat st;
	const struct file *was = find_line(f, name);
	snprintf(path, sizeof path, "%s/%s", f->store, name);
	if (strlen(name) >= NAME_CAP || stat(path, &st) != 0 || !S_ISREG(st.st_mode) ||
	    (was && was->doubted))
		return;
	struct file now = {.size = st.st_size, .mtime = mtime_of(&st), .sum = "-"};
	memcpy(now.name, name, strlen(name) + 1);
	bool known = was && was->size >= 0,
	     same = known && was->size == now.size && was->mtime == now.mtime;
	if (same && *was->sum != '-')
		memcpy(now.sum, was->sum, sizeof now.sum);
	else if (!synced(path))
		return;
	else if (summed)
		file_sum(path, &st, now.sum);
	if (known && !same && !accepted && !was->accepted &&
	    (*was->sum == '-' || strcmp(was->sum, now.sum) != 0))
		now = *was;
	put_line(b, &now);
}

/* Adds the lines of SUB/NAME/data.mdb, whatever is the name. */
static void add_below(
    struct buf *b, const struct files *f, const char *sub, bool summed, bool accepted)
{
	char path[FILE_PATH_MAX + NAME_CAP + 1];
	snprintf(path, sizeof path, "%s/%s", f->store, sub);
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));) {
		char name[512];
		snprintf(name, sizeof name, "%s/%s/data.mdb", sub, e->d_name);
		if (e->d_name[0] != '.')
			add_file(b, f, name, summed, accepted);
	}
	if (d)
		closedir(d);
}

enum err files_save(const struct files *f, uint32_t generation, enum store_views views)
{
	struct buf b = {0};
	char state[32];
	snprintf(state, sizeof state, "state/%" PRIu32, generation);
	buf_c(&b, MAGIC);
	buf_c(&b, "stopped\n");
	if (f->marked)
		buf_c(&b, "marked\n");
	add_below(&b, f, "journal", true, false);
	if (views == STORE_VIEWS_FINE)
		add_below(&b, f, state, false, true);
	for (size_t i = 0; i < f->n && views == STORE_VIEWS_UNSEEN; i++)
		if (strncmp(f->list[i].name, "state/", 6) == 0 && f->list[i].size >= 0)
			put_line(&b, &f->list[i]);
	add_file(&b, f, "wal", false, true);
	add_file(&b, f, "erased", true, true);
	enum err e = save_lines(f->store, &b);
	buf_done(&b);
	return e;
}

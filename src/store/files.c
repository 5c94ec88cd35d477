#include "files.h"

#include "crumb/base/buf.h"
#include "crumb/base/clock.h"
#include "crumb/base/file.h"
#include "pages.h"

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
#define BYTES_MAX (1u << 20)
#define CHECK_LEN 8

struct file {
	int64_t size, mtime;
	char name[NAME_CAP];
};

struct files {
	char store[FILE_PATH_MAX];
	bool stopped, in_use;
	struct file *list;
	size_t n;
};

static int64_t mtime_of(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static void check_of(const char *p, size_t n, char out[2 * CHECK_LEN + 1])
{
	uint8_t sum[32];
	crypto_generichash(sum, sizeof sum, (const uint8_t *)p, n, NULL, 0);
	sodium_bin2hex(out, 2 * CHECK_LEN + 1, sum, CHECK_LEN);
}

static bool read_whole(const char *path, struct buf *out)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool fine = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < BYTES_MAX && buf_reserve(out, (size_t)st.st_size + 1) &&
		    read(fd, out->p, (size_t)st.st_size) == st.st_size;
	if (fd >= 0)
		close(fd);
	if (fine) {
		out->n = (size_t)st.st_size;
		out->p[out->n] = 0;
	}
	return fine;
}

/* The check stands in the last line, of 23 bytes. */
static bool whole(struct str text)
{
	char sum[2 * CHECK_LEN + 1], line[32];
	const size_t last = 6 + 2 * CHECK_LEN + 1;
	if (text.n < strlen(MAGIC) + last || memcmp(text.p, MAGIC, strlen(MAGIC)) != 0)
		return false;
	check_of(text.p, text.n - last, sum);
	snprintf(line, sizeof line, "check %s\n", sum);
	return memcmp(text.p + text.n - last, line, last) == 0;
}

struct files *files_load(const char *store, bool in_use)
{
	struct files *f = calloc(1, sizeof *f);
	struct buf b = {0};
	char path[FILE_PATH_MAX + 8];
	CHECK(f);
	f->in_use = in_use;
	snprintf(f->store, sizeof f->store, "%s", store);
	snprintf(path, sizeof path, "%s/files", store);
	if (read_whole(path, &b) && whole(buf_view(&b))) {
		struct str rest = buf_view(&b), line;
		while (str_cut(&rest, '\n', &line)) {
			struct file one;
			char text[256];
			snprintf(text, sizeof text, STR_FMT, STR_ARG(line));
			f->stopped |= strcmp(text, "stopped") == 0;
			if (sscanf(text, "%" SCNd64 " %" SCNd64 " %63s", &one.size, &one.mtime, one.name) != 3)
				continue;
			struct file *grown = realloc(f->list, (f->n + 1) * sizeof *grown);
			CHECK(grown);
			f->list = grown;
			f->list[f->n++] = one;
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

static const struct file *find(const struct files *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->list[i].name, name) == 0)
			return &f->list[i];
	return NULL;
}

bool files_known(const struct files *f, const char *name)
{
	return find(f, name) != NULL;
}

enum files_state files_look(const struct files *f, const char *name)
{
	char path[FILE_PATH_MAX + NAME_CAP + 1];
	struct stat st;
	const struct file *was = find(f, name);
	if (f->in_use)
		return FILES_SAME;
	if (!was)
		return FILES_UNKNOWN;
	snprintf(path, sizeof path, "%s/%s", f->store, name);
	if (stat(path, &st) == 0 && st.st_size == was->size && mtime_of(&st) == was->mtime)
		return FILES_SAME;
	return f->stopped ? FILES_CHANGED : FILES_UNKNOWN;
}

enum err files_check(const struct files *f, const char *name, enum files_state *how)
{
	char path[FILE_PATH_MAX + NAME_CAP + 1];
	snprintf(path, sizeof path, "%s/%s", f->store, name);
	*how = files_look(f, name);
	return pages_check(path, *how != FILES_SAME, 0);
}

static enum err save(const char *store, struct buf *b)
{
	char path[FILE_PATH_MAX + 8], sum[2 * CHECK_LEN + 1];
	snprintf(path, sizeof path, "%s/files", store);
	if (b->failed)
		return err_set(ERR_NOMEM, "no memory");
	check_of(b->p, b->n, sum);
	buf_addf(b, "check %s\n", sum);
	return b->failed ? err_set(ERR_NOMEM, "no memory") : file_replace(path, buf_view(b));
}

enum err files_running(struct files *f)
{
	struct buf b = {0};
	if (!f->stopped)
		return OK; /* says nothing that is not so */
	buf_c(&b, MAGIC);
	for (size_t i = 0; i < f->n; i++)
		buf_addf(&b, "%" PRId64 " %" PRId64 " %s\n", f->list[i].size, f->list[i].mtime, f->list[i].name);
	enum err e = save(f->store, &b);
	buf_done(&b);
	return e;
}

static void add(struct buf *b, const char *store, const char *name)
{
	char path[FILE_PATH_MAX + NAME_CAP + 1];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", store, name);
	if (strlen(name) < NAME_CAP && stat(path, &st) == 0 && S_ISREG(st.st_mode))
		buf_addf(b, "%" PRId64 " %" PRId64 " %s\n", (int64_t)st.st_size, mtime_of(&st), name);
}

static void add_below(struct buf *b, const char *store, const char *sub)
{
	char path[FILE_PATH_MAX + NAME_CAP + 1];
	snprintf(path, sizeof path, "%s/%s", store, sub);
	DIR *d = opendir(path);
	for (struct dirent *f; d && (f = readdir(d));) {
		char name[512];
		snprintf(name, sizeof name, "%s/%s/data.mdb", sub, f->d_name);
		if (f->d_name[0] != '.')
			add(b, store, name);
	}
	if (d)
		closedir(d);
}

enum err files_save(const char *store, uint32_t generation)
{
	struct buf b = {0};
	char state[32];
	snprintf(state, sizeof state, "state/%" PRIu32, generation);
	buf_c(&b, MAGIC);
	buf_c(&b, "stopped\n");
	add_below(&b, store, "journal");
	add_below(&b, store, state);
	add(&b, store, "wal");
	add(&b, store, "erased");
	enum err e = save(store, &b);
	buf_done(&b);
	return e;
}

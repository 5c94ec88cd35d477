#include "crumb/store/store.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define MAP_BYTES ((size_t)256 << 30)

static void path_of(const struct store *s, const char *name, char out[4096])
{
	snprintf(out, 4096, "%s/%s", s->path, name);
}

static enum err sys(const char *path)
{
	return err_set(errno == ENOSPC ? ERR_FULL : errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
}

static bool file_read(const char *path, char *out, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, out, cap - 1);
	close(fd);
	if (n < 0)
		return false;
	out[n] = 0;
	return true;
}

static enum err make_folder(const char *path)
{
	return mkdir(path, 0700) != 0 && errno != EEXIST ? sys(path) : OK;
}

enum err folder_make(const char *path, unsigned mode)
{
	char part[4096];
	snprintf(part, sizeof part, "%s", path);
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		if (mkdir(part, 0755) != 0 && errno != EEXIST && errno != EACCES && errno != EROFS)
			return sys(part);
		*p = '/';
	}
	return mkdir(part, mode) != 0 && errno != EEXIST ? sys(part) : OK;
}

static enum err take_lock(struct store *s)
{
	char path[4096];
	path_of(s, "lock", path);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return sys(path);
	/* a command that only looks whether somebody has the lock holds it for a moment: try for a second */
	int tries = 0;
	while (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0 && tries++ < 20)
		nanosleep(&(struct timespec){0, 50000000}, NULL);
	if (tries > 20)
		return err_set(ERR_BUSY, "%s is in use by a running crumbd or crumb", s->path);
	return OK;
}

static enum err read_format(struct store *s, const struct config *c)
{
	char path[4096], text[128];
	path_of(s, "format", path);
	if (!file_read(path, text, sizeof text)) {
		if (errno != ENOENT || s->readonly)
			return err_set(ERR_NOT_FOUND, "%s: there is no store here (%s); crumbd makes one", s->path, strerror(errno));
		snprintf(text, sizeof text, "crumb store 1\nshards %ld\n", c->shards);
		s->shards = (unsigned)c->shards;
		return file_replace(path, str_c(text));
	}
	if (sscanf(text, "crumb store 1\nshards %u\n", &s->shards) != 1 || s->shards < 1 || s->shards > 256)
		return err_set(ERR_CORRUPT, "%s: written by another version of crumb", path);
	return OK;
}

bool store_locked(const struct config *c)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/lock", c->store_path);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool free_now = flock(fd, LOCK_EX | LOCK_NB) == 0;
	close(fd);
	return !free_now;
}

enum err store_open(const struct config *c, enum store_mode mode, struct store **out)
{
	struct store *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(ERR_NOMEM, "no memory");
	char path[4096];
	snprintf(s->path, sizeof s->path, "%s", c->store_path);
	s->lock_fd = -1;
	s->readonly = mode != STORE_WRITE;
	s->map_bytes = c->map_gb ? (size_t)c->map_gb << 30 : MAP_BYTES;
#ifdef CRUMB_SMALL_MAPS
	s->map_bytes = (size_t)1 << 30; /* sanitizers want the address space for themselves */
#endif
	enum err e = OK;
	if (!s->readonly && ((e = folder_make(s->path, 0700)) || (e = take_lock(s))))
		goto out;
	if ((e = read_format(s, c)))
		goto out;
	path_of(s, "journal", path);
	if (!s->readonly && (e = make_folder(path)))
		goto out;
	path_of(s, "state", path);
	if (!s->readonly && (e = make_folder(path)))
		goto out;
	path_of(s, "keys", path);
	if ((e = keys_open(path, !s->readonly, &s->keys)))
		goto out;
	path_of(s, "erased", path);
	if ((e = erased_open(path, !s->readonly, &s->erased)))
		goto out;
	if (mode != STORE_READ)
		e = journal_open(s->path, s->keys, s->shards, s->map_bytes, s->readonly, &s->journal);
out:
	if (e)
		store_close(s);
	else
		*out = s;
	return e;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	journal_close(s->journal);
	erased_close(s->erased);
	keys_close(s->keys);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s);
}

uint16_t store_kept_day(const struct store *s)
{
	char path[4096], text[32];
	uint16_t day;
	path_of(s, "kept", path);
	return file_read(path, text, sizeof text) && day_parse(text, strcspn(text, "\n"), &day) ? day : 0;
}

enum err store_save_kept_day(const struct store *s, uint16_t day)
{
	char path[4096], text[DAY_TEXT], line[DAY_TEXT + 1];
	path_of(s, "kept", path);
	day_text(day, text);
	snprintf(line, sizeof line, "%s\n", text);
	return file_replace(path, str_c(line));
}

uint32_t store_current(const struct store *s)
{
	char path[4096], text[32];
	uint64_t v;
	path_of(s, "state/CURRENT", path);
	return file_read(path, text, sizeof text) && str_u64(str_trim(str_c(text)), &v) && v <= UINT32_MAX ? (uint32_t)v : 0;
}

enum err store_set_current(struct store *s, uint32_t generation)
{
	char path[4096], text[32];
	path_of(s, "state/CURRENT", path);
	snprintf(text, sizeof text, "%u\n", generation);
	return file_replace(path, str_c(text));
}

enum err store_shard(struct store *s, uint32_t generation, unsigned shard, struct shard *out)
{
	char path[4200];
	enum err e = OK;
	snprintf(path, sizeof path, "%s/state/%u", s->path, generation);
	if (!s->readonly && (e = make_folder(path)))
		return e;
	snprintf(path, sizeof path, "%s/state/%u/%u", s->path, generation, shard);
	if (!s->readonly && (e = make_folder(path)))
		return e;
	return shard_open(out, path, shard, s->map_bytes, s->readonly);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	return remove(path);
}

uint32_t store_building(const struct store *s)
{
	char path[4200];
	struct stat st;
	uint32_t number = store_current(s) + 1;
	snprintf(path, sizeof path, "%s/state/%u/0/data.mdb", s->path, number);
	return stat(path, &st) == 0 ? number : 0;
}

enum err folder_remove(const char *path)
{
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT ? sys(path) : OK;
}

void store_drop_generation(struct store *s, uint32_t generation)
{
	char path[4200];
	snprintf(path, sizeof path, "%s/state/%u", s->path, generation);
	if (folder_remove(path) != OK)
		log_warn("store", "an old generation stays folder=%s why=%s", path, strerror(errno));
}

void store_drop_others(struct store *s, uint32_t keep, uint32_t and)
{
	char path[4096];
	path_of(s, "state", path);
	DIR *d = opendir(path);
	if (!d)
		return;
	for (struct dirent *f; (f = readdir(d));) {
		uint64_t v;
		if (str_u64(str_c(f->d_name), &v) && v != keep && (and == 0 || v != and))
			store_drop_generation(s, (uint32_t)v);
	}
	closedir(d);
}

enum err store_seq_floor(struct store *s, uint32_t generation)
{
	for (unsigned i = 0; i < s->shards; i++) {
		struct shard sh;
		struct db_txn t;
		uint64_t seq = 0;
		enum err e = store_shard(s, generation, i, &sh);
		if (!e)
			e = db_begin(&sh.db, false, &t);
		if (e)
			return e;
		uint64_t target = 0, next;
		shard_meta_u64(&sh, &t, "watermark", &seq);
		if (shard_unfinished(&sh, &t, &target, &next) && target > seq)
			seq = target;
		db_abort(&t);
		shard_close(&sh);
		journal_seq_floor(s->journal, seq);
	}
	return OK;
}

enum err store_save_clock(const struct store *s, int64_t offset)
{
	char path[4096], text[32];
	path_of(s, "clock", path);
	snprintf(text, sizeof text, "%lld\n", (long long)offset);
	return file_replace(path, str_c(text));
}

void store_load_clock(const struct config *c)
{
	char path[4096], text[32];
	snprintf(path, sizeof path, "%s/clock", c->store_path);
	if (file_read(path, text, sizeof text))
		clock_set_offset(strtoll(text, NULL, 10));
}

enum err store_save_admin(const struct store *s, const char *address, const char *token)
{
	char path[4096], text[300];
	path_of(s, "admin", path);
	snprintf(text, sizeof text, "%s\n%s\n", address, token);
	return file_replace(path, str_c(text));
}

bool store_load_admin(const struct config *c, char address[128], char token[128])
{
	char path[4096], text[300];
	snprintf(path, sizeof path, "%s/admin", c->store_path);
	return file_read(path, text, sizeof text) && sscanf(text, "%127s\n%127s\n", address, token) == 2;
}

static _Thread_local uint64_t bytes_found;

static int add_blocks(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)path, (void)kind, (void)where;
	bytes_found += (uint64_t)st->st_blocks * 512;
	return 0;
}

uint64_t store_bytes(const struct store *s, const char *sub)
{
	char path[4096];
	path_of(s, sub, path);
	bytes_found = 0;
	nftw(path, add_blocks, 16, FTW_PHYS);
	return bytes_found;
}

bool store_low(const struct store *s, long percent)
{
	struct statvfs v;
	if (percent == 0 || statvfs(s->path, &v) != 0 || v.f_blocks == 0)
		return false;
	return (double)v.f_bavail * 100 < (double)v.f_blocks * (double)percent;
}

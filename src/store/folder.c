/* Folders of a store: made so that a power failure does not take them, removed with all that is in
 * them, and how much of the disk they take. */
#include "store_path.h"

#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define NFTW_FILES 16 /* that nftw() may have open */

/* Makes a folder; its name is on disk when this returns. Where the folder above may not be read it
 * cannot be synced. */
static enum err make_synced(const char *path, unsigned mode)
{
	char above[FILE_PATH_MAX];
	if (mkdir(path, mode) != 0)
		return err_sys_path(path);
	const char *slash = strrchr(path, '/');
	size_t n = slash && slash > path ? (size_t)(slash - path) : 1;
	snprintf(above, sizeof above, "%.*s", (int)n, slash ? path : ".");
	return access(above, R_OK) == 0 ? folder_sync(above) : OK;
}

enum err folder_make(const char *path, unsigned mode)
{
	char part[FILE_PATH_MAX];
	struct stat st;
	snprintf(part, sizeof part, "%s", path);
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		enum err e = stat(part, &st) == 0 ? OK : make_synced(part, 0755);
		if (e && errno != EEXIST && errno != EACCES && errno != EROFS)
			return e;
		*p = '/';
	}
	enum err e = make_synced(part, mode);
	return e && errno == EEXIST ? OK : e;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	return remove(path);
}

enum err folder_remove(const char *path)
{
	bool failed = nftw(path, remove_one, NFTW_FILES, FTW_DEPTH | FTW_PHYS) != 0;
	return failed && errno != ENOENT ? err_sys_path(path) : OK;
}

/* nftw() hands nothing to its callback. */
static _Thread_local uint64_t bytes_found;

static int add_blocks(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)path, (void)kind, (void)where;
	bytes_found += (uint64_t)st->st_blocks * 512;
	return 0;
}

uint64_t store_bytes(const struct store *s, const char *sub)
{
	char path[FILE_PATH_MAX];
	store_path(s, sub, path);
	bytes_found = 0;
	nftw(path, add_blocks, NFTW_FILES, FTW_PHYS);
	return bytes_found;
}

double store_free(const struct store *s)
{
	struct statvfs v;
	if (statvfs(s->path, &v) != 0 || v.f_blocks == 0)
		return -1;
	return (double)v.f_bavail / (double)v.f_blocks;
}

bool store_low(const struct store *s, long percent)
{
	double share = percent ? store_free(s) : -1;
	return share >= 0 && share * 100 < (double)percent;
}

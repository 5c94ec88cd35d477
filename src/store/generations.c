/* The folders of views: state/GEN/SHARD/, of which state/CURRENT names the serving generation.
 *
 * Numbers of generations only grow, and the one being built has the number behind the serving one.
 * A folder that is neither is a leftover of a crash; store_drop_others() removes it. */
#include "store_path.h"

#include "crumb/base/log.h"
#include "crumb/base/spread.h"
#include "crumb/disk/files.h"
#include "crumb/disk/pages.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

uint32_t store_current(const struct store *s)
{
	char path[FILE_PATH_MAX], text[32];
	uint64_t v;
	store_path(s, "state/CURRENT", path);
	bool named = file_read_text(path, text, sizeof text) == OK &&
		     str_u64(str_trim(str_c(text)), &v) && v <= UINT32_MAX;
	return named ? (uint32_t)v : 0;
}

/* The names of the views' files are on disk before the name of the views is. */
static enum err sync_names(const struct store *s, uint32_t generation)
{
	char path[FILE_PATH_MAX];
	enum err e = OK;
	for (unsigned i = 0; i < s->shards && !e; i++) {
		snprintf(path, sizeof path, "%s/state/%u/%u", s->path, generation, i);
		e = folder_sync(path);
	}
	snprintf(path, sizeof path, "%s/state/%u", s->path, generation);
	return e ? e : folder_sync(path);
}

enum err store_set_current(struct store *s, uint32_t generation)
{
	char path[FILE_PATH_MAX], text[32];
	enum err e = sync_names(s, generation);
	if (e)
		return e;
	store_path(s, "state/CURRENT", path);
	snprintf(text, sizeof text, "%u\n", generation);
	return file_replace(path, str_c(text));
}

enum err store_shard(struct store *s, uint32_t generation, unsigned shard, struct shard *out)
{
	char path[FILE_PATH_MAX];
	enum err e = OK;
	snprintf(path, sizeof path, "%s/state/%u", s->path, generation);
	if (!s->readonly && mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_sys_path(path);
	snprintf(path, sizeof path, "%s/state/%u/%u", s->path, generation, shard);
	const enum db_access access = s->readonly ? DB_READ : DB_WRITE;
	if (!s->readonly && mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_sys_path(path);
	if ((e = shard_open(out, path, shard, s->map_bytes, access)))
		return e;
	struct shard_name name = {.generation = generation, .shard = shard};
	if (keys_sealed(s->keys))
		keys_id(s->keys, name.store);
	if ((e = shard_belongs(out, &name, access)))
		shard_close(out);
	return e;
}

struct looking {
	const struct store *s;
	uint32_t generation;
};

static enum err look_at_shard(void *arg, unsigned number)
{
	const struct looking *l = arg;
	char name[64];
	enum files_state how;
	snprintf(name, sizeof name, "state/%u/%u/data.mdb", l->generation, number);
	enum err e = files_check(l->s->files, name, &how);
	if (e == ERR_NOT_FOUND)
		return err_set(ERR_CORRUPT, "%s/%s is missing", l->s->path, name);
	if (!e && how == FILES_CHANGED)
		return err_set(ERR_CORRUPT,
		    "%s/%s was changed by somebody else since the store was closed", l->s->path,
		    name);
	return e;
}

/* Shards are checked side by side. After a crash all pages are read, at a gigabyte a second and
 * core at best, and a disk gives more to several who ask. */
enum err store_check_views(struct store *s, uint32_t generation)
{
	return spread(s->shards, look_at_shard, &(struct looking){s, generation});
}

enum err store_check_pages(const struct store *s, uint32_t generation, struct shard *shard)
{
	char path[FILE_PATH_MAX];
	snprintf(path, sizeof path, "%s/state/%u/%u/data.mdb", s->path, generation, shard->number);
	enum err e = pages_check_open(&shard->db, path);
	/* the server has put others in their place, and has removed what we still have open */
	return e == ERR_NOT_FOUND && store_current(s) != generation ? OK : e;
}

uint32_t store_newest_views(const struct store *s)
{
	char path[FILE_PATH_MAX];
	uint64_t v, newest = 0;
	store_path(s, "state", path);
	DIR *d = opendir(path);
	for (struct dirent *f; d && (f = readdir(d));)
		if (str_u64(str_c(f->d_name), &v) && v > newest && v < UINT32_MAX)
			newest = v;
	if (d)
		closedir(d);
	return (uint32_t)newest;
}

uint32_t store_building(const struct store *s)
{
	char path[FILE_PATH_MAX];
	struct stat st;
	uint32_t number = store_current(s) + 1;
	snprintf(path, sizeof path, "%s/state/%u/0/data.mdb", s->path, number);
	return stat(path, &st) == 0 ? number : 0;
}

void store_drop_generation(struct store *s, uint32_t generation)
{
	char path[FILE_PATH_MAX];
	snprintf(path, sizeof path, "%s/state/%u", s->path, generation);
	if (folder_remove(path) != OK)
		log_warn(
		    "store", "an old generation stays folder=%s why=%s", path, strerror(errno));
}

void store_drop_others(struct store *s, uint32_t keep, uint32_t and)
{
	char path[FILE_PATH_MAX];
	store_path(s, "state", path);
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

bool store_room_for_another(const struct store *s, uint32_t generation)
{
	struct statvfs v;
	char sub[32];
	snprintf(sub, sizeof sub, "state/%u", generation);
	return statvfs(s->path, &v) != 0 || (uint64_t)v.f_bavail * v.f_frsize > store_bytes(s, sub);
}

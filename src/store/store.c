#include "crumb/store/store.h"

#include "crumb/base/clock.h"
#include "crumb/base/file.h"
#include "crumb/base/log.h"
#include "crumb/base/spread.h"
#include "crumb/disk/files.h"
#include "store_format.h"
#include "crumb/disk/pages.h"

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
#define SPACE_BYTES ((size_t)120 << 40) /* of 128 TB that a process has */

static void path_of(const struct store *s, const char *name, char out[4096])
{
	snprintf(out, 4096, "%s/%s", s->path, name);
}

/* Makes one; its name is on disk when this returns. A folder that may not be read cannot be synced.
 */
static enum err make_synced(const char *path, unsigned mode)
{
	char above[4096];
	if (mkdir(path, mode) != 0)
		return err_sys_path(path);
	const char *slash = strrchr(path, '/');
	size_t n = slash && slash > path ? (size_t)(slash - path) : 1;
	snprintf(above, sizeof above, "%.*s", (int)n, slash ? path : ".");
	return access(above, R_OK) == 0 ? folder_sync(above) : OK;
}

static enum err make_folder(const char *path)
{
	enum err e = make_synced(path, 0700);
	return e && errno == EEXIST ? OK : e;
}

enum err folder_make(const char *path, unsigned mode)
{
	char part[4096];
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

static enum err take_lock(struct store *s)
{
	char path[4096];
	path_of(s, "lock", path);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return err_sys_path(path);
	/* a command that only looks whether somebody has the lock holds it for a moment: try for a
	 * second */
	int tries = 0;
	while (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0 && tries++ < 20)
		nanosleep(&(struct timespec){0, 50000000}, NULL);
	if (tries > 20)
		return err_set(ERR_BUSY, "%s is in use by a running crumbd or crumb", s->path);
	return OK;
}

/* --- is it ours, and whole? */

/* What only the keys open, or what was made with them: days of the journal and views. */
struct contents {
	unsigned days, generations;
};

static void count_in(const char *store, const char *sub, bool days, unsigned *out)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", store, sub);
	DIR *d = opendir(path);
	for (struct dirent *f; d && (f = readdir(d));) {
		uint16_t day;
		uint64_t number;
		size_t n = strlen(f->d_name);
		*out += days ? n >= DAY_TEXT - 1 && day_parse(f->d_name, DAY_TEXT - 1, &day)
			     : str_u64(str_c(f->d_name), &number);
	}
	if (d)
		closedir(d);
}

static bool anything(const struct contents *c)
{
	return c->days || c->generations;
}

static enum err refuse_keys(
    const char *path, const struct format *f, const struct contents *c, const char *how)
{
	if (c->days)
		return err_set(ERR_NOT_FOUND,
		    "%s %s, and only it opens the %u days in journal/: put back the newest copy; "
		    "nothing was changed. If it is lost for ever, so are "
		    "these days: move the store away and begin a new one",
		    path, how, c->days);
	return err_set(ERR_NOT_FOUND,
	    "%s %s, and this store was made with it%s: put it back, or move the store away and "
	    "begin a new one; nothing was changed",
	    path, how, f->sealed ? "" : " (there are views)");
}

/* Opens the keys, or makes them for a store that has nothing yet. */
static enum err open_keys(struct store *s, const struct format *f, const struct contents *c)
{
	char path[4096];
	struct stat st;
	path_of(s, "keys", path);
	bool named = lstat(path, &st) == 0, link = named && S_ISLNK(st.st_mode),
	     there = named && stat(path, &st) == 0;
	if (named && !there)
		return link && errno == ENOENT
			   ? refuse_keys(path, f, c,
				 "is a link to a file that is not there (is its storage mounted?)")
			   : err_sys_path(path);
	if (!named && errno != ENOENT)
		return err_sys_path(path);
	bool missing = !there || (S_ISREG(st.st_mode) && st.st_size == 0);
	if (!missing)
		return keys_open(path, s->readonly ? KEYS_READ : KEYS_WRITE, &s->keys);
	if (s->readonly || f->sealed || anything(c))
		return refuse_keys(path, f, c, there ? "is empty" : "is missing");
	enum err e = keys_open(path, KEYS_MAKE, &s->keys);
	return e ? e : folder_sync(s->path);
}

/* Are the keys those of the store, and not older than it? */
static enum err match_keys(const struct store *s, const struct format *f)
{
	uint8_t id[STORE_ID_LEN];
	if (!f->sealed)
		return OK; /* an older crumb's: the journal tells (journal_open) */
	keys_id(s->keys, id);
	if (!keys_sealed(s->keys))
		return err_set(ERR_CORRUPT,
		    "%s/keys is an old copy: put back the newest; nothing was changed", s->path);
	if (memcmp(id, f->id, sizeof id) != 0)
		return err_set(ERR_CORRUPT,
		    "%s/keys belongs to another store: put back this store's; nothing was changed",
		    s->path);
	if (keys_serial(s->keys) < f->serial)
		return err_set(ERR_CORRUPT,
		    "%s/keys is an old copy (change %llu of %llu): put back the newest; nothing "
		    "was changed",
		    s->path, (unsigned long long)keys_serial(s->keys),
		    (unsigned long long)f->serial);
	return OK;
}

static enum err save_format(const struct store *s, uint64_t serial)
{
	struct format f = {.there = true, .sealed = true, .shards = s->shards, .serial = serial};
	keys_id(s->keys, f.id);
	return format_write(s->path, &f);
}

/* The keys have changed. Their lock is held. */
static void remember_serial(void *arg, uint64_t serial)
{
	if (save_format(arg, serial) != OK)
		log_warn(
		    "store", "an older copy of keys would not be noticed why=\"%s\"", err_text());
}

static enum err identify(struct store *s, const struct config *c, struct format *f)
{
	struct contents have = {0, 0};
	count_in(s->path, "journal", true, &have.days);
	count_in(s->path, "state", false, &have.generations);
	enum err e = format_read(s->path, f);
	if (e)
		return e;
	if (!f->there && (s->readonly && !anything(&have)))
		return err_set(
		    ERR_NOT_FOUND, "%s: there is no store here; crumbd makes one", s->path);
	if (!f->there && anything(&have))
		return err_set(ERR_NOT_FOUND,
		    "%s/format is missing, but there are %u days of journal: put it back, every "
		    "backup of the store has it; nothing was changed",
		    s->path, have.days);
	s->shards = f->there ? f->shards : (unsigned)c->shards;
	if ((e = open_keys(s, f, &have)))
		return e;
	return match_keys(s, f);
}

/* From now on keys and format tell each other. */
static enum err seal(struct store *s, const struct format *f)
{
	enum err e = keys_seal(s->keys);
	if (!e && (!f->sealed || f->serial != keys_serial(s->keys)))
		e = save_format(s, keys_serial(s->keys));
	keys_on_change(s->keys, remember_serial, s);
	return e;
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

/* For days that are put back: views may have seen more than those, and the log belongs to what was
 * there. */
static enum err make_room(const struct store *s)
{
	char path[4096];
	struct contents have = {0, 0};
	static const char *const files[] = {"wal", "undo"};
	count_in(s->path, "journal", true, &have.days);
	if (have.days)
		return err_set(ERR_USAGE,
		    "%s has a journal: move it away first, nothing was changed", s->path);
	path_of(s, "state", path);
	enum err e = folder_remove(path);
	for (size_t i = 0; i < sizeof files / sizeof *files && !e; i++) {
		path_of(s, files[i], path);
		if (unlink(path) != 0 && errno != ENOENT)
			e = err_sys_path(path);
	}
	return e ? e : folder_sync(s->path);
}

/* The list of who was erased is not what it was: what the journal knows of them is put back. */
static enum err check_erased(struct store *s, bool gone, bool changed)
{
	size_t bad = erased_unreadable(s->erased), found = 0;
	if (!gone && !changed && !bad)
		return OK;
	enum err e = s->readonly ? OK : erased_recall(s, &found);
	if (e)
		return e;
	damage_note(s->damage, "erased", 0, "%s; %zu erasures were found again in the journal%s",
	    gone      ? "missing"
	    : changed ? "changed by somebody else"
		      : "damaged",
	    found, bad ? ", and entries that cannot be read were passed over" : "");
	return OK;
}

/* The first day that has not ended by now. */
static uint16_t first_kept_day(const struct config *c)
{
	return (uint16_t)(day_of(clock_now()) - c->retention_days + 1);
}

/* Address space of all files together: shards, twice while views are built anew, and the days of
 * the journal. */
static enum err map_size(struct store *s, const struct config *c)
{
	size_t files = 2 * (size_t)s->shards + RETENTION_MAX + 10, most = SPACE_BYTES / files;
	s->map_bytes = c->map_gb	  ? (size_t)c->map_gb << 30
		       : MAP_BYTES < most ? MAP_BYTES
					  : most >> 30 << 30;
#ifdef CRUMB_SMALL_MAPS
	s->map_bytes = (size_t)1 << 30; /* sanitizers want the address space for themselves */
#endif
	if (s->map_bytes <= most)
		return OK;
	return err_set(ERR_USAGE,
	    "store.map_gb: %ld is too much: %u shards and the days of the journal are up to %zu "
	    "files, of which a process has room for %zu GB each",
	    c->map_gb, s->shards, files, most >> 30);
}

enum err store_open(const struct config *c, enum store_mode mode, struct store **out)
{
	return store_open_on(c, mode, NULL, out);
}

enum err store_open_on(
    const struct config *c, enum store_mode mode, struct journal_memory *memory, struct store **out)
{
	struct store *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(ERR_NOMEM, "no memory");
	char path[4096];
	struct format f;
	s->lock_fd = -1;
	s->damage = damage_new();
	s->readonly = mode != STORE_WRITE && mode != STORE_RESTORE;
	enum err e = OK;
	if (strlen(c->store_path) > STORE_PATH_MAX) {
		e = err_set(ERR_USAGE, "store.path is longer than %d bytes", STORE_PATH_MAX);
		goto out;
	}
	snprintf(s->path, sizeof s->path, "%s", c->store_path);
	if (!s->readonly && ((e = folder_make(s->path, 0700)) || (e = take_lock(s))))
		goto out;
	if ((e = identify(s, c, &f)) || (e = map_size(s, c)))
		goto out;
	if (mode == STORE_RESTORE && (e = make_room(s)))
		goto out;
	path_of(s, "journal", path);
	if (!s->readonly && (e = make_folder(path)))
		goto out;
	path_of(s, "state", path);
	if (!s->readonly && (e = make_folder(path)))
		goto out;
	s->files = files_load(s->path, s->readonly && store_locked(c) ? FILES_IN_USE : FILES_OURS);
	path_of(s, "erased", path);
	enum files_state listed = files_look(s->files, "erased");
	bool list_there = access(path, F_OK) == 0;
	if ((e = erased_open(path, s->readonly ? ERASED_READ : ERASED_WRITE, &s->erased)))
		goto out;
	if (mode != STORE_READ)
		e = journal_open(&(struct journal_place){s->path, s->keys, s->files, s->damage,
				     s->shards, s->map_bytes, s->readonly, mode == STORE_RESTORE,
				     f.sealed ? 0 : first_kept_day(c), memory},
		    &s->journal);
	if (!e && mode != STORE_READ)
		e = check_erased(s, f.sealed && !list_there, listed == FILES_CHANGED);
	if (!e && !s->readonly)
		e = seal(s, &f);
	if (!e && !s->readonly)
		e = files_running(s->files);
	s->opened = !e && !s->readonly;
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
	bool in_order = s->opened && journal_unpublished(s->journal) == 0;
	journal_close(s->journal);
	erased_close(s->erased);
	keys_close(s->keys);
	if (in_order && files_save(s->files, store_current(s), s->views) != OK)
		log_warn("store", "the next start reads more than it would have to why=\"%s\"",
		    err_text());
	files_free(s->files);
	damage_free(s->damage);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s);
}

uint16_t store_kept_day(const struct store *s)
{
	char path[4096], text[32];
	uint16_t day;
	path_of(s, "kept", path);
	return file_read_text(path, text, sizeof text) == OK &&
		       day_parse(text, strcspn(text, "\n"), &day)
		   ? day
		   : 0;
}

enum err store_save_kept_day(const struct store *s, uint16_t day)
{
	char path[4096], text[DAY_TEXT], line[DAY_TEXT + 1];
	path_of(s, "kept", path);
	day_text(day, text);
	snprintf(line, sizeof line, "%s\n", text);
	return file_replace(path, str_c(line));
}

struct seen store_seen(const struct store *s)
{
	char path[4096], text[40];
	struct seen seen = {0, 0};
	path_of(s, "seen", path);
	if (file_read_text(path, text, sizeof text) != OK || strlen(text) < DAY_TEXT ||
	    !day_parse(text, DAY_TEXT - 1, &seen.day))
		return (struct seen){0, 0};
	if (text[DAY_TEXT - 1] == ' ' &&
	    !day_parse(text + DAY_TEXT, strcspn(text + DAY_TEXT, "\n"), &seen.ahead))
		seen.ahead = 0;
	return seen;
}

enum err store_save_seen(const struct store *s, struct seen seen)
{
	char path[4096], day[DAY_TEXT], ahead[DAY_TEXT], line[2 * DAY_TEXT + 2];
	path_of(s, "seen", path);
	day_text(seen.day, day);
	day_text(seen.ahead, ahead);
	snprintf(
	    line, sizeof line, "%s%s%s\n", day, seen.ahead ? " " : "", seen.ahead ? ahead : "");
	return file_replace(path, str_c(line));
}

uint32_t store_current(const struct store *s)
{
	char path[4096], text[32];
	uint64_t v;
	path_of(s, "state/CURRENT", path);
	return file_read_text(path, text, sizeof text) == OK &&
		       str_u64(str_trim(str_c(text)), &v) && v <= UINT32_MAX
		   ? (uint32_t)v
		   : 0;
}

/* The names of the views' files are on disk before the name of the views is. */
static enum err sync_names(const struct store *s, uint32_t generation)
{
	char path[4200];
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
	char path[4096], text[32];
	enum err e = sync_names(s, generation);
	if (e)
		return e;
	path_of(s, "state/CURRENT", path);
	snprintf(text, sizeof text, "%u\n", generation);
	return file_replace(path, str_c(text));
}

enum err store_shard(struct store *s, uint32_t generation, unsigned shard, struct shard *out)
{
	char path[4200];
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

/* Side by side: after a crash all pages are read, a gigabyte a second and core at best, and a disk
 * has more to give to several who ask. */
enum err store_check_views(struct store *s, uint32_t generation)
{
	return spread(s->shards, look_at_shard, &(struct looking){s, generation});
}

enum err store_check_pages(const struct store *s, uint32_t generation, struct shard *shard)
{
	char path[4200];
	snprintf(path, sizeof path, "%s/state/%u/%u/data.mdb", s->path, generation, shard->number);
	return pages_check_open(&shard->db, path);
}

uint32_t store_newest_views(const struct store *s)
{
	char path[4096];
	uint64_t v, newest = 0;
	path_of(s, "state", path);
	DIR *d = opendir(path);
	for (struct dirent *f; d && (f = readdir(d));)
		if (str_u64(str_c(f->d_name), &v) && v > newest && v < UINT32_MAX)
			newest = v;
	if (d)
		closedir(d);
	return (uint32_t)newest;
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
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT
		   ? err_sys_path(path)
		   : OK;
}

void store_drop_generation(struct store *s, uint32_t generation)
{
	char path[4200];
	snprintf(path, sizeof path, "%s/state/%u", s->path, generation);
	if (folder_remove(path) != OK)
		log_warn(
		    "store", "an old generation stays folder=%s why=%s", path, strerror(errno));
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
	if (file_read_text(path, text, sizeof text) == OK)
		clock_set_offset(strtoll(text, NULL, 10));
}

/* Over what is there, which takes no room. */
static bool file_overwrite(const char *path, struct str content)
{
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	bool done = fd >= 0 && pwrite(fd, content.p, content.n, 0) == (ssize_t)content.n &&
		    ftruncate(fd, (off_t)content.n) == 0;
	if (fd >= 0)
		close(fd);
	return done;
}

enum err store_save_admin(const struct store *s, const char *address, const char *token)
{
	char path[4096], text[300];
	path_of(s, "admin", path);
	snprintf(text, sizeof text, "%s\n%s\n", address, token);
	enum err e = file_replace(path, str_c(text));
	return e == ERR_FULL && file_overwrite(path, str_c(text))
		   ? OK
		   : e; /* one that a crash cut off names nobody, as if it were not there */
}

bool store_load_admin(const struct config *c, char address[128], char token[128])
{
	char path[4096], text[300];
	snprintf(path, sizeof path, "%s/admin", c->store_path);
	return file_read_text(path, text, sizeof text) == OK &&
	       sscanf(text, "%127s\n%127s\n", address, token) == 2;
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

bool store_room_for_another(const struct store *s, uint32_t generation)
{
	struct statvfs v;
	char sub[32];
	snprintf(sub, sizeof sub, "state/%u", generation);
	return statvfs(s->path, &v) != 0 || (uint64_t)v.f_bavail * v.f_frsize > store_bytes(s, sub);
}

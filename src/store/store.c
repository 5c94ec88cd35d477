/* Opening a store, in this order:
 *
 *     1  the folder, and its lock           whoever writes is alone
 *     2  format and keys (identify())       is this a store, is it whole, are the keys its own?
 *     3  files                              which files changed since it was closed?
 *     4  erased, then journal               each finds and mends what a crash left
 *     5  check_erased()                     a list that was lost is made of the journal
 *     6  seal()                             keys and format know each other
 *     7  files_running()                    from now on files are written
 *
 * Up to 3 nothing is changed in a store that is there, so that a wrong disk, a wrong copy of keys
 * or half a restore costs nothing. store_close() goes the other way. It writes `files` only when
 * the store was opened to the end, and everything is published: then the stop was an orderly one.
 */
#include "store_path.h"

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
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAP_BYTES ((size_t)256 << 30)	/* address space of a file, where there is enough */
#define SPACE_BYTES ((size_t)120 << 40) /* for all files, of 128 TB that a process has */
#define OTHER_FILES 10 /* that are mapped besides: models, days being written anew */
#define LOCK_TRIES 20  /* of 50 ms */

/* A command that only looks whether somebody has the lock holds it for a moment: so this tries for
 * a second. */
static enum err take_lock(struct store *s)
{
	char path[FILE_PATH_MAX];
	store_path(s, "lock", path);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return err_sys_path(path);
	int tries = 0;
	while (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0 && tries++ < LOCK_TRIES)
		nanosleep(&(struct timespec){0, 50000000}, NULL);
	if (tries > LOCK_TRIES)
		return err_set(ERR_BUSY, "%s is in use by a running crumbd or crumb", s->path);
	return OK;
}

/* --- is it ours, and whole? */

/* What only the keys open, and what was made with them. */
struct contents {
	unsigned days;	      /* of the journal, set aside ones as well */
	unsigned generations; /* of views */
};

/* Counts the entries of a sub-folder that have a day's name, or a number for a name. */
static void count_in(const char *store, const char *sub, bool days, unsigned *out)
{
	char path[FILE_PATH_MAX];
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

/* The keys are not there. What can be done depends on what is lost without them. */
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
	char path[FILE_PATH_MAX];
	struct stat st;
	store_path(s, "keys", path);
	bool named = lstat(path, &st) == 0, link = named && S_ISLNK(st.st_mode),
	     there = named && stat(path, &st) == 0;
	if (link && !there && errno == ENOENT)
		return refuse_keys(
		    path, f, c, "is a link to a file that is not there (is its storage mounted?)");
	if (!there && (named || errno != ENOENT))
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

/* Called by the keys after each change; they hold a lock meanwhile (keys_on_change()). */
static void remember_serial(void *arg, uint64_t serial)
{
	if (save_format(arg, serial) != OK)
		log_warn("store",
		    "'format' could not be written, so an older copy of keys would not be noticed "
		    "why=\"%s\"",
		    err_text());
}

/* Is there a store, and does all of it belong together? The format says how many shards there are;
 * a fresh store gets as many as configured. */
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

/* From now on keys and format know each other: the id of both, and the serial of the keys. */
static enum err seal(struct store *s, const struct format *f)
{
	enum err e = keys_seal(s->keys);
	if (!e && (!f->sealed || f->serial != keys_serial(s->keys)))
		e = save_format(s, keys_serial(s->keys));
	keys_on_change(s->keys, remember_serial, s);
	return e;
}

enum err store_shards(const struct config *c, unsigned *out)
{
	struct format f;
	enum err e = format_read(c->store_path, &f);
	if (!e)
		*out = f.there ? f.shards : 0;
	return e;
}

bool store_locked(const struct config *c)
{
	char path[FILE_PATH_MAX];
	snprintf(path, sizeof path, "%s/lock", c->store_path);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool free_now = flock(fd, LOCK_EX | LOCK_NB) == 0;
	close(fd);
	return !free_now;
}

/* Before days are put back: the views go, since they may have seen more than the days that come,
 * and so does the log, which belongs to what was there. */
static enum err make_room(const struct store *s)
{
	char path[FILE_PATH_MAX];
	struct contents have = {0, 0};
	static const char *const files[] = {"wal", "undo"};
	count_in(s->path, "journal", true, &have.days);
	if (have.days)
		return err_set(ERR_USAGE,
		    "%s has a journal: move it away first, nothing was changed", s->path);
	store_path(s, "state", path);
	enum err e = folder_remove(path);
	for (size_t i = 0; i < sizeof files / sizeof *files && !e; i++) {
		store_path(s, files[i], path);
		if (unlink(path) != 0 && errno != ENOENT)
			e = err_sys_path(path);
	}
	return e ? e : folder_sync(s->path);
}

/* When the list of the erased is not what it was, the journal's records of erasures are put back
 * into it, and damage is noted. */
static enum err check_erased(struct store *s, bool gone, bool changed)
{
	size_t bad = erased_unreadable(s->erased), found = 0;
	if (!gone && !changed && !bad)
		return OK;
	enum err e = s->readonly ? OK : erased_recall(s, &found);
	if (e)
		return e;
	const char *how = "damaged";
	if (gone)
		how = "missing";
	else if (changed)
		how = "changed by somebody else";
	damage_note(s->damage, "erased", 0, "%s; %zu erasures were found again in the journal%s",
	    how, found, bad ? ", and entries that cannot be read were passed over" : "");
	return OK;
}

/* The first day that has not ended by now. */
static uint16_t first_kept_day(const struct config *c)
{
	return (uint16_t)(day_of(clock_now()) - c->retention_days + 1);
}

/* How much address space a file gets. All files share SPACE_BYTES: the shards, twice while views
 * are built anew, the days of the journal, and others. With 4 shards that are 8 + RETENTION_MAX +
 * 10 files, and each has 256 GB; with 256 shards 512 more, and each has less. */
static enum err map_size(struct store *s, const struct config *c)
{
	size_t files = 2 * (size_t)s->shards + RETENTION_MAX + OTHER_FILES,
	       most = SPACE_BYTES / files;
	if (c->map_gb)
		s->map_bytes = (size_t)c->map_gb << 30;
	else
		s->map_bytes = MAP_BYTES < most ? MAP_BYTES : most >> 30 << 30;
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
	return store_open_on(c, mode, NULL, NULL, out);
}

enum err store_open_on(const struct config *c, enum store_mode mode, struct journal_memory *memory,
    const struct broker_place *log, struct store **out)
{
	struct store *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(ERR_NOMEM, "no memory");
	char path[FILE_PATH_MAX];
	struct format f;
	CHECK(!log || mode == STORE_WRITE);
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
	store_path(s, "journal", path);
	if (!s->readonly && (e = folder_make(path, 0700)))
		goto out;
	store_path(s, "state", path);
	if (!s->readonly && (e = folder_make(path, 0700)))
		goto out;
	s->files = files_load(s->path, s->readonly && store_locked(c) ? FILES_IN_USE : FILES_OURS);
	store_path(s, "erased", path);
	enum files_state listed = files_look(s->files, "erased");
	bool list_there = access(path, F_OK) == 0;
	if ((e = erased_open(path, s->readonly ? ERASED_READ : ERASED_WRITE, &s->erased)))
		goto out;
	const struct journal_place place = {.store = s->path,
	    .keys = s->keys,
	    .files = s->files,
	    .damage = s->damage,
	    .shards = s->shards,
	    .map_bytes = s->map_bytes,
	    .readonly = s->readonly,
	    .restoring = mode == STORE_RESTORE,
	    .oldest = f.sealed ? 0 : first_kept_day(c),
	    .memory = memory,
	    .log = log};
	if (mode != STORE_READ)
		e = journal_open(&place, &s->journal);
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
		log_warn("store",
		    "'files' could not be written, so the next start reads more than it would have "
		    "to "
		    "why=\"%s\"",
		    err_text());
	files_free(s->files);
	damage_free(s->damage);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s);
}

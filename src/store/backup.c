/* Copies of the journal's days, and putting them back. backup.h says what a backup is.
 *
 * Restore looks first and changes nothing until check_place() is through: is it a backup, is nobody
 * in the store, is its journal empty, are the keys the backup's? Then it goes day by day. A day
 * whose key is gone is over, and stays behind. A day whose pages are damaged stays behind, too, and
 * the journal is told to expect it, so that the next start says that it is lost. */
#include "crumb/store/backup.h"

#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/disk/checked.h"
#include "crumb/disk/files.h"
#include "store_format.h"
#include "crumb/disk/pages.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool empty(const char *folder)
{
	DIR *d = opendir(folder);
	bool any = false;
	for (struct dirent *f; d && (f = readdir(d));)
		any |= f->d_name[0] != '.';
	if (d)
		closedir(d);
	return !any;
}

static enum err make_below(const char *folder)
{
	return mkdir(folder, 0700) != 0 && errno != EEXIST ? err_sys_path(folder) : OK;
}

/* --- of which moment the backup is */

#define MAGIC "crumb moment 1\n"

static enum err moment_write(const char *folder, uint64_t moment)
{
	char path[FILE_PATH_MAX];
	struct buf b = {0};
	snprintf(path, sizeof path, "%s/moment", folder);
	buf_addf(&b, MAGIC "%llu\n", (unsigned long long)moment);
	enum err e = checked_write(path, &b);
	buf_done(&b);
	return e;
}

/* UINT64_MAX: the backup does not say. Then no day is cut. */
static uint64_t moment_read(const char *folder)
{
	char path[FILE_PATH_MAX];
	struct buf b = {0};
	struct str text;
	uint64_t moment;
	snprintf(path, sizeof path, "%s/moment", folder);
	bool there = access(path, F_OK) == 0;
	bool fine = there && checked_read(path, 256, &b) && checked_text(buf_view(&b), &text) &&
		    str_starts(text, STR(MAGIC)) &&
		    str_u64(str_trim(str_skip(text, strlen(MAGIC))), &moment);
	buf_done(&b);
	if (there && !fine)
		log_warn("backup",
		    "the moment of the backup is damaged, so a commit that was under way may be "
		    "put "
		    "back in part file=%s",
		    path);
	return fine ? moment : UINT64_MAX;
}

/* --- writing */

enum err backup_write(struct store *s, const char *folder, void (*progress)(uint64_t, uint64_t),
    struct backup_totals *out)
{
	char from[4200], to[4200];
	uint16_t days[JOURNAL_DAYS_MAX];
	/* before the list of days: a day that comes meanwhile has only what is behind the moment */
	uint64_t moment = journal_moment(s->journal);
	unsigned n = journal_days(s->journal, days, JOURNAL_DAYS_MAX);
	*out = (struct backup_totals){0};
	enum err e = strlen(folder) > STORE_PATH_MAX
			 ? err_set(ERR_USAGE, "a path of more than %d bytes", STORE_PATH_MAX)
			 : make_below(folder);
	if (!e && !empty(folder))
		e = err_set(
		    ERR_USAGE, "%s is not empty: a backup wants a folder of its own", folder);
	snprintf(from, sizeof from, "%s/format", s->path);
	snprintf(to, sizeof to, "%s/format", folder);
	if (!e)
		e = file_copy(from, to, 0600, &out->bytes);
	if (!e)
		e = moment_write(folder, moment);
	snprintf(to, sizeof to, "%s/journal", folder);
	if (!e)
		e = make_below(to);
	for (unsigned i = 0; i < n && !e; i++) {
		char day[DAY_TEXT];
		struct stat st;
		day_text(days[i], day);
		snprintf(to, sizeof to, "%s/journal/%s", folder, day);
		if (!(e = make_below(to)))
			e = journal_copy(s->journal, days[i], moment, to);
		if (e == ERR_NOT_FOUND) { /* the day ended meanwhile */
			rmdir(to);
			e = OK;
			continue;
		}
		snprintf(to, sizeof to, "%s/journal/%s/data.mdb", folder, day);
		if (!e && stat(to, &st) == 0)
			out->bytes += (uint64_t)st.st_size;
		out->days++;
		if (progress)
			progress(i + 1, n);
	}
	/* "N days" is said of what is on disk: folders from the days up to where the backup stands
	 */
	snprintf(to, sizeof to, "%s/journal", folder);
	if (!e)
		e = folder_sync(to);
	if (!e)
		e = folder_sync(folder);
	snprintf(to, sizeof to, "%s/..", folder);
	return e ? e : folder_sync(to);
}

/* --- restore */

/* Are these the keys that the backup was made with? Nothing is changed yet. */
static enum err keys_fit(const struct config *c, const char *folder, const struct format *f)
{
	char path[FILE_PATH_MAX];
	uint8_t id[STORE_ID_LEN];
	struct keys *k;
	snprintf(path, sizeof path, "%s/keys", c->store_path);
	enum err e = keys_open(path, KEYS_READ, &k);
	if (e == ERR_NOT_FOUND)
		return err_set(e,
		    "%s: a backup opens only with the keys of the store that it was made of, and "
		    "they are not here",
		    path);
	if (e)
		return e;
	keys_id(k, id);
	if (f->sealed && keys_sealed(k) && memcmp(id, f->id, sizeof id) != 0)
		e = err_set(ERR_USAGE,
		    "%s is a backup of another store than %s belongs to; nothing was changed",
		    folder, path);
	keys_close(k);
	return e;
}

/* May the backup be put back here? Nothing is changed yet. */
static enum err check_place(const struct config *c, const char *folder, struct format *f)
{
	char path[FILE_PATH_MAX];
	enum err e = strlen(folder) > STORE_PATH_MAX || strlen(c->store_path) > STORE_PATH_MAX
			 ? err_set(ERR_USAGE, "a path of more than %d bytes", STORE_PATH_MAX)
			 : format_read(folder, f);
	if (e)
		return e;
	if (!f->there)
		return err_set(ERR_NOT_FOUND, "%s is no backup: it has no file 'format'", folder);
	if (store_locked(c))
		return err_set(
		    ERR_BUSY, "%s is in use by a running crumbd or crumb", c->store_path);
	snprintf(path, sizeof path, "%s/journal", c->store_path);
	if (!empty(path))
		return err_set(ERR_USAGE,
		    "%s has a journal: move it away first, nothing was changed", c->store_path);
	return keys_fit(c, folder, f);
}

/* Days of a backup that are damaged and stay behind. */
struct behind {
	uint16_t days[JOURNAL_DAYS_MAX];
	unsigned n;
};

/* One day of the backup: copied, cut at the moment, and known to `files`; else the next start would
 * take it for a day that somebody else has changed. */
static enum err restore_day(const struct store *s, const char *folder, const char *name,
    uint64_t moment, struct behind *behind, struct backup_totals *out)
{
	char from[FILE_PATH_MAX], to[FILE_PATH_MAX];
	uint8_t key[32];
	uint16_t day;
	if (!day_parse(name, strlen(name), &day))
		return OK;
	enum err e = keys_day(s->keys, day, KEYS_DAY_FIND, key);
	sodium_memzero(key, sizeof key);
	if (e == ERR_NOT_FOUND) {
		out->expired++;
		return OK;
	}
	snprintf(from, sizeof from, "%s/journal/%s/data.mdb", folder, name);
	if (!e && (e = pages_check(from, PAGES_ALL, 0)) == ERR_CORRUPT) {
		log_error("backup", "a day is damaged and stays behind day=%s why=\"%s\"", name,
		    err_text());
		out->damaged++;
		if (behind->n < JOURNAL_DAYS_MAX)
			behind->days[behind->n++] = day;
		return OK;
	}
	snprintf(to, sizeof to, "%s/journal/%s", s->path, name);
	if (e || (e = make_below(to)))
		return e;
	snprintf(to, sizeof to, "%s/journal/%s/data.mdb", s->path, name);
	e = file_copy(from, to, 0600, &out->bytes);
	*strrchr(to, '/') = 0;
	if (!e && moment < UINT64_MAX)
		e = journal_cut(s->journal, to, moment);
	if (!e)
		e = folder_sync(to);
	snprintf(from, sizeof from, "journal/%s/data.mdb", name);
	if (!e)
		files_accept(s->files, from);
	out->days += !e;
	return e;
}

enum err backup_restore(const struct config *c, const char *folder,
    void (*progress)(uint64_t, uint64_t), struct backup_totals *out)
{
	char path[FILE_PATH_MAX];
	struct store *s = NULL;
	struct dirent **names = NULL;
	struct format f;
	struct behind behind = {.n = 0};
	struct config as = *c; /* a store that has nothing but keys gets the backup's shards */
	*out = (struct backup_totals){0};
	enum err e = check_place(c, folder, &f);
	if (e)
		return e;
	uint64_t moment = moment_read(folder);
	as.shards = (long)f.shards;
	if ((e = store_open(&as, STORE_RESTORE, &s)))
		return e;
	snprintf(path, sizeof path, "%s/journal", folder);
	int n = s->shards == f.shards ? scandir(path, &names, NULL, alphasort) : 0;
	if (s->shards != f.shards)
		e = err_set(ERR_USAGE,
		    "the backup has %u shards, the store %u: begin with a store that has keys only",
		    f.shards, s->shards);
	else if (n < 0)
		e = err_sys_path(path);
	for (int i = 0; i < n; i++) {
		if (!e)
			e = restore_day(s, folder, names[i]->d_name, moment, &behind, out);
		if (!e && progress)
			progress((uint64_t)i + 1, (uint64_t)n);
		free(names[i]);
	}
	free(names);
	snprintf(path, sizeof path, "%s/journal", s->path);
	if (!e)
		e = folder_sync(path);
	if (!e)
		journal_expect(s->journal, behind.days, behind.n);
	store_close(s);
	return e;
}

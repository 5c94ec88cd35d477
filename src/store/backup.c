#include "crumb/store/backup.h"

#include "crumb/base/clock.h"
#include "crumb/store/db.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAYS_MAX 128

static enum err sys(const char *path)
{
	return err_set(errno == ENOSPC ? ERR_FULL : errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
}

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

static enum err make(const char *folder)
{
	return mkdir(folder, 0700) != 0 && errno != EEXIST ? sys(folder) : OK;
}

/* Byte for byte, on disk when it returns. */
static enum err copy_file(const char *from, const char *to, uint64_t *bytes)
{
	char part[1 << 16];
	int in = open(from, O_RDONLY | O_CLOEXEC), out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	enum err e = in < 0 ? sys(from) : out < 0 ? sys(to) : OK;
	ssize_t n = 0;
	while (!e && (n = read(in, part, sizeof part)) > 0) {
		if (write(out, part, (size_t)n) != n)
			e = sys(to);
		*bytes += (uint64_t)n;
	}
	if (!e && (n < 0 || fsync(out) != 0))
		e = sys(to);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return e;
}

enum err backup_write(struct store *s, const char *folder, void (*progress)(uint64_t, uint64_t), struct backup_totals *out)
{
	char from[4200], to[4200];
	uint16_t days[DAYS_MAX];
	unsigned n = journal_days(s->journal, days, DAYS_MAX);
	*out = (struct backup_totals){0, 0, 0};
	enum err e = make(folder);
	if (!e && !empty(folder))
		e = err_set(ERR_USAGE, "%s is not empty: a backup wants a folder of its own", folder);
	snprintf(from, sizeof from, "%s/format", s->path);
	snprintf(to, sizeof to, "%s/format", folder);
	if (!e)
		e = copy_file(from, to, &out->bytes);
	snprintf(to, sizeof to, "%s/journal", folder);
	if (!e)
		e = make(to);
	for (unsigned i = 0; i < n && !e; i++) {
		char day[DAY_TEXT];
		struct stat st;
		day_text(days[i], day);
		snprintf(to, sizeof to, "%s/journal/%s", folder, day);
		if (!(e = make(to)))
			e = journal_copy(s->journal, days[i], to);
		if (e == ERR_NOT_FOUND) { /* it ended meanwhile */
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
	return e ? e : folder_sync(folder);
}

/* --- restore */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	return remove(path);
}

static enum err check_place(const struct config *c, const char *folder)
{
	char path[4200];
	snprintf(path, sizeof path, "%s/format", folder);
	if (access(path, R_OK) != 0)
		return err_set(ERR_NOT_FOUND, "%s is no backup: it has no file 'format'", folder);
	if (store_locked(c))
		return err_set(ERR_BUSY, "%s is in use by a running crumbd or crumb", c->store_path);
	snprintf(path, sizeof path, "%s/keys", c->store_path);
	if (access(path, R_OK) != 0)
		return err_set(ERR_NOT_FOUND, "%s: a backup opens only with the keys of the store that it was made of, and they are not here", path);
	snprintf(path, sizeof path, "%s/journal", c->store_path);
	if (!empty(path))
		return err_set(ERR_USAGE, "%s has a journal: move it away first, nothing was changed", c->store_path);
	return OK;
}

static enum err restore_day(const struct store *s, const char *folder, const char *name, struct backup_totals *out)
{
	char from[4200], to[4200];
	uint8_t key[32];
	uint16_t day;
	if (!day_parse(name, strlen(name), &day))
		return OK;
	enum err e = keys_day(s->keys, day, false, key);
	sodium_memzero(key, sizeof key);
	if (e == ERR_NOT_FOUND) {
		out->expired++;
		return OK;
	}
	snprintf(to, sizeof to, "%s/journal/%s", s->path, name);
	if (e || (e = make(to)))
		return e;
	snprintf(from, sizeof from, "%s/journal/%s/data.mdb", folder, name);
	snprintf(to, sizeof to, "%s/journal/%s/data.mdb", s->path, name);
	e = copy_file(from, to, &out->bytes);
	out->days += !e;
	return e;
}

enum err backup_restore(const struct config *c, const char *folder, void (*progress)(uint64_t, uint64_t), struct backup_totals *out)
{
	char path[4200], to[4200];
	struct store *s = NULL;
	struct dirent **names = NULL;
	uint64_t none = 0;
	*out = (struct backup_totals){0, 0, 0};
	enum err e = check_place(c, folder);
	if (e)
		return e;
	snprintf(path, sizeof path, "%s/format", folder);
	snprintf(to, sizeof to, "%s/format", c->store_path);
	if (access(to, F_OK) != 0 && (e = copy_file(path, to, &none)))
		return e;
	/* views that may have seen more than what is put back, and the log that belongs to them */
	snprintf(to, sizeof to, "%s/state", c->store_path);
	nftw(to, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	snprintf(to, sizeof to, "%s/wal", c->store_path);
	unlink(to);
	if ((e = store_open(c, STORE_WRITE, &s)))
		return e;
	snprintf(path, sizeof path, "%s/journal", folder);
	int n = scandir(path, &names, NULL, alphasort);
	if (n < 0)
		e = sys(path);
	for (int i = 0; i < n; i++) {
		if (!e)
			e = restore_day(s, folder, names[i]->d_name, out);
		if (!e && progress)
			progress((uint64_t)i + 1, (uint64_t)n);
		free(names[i]);
	}
	free(names);
	store_close(s);
	return e;
}

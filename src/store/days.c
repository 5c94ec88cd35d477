/* The days of the journal: their folders, and the table of those that are open. */
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/log.h"
#include "journal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void journal_day_folder(const struct journal *j, uint16_t day, char *out, size_t cap)
{
	char text[DAY_TEXT];
	day_text(day, text);
	snprintf(out, cap, "%s/%s", j->folder, text);
}

/* The highest sequence of a lane up to `most`, by bisection with seeks: the key after the last one belongs to another lane. */
static uint64_t last_of_lane(struct db_cursor *c, unsigned lane, uint64_t most)
{
	uint64_t last = 0, lo = 0, hi = UINT64_MAX;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		uint8_t k[KEY_LEN];
		struct str key, value;
		journal_block_key(lane, mid, k);
		if (db_seek(c, journal_bytes(k, KEY_LEN), &key, &value) && key.n == KEY_LEN && get_u16((const uint8_t *)key.p) == lane &&
		    get_u64((const uint8_t *)key.p + 2) <= most) {
			last = get_u64((const uint8_t *)key.p + 2);
			lo = last + 1;
		} else {
			hi = mid;
		}
	}
	return last;
}

static enum err day_lasts(struct journal *j, struct journal_day *d)
{
	struct db_txn t;
	struct db_cursor c;
	enum err e = db_begin(&d->db, false, &t);
	if (e)
		return e;
	db_walk(&t, d->table, &c);
	uint64_t most = j->undo.n ? j->undo.first - 1 : UINT64_MAX; /* nothing was committed behind what is to go */
	for (unsigned s = 0; s < j->lanes; s++) {
		uint64_t last = last_of_lane(&c, s, most);
		atomic_store(&d->last[s], last);
		if (last > atomic_load(&j->last[s]))
			atomic_store(&j->last[s], last);
		if (last >= j->next_seq)
			j->next_seq = last + 1;
	}
	db_walk_end(&c);
	return db_end(&t);
}

enum err journal_day_open(struct journal *j, uint16_t day, bool make, struct journal_day *out)
{
	struct journal_day fresh = {.day = day};
	enum err e = keys_day(j->keys, day, make, fresh.key);
	if (e)
		return e;
	char folder[4096];
	journal_day_folder(j, day, folder, sizeof folder);
	if (make && mkdir(folder, 0700) != 0 && errno != EEXIST)
		return err_set(errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %s", folder, strerror(errno));
	if (make && (e = folder_sync(j->folder)))
		return e;
	fresh.last = calloc(j->lanes, sizeof *fresh.last);
	if (!fresh.last)
		return err_set(ERR_NOMEM, "no memory");
	struct db_txn t;
	if ((e = db_open(&fresh.db, folder, j->map_bytes, 2, j->readonly ? DB_READONLY : DB_DURABLE)))
		goto out;
	if ((e = db_begin(&fresh.db, !j->readonly, &t)))
		goto out;
	if ((e = db_open_table(&t, "blocks", &fresh.table))) {
		db_abort(&t);
		goto out;
	}
	if ((e = db_end(&t)) || (make && (e = folder_sync(folder))) || (e = day_lasts(j, &fresh)))
		goto out;
	*out = fresh;
	return OK;
out:
	journal_day_close(&fresh);
	return e;
}

void journal_day_close(struct journal_day *d)
{
	db_close(&d->db);
	free(d->last);
	sodium_memzero(d->key, sizeof d->key);
}

enum err journal_day_place(struct journal *j, const struct journal_day *d, struct journal_day **out)
{
	for (int i = 0; i < DAYS_MAX; i++)
		if (!j->days[i].day) {
			j->days[i] = *d;
			*out = &j->days[i];
			return OK;
		}
	return err_set(ERR_FULL, "journal: more than %d days", DAYS_MAX);
}

bool journal_day_take(struct journal_day *d, struct journal_day *out)
{
	if (!d->dead || d->refs)
		return false;
	*out = *d;
	sodium_memzero(d->key, sizeof d->key);
	*d = (struct journal_day){.day = 0};
	return true;
}

enum err journal_have_day(struct journal *j, uint16_t day, bool make, struct journal_day **out)
{
	struct journal_day fresh;
	pthread_mutex_lock(&j->lock);
	*out = journal_find_day(j, day);
	pthread_mutex_unlock(&j->lock);
	if (*out)
		return OK;
	enum err e = journal_day_open(j, day, make, &fresh);
	if (e)
		return e;
	pthread_mutex_lock(&j->lock);
	e = journal_day_place(j, &fresh, out);
	pthread_mutex_unlock(&j->lock);
	if (e)
		journal_day_close(&fresh);
	sodium_memzero(fresh.key, sizeof fresh.key);
	return e;
}

void journal_remove_folder(const char *folder)
{
	char file[4096];
	static const char *const names[] = {"data.mdb", "lock.mdb"};
	for (int i = 0; i < 2; i++) {
		snprintf(file, sizeof file, "%s/%s", folder, names[i]);
		unlink(file);
	}
	if (rmdir(folder) != 0 && errno != ENOENT)
		log_error("journal", "a folder that should go stays folder=%s why=%s", folder, strerror(errno));
}

void journal_unlink_day(const struct journal *j, uint16_t day)
{
	char folder[4000];
	journal_day_folder(j, day, folder, sizeof folder);
	journal_remove_folder(folder);
}

/* A crash fell into the exchange of a day: what was not finished goes, and an old day without a new one comes back. */
static void mend_exchange(const struct journal *j, const char *name)
{
	char path[4096], base[4096];
	size_t n = strlen(name);
	uint16_t day;
	if (n <= 4 || !day_parse(name, n - 4, &day))
		return;
	snprintf(path, sizeof path, "%s/%s", j->folder, name);
	snprintf(base, sizeof base, "%s/%.*s", j->folder, (int)(n - 4), name);
	bool fresh = strcmp(name + n - 4, ".new") == 0, old = strcmp(name + n - 4, ".old") == 0;
	if (old && access(base, F_OK) != 0 && rename(path, base) == 0)
		return;
	if (fresh || old)
		journal_remove_folder(path);
}

/* Calls `each` for every name in the journal's folder. */
static enum err each_name(struct journal *j, enum err (*each)(struct journal *, const char *))
{
	DIR *dir = opendir(j->folder);
	if (!dir)
		return err_set(ERR_IO, "%s: %s", j->folder, strerror(errno));
	enum err e = OK;
	for (struct dirent *f; !e && (f = readdir(dir));)
		e = each(j, f->d_name);
	closedir(dir);
	return e;
}

static enum err mend(struct journal *j, const char *name)
{
	mend_exchange(j, name);
	return OK;
}

static enum err open_named(struct journal *j, const char *name)
{
	uint16_t day;
	struct journal_day *d;
	if (!day_parse(name, strlen(name), &day))
		return OK;
	enum err e = journal_have_day(j, day, false, &d);
	if (e == ERR_NOT_FOUND && !j->readonly) /* its key is gone: a crash fell between key and folder */
		journal_unlink_day(j, day);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err journal_open_days(struct journal *j)
{
	enum err e = j->readonly ? OK : each_name(j, mend);
	return e ? e : each_name(j, open_named);
}

struct journal_day *journal_find_day(struct journal *j, uint16_t day)
{
	for (int i = 0; i < DAYS_MAX; i++)
		if (j->days[i].day == day && !j->days[i].dead)
			return &j->days[i];
	return NULL;
}

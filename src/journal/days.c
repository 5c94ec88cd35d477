/* The days of the journal: their folders, and the table of those that are open.
 *
 * Opening the journal goes through the folder journal/ several times:
 *
 *     has_key()       keys without a seal only: does every day that has not ended have a key?
 *     mend()          what a crash left of an exchange (clean.c) is finished or taken back
 *     open_named()    days are opened. A day without a key is over, or damage. A day that cannot
 *                     be read is set aside as DAY.damaged
 *     look_aside()    days that were set aside before are noted again, or go when they are over
 *     keys_fit()      keys without a seal only: do they open any block at all?
 *
 * Errors that say nothing of the day itself, such as too little memory, end the opening: a journal
 * with a day less would be made into views with a day less. */
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/lock.h"
#include "crumb/base/log.h"
#include "crumb/base/low.h"
#include "local.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The highest sequence of a lane up to `most`, by bisection with seeks: when the first key from the
 * middle on is still of the lane, the last is there or behind. A cursor of db.h has no step
 * backwards. 64 seeks a lane at most, and some 20 in a day of a million blocks. */
static uint64_t last_of_lane(struct db_cursor *c, unsigned lane, uint64_t most)
{
	uint64_t last = 0, lo = 0, hi = UINT64_MAX;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		uint8_t k[PLACE_LEN];
		struct str key, value;
		sealed_place(lane, mid, k);
		if (db_seek(c, sealed_bytes(k, PLACE_LEN), &key, &value) && key.n == PLACE_LEN &&
		    get_u16((const uint8_t *)key.p) == lane &&
		    get_u64((const uint8_t *)key.p + 2) <= most) {
			last = get_u64((const uint8_t *)key.p + 2);
			lo = last + 1;
		} else {
			hi = mid;
		}
	}
	return last;
}

/* What each lane of a day has come to, and so the journal's lanes and the next sequence. */
static enum err day_lasts(struct local *j, struct journal_day *d)
{
	struct db_txn t;
	struct db_cursor c;
	enum err e = db_begin(&d->db, DB_READ, &t);
	if (e)
		return e;
	db_walk(&t, d->table, &c);
	/* nothing was committed behind what is to go */
	uint64_t most = j->undo.n ? j->undo.first - 1 : UINT64_MAX;
	for (unsigned s = 0; s < j->base.lanes; s++) {
		uint64_t last = last_of_lane(&c, s, most);
		atomic_store(&d->last[s], last);
		if (last > atomic_load(&j->base.last[s]))
			atomic_store(&j->base.last[s], last);
		if (last >= j->next_seq)
			j->next_seq = last + 1;
	}
	db_walk_end(&c);
	return db_end(&t);
}

/* The day's mark, if it has one, is the journal's, too. */
static enum err day_mark(struct local *j, struct journal_day *d)
{
	struct log_mark m = {.at = NULL};
	struct db_txn t;
	if (!d->has_log)
		return OK;
	enum err e = db_begin(&d->db, DB_READ, &t);
	if (e)
		return e;
	e = marks_read(&t, d->log, d->day, &m);
	db_abort(&t);
	pthread_mutex_lock(&j->lock);
	if (!e && !(e = log_mark_room(&j->mark, &m)))
		log_mark_join(&j->mark, &m, d->day);
	j->follows = true;
	pthread_mutex_unlock(&j->lock);
	log_mark_done(&m);
	return e;
}

/* Older days, and those that followed no log, have no table `log`. */
static enum err day_tables(struct db_txn *t, struct journal_day *d)
{
	enum err e = db_open_table(t, "blocks", &d->table);
	if (e)
		return e;
	e = db_find_table(t, LOG_TABLE, &d->log);
	d->has_log = !e;
	return e == ERR_NOT_FOUND ? OK : e;
}

static bool file_is_empty(const struct local *j, const char *name)
{
	char path[4200];
	struct stat st;
	snprintf(path, sizeof path, "%s/../%s", j->folder, name);
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

/* Checks the day's file before LMDB maps it. A missing or empty file is fine where a crash may have
 * left it: when nobody knows of a record in it. */
static enum err look_at_file(struct local *j, uint16_t day, bool make, struct journal_day *d)
{
	char name[40], text[DAY_TEXT];
	enum files_state how;
	day_text(day, text);
	snprintf(name, sizeof name, "journal/%s/data.mdb", text);
	enum err e = files_check(j->files, name, &how);
	d->changed = !e && how == FILES_CHANGED;
	d->looked = !e && how != FILES_SAME;
	struct ledger_day *l = ledger_find(j, day);
	if (e == ERR_CORRUPT && !files_known(j->files, name) && !(l && l->events) &&
	    file_is_empty(j, name))
		return OK; /* a crash fell between the file and its first page */
	if (e != ERR_NOT_FOUND || make)
		return e == ERR_NOT_FOUND ? OK : e;
	if (j->readonly || files_known(j->files, name) || (l && l->events))
		return err_set(ERR_CORRUPT, "%s is missing", name);
	return OK; /* a crash fell between the folder and the file */
}

enum err journal_day_open(struct local *j, uint16_t day, bool make, struct journal_day *out)
{
	struct journal_day fresh = {.day = day};
	enum err e = keys_day(j->keys, day, make ? KEYS_DAY_MAKE : KEYS_DAY_FIND, fresh.key);
	if (e)
		return e;
	char folder[4096];
	journal_day_folder(j, day, folder, sizeof folder);
	if (make && mkdir(folder, 0700) != 0 && errno != EEXIST)
		return err_sys("%s", folder);
	if (make && (e = folder_sync(j->folder)))
		return e;
	fresh.last = calloc(j->base.lanes, sizeof *fresh.last);
	if (!fresh.last)
		return err_set(ERR_NOMEM, "no memory");
	if ((e = look_at_file(j, day, make, &fresh)))
		goto out;
	struct db_txn t;
	if ((e = db_open(
		 &fresh.db, folder, j->map_bytes, 2, j->readonly ? DB_READONLY : DB_DURABLE)))
		goto out;
	if ((e = db_begin(&fresh.db, j->readonly ? DB_READ : DB_WRITE, &t)))
		goto out;
	if ((e = day_tables(&t, &fresh))) {
		db_abort(&t);
		goto out;
	}
	if ((e = db_end(&t)) || (make && (e = folder_sync(folder))) || (e = day_mark(j, &fresh)) ||
	    (e = day_lasts(j, &fresh)))
		goto out;
	fresh.stood = make ? 0 : journal_day_time(j, day);
	*out = fresh;
	return OK;
out:
	journal_day_close(&fresh);
	return e;
}

int64_t journal_day_time(const struct local *j, uint16_t day)
{
	char path[4200];
	struct stat st;
	char text[DAY_TEXT];
	day_text(day, text);
	snprintf(path, sizeof path, "%s/%s/data.mdb", j->folder, text);
	if (stat(path, &st) != 0)
		return 0;
	return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

void journal_day_leave(struct local *j, const struct journal_day *d)
{
	char name[40], text[DAY_TEXT];
	day_text(d->day, text);
	snprintf(name, sizeof name, "journal/%s/data.mdb", text);
	if (db_damaged(&d->db) || db_replaced(&d->db))
		files_doubt(j->files, name);
	else if (d->written || d->looked)
		files_accept(j->files, name);
}

void journal_day_close(struct journal_day *d)
{
	db_close(&d->db);
	free(d->last);
	sodium_memzero(d->key, sizeof d->key);
}

enum err journal_day_place(struct local *j, const struct journal_day *d, struct journal_day **out)
{
	CHECK_HELD(&j->lock);
	for (int i = 0; i < JOURNAL_DAYS_MAX; i++)
		if (!j->days[i].day) {
			j->days[i] = *d;
			*out = &j->days[i];
			return OK;
		}
	return err_set(ERR_FULL, "journal: more than %d days", JOURNAL_DAYS_MAX);
}

bool journal_day_take(struct local *j, struct journal_day *d, struct journal_day *out)
{
	CHECK_HELD(&j->lock);
	if (!d->dead || d->refs)
		return false;
	*out = *d;
	sodium_memzero(d->key, sizeof d->key);
	*d = (struct journal_day){.day = 0};
	return true;
}

struct journal_day *journal_day_hold(struct local *j, uint16_t day, uint64_t last[])
{
	low_hold();
	pthread_mutex_lock(&j->lock);
	struct journal_day *d = journal_find_day(j, day);
	for (unsigned s = 0; d && last && s < j->base.lanes; s++)
		last[s] = atomic_load(&d->last[s]);
	if (d)
		d->refs++;
	pthread_mutex_unlock(&j->lock);
	low_release();
	return d;
}

void journal_day_let_go(struct local *j, struct journal_day *d)
{
	struct journal_day gone;
	low_hold();
	pthread_mutex_lock(&j->lock);
	d->refs--;
	bool last = journal_day_take(j, d, &gone);
	pthread_mutex_unlock(&j->lock);
	low_release();
	if (last)
		journal_day_close(&gone);
}

enum err journal_have_day(struct local *j, uint16_t day, bool make, struct journal_day **out)
{
	struct journal_day fresh;
	*out = journal_writers_day(j, day);
	if (*out)
		return OK;
	enum err e = journal_day_open(j, day, make, &fresh);
	if (e)
		return e;
	if (make)
		ledger_begin(j, day);
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
		log_error("journal", "a folder that should go stays folder=%s why=%s", folder,
		    strerror(errno));
}

void journal_unlink_day(const struct local *j, uint16_t day)
{
	char folder[4000];
	journal_day_folder(j, day, folder, sizeof folder);
	journal_remove_folder(folder);
}

/* A crash fell into the exchange of a day: the new day that was not put in place goes, and an old
 * day without a new one gets its name back (the table in clean.c). */
static void mend_exchange(const struct local *j, const char *name)
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
static enum err each_name(struct local *j, enum err (*each)(struct local *, const char *))
{
	DIR *dir = opendir(j->folder);
	if (!dir)
		return err_sys("%s", j->folder);
	enum err e = OK;
	for (struct dirent *f; !e && (f = readdir(dir));)
		e = each(j, f->d_name);
	closedir(dir);
	return e;
}

static enum err mend(struct local *j, const char *name)
{
	mend_exchange(j, name);
	return OK;
}

/* Is the error damage of this day? Anything else (memory, descriptors, a full disk) is no reason to
 * do without the day. */
static bool is_damage(enum err e)
{
	return e == ERR_CORRUPT;
}

/* Opens the day of that name, or sets it aside. */
static enum err open_named(struct local *j, const char *name)
{
	uint16_t day;
	struct journal_day *d;
	char why[400];
	if (!day_parse(name, strlen(name), &day))
		return OK;
	enum err e = journal_have_day(j, day, false, &d);
	/* a crash fell between the end of the key and that of the folder */
	if (e == ERR_NOT_FOUND && day < keys_destroyed_before(j->keys)) {
		if (!j->readonly)
			journal_unlink_day(j, day);
		return OK;
	}
	if (e != ERR_NOT_FOUND && !is_damage(e))
		return e;
	snprintf(why, sizeof why, "%s", e == ERR_NOT_FOUND ? "there is no key for it" : err_text());
	return ledger_set_aside(j, day, why);
}

/* A day that was set aside goes when its key has been destroyed since. Else it is noted, unless the
 * ledger knows what is lost of it and says so itself. */
static enum err look_aside(struct local *j, const char *name)
{
	char path[4096], where[32];
	uint16_t day;
	if (strlen(name) < DAY_TEXT || !day_parse(name, DAY_TEXT - 1, &day) ||
	    strncmp(name + DAY_TEXT - 1, ".damaged", 8) != 0)
		return OK;
	snprintf(path, sizeof path, "%s/%s", j->folder, name);
	if (day < keys_destroyed_before(j->keys)) {
		if (!j->readonly)
			journal_remove_folder(path);
		return OK;
	}
	struct ledger_day *l = ledger_find(j, day);
	snprintf(where, sizeof where, "journal/%.*s", DAY_TEXT - 1, name);
	if (!l || (l->readable == l->events && !l->noted))
		damage_note(j->damage, where, EVENTS_UNKNOWN, "set aside as %s", name);
	return OK;
}

void journal_expire_aside(struct local *j)
{
	if (each_name(j, look_aside) != OK)
		log_warn("journal", "days that were set aside could not be looked at why=\"%s\"",
		    err_text());
}

/* --- keys without a seal: are they those of the days? */

/* A day that has not ended needs a key. */
static enum err has_key(struct local *j, const char *name)
{
	uint8_t key[32];
	uint16_t day;
	if (!day_parse(name, strlen(name), &day) || day < j->oldest)
		return OK;
	enum err e = keys_day(j->keys, day, KEYS_DAY_FIND, key);
	sodium_memzero(key, sizeof key);
	if (e != ERR_NOT_FOUND)
		return e;
	return err_set(ERR_CORRUPT,
	    "%.*s/keys has no key for %s: it is an old copy or another store's; put back this "
	    "store's newest. Nothing was changed",
	    journal_store_part(j), j->folder, name);
}

/* Does the first block of a day open with its key? */
static enum err try_day(struct journal_day *d, bool *tried, bool *opened)
{
	struct opener x;
	struct buf records = {0};
	struct db_txn t;
	struct db_cursor c;
	struct str key, value;
	uint32_t count;
	enum err e =
	    opener_init(&x) ? db_begin(&d->db, DB_READ, &t) : err_set(ERR_NOMEM, "no memory");
	if (!e) {
		db_walk(&t, d->table, &c);
		if (db_next(&c, &key, &value) && key.n == PLACE_LEN) {
			*tried = true;
			*opened |= journal_unseal(&x, d, key, value, &records, &count) == OK;
		}
		db_walk_end(&c);
		e = t.err;
		db_abort(&t);
	}
	opener_done(&x);
	buf_done(&records);
	return e;
}

/* Other keys open nothing. A damaged block or two say nothing of the keys. */
static enum err keys_fit(struct local *j)
{
	bool tried = false, opened = false;
	enum err e = OK;
	for (int i = 0; i < JOURNAL_DAYS_MAX && !e && !opened; i++)
		if (j->days[i].day)
			e = try_day(&j->days[i], &tried, &opened);
	if (!e && tried && !opened)
		e = err_set(ERR_CORRUPT,
		    "%.*s/keys belongs to another store: put back this store's; nothing was "
		    "changed",
		    journal_store_part(j), j->folder);
	return e;
}

enum err journal_open_days(struct local *j)
{
	enum err e = j->oldest ? each_name(j, has_key) : OK;
	if (!e && !j->readonly)
		e = each_name(j, mend);
	if (!e)
		e = each_name(j, open_named);
	if (!e)
		e = each_name(j, look_aside);
	return e || !j->oldest ? e : keys_fit(j);
}

struct journal_day *journal_find_day(struct local *j, uint16_t day)
{
	CHECK_HELD(&j->lock);
	for (int i = 0; i < JOURNAL_DAYS_MAX; i++)
		if (j->days[i].day == day && !j->days[i].dead)
			return &j->days[i];
	return NULL;
}

struct journal_day *journal_writers_day(struct local *j, uint16_t day)
{
	pthread_mutex_lock(&j->lock);
	struct journal_day *d = journal_find_day(j, day);
	pthread_mutex_unlock(&j->lock);
	return d;
}

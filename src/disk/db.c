/* LMDB behind struct db: errors are mapped once, and an environment that LMDB gave up is opened
 * anew.
 *
 * Opening anew. After a write of a meta page that failed, LMDB answers MDB_PANIC to every new
 * transaction. The environment then has to be closed, which is possible only while nobody uses it.
 * So everybody who uses it is counted:
 *
 *     enter()      users + 1; when the environment is broken, users - 1, and open_anew()
 *     leave()      users - 1
 *     open_anew()  under `opening`: while somebody is in it, an error; else closes and opens it
 *
 * `users` goes up before `broken` is read, and open_anew() reads them in the other order: either
 * the newcomer sees `broken`, or open_anew() sees the newcomer. A transaction is a user from
 * db_begin() to its end.
 *
 * Callers keep handles of tables (db_table) for as long as the program runs. Handles are numbers
 * that LMDB gives in order of opening, from FIRST_HANDLE on. So the names are remembered by handle,
 * and opened in that order again. */
#include "crumb/disk/db.h"

#include "crumb/base/log.h"
#include "crumb/base/low.h"
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* LMDB's code as ours; the words are LMDB's. */
static enum err map(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return OK;
	case MDB_NOTFOUND:
		return ERR_NOT_FOUND;
	case MDB_MAP_FULL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return err_set(ERR_FULL, "store: %s", mdb_strerror(rc));
	case ENOMEM:
		return err_set(ERR_NOMEM, "store: %s", mdb_strerror(rc));
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_CURSOR_FULL: /* a tree that is deeper than any can be */
		return err_set(ERR_CORRUPT, "store: %s", mdb_strerror(rc));
	default:
		return err_set(ERR_IO, "store: %s", mdb_strerror(rc));
	}
}

static MDB_val val(struct str s)
{
	return (MDB_val){s.n, (void *)(uintptr_t)s.p};
}

static struct str str_of(MDB_val v)
{
	return str_make(v.mv_data, v.mv_size);
}

#define PATH_CAP (FILE_PATH_MAX + 104)	      /* a folder, and a name in it */
#define READERS 510			      /* read transactions at a time, of all processes */
#define LOCK_BYTES ((READERS - 1) * 64 + 192) /* as large as LMDB makes it: 32 kB */

/* LMDB maps lock.mdb and leaves it sparse. On a full disk the first touch of one of its pages would
 * end the process with SIGBUS. So the disk is asked for all of its pages before LMDB opens it. Any
 * other error is LMDB's to tell. */
static enum err have_lock_pages(const char *folder)
{
	char path[PATH_CAP];
	int n = snprintf(path, sizeof path, "%s/lock.mdb", folder);
	int fd = (size_t)n < sizeof path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	int rc = fd >= 0 ? fallocate(fd, 0, 0, LOCK_BYTES) : -1, why = errno;
	if (fd >= 0)
		close(fd);
	errno = why;
	bool full = rc != 0 && (why == ENOSPC || why == EDQUOT || why == EFBIG);
	return full ? err_sys("%s", path) : OK;
}

/* LMDB makes its lock file anew when nobody else has it open. It cannot do that where something
 * else has the name, such as a folder or a link; that goes first. */
static enum err drop_other(const char *folder)
{
	char path[FILE_PATH_MAX];
	struct stat st;
	int n = snprintf(path, sizeof path, "%s/lock.mdb", folder);
	if (n < 0 || (size_t)n >= sizeof path || lstat(path, &st) != 0 || S_ISREG(st.st_mode) ||
	    remove(path) == 0)
		return OK;
	return err_set(ERR_USAGE, "%s is no file: remove it", path);
}

#define TABLES_MOST 16

struct db_env {
	/* as db_open() was told; constant */
	char folder[PATH_CAP];
	size_t map_bytes;
	unsigned tables;
	enum db_mode mode;
	/* shared */
	_Atomic unsigned users;	 /* transactions, and whatever else uses mdb */
	_Atomic bool broken;	 /* nobody comes in before it was opened anew */
	_Atomic bool damaged;	 /* somebody met damage; never taken back */
	pthread_mutex_t opening; /* one thread at a time opens it anew */
	MDB_env *mdb; /* under opening, while there are no users; NULL: could not be opened anew */
	const char
	    *names[TABLES_MOST]; /* of tables by their handle; they are opened at the start */
};
#define FIRST_HANDLE 2 /* LMDB's own tables have 0 and 1 */

/* Notes damage on the way of an error; what works does not pay for it. */
static enum err seen(struct db_env *v, enum err e)
{
	if (e == ERR_CORRUPT)
		atomic_store(&v->damaged, true);
	return e;
}

static void txn_fail(struct db_txn *t, int rc)
{
	if (!t->err)
		t->err = seen(t->of, map(rc));
}

void db_found_damage(struct db *d)
{
	atomic_store(&d->env->damaged, true);
}

bool db_damaged(const struct db *d)
{
	return atomic_load_explicit(&d->env->damaged, memory_order_relaxed);
}

bool db_replaced(const struct db *d)
{
	char data[PATH_CAP + 16];
	struct stat open_one, named;
	int fd;
	if (!d->env->mdb || mdb_env_get_fd(d->env->mdb, &fd) != 0 || fstat(fd, &open_one) != 0)
		return false;
	snprintf(data, sizeof data, "%s/data.mdb", d->env->folder);
	return stat(data, &named) != 0 || named.st_dev != open_one.st_dev ||
	       named.st_ino != open_one.st_ino;
}

/* LMDB's assertion: it has met what cannot be, and would abort. */
static void gave_up(MDB_env *env, const char *what)
{
	const char *folder = mdb_env_get_userctx(env);
	log_error("store", "LMDB gave up folder=%s why=\"%s\"", folder, what);
	guard_end(folder);
}

/* Opens an environment. A file that this call began and could not finish is removed: the next start
 * would take it for a damaged one. */
static enum err open_env(
    const char *folder, size_t map_bytes, unsigned tables, enum db_mode mode, MDB_env **out)
{
	static const unsigned flags[] = {
	    [DB_DURABLE] = 0, [DB_REBUILT] = MDB_NOMETASYNC, [DB_READONLY] = MDB_RDONLY};
	MDB_env *env;
	char data[PATH_CAP + 16];
	snprintf(data, sizeof data, "%s/data.mdb", folder);
	bool fresh = mode != DB_READONLY && access(data, F_OK) != 0 && errno == ENOENT;
	enum err e = mode != DB_READONLY ? drop_other(folder) : OK;
	if (!e)
		e = have_lock_pages(folder);
	int rc = e ? 0 : mdb_env_create(&env);
	if (e || rc)
		return e ? e : map(rc);
	(void)mdb_env_set_assert(env, gave_up);
	(void)mdb_env_set_userctx(env, (void *)(uintptr_t)folder);
	int dead;
	if ((rc = mdb_env_set_mapsize(env, map_bytes)) || (rc = mdb_env_set_maxdbs(env, tables)) ||
	    (rc = mdb_env_set_maxreaders(env, READERS)) ||
	    (rc = mdb_env_open(env, folder, MDB_NOTLS | MDB_NORDAHEAD | flags[mode], 0600)) ||
	    (rc = mdb_reader_check(env, &dead))) {
		mdb_env_close(env);
		if (fresh)
			unlink(data);
		return err_wrap(map(rc), "%s", folder);
	}
	*out = env;
	return OK;
}

enum err db_open(
    struct db *d, const char *folder, size_t map_bytes, unsigned tables, enum db_mode mode)
{
	struct db_env *v = calloc(1, sizeof *v);
	if (!v)
		return err_set(ERR_NOMEM, "no memory");
	guard_begin();
	int n = snprintf(v->folder, sizeof v->folder, "%s", folder);
	enum err e = n < 0 || (size_t)n >= sizeof v->folder
			 ? err_set(ERR_USAGE, "%.100s…: too long a path", folder)
			 : open_env(v->folder, map_bytes, tables, mode, &v->mdb);
	if (e) {
		free(v);
		return e;
	}
	v->map_bytes = map_bytes;
	v->tables = tables;
	v->mode = mode;
	pthread_mutex_init(&v->opening, NULL);
	d->env = v;
	return OK;
}

void db_close(struct db *d)
{
	if (!d->env)
		return;
	if (d->env->mdb)
		mdb_env_close(d->env->mdb);
	pthread_mutex_destroy(&d->env->opening);
	free(d->env);
	d->env = NULL;
}

/* Opens the tables in the order of their handles. A table that gets another handle would be taken
 * for another table: then the environment stays closed. The last one may not be there: the commit
 * that would have made it failed, so nobody has its handle. */
static enum err open_tables(struct db_env *v)
{
	MDB_txn *t;
	int rc = mdb_txn_begin(v->mdb, NULL, MDB_RDONLY, &t);
	if (rc)
		return map(rc);
	for (unsigned i = 0; i < TABLES_MOST && v->names[i] && !rc; i++) {
		MDB_dbi handle;
		if ((rc = mdb_dbi_open(t, v->names[i], 0, &handle)) == 0 &&
		    handle != FIRST_HANDLE + i)
			rc = MDB_BAD_DBI;
		if (rc == MDB_NOTFOUND && (i + 1 == TABLES_MOST || !v->names[i + 1])) {
			v->names[i] = NULL;
			rc = 0;
		}
	}
	if (!rc)
		rc = mdb_txn_commit(t);
	else
		mdb_txn_abort(t);
	return map(rc);
}

/* OK: the environment can be used, by whoever did it. Else it is tried again at the next enter().
 */
static enum err open_anew(struct db_env *v)
{
	enum err e = OK;
	pthread_mutex_lock(&v->opening);
	if (atomic_load(&v->broken)) {
		if (atomic_load(&v->users))
			e = err_set(
			    ERR_IO, "%s: a write failed; the file will be opened anew", v->folder);
		if (!e && v->mdb)
			mdb_env_close(v->mdb);
		if (!e)
			v->mdb = NULL;
		if (!e && !(e = open_env(v->folder, v->map_bytes, v->tables, v->mode, &v->mdb)))
			e = open_tables(v);
		if (!e) {
			atomic_store(&v->broken, false);
			log_warn(
			    "store", "opened anew after a write that failed folder=%s", v->folder);
		}
	}
	pthread_mutex_unlock(&v->opening);
	return e;
}

/* From now until leave() the environment stays open. The third try in vain means that writes fail
 * again as soon as it was opened anew. */
static enum err enter(struct db_env *v)
{
	for (int tries = 0; tries < 3; tries++) {
		atomic_fetch_add(&v->users, 1);
		if (!atomic_load(&v->broken))
			return OK;
		atomic_fetch_sub(&v->users, 1);
		enum err e = open_anew(v);
		if (e)
			return e;
	}
	return err_set(ERR_IO, "%s: a write failed", v->folder);
}

static void leave(struct db_env *v)
{
	atomic_fetch_sub(&v->users, 1);
}

enum err db_copy(struct db *d, const char *folder)
{
	enum err e = enter(d->env);
	if (e)
		return e;
	e = map(mdb_env_copy2(d->env->mdb, folder, MDB_CP_COMPACT));
	leave(d->env);
	if (e)
		return err_wrap(e, "%s", folder);
	char path[FILE_PATH_MAX];
	snprintf(path, sizeof path, "%s/data.mdb", folder);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		e = err_sys("%s", path);
	if (fd >= 0)
		close(fd);
	return e ? e : folder_sync(folder);
}

enum err db_unsynced(struct db *d)
{
	enum err e = enter(d->env);
	if (e)
		return e;
	e = map(mdb_env_set_flags(d->env->mdb, MDB_NOSYNC, 1));
	leave(d->env);
	return e;
}

enum err db_synced_again(struct db *d)
{
	enum err e = enter(d->env);
	if (e)
		return e;
	int rc = mdb_env_set_flags(d->env->mdb, MDB_NOSYNC, 0);
	e = map(rc ? rc : mdb_env_sync(d->env->mdb, 1));
	leave(d->env);
	return e;
}

/* Others wait for the same disk, and it may be slow: after each piece there is a rest of REST_US
 * and RESTS times as long as the piece took, but of REST_MOST_US at most. A piece that took less
 * than WRITTEN_US was clean. */
#define PIECE (128 << 10)
#define REST_US 3000
#define RESTS 6
#define REST_MOST_US 100000
#define WRITTEN_US 100

void db_write_out(struct db *d, enum db_haste haste)
{
	int fd;
	struct stat st;
	struct timespec from, to;
	if (enter(d->env) != OK)
		return; /* the next commit says why */
	fd = mdb_env_get_fd(d->env->mdb, &fd) == 0 ? dup(fd) : -1;
	leave(d->env);
	if (fd < 0)
		return;
	if (fstat(fd, &st) != 0)
		st.st_size = 0;
	for (off_t at = 0; at < st.st_size; at += PIECE) {
		clock_gettime(CLOCK_MONOTONIC, &from);
		if (sync_file_range(fd, at, PIECE,
			SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
			    SYNC_FILE_RANGE_WAIT_AFTER) != 0)
			break; /* not here: the sync at the end does it */
		clock_gettime(CLOCK_MONOTONIC, &to);
		long us = (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
		long rest = REST_US + RESTS * us;
		if (rest > REST_MOST_US)
			rest = REST_MOST_US;
		if (haste == DB_GENTLY && us > WRITTEN_US)
			nanosleep(&(struct timespec){0, 1000 * rest}, NULL);
	}
	close(fd);
}

/* A low thread is an ordinary one while it holds LMDB's lock of readers, which others wait for. */
static int begin_txn(MDB_env *env, enum db_access access, MDB_txn **out)
{
	if (access == DB_WRITE)
		return mdb_txn_begin(env, NULL, 0, out);
	low_hold();
	int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, out);
	low_release();
	return rc;
}

/* LMDB says here that it has given up: then once more, with the environment opened anew. */
enum err db_begin(struct db *d, enum db_access access, struct db_txn *t)
{
	*t = (struct db_txn){.write = access == DB_WRITE, .of = d->env};
	int rc = MDB_PANIC;
	for (int tries = 0; rc == MDB_PANIC && tries < 2; tries++) {
		enum err e = enter(d->env);
		if (e)
			return e;
		rc = begin_txn(d->env->mdb, access, &t->txn);
		if (rc == MDB_PANIC)
			atomic_store(&d->env->broken, true);
		if (rc) {
			t->txn = NULL;
			leave(d->env);
		}
	}
	return seen(d->env, map(rc));
}

uint64_t db_commit_seen(struct db_txn *t)
{
	return mdb_txn_id(t->txn);
}

void db_abort(struct db_txn *t)
{
	if (t->txn) {
		mdb_txn_abort(t->txn);
		leave(t->of);
	}
	t->txn = NULL;
}

enum err db_end(struct db_txn *t)
{
	enum err e = t->err;
	if (e)
		db_abort(t);
	else
		/* a read is committed too: only then do tables that it opened stay open */
		e = seen(t->of, map(mdb_txn_commit(t->txn)));
	if (t->txn)
		leave(t->of);
	t->txn = NULL;
	return e;
}

static int open_table(struct db_txn *t, const char *name, unsigned flags, db_table *out)
{
	MDB_dbi dbi;
	int rc = mdb_dbi_open(t->txn, name, flags, &dbi);
	if (!rc && dbi >= FIRST_HANDLE && dbi - FIRST_HANDLE < TABLES_MOST)
		t->of->names[dbi - FIRST_HANDLE] = name;
	if (!rc)
		*out = dbi;
	return rc;
}

enum err db_open_table(struct db_txn *t, const char *name, db_table *out)
{
	int rc = open_table(t, name, t->write ? MDB_CREATE : 0, out);
	if (rc == MDB_NOTFOUND)
		return err_set(ERR_CORRUPT, "store: table %s is missing", name);
	return map(rc);
}

enum err db_find_table(struct db_txn *t, const char *name, db_table *out)
{
	return map(open_table(t, name, 0, out));
}

bool db_get(struct db_txn *t, db_table table, struct str key, struct str *value)
{
	MDB_val k = val(key), v;
	if (t->err)
		return false;
	int rc = mdb_get(t->txn, table, &k, &v);
	if (rc == 0)
		*value = str_of(v);
	else if (rc != MDB_NOTFOUND)
		txn_fail(t, rc);
	return rc == 0;
}

void db_put(struct db_txn *t, db_table table, struct str key, struct str value)
{
	MDB_val k = val(key), v = val(value);
	int rc;
	if (!t->err && (rc = mdb_put(t->txn, table, &k, &v, 0)))
		txn_fail(t, rc);
}

void db_append(struct db_txn *t, db_table table, struct str key, struct str value)
{
	MDB_val k = val(key), v = val(value);
	if (t->err)
		return;
	int rc = mdb_put(t->txn, table, &k, &v, MDB_APPEND);
	if (rc == MDB_KEYEXIST)
		rc = mdb_put(t->txn, table, &k, &v, 0);
	if (rc)
		txn_fail(t, rc);
}

bool db_del(struct db_txn *t, db_table table, struct str key)
{
	MDB_val k = val(key);
	if (t->err)
		return false;
	int rc = mdb_del(t->txn, table, &k, NULL);
	if (rc && rc != MDB_NOTFOUND)
		txn_fail(t, rc);
	return rc == 0;
}

void db_clear(struct db_txn *t, db_table table)
{
	int rc;
	if (!t->err && (rc = mdb_drop(t->txn, table, 0)))
		txn_fail(t, rc);
}

uint64_t db_count(struct db_txn *t, db_table table)
{
	MDB_stat s;
	int rc;
	if (t->err)
		return 0;
	if ((rc = mdb_stat(t->txn, table, &s))) {
		txn_fail(t, rc);
		return 0;
	}
	return s.ms_entries;
}

void db_walk(struct db_txn *t, db_table table, struct db_cursor *c)
{
	*c = (struct db_cursor){.t = t};
	int rc;
	if (!t->err && (rc = mdb_cursor_open(t->txn, table, &c->c)))
		txn_fail(t, rc);
}

static bool step(
    struct db_cursor *c, MDB_cursor_op op, MDB_val k, struct str *key, struct str *value)
{
	MDB_val v;
	if (c->t->err || !c->c)
		return false;
	int rc = mdb_cursor_get(c->c, &k, &v, op);
	if (rc == 0) {
		*key = str_of(k);
		*value = str_of(v);
	} else if (rc != MDB_NOTFOUND) {
		txn_fail(c->t, rc);
	}
	return rc == 0;
}

bool db_seek(struct db_cursor *c, struct str from, struct str *key, struct str *value)
{
	c->started = true;
	return step(c, from.n ? MDB_SET_RANGE : MDB_FIRST, val(from), key, value);
}

bool db_next(struct db_cursor *c, struct str *key, struct str *value)
{
	if (!c->started)
		return db_seek(c, STR(""), key, value);
	return step(c, MDB_NEXT, (MDB_val){0, NULL}, key, value);
}

bool db_last(struct db_cursor *c, struct str *key, struct str *value)
{
	c->started = true;
	return step(c, MDB_LAST, (MDB_val){0, NULL}, key, value);
}

void db_walk_end(struct db_cursor *c)
{
	if (c->c)
		mdb_cursor_close(c->c);
	c->c = NULL;
}

void db_check_readers(struct db *d)
{
	int dead;
	if (enter(d->env) != OK)
		return;
	(void)mdb_reader_check(d->env->mdb, &dead); /* what fails now is done an hour later */
	leave(d->env);
}

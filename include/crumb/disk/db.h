/* LMDB behind a transaction whose error is sticky: callers read straight down and check once, at
 * db_end(). This is the only way to LMDB; no other folder includes lmdb.h.
 *
 *     if ((e = db_begin(&d, DB_WRITE, &t)))
 *             return e;
 *     db_put(&t, table, key, value);        does nothing once something has failed
 *     return db_end(&t);                    commits, or says what failed first
 *
 * One folder is one environment; it is opened once per process. One
 * thread at a time may have a write transaction of an environment. Any thread may read; a read
 * transaction sees the state of when it began. A transaction and its cursors belong to the thread
 * that began them.
 *
 * Bytes that a read yields are LMDB's memory: valid until the transaction ends or, in a write
 * transaction, until the next put or delete. They never leave the store without being copied. A
 * reader that stays keeps pages from being used again: the file grows meanwhile.
 *
 * When LMDB could not write which commit is the newest, it refuses everything in that environment
 * from then on. Then the environment is opened anew, by whoever begins next, as soon as nobody is
 * in it. Nothing that was committed is lost by that. Names of tables must outlive the environment.
 *
 * An environment costs address space of `map_bytes`, and memory only for pages in use; its file
 * lock.mdb has 32 kB. */
#ifndef CRUMB_DISK_DB_H
#define CRUMB_DISK_DB_H

#include "crumb/base/file.h"
#include "crumb/base/str.h"

struct db_env;
struct MDB_txn;
struct MDB_cursor;

struct db {
	struct db_env *env; /* NULL: closed */
};
struct db_txn {
	struct MDB_txn *txn; /* NULL: ended */
	enum err err;	     /* first failure; everything after it does nothing */
	struct db_env *of;
	bool write;
};

struct db_cursor {
	struct MDB_cursor *c;
	struct db_txn *t;
	bool started; /* it stands somewhere: db_next() goes on from there */
};
typedef unsigned db_table;

/* DB_REBUILT is for data that can be made again up to any point: after a power failure the latest
 * commit may be missing, never a part of one. It saves one of two flushes per commit. */
enum db_mode { DB_DURABLE, DB_REBUILT, DB_READONLY };
enum err db_open(struct db *d, const char *folder, size_t map_bytes, unsigned tables,
    enum db_mode mode) MUST_CHECK;
void db_close(struct db *d);
/* Copies the environment, as of one moment and without free pages, into an empty folder. The copy
 * is on disk when this returns OK. */
enum err db_copy(struct db *d, const char *folder) MUST_CHECK;
/* From now on commits do not wait for the disk. db_synced_again() ends that, and brings everything
 * to disk before it returns. For data that is dropped if the machine goes down meanwhile. */
enum err db_unsynced(struct db *d) MUST_CHECK;
enum err db_synced_again(struct db *d) MUST_CHECK;

/* Writes out what unsynced commits have left to the system. It goes in small pieces, one after the
 * other, so that nobody else who waits for the disk waits for long. Gently: with rests between, for
 * what takes long anyway. */
enum db_haste { DB_AT_ONCE, DB_GENTLY };
void db_write_out(struct db *d, enum db_haste haste);

/* Has anybody met damage in the environment since it was opened? LMDB's own errors are noticed
 * here; whoever finds that values make no sense calls db_found_damage(). Any thread. */
void db_found_damage(struct db *d);
bool db_damaged(const struct db *d);
/* Is the file in the folder another one than the one that is open, or none? Then what is written
 * goes to a file without a name. Only for the thread that is about to close the environment: it may
 * not be opened anew meanwhile. */
bool db_replaced(const struct db *d);

enum db_access { DB_READ, DB_WRITE };
enum err db_begin(struct db *d, enum db_access access, struct db_txn *t) MUST_CHECK;
/* Commits a write, unless something failed; ends a read. The transaction is over either way. */
enum err db_end(struct db_txn *t) MUST_CHECK;
void db_abort(struct db_txn *t); /* takes a write back; ends a read. Also after db_end() */
uint64_t db_commit_seen(struct db_txn *t); /* the number of the commit that a read sees */

/* A writer makes a table that is missing; for a reader that is ERR_CORRUPT. */
enum err db_open_table(struct db_txn *t, const char *name, db_table *out) MUST_CHECK;
/* The same, but nobody makes it. ERR_NOT_FOUND: it is missing, which says nothing of the rest. */
enum err db_find_table(struct db_txn *t, const char *name, db_table *out) MUST_CHECK;
/* False: not there, or failed (t->err). */
bool db_get(struct db_txn *t, db_table table, struct str key, struct str *value);
void db_put(struct db_txn *t, db_table table, struct str key, struct str value);
/* The same for a key that is likely to be behind all others: then pages are filled. Any other key
 * is put where it belongs. */
void db_append(struct db_txn *t, db_table table, struct str key, struct str value);
bool db_del(struct db_txn *t, db_table table, struct str key); /* false: was not there, or failed */
void db_clear(struct db_txn *t, db_table table);	       /* removes all that is in it */
uint64_t db_count(struct db_txn *t, db_table table);

/* Forgets readers whose process is gone: they would keep pages from being used again. Any thread.
 */
void db_check_readers(struct db *d);

/* A cursor walks keys in byte order. db_seek() goes to the first key not before `from`, db_next()
 * to the next one (of a fresh cursor: the first), db_last() to the last. False: there is none, or
 * the transaction has failed. A cursor ends before its transaction does. */
void db_walk(struct db_txn *t, db_table table, struct db_cursor *c);
bool db_seek(struct db_cursor *c, struct str from, struct str *key, struct str *value);
bool db_next(struct db_cursor *c, struct str *key, struct str *value);
bool db_last(struct db_cursor *c, struct str *key, struct str *value);
void db_walk_end(struct db_cursor *c);

#endif

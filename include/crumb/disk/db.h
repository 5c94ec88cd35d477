/* LMDB behind a transaction whose error is sticky: callers read straight down and check once, at
 * db_end().
 *
 * One folder is one environment; it is opened once per process. Write transactions of one
 * environment belong to one thread at a time; read transactions are for any thread and see the
 * state of when they began. Bytes that a read yields are LMDB's memory: valid until the transaction
 * ends or, in a write transaction, until the next put or delete. They never leave the store without
 * being copied.
 *
 * When LMDB could not write which commit is the newest it does nothing more with an environment.
 * Then it is opened anew, as soon as nobody is in it, by whoever begins next; nothing that was
 * committed is lost by it. Names of tables must outlive the environment. */
#ifndef CRUMB_DISK_DB_H
#define CRUMB_DISK_DB_H

#include "crumb/base/file.h"
#include "crumb/base/str.h"

struct db_env;
struct MDB_txn;
struct MDB_cursor;

struct db {
	struct db_env *env;
};
struct db_txn {
	struct MDB_txn *txn;
	enum err err; /* first failure; everything after it does nothing */
	struct db_env *of;
	bool write;
};

struct db_cursor {
	struct MDB_cursor *c;
	struct db_txn *t;
	bool started;
};
typedef unsigned db_table;

/* DB_REBUILT is for data that can be made again up to any point: after a power failure the latest
 * commit may be missing, never a part of one. It saves one of two flushes per commit. */
enum db_mode { DB_DURABLE, DB_REBUILT, DB_READONLY };
enum err db_open(struct db *d, const char *folder, size_t map_bytes, unsigned tables,
    enum db_mode mode) MUST_CHECK;
void db_close(struct db *d);
/* A copy as of one moment, without free pages, into an empty folder. */
enum err db_copy(struct db *d, const char *folder) MUST_CHECK;
/* Commits do not wait for the disk until db_synced_again(), which brings everything to disk before
 * it returns. For data that is dropped if the machine goes down meanwhile. */
enum err db_unsynced(struct db *d) MUST_CHECK;
enum err db_synced_again(struct db *d) MUST_CHECK;

/* Writes out what unsynced commits have left to the system, in small pieces, one after the other,
 * so that nobody else who waits for the disk waits for long. Gently: with rests between, for what
 * takes long anyway. */
enum db_haste { DB_AT_ONCE, DB_GENTLY };
void db_write_out(struct db *d, enum db_haste haste);

/* Has anybody met what cannot be in it since it was opened? Whoever finds it in values says so. Any
 * thread. */
void db_found_damage(struct db *d);
bool db_damaged(const struct db *d);
/* Is what stands in its folder another file than the one that is open, or none? Then what is
 * written goes to a file without a name. Not while it may be opened anew: by whoever is about to
 * close it. */
bool db_replaced(const struct db *d);

enum db_access { DB_READ, DB_WRITE };
enum err db_begin(struct db *d, enum db_access access, struct db_txn *t) MUST_CHECK;
enum err db_end(
    struct db_txn *t) MUST_CHECK; /* commits a write, unless something failed; ends a read */
void db_abort(struct db_txn *t);
uint64_t db_commit_seen(struct db_txn *t); /* the number of the commit that a read sees */

enum err db_open_table(struct db_txn *t, const char *name,
    db_table *out) MUST_CHECK; /* made when missing, by a writer */
bool db_get(struct db_txn *t, db_table table, struct str key,
    struct str *value); /* false: not there, or failed */
void db_put(struct db_txn *t, db_table table, struct str key, struct str value);
/* The same for a key behind all others, which fills pages; any other key is put where it belongs.
 */
void db_append(struct db_txn *t, db_table table, struct str key, struct str value);
bool db_del(struct db_txn *t, db_table table, struct str key); /* false: was not there */
void db_clear(struct db_txn *t, db_table table);	       /* nothing is in it any more */
uint64_t db_count(struct db_txn *t, db_table table);

/* Forgets readers whose process is gone: they would keep pages from being used again. */
void db_check_readers(struct db *d);

/* A cursor walks keys in byte order, from the first key not before `from`. */
void db_walk(struct db_txn *t, db_table table, struct db_cursor *c);
bool db_seek(struct db_cursor *c, struct str from, struct str *key, struct str *value);
bool db_next(struct db_cursor *c, struct str *key, struct str *value);
bool db_last(struct db_cursor *c, struct str *key, struct str *value);
void db_walk_end(struct db_cursor *c);

#endif

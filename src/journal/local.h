/* Inside the journal: the kind that keeps days of files, and what its parts share.
 *
 *     local.c    commits, publishing, and what a crash left in the log
 *     read.c     readers
 *     days.c     the days' folders, and the table of open days
 *     wal.c      the write-ahead log
 *     whole.c    commits of several days
 *     clean.c    cleaning, and copies
 *     ledger.c   which days there must be, with how many events
 *     count.c    counting and verifying days
 *     take.c     blocks that come from a log outside
 *     marks.c    how far that log was taken
 *
 * Each day is an LMDB environment of its own, with the table `blocks`; and the table `log`, where
 * it has blocks that came from a log outside (marks.h):
 *
 *     journal/YYYY-MM-DD/   key    shard u16 │ sequence u64, big-endian: 10 bytes
 *                           value  a sealed block (sealed.h)
 *
 * A position is a sequence. Sequences are global and only grow. A lane is a shard's blocks, or
 * those of the control lane, over all days.
 *
 * The way of a commit:
 *
 *     small, of one day      ──▶ wal (one write, one flush) ──▶ pending, in memory
 *                                    durable here                  │ publish: one block a shard
 *                                                                  ▼
 *     large                  ───────────────────────────────────▶ its day's environment
 *     of several days        ──▶ undo ──────────────────────────▶ their environments, all or none
 *     from a log outside     ───────────────────────────────────▶ its day's environment
 *                                                                     durable and seen here
 *
 * What is pending is all of one day and one rule set. So a commit of another day, or of other
 * rules, publishes first. So does a large one: a shard's order is that of its blocks. Eight commits
 * of 100 events in 4 shards are eight frames, then four blocks of some 200 events.
 *
 * The end of a day: its key is destroyed (disk/keys.h), which makes noise of all its bytes, then
 * the folder is unlinked. A folder whose key is gone goes at the next opening.
 *
 * Threads. One writer: everything that is the writer's needs no lock. Readers and cleaners hold
 * days by references. `lock` guards the table of days, their refs and `dead`; only the writer puts
 * days in and ends them. Nobody waits for the disk with it. A dead day is closed by whoever gives
 * the last reference back. */
#ifndef CRUMB_SRC_JOURNAL_LOCAL_H
#define CRUMB_SRC_JOURNAL_LOCAL_H

#include "crumb/core/config.h"
#include "crumb/disk/db.h"
#include "crumb/journal/journal.h"
#include "crumb/disk/files.h"
#include "kind.h"
#include "marks.h"
#include "sealed.h"
#include "wal.h"

#include <pthread.h>
#include <stdatomic.h>

#define LANES_MAX (SHARDS_MAX + 1) /* one for each shard, and the control lane */

struct journal_day {
	/* shared, under the journal's lock */
	uint16_t day;  /* 0: free place */
	unsigned refs; /* readers, cleaners, copies */
	bool dead;     /* expired, or exchanged; goes with its last reference */
	bool has_log;  /* the table `log` is there; never taken back */
	db_table log;
	uint64_t marks; /* how many were written to the table since it was opened */
	/* the writer's */
	bool changed;  /* by somebody else, since the store was closed */
	bool looked;   /* all of its pages were looked at, since it was not as it stood then */
	bool written;  /* since it was opened */
	int64_t stood; /* time of its file when it was opened; 0: it was made */
	/* constant while the place is taken */
	struct db db;
	db_table table;
	uint8_t key[32];
	_Atomic uint64_t *last; /* per lane: the highest sequence that readers see */
};

/* A commit of several days that is not through: its sequences are to go from these days (whole.c).
 */
struct undo {
	uint64_t first, last;
	unsigned n; /* 0: none */
	uint16_t days[JOURNAL_DAYS_MAX];
};

/* What was taken from a log outside, and failed so that it may be in its day all the same: its
 * sequences are to go, and the table `log` is to be what it was (take.c says why). */
struct doubt {
	uint16_t day; /* 0: nothing */
	uint64_t first, last;
};

/* What is in the write-ahead log and not in its day yet, of one lane. */
struct pending {
	struct buf records;
	uint32_t count, events;
	uint64_t seq; /* of the newest record */
};

/* Which days there must be, and what is in them (ledger.c draws the file). Days that are lost stay
 * in the ledger until they end, so that it has more places than the table of days. */
#define LEDGER_MAX (2 * JOURNAL_DAYS_MAX)
struct ledger_day {
	uint16_t day;
	bool known;	   /* the numbers are right; else they are what headers of blocks say */
	bool noted;	   /* damage was noted since the journal was opened */
	uint64_t events;   /* ever stored */
	uint64_t readable; /* of them */
	uint64_t last;	   /* the highest sequence when that was so */
};
struct ledger {
	bool missing, damaged; /* the file was that, when the journal was opened */
	unsigned n;
	uint64_t unsaved; /* events that the file does not know of */
	uint64_t counted; /* bytes that were read to count days after a crash */
	struct ledger_day days[LEDGER_MAX];
};
/* What ledger_count() found in a day. */
struct day_count {
	uint64_t events, blocks, bad_blocks;
};

#define JOURNAL_FOLDER_CAP 3800 /* so that paths below it fit FILE_PATH_MAX */
struct local {
	struct journal base;
	/* constant; as struct journal_place says */
	char folder[JOURNAL_FOLDER_CAP], wal_path[JOURNAL_FOLDER_CAP];
	struct keys *keys;
	struct files *files;
	struct damage *damage;
	size_t map_bytes;
	bool readonly, restoring;
	uint16_t oldest;
	bool opened; /* to the end: closing it writes the ledger */
	/* shared, under lock */
	pthread_mutex_t lock;
	struct journal_day days[JOURNAL_DAYS_MAX];
	struct log_mark mark;	     /* of all that readers see; the writer alone changes it */
	struct log_mark moment_mark; /* as it was at the last journal_moment(), which is `moment` */
	uint64_t moment;
	bool follows; /* a log outside: blocks of it are there, or about to be */
	/* the writer's */
	uint64_t next_seq;
	struct ledger ledger;
	struct undo undo;
	struct doubt doubt;
	struct sealer sealer;
	struct wal *wal;
	struct pending *pending; /* per lane */
	uint16_t pending_day;
	uint8_t pending_rules[16];
	size_t pending_bytes;
};

void journal_day_folder(const struct local *j, uint16_t day, char *out, size_t cap);
void journal_remove_folder(const char *folder); /* of an environment; what stays is logged */

/* Opens the environment of a day, and closes it. Both wait for the disk, so the caller does not
 * hold the lock. `make`: a day, and its key, that is missing is made. */
enum err journal_day_open(
    struct local *j, uint16_t day, bool make, struct journal_day *out) MUST_CHECK;
void journal_day_close(struct journal_day *d);
/* When the day's file was changed last, in nanoseconds; 0: nobody knows. */
int64_t journal_day_time(const struct local *j, uint16_t day);
/* Before a day is closed with the store: how the next start is to take its file. */
void journal_day_leave(struct local *j, const struct journal_day *d);
enum err journal_open_days(struct local *j) MUST_CHECK; /* all that there are */
void journal_unlink_day(const struct local *j, uint16_t day);
void journal_expire_aside(struct local *j); /* removes what was set aside of days that are over */
/* The day in the table; opened when it is not there, and made if asked to. For the writer. */
enum err journal_have_day(
    struct local *j, uint16_t day, bool make, struct journal_day **out) MUST_CHECK;
/* Between these two a day stays open. NULL: there is no such day. `last`, if it is not NULL, gets
 * the highest sequence of each lane. Any thread. */
struct journal_day *journal_day_hold(struct local *j, uint16_t day, uint64_t last[]);
void journal_day_let_go(struct local *j, struct journal_day *d);
/* --- the table of days; the caller holds the lock */

/* The day, unless it is dead; NULL: it is not there. */
struct journal_day *journal_find_day(struct local *j, uint16_t day);
/* Puts a day into the table. */
enum err journal_day_place(
    struct local *j, const struct journal_day *d, struct journal_day **out) MUST_CHECK;
/* Takes a day out of the table if it is dead and nobody holds it. The caller closes it, without the
 * lock. */
bool journal_day_take(struct local *j, struct journal_day *d, struct journal_day *out);
/* The same for the thread that writes, which nobody changes the table under. */
struct journal_day *journal_writers_day(struct local *j, uint16_t day);

/* --- ledger.c; the writer's, but for ledger_find() and ledger_where() */

void ledger_load(struct local *j);
struct ledger_day *ledger_find(struct local *j, uint16_t day);
/* Found, or a new line; NULL: there is no room. */
struct ledger_day *ledger_have(struct local *j, uint16_t day);
void ledger_where(uint16_t day, char out[32]); /* the day's folder, as damage names it */
/* Notes damage of a day. `d` may be NULL: the ledger does not know the day. */
void ledger_note(struct local *j, uint16_t day, struct ledger_day *d, const char *what);
void ledger_save(struct local *j);
/* Before the first commit that has events of the day is answered. */
void ledger_begin(struct local *j, uint16_t day);
void ledger_add(struct local *j, uint16_t day, uint64_t events, uint64_t seq);
void ledger_tick(struct local *j);
/* Before a day is exchanged for one with fewer events, and after it was, or was not. A crash
 * between leaves a line with more readable events than events, and the day is counted. */
enum err ledger_drop(struct local *j, uint16_t day, uint64_t events) MUST_CHECK;
void ledger_dropped(struct local *j, uint16_t day, uint64_t events, bool done);
void ledger_expire(struct local *j, uint16_t oldest);
/* Gives a day's folder another name, and notes the damage. */
enum err ledger_set_aside(struct local *j, uint16_t day, const char *why) MUST_CHECK;
/* --- count.c */

/* All days are open: finds what is missing, and counts what came since the ledger was saved. */
enum err ledger_settle(struct local *j) MUST_CHECK;
enum err ledger_count(struct local *j, struct journal_day *d, uint64_t after, bool open,
    struct day_count *out) MUST_CHECK;
/* --- functions of the kind (kind.h) that are not in local.c */

enum err local_clean(struct journal *base, uint16_t day, bool (*drop)(void *, const struct vkey *),
    void *arg, const _Atomic bool *stop, struct journal_cleaned **out,
    uint64_t *dropped) MUST_CHECK;
enum err local_swap(struct journal *base, struct journal_cleaned *c) MUST_CHECK;
void local_discard(struct journal *base, struct journal_cleaned *c);
enum err local_verify(
    struct journal *base, void (*problem)(void *, const char *), void *arg) MUST_CHECK;
enum err local_copy(
    struct journal *base, uint16_t day, uint64_t moment, const char *folder) MUST_CHECK;
uint64_t local_moment(struct journal *base);
enum err local_cut(const struct journal *base, const char *folder, uint64_t moment) MUST_CHECK;
void local_expect(struct journal *base, const uint16_t *days, unsigned n);

enum err local_read(struct journal *base, unsigned shard, struct journal_pos after,
    struct journal_reader **out) MUST_CHECK;
enum err local_next(struct journal_reader *base, struct buf *records, struct journal_pos *pos,
    uint32_t *count, uint16_t *day) MUST_CHECK;
void local_read_end(struct journal_reader *base);
enum err local_count(
    struct journal *base, unsigned shard, struct journal_pos upto, uint64_t *records) MUST_CHECK;

int journal_store_part(const struct local *j); /* length of the store's path in j->folder */

/* --- local.c, for take.c */

/* Stores the blocks of one day in one transaction; blocks without a sequence get one. `mark` goes
 * with them where it is not NULL. */
enum err local_store_day(struct local *j, struct journal_day *d, struct journal_block *blocks,
    size_t n, const uint8_t rules_hash[16], const struct log_mark *mark) MUST_CHECK;
/* Lets readers see the blocks, all at once, and `mark`, where it is not NULL, with them: there is
 * room for it. */
void local_show(struct local *j, const struct journal_block *blocks, size_t n,
    const struct log_mark *mark, uint16_t day);
enum err local_publish_all(struct local *j) MUST_CHECK;

/* --- whole.c; the writer's. What a crash left half done is known after whole_load(). Readers do
 * not look at it, and whole_undo() removes it. */

enum err whole_load(struct local *j) MUST_CHECK;
enum err whole_begin(struct local *j, uint64_t first, uint64_t last,
    struct journal_day *const *days, unsigned n) MUST_CHECK;
enum err whole_end(struct local *j) MUST_CHECK;
enum err whole_undo(struct local *j) MUST_CHECK; /* may be tried again */
/* Takes back what is in doubt. May be tried again. */
enum err whole_doubt(struct local *j) MUST_CHECK;
/* Removes the blocks with these sequences from a day, in all lanes. False: there were none. */
bool whole_remove(struct db_txn *t, db_table table, unsigned lanes, uint64_t first, uint64_t last);

/* sealed_open() of a block as a day's environment has it. */
MUST_CHECK static inline enum err journal_unseal(struct opener *x, const struct journal_day *d,
    struct str key, struct str value, struct buf *records, uint32_t *count)
{
	return sealed_open(x, d->key, key, value, records, count);
}

#endif

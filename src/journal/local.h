/* Inside the journal: the kind that keeps days of files, and what its parts share: the days' table
 * (days.c), cleaning (clean.c), which days there must be (ledger.c), commits of several days
 * (whole.c).
 *
 *     journal/YYYY-MM-DD/   key    shard u16 │ sequence u64            big-endian
 *                           value  a sealed block (sealed.h)
 *
 * A position is a sequence. Sequences are global and only grow. A day expires by destroying its key
 * and unlinking its folder.
 *
 * A small commit is durable in the write-ahead log (the file wal beside journal/, wal.h) first;
 * publishing makes one block of each shard of all that waits there and stores it in its day, where
 * readers find it. A large commit, or one of several days, is stored at once; of several days, all
 * or none (the file undo beside journal/, whole.c). */
#ifndef CRUMB_SRC_JOURNAL_LOCAL_H
#define CRUMB_SRC_JOURNAL_LOCAL_H

#include "crumb/core/config.h"
#include "crumb/disk/db.h"
#include "crumb/journal/journal.h"
#include "crumb/disk/files.h"
#include "kind.h"
#include "sealed.h"
#include "wal.h"

#include <pthread.h>
#include <stdatomic.h>

#define DAYS_MAX JOURNAL_DAYS_MAX
#define LANES_MAX (SHARDS_MAX + 1) /* one for each shard, and the control lane */

struct journal_day {
	uint16_t day;  /* 0: free place */
	unsigned refs; /* readers */
	bool dead;     /* expired; goes with its last reader */
	bool changed;  /* by somebody else, since the store was closed */
	bool looked;   /* it was not as it stood then: all of its pages were looked at */
	bool written;  /* since it was opened */
	int64_t stood; /* time of its file when it was opened */
	struct db db;
	db_table table;
	uint8_t key[32];
	_Atomic uint64_t *last; /* per lane */
};

/* A commit of several days that is not through: sequences that are to go from these days (whole.c).
 */
struct undo {
	uint64_t first, last;
	unsigned n; /* 0: none */
	uint16_t days[DAYS_MAX];
};

/* What is in the write-ahead log and not in its day yet, by shard. All of it is of one day and one
 * rule set. */
struct pending {
	struct buf records;
	uint32_t count, events;
	uint64_t seq; /* of the newest record */
};

/* Which days there must be, and what is in them (ledger.c). */
#define LEDGER_MAX 256
struct ledger_day {
	uint16_t day;
	bool known; /* the numbers are right; else they are what headers of blocks say */
	bool noted; /* damage was noted since the journal was opened */
	uint64_t events, readable, last;
};
struct ledger {
	bool missing, damaged; /* the file was, when the journal was opened */
	unsigned n;
	uint64_t unsaved; /* events that the file does not know of */
	uint64_t counted; /* bytes that were read for that after a crash */
	struct ledger_day days[LEDGER_MAX];
};
struct day_count {
	uint64_t events, blocks, bad_blocks;
};

struct local {
	struct journal base;
	char folder[3800], wal_path[3800];
	struct keys *keys;
	struct files *files;
	struct damage *damage;
	struct ledger ledger; /* the writer's */
	size_t map_bytes;
	bool readonly, restoring, opened;
	uint16_t
	    oldest; /* 0, or: keys without a seal are to be those of the days from this one on */
	uint64_t next_seq;    /* writer only */
	struct undo undo;     /* the writer's */
	struct sealer sealer; /* the writer's */
	pthread_mutex_t lock; /* guards the table of days and their refs; only the writer puts days
				 in and ends them, and nobody waits for the disk with it */
	struct journal_day days[DAYS_MAX];
	/* the writer's */
	struct wal *wal;
	struct pending *pending; /* per lane */
	uint16_t pending_day;
	uint8_t pending_rules[16];
	size_t pending_bytes;
};

void journal_day_folder(const struct local *j, uint16_t day, char *out, size_t cap);
void journal_remove_folder(const char *folder); /* of an environment */

/* Opens the environment of a day, and closes it. They wait for the disk: without the lock, which
 * readers take. */
enum err journal_day_open(
    struct local *j, uint16_t day, bool make, struct journal_day *out) MUST_CHECK;
void journal_day_close(struct journal_day *d);
int64_t journal_day_time(
    const struct local *j, uint16_t day); /* when its file was changed last; 0: unknown */
void journal_day_leave(
    struct local *j, const struct journal_day *d);	/* before that, when the store is closed */
enum err journal_open_days(struct local *j) MUST_CHECK; /* all there are */
void journal_unlink_day(const struct local *j, uint16_t day);
void journal_expire_aside(struct local *j); /* removes what was set aside of days that are over */
/* The day in the table, opened, or even made, if it is not there. */
enum err journal_have_day(
    struct local *j, uint16_t day, bool make, struct journal_day **out) MUST_CHECK;
/* A day stays open from the first to the second; NULL: there is none. Into `last`, if it is not
 * NULL, the highest sequence of each lane. */
struct journal_day *journal_day_hold(struct local *j, uint16_t day, uint64_t last[]);
void journal_day_let_go(struct local *j, struct journal_day *d);
/* The lock is held. */
struct journal_day *journal_find_day(struct local *j, uint16_t day);
enum err journal_day_place(struct local *j, const struct journal_day *d,
    struct journal_day **out) MUST_CHECK; /* into the table */
bool journal_day_take(struct journal_day *d,
    struct journal_day *out); /* out of it, if it is dead and nobody reads it: to be closed */

/* ledger.c */
void ledger_load(struct local *j);
struct ledger_day *ledger_have(
    struct local *j, uint16_t day);	       /* found, or a new line; NULL: no memory */
void ledger_where(uint16_t day, char out[32]); /* the day's folder, as damage names it */
void ledger_note(
    struct local *j, uint16_t day, struct ledger_day *d, const char *what); /* damage of a day */
struct ledger_day *ledger_find(struct local *j, uint16_t day);
void ledger_save(struct local *j);
void ledger_begin(
    struct local *j, uint16_t day); /* before the first commit that has events of it is answered */
void ledger_add(struct local *j, uint16_t day, uint64_t events, uint64_t seq);
void ledger_tick(struct local *j);
/* Before a day is exchanged for one with fewer events, and after it was, or was not. A crash
 * between leaves a line by which the day is counted. */
enum err ledger_drop(struct local *j, uint16_t day, uint64_t events) MUST_CHECK;
void ledger_dropped(struct local *j, uint16_t day, uint64_t events, bool done);
void ledger_expire(struct local *j, uint16_t oldest);
/* A day's folder gets another name, and the damage is noted. */
enum err ledger_set_aside(struct local *j, uint16_t day, const char *why) MUST_CHECK;
/* count.c */
enum err ledger_settle(struct local *j)
    MUST_CHECK; /* all days are open: what is missing, and what came since it was saved */
enum err ledger_count(struct local *j, struct journal_day *d, uint64_t after, bool open,
    struct day_count *out) MUST_CHECK;
/* Of the kind; the rest is local.c's own. */
enum err local_clean(struct journal *base, uint16_t day, bool (*drop)(void *, const struct vkey *),
    void *arg, const _Atomic bool *stop, struct journal_cleaned **out,
    uint64_t *dropped) MUST_CHECK;
enum err local_swap(struct journal *base, struct journal_cleaned *c) MUST_CHECK;
void local_discard(struct journal *base, struct journal_cleaned *c);
enum err local_verify(
    struct journal *base, void (*problem)(void *, const char *), void *arg) MUST_CHECK;
enum err local_copy(struct journal *base, uint16_t day, const char *folder) MUST_CHECK;
uint64_t local_moment(struct journal *base);
enum err local_cut(const struct journal *base, const char *folder, uint64_t moment) MUST_CHECK;
void local_expect(struct journal *base, const uint16_t *days, unsigned n);

int journal_store_part(const struct local *j); /* length of the store's path in j->folder */

/* whole.c. What a crash left half done is known after loading; readers do not look at it, and
 * whole_undo() removes it. */
enum err whole_load(struct local *j) MUST_CHECK;
enum err whole_begin(struct local *j, uint64_t first, uint64_t last,
    struct journal_day *const *days, unsigned n) MUST_CHECK;
enum err whole_end(struct local *j) MUST_CHECK;
enum err whole_undo(struct local *j) MUST_CHECK; /* may be tried again */
/* Removes the blocks with these sequences from a day, in all lanes; were there any? */
bool whole_remove(struct db_txn *t, db_table table, unsigned lanes, uint64_t first, uint64_t last);

static inline struct str journal_bytes(const uint8_t *p, size_t n)
{
	return str_make((const char *)p, n);
}
/* sealed_open() of a block as a day's environment has it. */
MUST_CHECK static inline enum err journal_unseal(struct opener *x, const struct journal_day *d,
    struct str key, struct str value, struct buf *records, uint32_t *count)
{
	return sealed_open(x, d->key, (const uint8_t *)key.p, value, records, count);
}

#endif

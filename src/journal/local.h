/* Inside the store: what the journal (journal.c) and the cleaning of its days (clean.c) share. */
#ifndef CRUMB_SRC_JOURNAL_LOCAL_H
#define CRUMB_SRC_JOURNAL_LOCAL_H

#include "crumb/disk/db.h"
#include "crumb/journal/journal.h"
#include "crumb/disk/files.h"
#include "sealed.h"
#include "wal.h"

#include <pthread.h>
#include <stdatomic.h>

#define DAYS_MAX 128
#define LANES_MAX (256 + 1)

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

/* A commit of several days that is not through: sequences that are to go from these days (whole.c). */
struct undo {
	uint64_t first, last;
	unsigned n; /* 0: none */
	uint16_t days[DAYS_MAX];
};

/* What is in the write-ahead log and not in its day yet, by shard. All of it is of one day and one rule set. */
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

struct journal {
	char folder[3800], wal_path[3800];
	struct keys *keys;
	struct files *files;
	struct damage *damage;
	struct ledger ledger; /* the writer's */
	unsigned lanes; /* one for each shard, and the control lane behind them */
	size_t map_bytes;
	bool readonly, restoring, opened;
	uint16_t oldest;      /* 0, or: keys without a seal are to be those of the days from this one on */
	uint64_t next_seq;    /* writer only */
	struct undo undo;     /* the writer's */
	struct sealer sealer; /* the writer's */
	pthread_mutex_t lock; /* guards the table of days and their refs; only the writer puts days in and ends them, and nobody waits for the disk with it */
	struct journal_day days[DAYS_MAX];
	_Atomic uint64_t *last;	     /* per lane, over all days: what readers see */
	_Atomic uint64_t *committed; /* per lane: what is durable */
	/* the writer's */
	struct wal *wal;
	struct pending *pending; /* per lane */
	uint16_t pending_day;
	uint8_t pending_rules[16];
	size_t pending_bytes;
};

struct str journal_bytes(const uint8_t *p, size_t n);
void journal_day_folder(const struct journal *j, uint16_t day, char *out, size_t cap);
void journal_remove_folder(const char *folder); /* of an environment */

/* Opens the environment of a day, and closes it. They wait for the disk: without the lock, which readers take. */
enum err journal_day_open(struct journal *j, uint16_t day, bool make, struct journal_day *out) MUST_CHECK;
void journal_day_close(struct journal_day *d);
int64_t journal_day_time(const struct journal *j, uint16_t day); /* when its file was changed last; 0: unknown */
void journal_day_leave(struct journal *j, const struct journal_day *d); /* before that, when the store is closed */
enum err journal_open_days(struct journal *j) MUST_CHECK; /* all there are */
void journal_unlink_day(const struct journal *j, uint16_t day);
void journal_expire_aside(struct journal *j); /* removes what was set aside of days that are over */
/* The day in the table, opened, or even made, if it is not there. */
enum err journal_have_day(struct journal *j, uint16_t day, bool make, struct journal_day **out) MUST_CHECK;
/* A day stays open from the first to the second; NULL: there is none. Into `last`, if it is not NULL, the highest sequence of each lane. */
struct journal_day *journal_day_hold(struct journal *j, uint16_t day, uint64_t last[]);
void journal_day_let_go(struct journal *j, struct journal_day *d);
/* The lock is held. */
struct journal_day *journal_find_day(struct journal *j, uint16_t day);
enum err journal_day_place(struct journal *j, const struct journal_day *d, struct journal_day **out) MUST_CHECK; /* into the table */
bool journal_day_take(struct journal_day *d, struct journal_day *out); /* out of it, if it is dead and nobody reads it: to be closed */

/* ledger.c */
void ledger_load(struct journal *j);
/* The journal was put back from a backup: of what was there before only these days are missed, the others are counted at the next opening. */
void ledger_expect(struct journal *j, const uint16_t *days, unsigned n);
enum err ledger_settle(struct journal *j) MUST_CHECK; /* all days are open: what is missing, and what came since it was saved */
struct ledger_day *ledger_find(struct journal *j, uint16_t day);
void ledger_save(struct journal *j);
void ledger_begin(struct journal *j, uint16_t day); /* before the first commit that has events of it is answered */
void ledger_add(struct journal *j, uint16_t day, uint64_t events, uint64_t seq);
void ledger_tick(struct journal *j);
uint64_t ledger_events(struct str records); /* how many of them are events */
/* Before a day is exchanged for one with fewer events, and after it was, or was not. A crash between leaves a line by which the day is counted. */
enum err ledger_drop(struct journal *j, uint16_t day, uint64_t events) MUST_CHECK;
void ledger_dropped(struct journal *j, uint16_t day, uint64_t events, bool done);
void ledger_expire(struct journal *j, uint16_t oldest);
/* A day's folder gets another name, and the damage is noted. */
enum err ledger_set_aside(struct journal *j, uint16_t day, const char *why) MUST_CHECK;
enum err ledger_count(struct journal *j, struct journal_day *d, uint64_t after, bool open, struct day_count *out) MUST_CHECK;
int journal_store_part(const struct journal *j); /* length of the store's path in j->folder */

/* whole.c. What a crash left half done is known after loading; readers do not look at it, and whole_undo() removes it. */
enum err whole_load(struct journal *j) MUST_CHECK;
enum err whole_begin(struct journal *j, uint64_t first, uint64_t last, struct journal_day *const *days, unsigned n) MUST_CHECK;
enum err whole_end(struct journal *j) MUST_CHECK;
enum err whole_undo(struct journal *j) MUST_CHECK; /* may be tried again */
/* Removes the blocks with these sequences from a day, in all lanes; were there any? */
bool whole_remove(struct db_txn *t, db_table table, unsigned lanes, uint64_t first, uint64_t last);

/* sealed_open() of a block as a day's environment has it. */
enum err journal_unseal(
    struct opener *x, const struct journal_day *d, struct str key, struct str value, struct buf *records, uint32_t *count) MUST_CHECK;

#endif

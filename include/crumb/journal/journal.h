/* The journal: what was observed, in sealed blocks, by UTC day and shard.
 *
 * A block belongs to one shard and one day and needs nothing outside itself: zstd of msgpack
 * records under the day's key (XChaCha20-Poly1305, draft-irtf-cfrg-xchacha). A day expires by
 * destroying its key; then its bytes are noise, wherever they are.
 *
 * What every user relies on:
 *
 *   - A commit is all or nothing, whatever its days, and durable when it returns.
 *   - Readers see a commit whole, or not yet. After journal_publish() they see it.
 *   - The blocks of a shard come in one order. A position says how far somebody has read.
 *
 *     what is durable       1 2 3 4 5 6 7 8 9      journal_committed() is behind 9
 *     what readers see      1 2 3 4 5 6            journal_last() is behind 6
 *     a reader behind 4               5 6          journal_next() yields 5, then 6
 *     after publishing      1 2 3 4 5 6 7 8 9      journal_last() is behind 9, too
 *
 * There are three kinds. `local` keeps days of files (src/journal/local.h). `kafka` has its log on
 * Kafka, in front of such files (src/journal/kafka.h): a commit is durable when all in-sync
 * replicas have it, and blocks are seen when they came back. When its commit fails, each of its
 * blocks, or a part of a large one, may be there all the same, and once. `memory` keeps blocks in
 * memory, for tests (journal/in_memory.h). Their users know none of them.
 *
 * Threads. One thread writes: it calls journal_commit, journal_publish, journal_try,
 * journal_unpublished, journal_swap, journal_wipe_log, journal_expire and journal_floor. Who starts
 * and ends that thread calls journal_follow and journal_unfollow. Any number of threads read, each
 * with a reader of its own. What belongs to the journal lives until journal_close(); whoever has a
 * reader ends it before. */
#ifndef CRUMB_JOURNAL_JOURNAL_H
#define CRUMB_JOURNAL_JOURNAL_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"
#include "crumb/broker/broker.h"
#include "crumb/model/event.h"
#include "crumb/disk/damage.h"
#include "crumb/disk/keys.h"

struct journal;

/* Where the records of one shard stand: behind a block, or at the start. Only the journal that gave
 * a position looks into it. Its users compare two of the same shard, and keep the number that
 * stands for one. */
struct journal_pos {
	uint64_t at;
};
#define JOURNAL_START ((struct journal_pos){0})
static inline bool journal_pos_before(struct journal_pos a, struct journal_pos b)
{
	return a.at < b.at;
}
static inline uint64_t journal_pos_save(struct journal_pos p)
{
	return p.at;
}
static inline struct journal_pos journal_pos_load(uint64_t saved)
{
	return (struct journal_pos){saved};
}

struct journal_block {
	uint16_t day, shard;
	uint32_t count;	    /* records */
	struct str records; /* msgpack, one after the other */
	uint64_t seq;	    /* the journal's own, set by the commit; 0 before it */
	uint32_t events;    /* how many of the records are events; for the ledger */
};

#define JOURNAL_DAYS_MAX KEYS_DAYS_MAX /* each day needs a place for its key */

struct files;
struct journal_memory;
struct journal_place {
	const char *store; /* the folder that has journal/, wal, undo and days */
	struct keys *keys;
	struct files *files;   /* how the files stood (disk/files.h) */
	struct damage *damage; /* where damage is noted */
	unsigned shards;
	size_t map_bytes;
	bool readonly;
	bool restoring; /* days are about to be put back: that there are none now is no loss */
	/* Keys without a seal may be another store's. Then this is the first day that has not
	 * ended: the keys have to open the days from there on. 0: the keys have a seal. */
	uint16_t oldest;
	struct journal_memory *memory; /* the journal is there; NULL: it is in files */
	/* the log is there, and the files have what came back; NULL: the log is in files, too. The
	 * number of partitions is the journal's to set. */
	const struct broker_place *log;
};
/* Opens the journal of the kind that the place names. A day that cannot be read is set aside beside
 * the others and noted; the rest is opened. ERR_CORRUPT: the keys are not those of the journal. */
enum err journal_open(const struct journal_place *p, struct journal **out) MUST_CHECK;
void journal_close(struct journal *j);

/* Seals the blocks and keeps them, all or none. Durable when it returns OK. Readers see the commit
 * after journal_publish() at the latest. `rules_hash` names the rules whose leaves the events
 * carry. Sets the blocks' `seq`, but of a log on Kafka, where they get one when they come back. */
enum err journal_commit(struct journal *j, struct journal_block *blocks, size_t n,
    const uint8_t rules_hash[16]) MUST_CHECK;
/* Lets readers see all that was committed. When this fails nothing is lost, and the caller can try
 * again. */
enum err journal_publish(struct journal *j) MUST_CHECK;
/* Could a hit of this day be committed? Writes a frame without records, where a hit would go. */
enum err journal_try(struct journal *j, uint16_t day) MUST_CHECK;
/* Bytes of records that readers do not see yet; above 0, too, while a commit is to be taken back.
 */
size_t journal_unpublished(const struct journal *j);
/* --- what comes from a log outside, where the journal follows one */

/* Begins to listen, and from then on calls `arrived` when something waits for journal_publish(), on
 * a thread of the journal's. journal_unfollow() returns when it is called no more. */
enum err journal_follow(struct journal *j, void (*arrived)(void *arg), void *arg) MUST_CHECK;
void journal_unfollow(struct journal *j);
size_t journal_arrived(struct journal *j); /* bytes that wait; any thread */

/* --- cleaning: erased visitors are taken out of a day's bytes, in two steps */

/* Writes a day anew beside itself, without the records of visitors whom `drop` names. *dropped is
 * how many records these are. *out is NULL where there are none. Any thread; only for a day that
 * nobody writes to. ERR_BUSY: *stop became true. */
struct journal_cleaned;
enum err journal_clean(struct journal *j, uint16_t day,
    bool (*drop)(void *arg, const struct vkey *visitor), void *arg, const _Atomic bool *stop,
    struct journal_cleaned **out, uint64_t *dropped) MUST_CHECK;
/* Puts the new day in the place of the old one, whose bytes go with its last reader. Takes `c`,
 * also when it fails. ERR_BUSY: the day has grown meanwhile. */
enum err journal_swap(struct journal *j, struct journal_cleaned *c) MUST_CHECK;
/* Removes the new day: it takes nobody's place. Takes `c`. For the thread that cleaned. */
void journal_discard(struct journal *j, struct journal_cleaned *c);
/* Overwrites the write-ahead log. Everything is published before. */
void journal_wipe_log(struct journal *j);
/* --- copies, of days that are files. ERR_USAGE: they are not. */

/* Copies a day into an empty folder. Each copy is of a moment of its own, and may have a part of a
 * commit of several days. So whoever copies days asks for journal_moment() first, and hands it on:
 * what the copy says of a log outside is what was so then. ERR_BUSY: somebody else has asked for a
 * later moment. */
enum err journal_copy(
    struct journal *j, uint16_t day, uint64_t moment, const char *folder) MUST_CHECK;
/* The highest sequence that readers see now. Each commit up to there is whole in its days; what is
 * behind does not count. */
uint64_t journal_moment(struct journal *j);
/* Days were put back from a backup. Of the days that there were before only these are missed from
 * now on; the days that are there are counted at the next opening. */
void journal_expect(struct journal *j, const uint16_t *days, unsigned n);
/* Removes what is behind a moment from the copy of a day. Nobody has the copy open. */
enum err journal_cut(const struct journal *j, const char *folder, uint64_t moment) MUST_CHECK;
/* --- the end of days */

/* Unlinks the days before `oldest`. Everything is published, and their keys are destroyed, before.
 * A day that somebody reads goes with its last reader. */
void journal_expire(struct journal *j, uint16_t oldest);
/* What is committed from now on stands behind `seen`. Views have seen positions of days that are
 * gone, and the journal alone would give these positions again. */
void journal_floor(struct journal *j, unsigned shard, struct journal_pos seen);

/* --- reading; any thread */

/* Behind the last block of the shard that readers see. */
struct journal_pos journal_last(const struct journal *j, unsigned shard);
/* Behind the last durable block; once everything is published, the same. Where the log is outside,
 * a block has no position before it came back: then it is behind all that there are, and
 * journal_resolve() gives the position once there is one, and until then what it was given. */
struct journal_pos journal_committed(const struct journal *j, unsigned shard);
struct journal_pos journal_resolve(const struct journal *j, unsigned shard, struct journal_pos at);
uint16_t journal_oldest_day(struct journal *j); /* 0: there is no day */
/* The days, in no order; at most `cap`. Returns how many. */
unsigned journal_days(struct journal *j, uint16_t *out, unsigned cap);

/* How many records a shard has up to a position, rules included. Reads the headers of blocks only.
 */
enum err journal_count(
    struct journal *j, unsigned shard, struct journal_pos upto, uint64_t *records) MUST_CHECK;

/* Checks the pages of every day and opens every block. Calls `problem` with a sentence for what is
 * wrong. May run in a command beside a server. */
enum err journal_verify(
    struct journal *j, void (*problem)(void *arg, const char *text), void *arg) MUST_CHECK;

/* The number of the control lane, for records that belong to no shard. It stands behind the lanes
 * of the shards, and journal_read() takes it like a shard's number. Folds do not look at it. */
unsigned journal_control(const struct journal *j);

/* A reader walks one shard's blocks in order over all days. */
struct journal_reader;
enum err journal_read(struct journal *j, unsigned shard, struct journal_pos after,
    struct journal_reader **out) MUST_CHECK;
/* Appends the next block's records to `records`, and sets *pos to behind the block. ERR_NOT_FOUND:
 * that was the end, and *pos is as it was. ERR_CORRUPT: the block does not open; the next call goes
 * on behind it. */
enum err journal_next(struct journal_reader *r, struct buf *records, struct journal_pos *pos,
    uint32_t *count, uint16_t *day) MUST_CHECK;
void journal_read_end(struct journal_reader *r);

#endif

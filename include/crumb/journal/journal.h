/* The journal: what was observed, in sealed blocks, by UTC day and shard.
 *
 * A block belongs to one shard and one day and needs nothing outside itself: zstd of msgpack
 * records under the day's key (XChaCha20-Poly1305, draft-irtf-cfrg-xchacha). A day expires by
 * destroying its key; then its bytes are noise, wherever they are.
 *
 * There are two kinds. `local` keeps days of files (src/journal/local.h). `memory` keeps the same
 * blocks in memory, for tests (journal/in_memory.h). Their users know neither: a commit is all or
 * nothing and durable when it returns, a shard's blocks come in one order, and positions say how
 * far somebody has read.
 *
 * Threads: one writes (journal_commit, journal_publish, journal_try, journal_swap,
 * journal_wipe_log, journal_expire, journal_floor); any number read, each with its own reader. */
#ifndef CRUMB_JOURNAL_JOURNAL_H
#define CRUMB_JOURNAL_JOURNAL_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"
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
	uint64_t seq;	    /* the journal's own, set by the commit */
	uint32_t events;    /* how many of the records are events; for the ledger */
};

#define JOURNAL_DAYS_MAX KEYS_DAYS_MAX

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
	bool restoring;	 /* days are about to be put back: that there are none now is no loss */
	uint16_t oldest; /* 0, or the first day that has not ended: then the keys may be another
			    store's, and must open the journal */
	struct journal_memory *memory; /* not files, but this; NULL: files */
};
/* A day that cannot be read is set aside beside the others and noted; the rest is opened.
 * ERR_CORRUPT: the keys are not those of the journal. */
/* Of the kind that the place names. */
enum err journal_open(const struct journal_place *p, struct journal **out) MUST_CHECK;
void journal_close(struct journal *j);

/* Seals the blocks; durable when it returns OK. They are kept together or not at all, whatever
 * their days; readers see a commit whole, and after journal_publish() at the latest. `rules_hash`
 * names the rules whose leaves the events carry. */
enum err journal_commit(struct journal *j, struct journal_block *blocks, size_t n,
    const uint8_t rules_hash[16]) MUST_CHECK;
/* Lets readers see all that was committed. When it fails nothing is lost, and it can be tried
 * again. */
enum err journal_publish(struct journal *j) MUST_CHECK;
/* Could a hit of this day be committed? Writes something that says nothing, where a hit would go.
 */
enum err journal_try(struct journal *j, uint16_t day) MUST_CHECK;
size_t journal_unpublished(const struct journal
	*j); /* bytes of records that readers do not see yet; the writer's thread */
/* Makes a day anew beside itself, without the events of visitors that `drop` names; *out is NULL
 * where there are none. Any thread; not for a day that is being written to. ERR_BUSY: *stop became
 * true. */
struct journal_cleaned;
enum err journal_clean(struct journal *j, uint16_t day,
    bool (*drop)(void *arg, const struct vkey *visitor), void *arg, const _Atomic bool *stop,
    struct journal_cleaned **out, uint64_t *dropped) MUST_CHECK;
/* Puts it in the place of the old one, whose bytes go with its last reader. Takes the argument.
 * ERR_BUSY: the day has grown meanwhile. */
enum err journal_swap(struct journal *j, struct journal_cleaned *c) MUST_CHECK;
/* Removes it: it will take nobody's place. Takes the argument. Whoever cleaned. */
void journal_discard(struct journal *j, struct journal_cleaned *c);
/* Overwrites the write-ahead log; everything must be published. */
void journal_wipe_log(struct journal *j);
/* --- of days that are files; ERR_USAGE: they are not. A copy of a day into an empty folder. It is
 * of a moment of its own, and may have a part of a commit of several days: whoever copies more than
 * one day asks for journal_moment() first. */
enum err journal_copy(struct journal *j, uint16_t day, const char *folder) MUST_CHECK;
/* The highest sequence that readers see now: up to there each commit is in its days, behind it none
 * counts. */
uint64_t journal_moment(struct journal *j);
/* Days were put back from a backup: of what was there before only these are missed; the others are
 * counted at the next opening. */
void journal_expect(struct journal *j, const uint16_t *days, unsigned n);
/* Removes what is behind a moment from the copy of a day that nobody has open. */
enum err journal_cut(const struct journal *j, const char *folder, uint64_t moment) MUST_CHECK;
/* Unlinks the days before `oldest`; everything must be published, and their keys have been
 * destroyed. */
void journal_expire(struct journal *j, uint16_t oldest);
/* What is committed from now on stands behind this; tells the journal what views have seen of days
 * that are gone. */
void journal_floor(struct journal *j, unsigned shard, struct journal_pos seen);

struct journal_pos journal_last(const struct journal *j,
    unsigned shard); /* behind the last block of the shard that readers see */
struct journal_pos journal_committed(const struct journal *j,
    unsigned shard); /* behind the last durable one: once everything is published, the same */
uint16_t journal_oldest_day(struct journal *j); /* 0: empty */
unsigned journal_days(struct journal *j, uint16_t *out, unsigned cap);

/* Records of a shard in blocks up to a position, rules included; from the headers alone. */
enum err journal_count(
    struct journal *j, unsigned shard, struct journal_pos upto, uint64_t *records) MUST_CHECK;

/* Opens every block of every day, and looks at the pages of each; what is wrong is told. Beside a
 * server, too. */
enum err journal_verify(
    struct journal *j, void (*problem)(void *arg, const char *text), void *arg) MUST_CHECK;

/* Behind the lanes of the shards is one for what belongs to none: journal_read() takes its number
 * for a shard. Folds do not look at it. */
unsigned journal_control(const struct journal *j);

/* A reader walks one shard's blocks in order over all days. */
struct journal_reader;
enum err journal_read(struct journal *j, unsigned shard, struct journal_pos after,
    struct journal_reader **out) MUST_CHECK;
/* Next block: ERR_NOT_FOUND at the end; ERR_CORRUPT for one that cannot be opened, which is then
 * skipped (*pos, behind the block, is set in both cases but the end). Records are appended to
 * `records`. */
enum err journal_next(struct journal_reader *r, struct buf *records, struct journal_pos *pos,
    uint32_t *count, uint16_t *day) MUST_CHECK;
void journal_read_end(struct journal_reader *r);

#endif

/* Inside the journal: how far a log outside was taken into a journal of files, and by which ids.
 *
 * A mark is the offset to go on at in each partition of the log, and a window (window.h) for each
 * life of a producer in each partition. It stands in the table `log` of the environment of the day
 * that the blocks went to, and is written in the transaction that writes the blocks:
 *
 *     table log   'p' │ partition u32               next offset u64          big-endian
 *                 'w' │ partition u32 │ life u64    a window, as window_save() makes it
 *
 * A journal that follows no log has no such table. Each day has the mark of its own last
 * transaction. Transactions come one after the other and are flushed each, so the newest mark knows
 * of all blocks that an older one knows of, and of more: what counts is the highest over the days,
 * position by position, and for windows all of what any of them knows.
 *
 *     taken                  day 100: offsets 0–4    day 101: 5–8    day 100: 9
 *     table of day 100       next 10                 table of day 101   next 9
 *     at the next start      next 10
 *     a crash before the     table of day 100 has next 5, that of day 101 next 9: 9 comes again,
 *     third transaction      and is new
 *
 * A day that is lost takes its mark with it. Then the log is read again from the highest mark that
 * is left. So what only the lost day had behind that mark is taken anew, if the log still has it.
 *
 * A window is forgotten with the last day that has it. */
#ifndef CRUMB_SRC_JOURNAL_MARKS_H
#define CRUMB_SRC_JOURNAL_MARKS_H

#include "crumb/disk/db.h"
#include "crumb/journal/journal.h"
#include "window.h"

struct log_at {
	uint32_t partition;
	uint64_t next; /* the offset to go on at */
};
struct log_life {
	uint32_t partition;
	uint64_t life;
	struct window w;
	uint16_t day; /* the newest that has the window; the journal's own */
};
/* Of whoever makes it. Zeros are a mark of nothing. */
struct log_mark {
	struct log_at *at;
	struct log_life *lives;
	size_t at_n, lives_n, at_cap, lives_cap;
};

/* --- for who follows the log. `inner` is a journal of files; the writer's */

/* Stores blocks that came from the log, all of one day, and the mark behind them: in one
 * transaction, past the write-ahead log. Durable, and seen by readers, when it returns OK; then the
 * blocks have their `seq`. Blocks of a lane are in the order in which readers find them, and their
 * `events` are set (ledger_events()).
 *
 * `mark` has each position and each window that changed since the last call that was OK. No window
 * has an id of a record that is neither in these blocks nor in earlier ones, and no position is
 * behind such a record.
 *
 * Without blocks only the mark is stored, in the newest day; where there is no day, it is not.
 *
 * When this fails nothing of it is there; if the disk does not say so yet, the next call takes it
 * back first, and journal_unpublished() is above 0 until then. ERR_USAGE: blocks of several days.
 */
enum err local_take(struct journal *inner, struct journal_block *blocks, size_t n,
    const uint8_t rules_hash[16], const struct log_mark *mark) MUST_CHECK;
/* The highest over the days. The caller ends it with log_mark_done(). Any thread. */
enum err local_log_marks(struct journal *inner, struct log_mark *out) MUST_CHECK;

/* --- marks; `m` is one thread's at a time */

void log_mark_done(struct log_mark *m);
/* Raises a position; adds to a window. A mark that has either gets what it did not have. ERR_NOMEM:
 * `m` is as it was. */
enum err log_mark_at(struct log_mark *m, uint32_t partition, uint64_t next) MUST_CHECK;
enum err log_mark_life(struct log_mark *m, const struct log_life *life) MUST_CHECK;
/* The position of a partition; 0 where there is none. NULL where there is no window. */
uint64_t log_mark_next(const struct log_mark *m, uint32_t partition);
struct log_life *log_mark_find(const struct log_mark *m, uint32_t partition, uint64_t life);

/* Makes room in `m`, so that joining `with` cannot fail. */
enum err log_mark_room(struct log_mark *m, const struct log_mark *with) MUST_CHECK;
/* After log_mark_room(): `m` gets what `with` has. `day`: 0, or the day that has it. */
void log_mark_join(struct log_mark *m, const struct log_mark *with, uint16_t day);
enum err log_mark_copy(const struct log_mark *m, struct log_mark *out) MUST_CHECK;
/* Forgets windows that no day from `oldest` on has. */
void log_mark_expire(struct log_mark *m, uint16_t oldest);

/* --- the table; what fails is in t->err */

/* The name of the table: as db.h wants names, for as long as the program runs. */
#define LOG_TABLE "log"
void marks_write(struct db_txn *t, db_table table, const struct log_mark *m);
/* Adds what the table has. ERR_CORRUPT: it has something else. */
enum err marks_read(
    struct db_txn *t, db_table table, uint16_t day, struct log_mark *into) MUST_CHECK;
/* Puts `then` in the place of a mark that is further in a partition, in the copy of a day. */
enum err marks_cut(const char *folder, size_t map_bytes, const struct log_mark *then) MUST_CHECK;

#endif

/* The journal's write-ahead log: one small file, written in place, that makes a commit durable with
 * one write and one flush.
 *
 *     wal            frames, one behind the other; after a rewind the next one is at the front
 * again frame          length u32 │ sequence u64 │ day u16 │ rules hash 16 │ nonce 24 │ sealed
 * bytes          big-endian sealed         n × (shard u16 │ count u32 │ length u32 │ records),
 * XChaCha20-Poly1305 under the day's key; what stands before the nonce is authenticated
 *
 * The file has its full size from the start, so that a flush has no metadata to bring out. Frames
 * that a rewind left behind have lower sequences than those before them, which ends a reading.
 * Bytes in it are no more readable than the journal's once their day's key is gone.
 *
 * One thread at a time. */
#ifndef CRUMB_SRC_JOURNAL_WAL_H
#define CRUMB_SRC_JOURNAL_WAL_H

#include "crumb/journal/journal.h"

#define WAL_BYTES (4u << 20)
#define WAL_FRAME_MOST (256u << 10) /* records in one frame; more goes another way */

struct wal;

struct wal_head {
	uint64_t seq;
	uint16_t day;
	uint8_t rules_hash[16];
};

enum err wal_open(const char *path, struct wal **out) MUST_CHECK; /* made when missing */
void wal_close(struct wal *w);

/* Durable when it returns OK. ERR_FULL: does not fit behind the others, nothing was written. */
enum err wal_append(struct wal *w, const struct wal_head *h, const uint8_t key[32],
    const struct journal_block *blocks, size_t n) MUST_CHECK;
/* What was appended is needed no more. */
void wal_rewind(struct wal *w);
/* Its end says whose it is: a log that was overwritten is told from one that has nothing in it. */
enum err wal_mark(struct wal *w, const uint8_t id[STORE_ID_LEN]) MUST_CHECK;
bool wal_marked(const char *path, const uint8_t id[STORE_ID_LEN]);
/* Zeros over all frames; after a rewind. */
enum err wal_wipe(struct wal *w) MUST_CHECK;

/* Frames up to this sequence are in their days already, and are passed over. */
void wal_after(struct wal *w, uint64_t seq);
/* After wal_open(): the frames of the last run, in order; false at the end. The parts are valid
 * until the next call. A frame that does not open is passed over if there is one behind it that
 * does. */
bool wal_next(struct wal *w, struct keys *keys, struct wal_head *h, struct str *parts);
/* How many frames were missed between others; `torn`: the last one does not open, as when the
 * machine went down while it was written. */
uint64_t wal_lost(const struct wal *w, bool *torn);
/* Takes one part off the front; false: no more, or the bytes are not ours. */
bool wal_part(struct str *parts, struct journal_block *out);

#endif

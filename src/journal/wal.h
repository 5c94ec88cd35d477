/* The journal's write-ahead log: one small file, written in place, that makes a commit durable with
 * one write and one flush.
 *
 *     wal      frames, one behind the other │ zeros, or frames of before a rewind │ mark 32
 *     frame    length u32 │ sequence u64 │ day u16 │ rules hash 16 │ nonce 24 │ sealed bytes
 *     sealed   n × (shard u16 │ count u32 │ length u32 │ records), XChaCha20-Poly1305 under the
 *              day's key, which also authenticates what stands before the nonce
 *     mark     "crumb wal 1\n" padded to 16 │ store id 16
 *
 * Integers are big-endian. A frame with 200 bytes of records of one shard has 280 bytes: 30, a
 * nonce of 24, 10 and 200 sealed, and a tag of 16. So 14,979 of these fit before a rewind.
 *
 * When all frames are in their days, the log is rewound: the next frame is written at the front
 * again, and overwrites what was there. Sequences only grow. So a frame that a rewind left behind
 * has a lower sequence than the frame before it, and that ends a reading:
 *
 *     written                  1 2 3 4 5
 *     rewound, two more        6 7 3 4 5      reading yields 6 and 7
 *
 * The file has its full size from the start, so that a flush has no metadata to bring out. Once a
 * day's key is gone, its bytes in the log are as unreadable as those in the journal.
 *
 * One thread at a time. The log costs 4 MB of disk, and memory for two frames. */
#ifndef CRUMB_SRC_JOURNAL_WAL_H
#define CRUMB_SRC_JOURNAL_WAL_H

#include "crumb/journal/journal.h"

#define WAL_BYTES (4u << 20)
#define WAL_FRAME_MOST                                                                             \
	(256u << 10) /* bytes of records in a frame; a larger commit goes to its day */

struct wal;

struct wal_head {
	uint64_t seq;
	uint16_t day;
	uint8_t rules_hash[16];
};

/* Opens the file, which is made when missing and filled up to its size. */
enum err wal_open(const char *path, struct wal **out) MUST_CHECK;
void wal_close(struct wal *w);

/* Appends a frame; durable when it returns OK. ERR_FULL: the frame does not fit behind the others,
 * and nothing was written. After another error the next frame overwrites what was written of it. */
enum err wal_append(struct wal *w, const struct wal_head *h, const uint8_t key[32],
    const struct journal_block *blocks, size_t n) MUST_CHECK;
/* No frame is needed any more. */
void wal_rewind(struct wal *w);
/* Writes the mark. With it, a log that somebody overwrote is told from a log without frames. */
enum err wal_mark(struct wal *w, const uint8_t id[STORE_ID_LEN]) MUST_CHECK;
bool wal_marked(const char *path, const uint8_t id[STORE_ID_LEN]);
/* Overwrites all frames with zeros, after a rewind. ERR_BUSY: frames are still needed. */
enum err wal_wipe(struct wal *w) MUST_CHECK;

/* Frames up to this sequence are in their days already, and wal_next() passes over them. */
void wal_after(struct wal *w, uint64_t seq);
/* After wal_open(): yields the frames of the last run, in order; false at the end. `parts` is valid
 * until the next call. A frame that does not open is passed over if a frame behind it does. */
bool wal_next(struct wal *w, struct keys *keys, struct wal_head *h, struct str *parts);
/* How many frames were missed between others. *torn: the last frame does not open, as when the
 * machine went down while it was written. */
uint64_t wal_lost(const struct wal *w, bool *torn);
/* Takes one part off the front of `parts`. False: there is no other, or the bytes are no part. */
bool wal_part(struct str *parts, struct journal_block *out);

#endif

/* Inside the journal: a block as a record on a log outside, such as a topic of Kafka. Nothing here
 * reads or writes anything else.
 *
 *     key      life u64 │ counter u64: the record's id, 16 bytes
 *     value    version u8 │ shard u16 │ day u16 │ a block (sealed.h): header 25 │ nonce 24 │ sealed
 *     place    version u8 │ shard u16 │ day u16 │ life u64 │ counter u64: authenticated with the
 *              block, as its header is
 *
 * Integers are big-endian. A life is a random number of whoever produces; it takes another one
 * whenever its producer is made anew. The counter goes up by one with each record of a life in a
 * partition, from 0. So an id is used once, and window.h says which ids came before.
 *
 * Nobody knows a record's offset before the log has it, so the offset is not authenticated. Whoever
 * can write to the log can leave records out, or put one there twice, and no more: the second one
 * has the same id and is dropped.
 *
 * The key is not the journal day's own but a sub-key of it (BLAKE2b, keyed with the day's key, of
 * "crumb log record 1"). So no record opens as a block of a day, nor the other way round, and the
 * end of the day's key is the end of the record, too. */
#ifndef CRUMB_SRC_JOURNAL_LOGGED_H
#define CRUMB_SRC_JOURNAL_LOGGED_H

#include "sealed.h"

enum { LOGGED_VERSION = 1, LOGGED_KEY_LEN = 16, LOGGED_HEAD_LEN = 1 + 2 + 2 };

struct logged_id {
	uint64_t life, counter;
};
/* What a record says of itself. Nothing of it is proven before logged_open() was OK. */
struct logged_head {
	struct logged_id id;
	uint16_t shard, day;
	uint32_t count;		/* records in the block */
	uint8_t rules_hash[16]; /* of the rules whose leaves the events carry */
};

/* The key of a day's records. The caller wipes it. */
void logged_key(const uint8_t day_key[32], uint8_t out[32]);
/* Writes the key of the record with this id. */
void logged_id_save(struct logged_id id, uint8_t out[LOGGED_KEY_LEN]);
/* Appends the value of the record to `value`. `key`: logged_key(). The block's `seq` is not looked
 * at. ERR_NOMEM, or ERR_IO where zstd refuses: `value` is as it was. */
enum err logged_make(struct sealer *x, const struct journal_block *b, struct logged_id id,
    const uint8_t key[32], const uint8_t rules_hash[16], struct buf *value) MUST_CHECK;
/* Reads what stands before the sealed bytes, so that the day's key can be found. ERR_CORRUPT: the
 * bytes are no record of this version. */
enum err logged_peek(struct str key, struct str value, struct logged_head *out) MUST_CHECK;
/* Appends the block's records. `day_key`: logged_key() of the day that logged_peek() told.
 * ERR_CORRUPT: the record is not as it was made with this key. */
enum err logged_open(struct opener *x, const uint8_t day_key[32], struct str key, struct str value,
    struct buf *records) MUST_CHECK;

#endif

/* Who is in a segment, in one shard: the table `members`, changed once a transaction.
 *
 *     key      segment u16 │ chunk u16          chunk: the upper half of an ordinal
 *     value    a bitmap of the lower halves     (views/bitmap.h)
 *
 * Example: visitors with the ordinals 3, 70,000 and 70,001 are in segment 7.
 *
 *     7 │ 0    { 3 }
 *     7 │ 1    { 4464, 4465 }                   70,000 = 1 × 65,536 + 4464
 *
 * A fold notes changes in a list, 8 bytes each, and writes them at the end of its transaction:
 * sorted by segment and ordinal, so that each bitmap is read and written once. The size of a
 * segment is the sum of the sizes in front of its bitmaps. With each change the day's row of the
 * segment is written too: size, how many entered, how many left.
 *
 * Threads: a list belongs to its fold. Reading wants a transaction only; any thread. */
#ifndef CRUMB_VIEWS_MEMBERS_H
#define CRUMB_VIEWS_MEMBERS_H

#include "crumb/views/bitmap.h"
#include "crumb/store/shard.h"

struct member_change {
	uint16_t segment;
	uint8_t bit; /* enum bitmap_bit: does the visitor enter or leave? */
	uint32_t ordinal;
};
struct member_changes {
	struct member_change *list;
	size_t n, cap;
};

/* Notes that a visitor entered (BITMAP_IN) or left (BITMAP_OUT). A list may name a visitor once for
 * each segment: a transaction visits each visitor once, and gives no ordinal away that it has
 * freed. */
void members_note(
    struct member_changes *c, uint16_t segment, uint32_t ordinal, enum bitmap_bit bit);
/* Writes the changes, as of that day, and empties the list. Errors are t->err. */
void members_apply(struct shard *s, struct db_txn *t, struct member_changes *c, uint16_t day);
/* How many are in it; reads 12 bytes a chunk. */
uint64_t members_size(struct shard *s, struct db_txn *t, uint16_t segment);
bool members_has(struct shard *s, struct db_txn *t, uint16_t segment, uint32_t ordinal);
/* Calls `each` for every member, in order of ordinal, until it returns false. */
enum err members_each(struct shard *s, struct db_txn *t, uint16_t segment,
    bool (*each)(void *arg, uint32_t ordinal), void *arg) MUST_CHECK;

#endif

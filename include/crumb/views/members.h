/* Membership of segments in one shard: the `members` table, changed in batches. */
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

void members_note(
    struct member_changes *c, uint16_t segment, uint32_t ordinal, enum bitmap_bit bit);
/* Writes the changes; those of one visitor and segment must be in order. Empties the list. */
void members_apply(struct shard *s, struct db_txn *t, struct member_changes *c, uint16_t day);
uint64_t members_size(struct shard *s, struct db_txn *t, uint16_t segment);
bool members_has(struct shard *s, struct db_txn *t, uint16_t segment, uint32_t ordinal);
/* Calls `each` for every member, in order of ordinal. Stops when it returns false. */
enum err members_each(struct shard *s, struct db_txn *t, uint16_t segment,
    bool (*each)(void *arg, uint32_t ordinal), void *arg) MUST_CHECK;

#endif

/* What a partner holds of us: which of its ids are in which segments, and until when. This is the
 * ledger of a destination, the file STORE/exports/DEST/held.
 *
 * A delivery is the difference between who is a member now and what is here (delivery/plan.h). Ids
 * are the partner's, or our pseudonyms for the partner. A row stays although its visitor is no
 * member any more, or is erased, until the partner has acknowledged the removal, or has forgotten
 * the row by itself.
 *
 *     ┌────────────────┬───────────────┬───────────────────────┬──────┬──────┬───┬────────────────┐
 *     │ "crumb held 1" │ how many: u32 │ names of segments     │ item │ item │ 0 │ BLAKE2b-128 of │
 *     │ and a newline  │               │ ours, the partner's   │      │ ...  │   │ all before     │
 *     └────────────────┴───────────────┴───────────────────────┴──────┴──────┴───┴────────────────┘
 *     a name   length u8, bytes
 *     an item  length u8, id, count u16, and `count` rows of 11 bytes:
 *              segment u16, until u16, owed u16, file u32, state u8
 *
 * Items are sorted by id, each id once. Numbers are big-endian as in base/code.h. A row names its
 * segment by its place in the file's own list of names, so that the ledger means the same after
 * rules have changed. For example, a million visitors who are in one segment each, with pseudonyms
 * of 32 digits: 1 + 32 + 2 + 11 = 46 bytes each, 46 MB.
 *
 * What a row may be (the moves between these are in delivery/plan.h):
 *
 *     state       the partner                                        the row says, too
 *     SURE        has acknowledged the row                           owed
 *     MAYBE       may have the row, or still have the row            owed, had
 *     REFUSED     did not take the row                               retry, had
 *     DENIED      did not take the removal of the row                owed, retry_removal
 *     OP_ADD      is told the row by file `file`                     file
 *     OP_REMOVE   is told by file `file` that the row goes           file
 *
 * The last two stand in `pending/rows` alone, a file of the same form: the rows of the delivery
 * that is under way.
 *
 * A crash loses nothing, for every change of the ledger is a whole new file that takes the place of
 * the one before by a rename:
 *
 *   1. Before a delivery is sent, its rows are MAYBE in the ledger. A delivery that never came to
 *      be leaves MAYBE rows: the next difference says all of them again.
 *   2. Only an acknowledgement makes a row SURE, or ends a row.
 *   3. Before a ledger is replaced it is linked as `held.before` (held_keep()). `held.before` and
 *      `pending/rows` together have every row that the partner may hold, so a ledger that is
 *      damaged is made anew from both, all rows MAYBE (src/delivery/ledger.c).
 *
 * Readers and writers belong to one thread each. Whoever writes holds the destination's lock
 * (src/delivery/outbox.h); whoever only reads needs no lock, for a file never changes in place. */
#ifndef CRUMB_DELIVERY_HELD_H
#define CRUMB_DELIVERY_HELD_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"

#include <stdio.h>

/* On disk: numbers stay as they are. */
enum held_state { HELD_SURE, HELD_MAYBE, HELD_REFUSED, OP_ADD, OP_REMOVE, HELD_DENIED };

#define HELD_FOREVER UINT16_MAX /* as `until`: the partner does not forget the row by itself */
#define HELD_ID 132		/* bytes of a segment's id, with the zero */
#define HELD_THEIRS 260		/* bytes of the partner's name of a segment, with the zero */

/* Days are UTC days since 1970. */
struct held_row {
	uint16_t segment;	/* in the file's own list of names */
	uint16_t until;		/* first day on which the partner has forgotten the row by itself */
	union {			/* by state, as the table above says */
		uint16_t owed;	/* day on which the visitor was found to be no member; 0: is one */
		uint16_t retry; /* REFUSED: the partner is not asked again before this day */
	};
	union {
		uint32_t file; /* OP_ADD, OP_REMOVE: file of the delivery, the first is 0 */
		uint32_t had;  /* 1: the partner may have had the row before it was last told */
		uint32_t retry_removal; /* DENIED: not asked again before this day */
	};
	uint8_t state; /* enum held_state */
};
/* One id with its rows. Zeroed is empty. Whoever has the item owns the rows. */
struct held_item {
	char id[256];
	unsigned id_n;
	struct held_row *rows; /* sorted by segment */
	unsigned rows_n;
	size_t rows_cap;
	struct held_row spare; /* what `rows` is when there is no memory at all */
};
struct held_segment {
	char id[HELD_ID], theirs[HELD_THEIRS];
};

struct held_reader;
/* A missing file reads as empty, and so does a reader NULL below. ERR_CORRUPT: the file is not what
 * was written. The whole file is checked before anything is handed out. */
enum err held_open(const char *path, struct held_reader **out) MUST_CHECK;
/* The names, as long as the reader. */
const struct held_segment *held_segments(const struct held_reader *r, unsigned *n);
bool held_exists(const struct held_reader *r);		      /* there is a file */
bool held_next(struct held_reader *r, struct held_item *out); /* false at the end */
void held_close(struct held_reader *r);

struct held_writer;
enum err held_create(const char *path, const struct held_segment *segments, unsigned n,
    struct held_writer **out) MUST_CHECK;
/* Ids come in order. An item without rows is left out. What fails is told by held_finish(). */
void held_put(struct held_writer *w, const struct held_item *item);
/* The file is durable, in the place of what was there. ERR_NOMEM: memory was short since
 * memory_begin(), so rows may be missing; what was there stays. Frees the writer. */
enum err held_finish(struct held_writer *w) MUST_CHECK;
void held_drop(struct held_writer *w); /* what was there stays; frees the writer */

void held_item_clear(struct held_item *i);
/* A zeroed row at the end. Without memory the new row takes the place of the last one, and
 * held_finish() refuses. */
struct held_row *held_item_add(struct held_item *i);
void held_item_done(struct held_item *i);
int held_compare(const struct held_item *a, const struct held_item *b); /* by id */
/* What comes next when two sorted sides are merged: < 0 `a`, > 0 `b`, 0 both, which have one id.
 * NULL: that side is at its end. */
int held_order(const struct held_item *a, const struct held_item *b);
/* Links the ledger as held.before: call this before the ledger is replaced. */
void held_keep(const char *held);

#endif

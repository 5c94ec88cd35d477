/* What a partner holds of us: which of its ids are in which segments, and until when. The file
 * STORE/exports/DEST/held.
 *
 *     "crumb held 1\n" │ segments u32 │ n × (id length u8, id, theirs length u8, theirs)     names:
 * ours and the partner's rows, sorted by id:   id length u8 │ id │ count u16 │ count × (segment u16
 * │ until u16 │ owed u16 │ chunk u32 │ state u8) 0 u8 │ BLAKE2b-128 of all before
 *
 * A delivery is the difference between who is a member now and what is here; the file changes only
 * with what the partner has acknowledged. While something is under way its rows are MAYBE: the
 * partner may have them. Ids are the partner's, or our pseudonyms for it; who is no member any
 * more, or gone altogether, stays until the partner has acknowledged the removal, or has forgotten
 * the row by itself.
 *
 * The rows of a delivery under way are a file of the same form, with OP_ADD or OP_REMOVE as the
 * state and the number of the file that carries them.
 */
#ifndef CRUMB_DELIVERY_HELD_H
#define CRUMB_DELIVERY_HELD_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"

#include <stdio.h>

/* REFUSED: the partner did not take it, and is not asked again before the day `owed`; with `chunk`
 * 1 it may still have it from before. DENIED: the partner did not take its removal, and is not
 * asked again before the day `chunk`. */
enum held_state { HELD_SURE, HELD_MAYBE, HELD_REFUSED, OP_ADD, OP_REMOVE, HELD_DENIED };

#define HELD_FOREVER UINT16_MAX /* as `until`: the partner does not forget it by itself */

struct held_row {
	uint16_t segment; /* in the file's own list of names */
	uint16_t until;	  /* first day on which the partner has forgotten it by itself */
	uint16_t owed;	  /* day on which it was found to be no member any more; 0: it is one */
	uint32_t chunk;	  /* rows of a delivery: the file that carries it; what is held: 1 if it was
			     before the delivery under way */
	uint8_t state;
};
struct held_item {
	char id[256];
	unsigned id_n;
	struct held_row *rows; /* sorted by segment */
	unsigned rows_n;
	size_t rows_cap;
	struct held_row spare; /* when there is no memory at all */
};
struct held_segment {
	char id[132], theirs[260];
};

struct held_reader;
/* A missing file reads as empty, and so does a reader NULL below. ERR_CORRUPT: it is not what was
 * written. The whole file is checked before anything is handed out. */
enum err held_open(const char *path, struct held_reader **out) MUST_CHECK;
const struct held_segment *held_segments(const struct held_reader *r, unsigned *n);
bool held_exists(const struct held_reader *r);
bool held_next(struct held_reader *r, struct held_item *out); /* false at the end */
void held_close(struct held_reader *r);

struct held_writer;
enum err held_create(const char *path, const struct held_segment *segments, unsigned n,
    struct held_writer **out) MUST_CHECK;
void held_put(struct held_writer *w,
    const struct held_item *item); /* ids in order; one without rows is left out */
enum err held_finish(
    struct held_writer *w) MUST_CHECK; /* durable, in the place of what was there */
void held_drop(struct held_writer *w); /* leaves what was there */

void held_item_clear(struct held_item *i);
struct held_row *held_item_add(struct held_item
	*i); /* zeroed. Without memory it takes the place of another, and held_finish() refuses */
void held_item_done(struct held_item *i);
int held_compare(const struct held_item *a, const struct held_item *b);
/* The ledger as it is stays as held.before: call it before the ledger is replaced. */
void held_keep(const char *held);

#endif

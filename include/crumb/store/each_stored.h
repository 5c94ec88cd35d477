/* The visitors of a shard as they are stored, one after the other, in order of their keys. This is
 * the one walk over the table of visitors. views/each_visitor.h says who they are now.
 *
 *     struct each_stored w;
 *     each_stored_begin(&w, shard, &t, NULL);
 *     while (each_stored(&w))
 *             … w.key, w.bytes …
 *     each_stored_end(&w);
 *
 * The transaction is the caller's, and so is its error: when a read fails the walk ends, and t.err
 * says why. A key that is not as long as a visitor's is damage: it is counted, and passed over.
 * `bytes` are LMDB's: they live as db.h says. One walk belongs to one thread. It takes no memory.
 */
#ifndef CRUMB_STORE_EACH_STORED_H
#define CRUMB_STORE_EACH_STORED_H

#include "crumb/store/shard.h"

struct each_stored {
	/* of the visitor at hand */
	bool there; /* what each_stored() said last: for two walks side by side */
	struct vkey key;
	struct str bytes; /* the profile */
	unsigned misfits; /* keys of another length, so far */
	/* of the walk */
	struct shard *shard;
	struct db_cursor cursor;
	bool resumes; /* behind `key`; not yet there */
};

/* `after`: the visitors behind this key, whether or not somebody has it; NULL: all. */
void each_stored_begin(
    struct each_stored *w, struct shard *s, struct db_txn *t, const struct vkey *after);
bool each_stored(struct each_stored *w); /* false: there is no other, or t.err */
/* Of two walks side by side: below 0 the first has the lower key, or is alone; 0: they are at the
 * same. One of them is somewhere. */
int each_stored_order(const struct each_stored *a, const struct each_stored *b);
void each_stored_end(struct each_stored *w); /* before the transaction ends */

#endif

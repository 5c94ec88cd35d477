/* The file `erased`, beside `keys`: visitor keys that were erased, for as long as a cookie or a
 * backup could bring them back (90 days).
 *
 *     n × (visitor key 16 │ day u16 │ check 4 │ zero 2; an older crumb wrote no check: zero) an
 * entry is on disk before the erasure is answered
 *
 * What it lists is not replayed by a restore, whatever the backup holds; the nightly cleaning takes
 * it out of the journal's bytes; and whoever comes with its cookie or id is nobody. It is not part
 * of a backup.
 *
 * In memory it is a hash table (a visitor key is a hash already):
 *
 *     slot = key 16 │ word: day 16, PENDING, GONE, USED        open addressing; at most three
 * quarters full
 *
 * A slot's key is written before its word and never again, and a slot is never freed; so whoever
 * looks a key up takes no lock. To grow or to forget, a new table is made beside the old one and
 * put in its place; a view holds a reference to the one that it reads and looks at one number to
 * learn that there is a newer.
 *
 * An erasure is noted (PENDING: from now on nobody goes by that key), listed (on disk) and settled
 * (GONE, or as if nothing had been). Any thread, but a view, which belongs to one. */
#ifndef CRUMB_STORE_ERASED_H
#define CRUMB_STORE_ERASED_H

#include "crumb/model/event.h"

struct erased;
struct erased_table;

enum erased_access { ERASED_READ, ERASED_WRITE };
/* A file that is missing is an empty list; a writer makes it. */
enum err erased_open(const char *path, enum erased_access access, struct erased **out) MUST_CHECK;
void erased_close(struct erased *e);
size_t erased_unreadable(
    const struct erased *e); /* entries that were passed over when it was opened */
/* Writes the file anew, as it is known. */
enum err erased_save(struct erased *e) MUST_CHECK;
struct store;
/* Puts back whoever the journal's records of erasures name. */
enum err erased_recall(struct store *s, size_t *found) MUST_CHECK;

void erased_note(struct erased *e, const struct vkey *k);
/* Durable when it returns OK. */
enum err erased_add(struct erased *e, const struct vkey *keys, size_t n, uint16_t day) MUST_CHECK;
/* The erasure is in the journal, or could not be written: then the key is as good as it was. */
enum erased_end { ERASED_FAILED, ERASED_DONE };
void erased_settle(struct erased *e, const struct vkey *keys, size_t n, enum erased_end end);
/* Was it erased on this day or later? */
bool erased_since(struct erased *e, const struct vkey *k, uint16_t day);
size_t erased_count_since(struct erased *e, uint16_t day);
/* A copy of all keys; free() it. */
size_t erased_all(struct erased *e, struct vkey **out);
enum err erased_expire(
    struct erased *e, uint16_t oldest) MUST_CHECK; /* forgets what was erased before */

/* --- for every hit */
struct erased_view {
	struct erased *of;
	struct erased_table *table; /* a reference */
	uint64_t version;
};
void erased_view_init(struct erased_view *v, struct erased *e);
void erased_view_done(struct erased_view *v);
/* Is the visitor gone, or about to be? */
bool erased_has(struct erased_view *v, const struct vkey *k);

#endif

/* The file `erased`, beside `keys`: visitor keys that were erased, for as long as a cookie or a
 * backup could bring them back (90 days).
 *
 *     n × 24 bytes:  visitor key 16 │ day u16 │ check 4 │ zero 2
 *                    check: of the 18 bytes before; zero in the file of an older crumb
 *
 * What the list is for:
 *
 *     a hit with a cookie or id of an erased visitor     is nobody's (erased_has())
 *     a restore, whatever the backup holds               erases them anew (erased_all())
 *     the nightly cleaning                               takes their events out of the journal's
 *                                                        bytes (erased_since())
 *
 * The list is not part of a backup. An erasure goes through these steps:
 *
 *     step      function                word of the key       what holds then
 *     noted     erased_note()           PENDING               nobody goes by the key any more
 *     listed    erased_add()            PENDING, day          the entry is on disk
 *     settled   erased_settle(DONE)     GONE, day             the record of it is in the journal
 *     or        erased_settle(FAILED)   day, if listed        the key is as good as it was; the
 *                                                             entry stays, and the next start
 *                                                             takes it for an erasure
 *
 * The erasure is answered when it is settled. In memory the list is a hash table (a visitor key is
 * a hash already):
 *
 *     slot of 24 bytes = key 16 │ word 4: day 16 bits, PENDING, GONE, USED │ 4
 *     open addressing; at most three quarters full
 *
 * A slot's key is written before its word and never again, and a slot is never freed. So whoever
 * looks a key up takes no lock. To grow or to forget, a new table is made beside the old one and
 * put in its place. A view holds a reference to the table that it reads, and looks at one number to
 * learn that there is a newer one. A table has at most four slots for each erasure: 10,000 erasures
 * in 90 days are a file of 240 kB and at most 1 MB of memory.
 *
 * Any thread. A view belongs to one thread. */
#ifndef CRUMB_STORE_ERASED_H
#define CRUMB_STORE_ERASED_H

#include "crumb/model/event.h"

struct erased;
struct erased_table;

enum erased_access { ERASED_READ, ERASED_WRITE };
/* A file that is missing is an empty list; a writer makes it. */
enum err erased_open(const char *path, enum erased_access access, struct erased **out) MUST_CHECK;
void erased_close(struct erased *e);
/* Entries of the file that were passed over when it was opened. */
size_t erased_unreadable(const struct erased *e);
/* Writes the file anew from what is in memory. */
enum err erased_save(struct erased *e) MUST_CHECK;
struct store;
/* Puts back whoever the journal's records of erasures name, when the file was lost or changed.
 * *found: how many the list did not have. */
enum err erased_recall(struct store *s, size_t *found) MUST_CHECK;

void erased_note(struct erased *e, const struct vkey *k);
/* Lists keys as erased on this day. Durable when it returns OK. A key that is listed with that day
 * or a later one costs nothing. */
enum err erased_add(struct erased *e, const struct vkey *keys, size_t n, uint16_t day) MUST_CHECK;
/* The erasure is in the journal, or could not be written: then the key is as good as it was. */
enum erased_end { ERASED_FAILED, ERASED_DONE };
void erased_settle(struct erased *e, const struct vkey *keys, size_t n, enum erased_end end);
/* Was the visitor erased on this day or later? */
bool erased_since(struct erased *e, const struct vkey *k, uint16_t day);
size_t erased_count_since(struct erased *e, uint16_t day);
/* A copy of all keys; free() it. */
size_t erased_all(struct erased *e, struct vkey **out);
/* Forgets whoever was erased before `oldest`, in the file, then in memory. */
enum err erased_expire(struct erased *e, uint16_t oldest) MUST_CHECK;

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

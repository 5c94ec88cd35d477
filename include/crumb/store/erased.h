/* The file `erased`, beside `keys`: visitor keys that were erased, for as long as a cookie or a backup could bring them back (90 days).
 *
 *     n × (visitor key 16 │ day u16 │ zero 6)        an entry is on disk before the erasure is answered
 *
 * What it lists is not replayed by a restore, whatever the backup holds; the nightly cleaning takes it out of the journal's bytes. It is not
 * part of a backup. Any thread. */
#ifndef CRUMB_STORE_ERASED_H
#define CRUMB_STORE_ERASED_H

#include "crumb/model/event.h"

struct erased;

enum err erased_open(const char *path, bool create, struct erased **out) MUST_CHECK; /* missing: empty */
void erased_close(struct erased *e);

/* Durable when it returns OK. */
enum err erased_add(struct erased *e, const struct vkey *keys, size_t n, uint16_t day) MUST_CHECK;
/* Was it erased on this day or later? */
bool erased_since(struct erased *e, const struct vkey *k, uint16_t day);
size_t erased_count_since(struct erased *e, uint16_t day);
/* A copy of all keys; free() it. */
size_t erased_all(struct erased *e, struct vkey **out);
enum err erased_expire(struct erased *e, uint16_t oldest) MUST_CHECK; /* forgets what was erased before */

#endif

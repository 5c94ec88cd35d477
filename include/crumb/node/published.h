/* What was published, for 90 days: STORE/rules-history/, three files for each publication.
 *
 *     00000007.json      who, when, why, which file; hashes before and after; sizes of the segments
 *                        that changed
 *     00000007.before    the bytes of the file before; missing: there was no such file
 *     00000007.patch     what changed in it
 *
 * The three are on disk before a file of rules is touched, and say `begun`; when the rules were
 * taken, they say `done`. So after a crash a publication is whole or not there:
 *
 *     files written   rules replaced   said done
 *          │                │              │
 *      ────┴── dropped ─────┴──── kept ────┴──►      by published_recover(), which looks at the
 * file
 *
 * At most 2,000 publications and 256 MB are kept; the oldest go. The newest never goes: undo wants
 * it. A publication of a file of 50 KB takes some 55 KB.
 *
 * Whoever changes anything here holds the lock of the rules (load/put.h). Reading needs none. JSON
 * that is returned is the caller's. Any thread. */
#ifndef CRUMB_NODE_PUBLISHED_H
#define CRUMB_NODE_PUBLISHED_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"

#include <stdint.h>

struct json_t;

/* The number of the newest; 0: there is none. */
unsigned published_newest(const char *store);
/* One publication, as its file has it. ERR_NOT_FOUND. */
enum err published_read(const char *store, unsigned n, struct json_t **out) MUST_CHECK;
/* The file's bytes before; `there` false: there was none. */
enum err published_before(const char *store, unsigned n, struct buf *out, bool *there) MUST_CHECK;
enum err published_patch(const char *store, unsigned n, struct buf *out) MUST_CHECK;
/* As they are told, newest first: those before number `before` (0: all), PUBLISHED_TOLD at most.
 * Each is a file to be read, 0.15 ms. */
#define PUBLISHED_TOLD 200
struct json_t *published_list(const char *store, unsigned before);

/* Begins the next publication: puts its number and `begun` into the object, and writes the files.
 * before.p NULL: there was no such file. */
enum err published_begin(const char *store, struct json_t *publication, struct str before,
    struct str patch, unsigned *n) MUST_CHECK;
/* Writes the object anew. */
enum err published_save(const char *store, unsigned n, struct json_t *publication) MUST_CHECK;
enum err published_done(const char *store, unsigned n, struct json_t *publication) MUST_CHECK;
void published_drop(const char *store, unsigned n);
/* Ends what a crash left begun, by the files at `path`, and removes what belongs to nothing. */
void published_recover(const char *store, const char *path);
void published_prune(const char *store, uint32_t now);

#endif

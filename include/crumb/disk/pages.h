/* Are the pages of an LMDB file what LMDB takes them for? It maps the file and follows what it
 * finds there: a page that somebody else wrote makes it read beyond the end, or give up the
 * process. So a file that may have been changed by others is looked at first, with reads.
 *
 * A full check walks every page that the newest commit reaches and tells the first that cannot be:
 * beyond the end, of another number or kind, with nodes that leave it, with keys out of order,
 * reached twice, reached and free; or a tree whose counts are not what is there. What values say is
 * not looked at. Any thread. */
#ifndef CRUMB_DISK_PAGES_H
#define CRUMB_DISK_PAGES_H

#include "crumb/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* `file` is a data.mdb. ERR_CORRUPT names it and the page; ERR_NOT_FOUND: there is none. `txn`:
 * look at the commit of that number, which a reader holds; 0: at the newest, while nobody writes.
 */
enum pages_depth { PAGES_META /* size and meta pages only */, PAGES_ALL };
enum err pages_check(const char *file, enum pages_depth depth, uint64_t txn) MUST_CHECK;

struct db;
/* The same of an environment that is open, also while another process writes it. */
enum err pages_check_open(struct db *db, const char *file) MUST_CHECK;

#endif

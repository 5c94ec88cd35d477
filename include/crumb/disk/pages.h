/* Are the pages of an LMDB file what LMDB takes them for? LMDB maps the file and follows the
 * numbers that it finds there: a page that somebody else wrote makes it read beyond the end of the
 * file, or end the process. So a file that others may have changed is checked first, by reading it.
 *
 * A full check walks every page that the newest commit reaches. It tells the first page that
 *
 *     lies beyond the end of the file            has another number, or is of another kind
 *     has nodes that leave it or do not fill it  has keys out of order
 *     is reached twice, or reached and free
 *
 * and a tree whose counts are not what was found. It does not look at what values say: a sealed
 * block has its own proof, and whoever reads a profile does not trust the bytes.
 *
 * It reads about a gigabyte a second when the file is in memory. It takes a bit for each page, and
 * a page for each level of a tree: of a file of 1 GB with pages of 4 kB, 32 kB and some 20 kB. Any
 * thread. */
#ifndef CRUMB_DISK_PAGES_H
#define CRUMB_DISK_PAGES_H

#include "crumb/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* `file` is a data.mdb. ERR_CORRUPT: err_text() names the file and the page. ERR_NOT_FOUND: there
 * is no file. `txn` is the number of the commit to look at, which a reader holds; 0: the newest,
 * and nobody writes. ERR_BUSY: that commit is no longer one of the newest two. */
enum pages_depth { PAGES_META /* size and meta pages only */, PAGES_ALL };
enum err pages_check(const char *file, enum pages_depth depth, uint64_t txn) MUST_CHECK;

struct db;
/* The same, all pages, of an environment that is open, also while somebody writes it. OK, too, when
 * the writer was faster 20 times: then nothing was looked at to the end. */
enum err pages_check_open(struct db *db, const char *file) MUST_CHECK;

#endif

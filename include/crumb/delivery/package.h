/* The files of one delivery: within a destination's limits of rows and bytes, compressed as the
 * destination wants, with their checksums.
 *
 *     items ─> encoder ─> 64 KB pieces ─> gzip, zstd or neither ─> SHA-256 (and MD5) ─> file
 *
 * A file is full when the next item would go beyond a limit; the item then begins the next file. An
 * item is never torn. For example, with `rows: 1000` and items of up to 3 rows a file has 998, 999
 * or 1,000 rows. Bytes are counted before they are compressed, and the end of the file is counted
 * with them. An item that is larger than the limit alone has a file of its own.
 *
 * Files are written into a folder of our own, and reach the destination from there. A package
 * belongs to one thread. Memory: a few buffers of 64 KB, and some 430 bytes a file. */
#ifndef CRUMB_DELIVERY_PACKAGE_H
#define CRUMB_DELIVERY_PACKAGE_H

#include "crumb/partners/format.h"

#define DELIVERY_ID 128 /* bytes of the name of a delivery, with the zero */

struct package;
/* `delivery` is its name, `stamp` the time in the names of its files. The folder is there. The
 * destination is the caller's for as long as the package. */
enum err package_begin(const struct destination *d, const char *folder, enum format_extent extent,
    struct str delivery, uint32_t stamp, uint32_t now, struct package **out) MUST_CHECK;
/* Writes an item, of which `changes` rows count for the limit. *file is the number of the file that
 * has the item, from 0; *written is false where the id cannot be written, and then nothing was. */
enum err package_item(struct package *p, const struct out_item *item, unsigned changes,
    uint32_t *file, bool *written) MUST_CHECK;
/* Ends the last file, writes what goes beside them, and makes all of it durable. */
enum err package_end(struct package *p) MUST_CHECK;
/* The files so far; for as long as the package. */
const struct format_file *package_files(const struct package *p, unsigned *n);
void package_free(struct package *p);

#endif

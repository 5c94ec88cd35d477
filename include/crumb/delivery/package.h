/* The files of one delivery: chunks within a destination's limits of rows and bytes, compressed as
 * it wants, with their checksums.
 *
 * Files are written into a folder of our own and reach the destination from there. One thread. */
#ifndef CRUMB_DELIVERY_PACKAGE_H
#define CRUMB_DELIVERY_PACKAGE_H

#include "crumb/partners/format.h"

struct package;
/* `delivery` names it, `stamp` is the time in the names of its files; the folder is there. */
enum err package_begin(const struct destination *d, const char *folder, bool full,
    struct str delivery, uint32_t stamp, uint32_t now, struct package **out) MUST_CHECK;
/* Writes an item, of which `changes` rows count. *chunk is the number of the file that has it;
 * *written is false where the id cannot be written. */
enum err package_item(struct package *p, const struct out_item *item, unsigned changes,
    uint32_t *chunk, bool *written) MUST_CHECK;
/* Ends the last file, writes what goes beside them, and makes all of it durable. */
enum err package_end(struct package *p) MUST_CHECK;
const struct format_file *package_files(const struct package *p, unsigned *n);
void package_free(struct package *p);

#endif

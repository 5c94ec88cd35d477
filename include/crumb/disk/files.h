/* How the large files of a store stood when the store was last closed, so that a start need not
 * read what nobody has changed.
 *
 *     crumb files 1
 *     stopped                          the store was closed in order; a running one takes this line
 * away marked                           the end of the write-ahead log says whose it is size mtime
 * path sum              mtime in nanoseconds; the sum of what is in it, of days of the journal that
 * are not too large, else - check 16 hexadecimal digits
 *
 * A file that is as it stood is trusted. One that is not, after an orderly stop, was changed by
 * somebody else: that is damage until all of it was looked at. After a crash nothing is known of
 * what was being written. One with another time that has the same sum was only copied. A file that
 * changed though nobody here wrote it keeps the line it had, so that the next start looks at it. */
#ifndef CRUMB_DISK_FILES_H
#define CRUMB_DISK_FILES_H

#include "crumb/base/err.h"
#include "crumb/disk/damage.h"

#include <stdbool.h>
#include <stdint.h>

struct files;
enum files_state { FILES_SAME, FILES_CHANGED, FILES_UNKNOWN };

enum files_writer { FILES_OURS, FILES_IN_USE /* somebody else writes the store, and has looked */ };
struct files *files_load(const char *store, enum files_writer writer);
void files_free(struct files *f);
bool files_stopped(const struct files *f);		   /* was it closed in order? */
bool files_known(const struct files *f, const char *name); /* was it there then? */
bool files_summed(
    const struct files *f, const char *name); /* is the sum of what was in it known? */
enum files_state files_look(const struct files *f, const char *name);
/* The pages of an LMDB file, as far as needed. ERR_NOT_FOUND: it is not there. */
enum err files_check(const struct files *f, const char *name, enum files_state *how) MUST_CHECK;
bool files_marked(const struct files *f);
void files_mark(struct files *f);
/* From now on files are written. */
enum err files_running(struct files *f) MUST_CHECK;
/* This process has written it, or looked at all of it: it is right as it stands. */
void files_accept(struct files *f, const char *name);
/* Something in it could not be read: the next start is to look at it. */
void files_doubt(struct files *f, const char *name);
/* All are closed. `views`: how the views of the generation are to be taken. */
enum err files_save(const struct files *f, uint32_t generation, enum store_views views) MUST_CHECK;

#endif

/* The file `files` of a store: how the large files stood when the store was last closed, so that a
 * start need not read what nobody has changed.
 *
 *     crumb files 1
 *     stopped                     the store was closed in order; a running store takes this away
 *     marked                      the end of the write-ahead log says whose it is
 *     SIZE MTIME PATH SUM         one line a file:
 *                                     bytes │ nanoseconds since 1970 │ below the store │ 16 digits,
 *                                     of journal days of at most 256 MB and of `erased`; else "-"
 *     check 16 hexadecimal digits
 *
 *     4096000 1767312000123456789 journal/2026-01-02/data.mdb 5f0c3a9e11b27d44
 *
 * What a start makes of a file:
 *
 *     the file                           after an orderly stop      after a crash
 *     size and mtime as in its line      SAME                       SAME
 *     another mtime, the same sum        SAME: it was copied        SAME
 *     else                               CHANGED: by somebody else  UNKNOWN: was being written
 *     has no line                        UNKNOWN                    UNKNOWN
 *
 * SAME is trusted. CHANGED is damage until every page was looked at. UNKNOWN is looked at, too. A
 * file that changed though nobody here wrote it keeps the line that it had, so that the next start
 * looks at it again.
 *
 * The thread that opens and closes the store owns the struct. Between files_running() and
 * files_save() other threads may call what takes a const struct. */
#ifndef CRUMB_DISK_FILES_H
#define CRUMB_DISK_FILES_H

#include "crumb/base/err.h"
#include "crumb/disk/damage.h"

#include <stdbool.h>
#include <stdint.h>

struct files;
enum files_state { FILES_SAME, FILES_CHANGED, FILES_UNKNOWN };

enum files_writer { FILES_OURS, FILES_IN_USE /* another process writes the store: all is SAME */ };
/* A file that is missing or damaged is as one after a crash that has no line. */
struct files *files_load(const char *store, enum files_writer writer);
void files_free(struct files *f);
bool files_stopped(const struct files *f); /* was the store closed in order? */
/* `name` is the path below the store, in all functions below. */
bool files_known(const struct files *f, const char *name);  /* has it a line? */
bool files_summed(const struct files *f, const char *name); /* and is its sum known? */
enum files_state files_look(const struct files *f, const char *name);
/* Checks an LMDB file: its meta pages, and every page unless the file is SAME. ERR_NOT_FOUND: it is
 * not there. */
enum err files_check(const struct files *f, const char *name, enum files_state *how) MUST_CHECK;
/* Does the end of the write-ahead log say whose it is? files_mark(): it does from now on. */
bool files_marked(const struct files *f);
void files_mark(struct files *f);
/* From now on files are written: takes "stopped" away. */
enum err files_running(struct files *f) MUST_CHECK;
/* This process has written the file, or looked at all of it: it is right as it stands. */
void files_accept(struct files *f, const char *name);
/* Something in the file could not be read: the next start is to look at it. */
void files_doubt(struct files *f, const char *name);
/* All files are closed: writes a line for each, and "stopped". `views` says whether those of the
 * generation get fresh lines (FINE), none (DAMAGED), or keep what they had (UNSEEN). */
enum err files_save(const struct files *f, uint32_t generation, enum store_views views) MUST_CHECK;

#endif

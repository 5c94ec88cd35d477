/* Files that appear whole or not at all, also in folders where others may write.
 *
 *     file_begin ── write to .file ─┬─ file_finish:  flushed, synced, renamed onto the path,
 *                                   │                the folder synced
 *                                   └─ file_drop:    as if nothing had been
 *
 * Until a file is finished it has no name (O_TMPFILE). Where the file system cannot do that, the
 * file has a random name and is opened with O_EXCL. So neither a link that somebody planted nor
 * another writer of the same path is ever written through. A link that stands at the path itself is
 * replaced, not followed. The folder is where the path says, through a link to a folder, too. What
 * stands at the path and is neither a file nor a link (a pipe, a device, a folder), or is a link to
 * such a thing, is refused.
 *
 * Any thread; a struct file_new belongs to one thread. After file_begin() failed there is nothing
 * to drop. */
#ifndef CRUMB_BASE_FILE_H
#define CRUMB_BASE_FILE_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"
#include "crumb/base/str.h"

#include <stdio.h>

#define FILE_PATH_MAX 4096
#define FILE_NEW_NAME 32 /* bytes that a temporary name adds to its folder, at most */

struct file_new {
	FILE *file;
	char path[FILE_PATH_MAX];
	char folder[FILE_PATH_MAX];
	char temporary[FILE_PATH_MAX + FILE_NEW_NAME]; /* "": it has no name yet */
};

enum err file_begin(struct file_new *n, const char *path, unsigned mode) MUST_CHECK;
enum err file_finish(struct file_new *n) MUST_CHECK; /* closes it either way */
void file_drop(struct file_new *n);
/* Writes a small file, 0600. After a crash there is the old or the new one, never a part. */
enum err file_replace(const char *path, struct str content) MUST_CHECK;
/* Copies a file byte for byte to a name that nobody has yet; it is on disk when this returns. Adds
 * the bytes to *bytes, unless that is NULL. On an error, which names the file that it is about,
 * what was written stays. Needs 64 kB of stack. */
enum err file_copy(const char *from, const char *to, unsigned mode, uint64_t *bytes) MUST_CHECK;
/* A name in the folder that nobody can have foreseen; what is made by it is to be made with O_EXCL,
 * link() or the like. */
void file_temporary(const char *folder, char out[FILE_PATH_MAX + FILE_NEW_NAME]);
/* What was made, renamed or removed in a folder is so after a power failure. */
enum err folder_sync(const char *path) MUST_CHECK;

/* Appends all of a file, or of a pipe until it ends, to `out`. ERR_NOT_FOUND: there is none;
 * ERR_USAGE: it is longer than `most` bytes, of which no more than one is read; ERR_NOMEM; ERR_IO:
 * all else, a folder too. What `out` held before stays; after a failure nothing is behind it. */
enum err file_read(const char *path, size_t most, struct buf *out) MUST_CHECK;
/* The beginning of a small file as a string: at most cap - 1 bytes. The errors of file_read(), but
 * that a longer one is cut. */
enum err file_read_text(const char *path, char *out, size_t cap) MUST_CHECK;

#endif

/* Small files of text whose last line says that what stands before it is as it was written.
 *
 *     check 16 hexadecimal digits      BLAKE2b of all before this line, its first 8 bytes
 *
 * The sum finds damage by chance, not by intent: it has no key. Any thread; nothing is shared. */
#ifndef CRUMB_DISK_CHECKED_H
#define CRUMB_DISK_CHECKED_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"

/* Reads the text of a file into `out`, and puts a zero behind it. False: the file is not there, is
 * no file, is longer than `most` bytes, or cannot be read. */
bool checked_read(const char *path, size_t most, struct buf *out);
/* The text before the last line, as a part of `all`. False: the last line is missing, or its sum is
 * another one. */
bool checked_text(struct str all, struct str *out);
/* Puts the last line behind the text; the file's text is whole then. */
void checked_end(struct buf *text);
/* Puts the last line behind the text, and the text in the place of the file. It is durable when
 * this returns OK. */
enum err checked_write(const char *path, struct buf *text) MUST_CHECK;

#endif

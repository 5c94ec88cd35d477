/* Small files of text whose last line says that what stands before it is as it was written.
 *
 *     check 16 hexadecimal digits */
#ifndef CRUMB_DISK_CHECKED_H
#define CRUMB_DISK_CHECKED_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"

/* The text of a file, and a zero behind it. False: it is not there, is no file, is longer than
 * `most`, or cannot be read. */
bool checked_read(const char *path, size_t most, struct buf *out);
/* What stands before the last line. False: that line is missing, or says otherwise. */
bool checked_text(struct str all, struct str *out);
/* Puts the last line behind the text. */
void checked_end(struct buf *text);
/* That, and in the place of the file; durable when it returns OK. */
enum err checked_write(const char *path, struct buf *text) MUST_CHECK;

#endif

/* Content codings (RFC 9110 8.4, 12.5.3): bodies that come compressed, and answers that may go
 * compressed. Pure functions, for any thread. */
#ifndef CRUMB_HTTP_CODING_H
#define CRUMB_HTTP_CODING_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_DEFLATE, CODING_UNKNOWN };

/* What a Content-Encoding field says. Several codings over each other are CODING_UNKNOWN. */
enum coding coding_of(struct str content_encoding);

/* Appends the decoded body to the empty `out`.
 *
 * The result is no longer than `most`. Beside that, a body that grows to more than 16 times its
 * size may not become longer than CODING_FREE, so that few bytes never make much work: with `most`
 * = 4 MB, 10 KB of gzip give 512,000 bytes at most, 100 KB of gzip give 1.6 MB.
 *
 * gzip may have several members, and zeros behind the last (RFC 1952 2.2). deflate comes with
 * zlib's frame, as RFC 9110 has it, or without, as some clients send it. zlib's own memory is
 * wiped.
 *
 * ERR_FULL: the result would be longer. ERR_SYNTAX: the bytes are not of that coding, or end early.
 * ERR_NOMEM. `out` is empty then. */
#define CODING_FREE 512000
enum err coding_read(enum coding coding, struct str bytes, size_t most, struct buf *out) MUST_CHECK;

/* How to send an answer to a client with this Accept-Encoding field: CODING_GZIP when the client
 * takes gzip at least as gladly as plain bytes, else CODING_IDENTITY. CODING_UNKNOWN: the client
 * takes neither. */
enum coding coding_wanted(struct str accept_encoding);

#endif

/* Content codings (RFC 9110 8.4, 12.5.3): bodies that come compressed, and answers that may go so.
 */
#ifndef CRUMB_HTTP_CODING_H
#define CRUMB_HTTP_CODING_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_DEFLATE, CODING_UNKNOWN };

/* What a Content-Encoding field says. Several codings one over the other are unknown: nobody has a
 * reason for them. */
enum coding coding_of(struct str content_encoding);

/* What the bytes stand for. No longer than `most`; what would become more than 16 times as long as
 * it came is no longer than CODING_FREE either, so that a few bytes never make much work. ERR_FULL:
 * it would be longer; ERR_SYNTAX: it is not of that coding, or ends in the middle; ERR_NOMEM.
 * zlib's own memory is wiped. gzip may have several members, and zeros behind the last (RFC
 * 1952 2.2); deflate is taken with zlib's frame, as it should be, and without, as some send it. */
#define CODING_FREE 512000
enum err coding_read(enum coding coding, struct str bytes, size_t most, struct buf *out) MUST_CHECK;

/* What may be sent to whoever sent this Accept-Encoding field: gzip where he takes it at least as
 * gladly as plain bytes. CODING_UNKNOWN: neither. */
enum coding coding_wanted(struct str accept_encoding);

#endif

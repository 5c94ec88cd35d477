/* Conditional requests (RFC 9110 13) for a resource that has a strong entity tag and a time of its
 * last change. Any thread. */
#ifndef CRUMB_HTTP_CONDITION_H
#define CRUMB_HTTP_CONDITION_H

#include "crumb/http/server.h"

/* The status for a GET or HEAD: 200, answer as if there were no condition; 304, the client has this
 * version; 412, the resource is not what the client thinks. `etag` with its quotes, `changed` in
 * seconds since 1970. */
int condition_of(const struct http_request *r, struct str etag, int64_t changed);

/* Reads the three forms of RFC 9110 5.6.7. False, with *t untouched: `text` is no date. */
bool http_date_read(struct str text, int64_t *t);

#define HTTP_DATE_TEXT 30
/* "Sun, 06 Nov 1994 08:49:37 GMT" */
void http_date_write(int64_t t, char out[HTTP_DATE_TEXT]);

#endif

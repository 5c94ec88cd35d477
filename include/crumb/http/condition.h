/* Conditional requests (RFC 9110 13) for what has a strong entity tag and a time of its last
 * change. */
#ifndef CRUMB_HTTP_CONDITION_H
#define CRUMB_HTTP_CONDITION_H

#include "crumb/http/server.h"

/* 200: to be answered as if nothing were asked; 304: the client has it; 412: it is not what the
 * client thinks. GET and HEAD. `etag` with its quotes, `changed` in seconds. */
int condition_of(const struct http_request *r, struct str etag, int64_t changed);

bool http_date_read(struct str text, int64_t *t); /* the three forms of RFC 9110 5.6.7 */
#define HTTP_DATE_TEXT 30
void http_date_write(int64_t t, char out[HTTP_DATE_TEXT]); /* "Sun, 06 Nov 1994 08:49:37 GMT" */

#endif

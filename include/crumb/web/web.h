/* The files of the dashboard: what a browser loads before anybody has signed in. There is no data
 * in them; data comes from the routes of the admin listener.
 *
 *     GET /                     index.html: asked again each time, 304 while it is the same
 *     GET /web/HASH/app.js ...  HASH is of all files together: kept by the browser for ever
 *
 * The files are those of src/web and Debian's libraries, packed by gzip and made part of the
 * program by tools/web.py. They are constant: any thread may ask. */
#ifndef CRUMB_WEB_WEB_H
#define CRUMB_WEB_WEB_H

#include "crumb/http/server.h"

/* Answers a request for `/` or below `/web/`, at once. False, and no answer: the path is none of
 * these. An unknown path below `/web/` is 404, another method than GET and HEAD 405. A client that
 * takes no gzip gets plain bytes; 503 when there is no memory to unpack them. */
bool web_answer(struct http_request *r);

#endif

/* The dashboard's files, from memory. Each has two entity tags, one for each coding (RFC 9110
 * 8.8.3.3). `/` names the others by a hash, so only `/` is ever asked for again. */
#include "crumb/web/web.h"

#include "web_files.h"

#include "crumb/http/coding.h"
#include "crumb/http/condition.h"

#include <stdio.h>

#define FOLDER STR("/web/")
/* Nothing but what this listener sends: no inline script or style, no other host, no frame around
 * it. What is typed into a form goes nowhere else. */
#define GUARDS                                                                                     \
	"Content-Security-Policy: default-src 'self'; img-src 'self' data:; base-uri 'none'; "     \
	"form-action 'self'; frame-ancestors 'none'\r\n"                                           \
	"X-Content-Type-Options: nosniff\r\n"                                                      \
	"Referrer-Policy: no-referrer\r\n"                                                         \
	"Cross-Origin-Opener-Policy: same-origin\r\n"                                              \
	"Cross-Origin-Resource-Policy: same-origin\r\n"
#define CHANGED INT64_MAX /* files have no date: dates of conditions never match */

static void refuse(struct http_request *r, int status, const char *headers, const char *why)
{
	http_reply(r->ticket, status, "text/plain", str_c(headers), str_c(why));
}

/* Has the browser a cookie of a session, ours or an old one? Without one the page need not ask who
 * is signed in: it asks for the token. */
static bool has_session(struct str cookies)
{
	struct str one;
	while (cookies.n && str_cut(&cookies, ';', &one))
		if (str_starts(str_trim(one), STR("crumb_admin=")))
			return true;
	return false;
}

static const struct web_file *find(struct str path)
{
	for (const struct web_file *f = web_files; f->path; f++)
		if (str_eq(str_c(f->path), path))
			return f;
	return NULL;
}

/* The plain bytes of a file, or its packed ones. */
static void send_file(
    struct http_request *r, const struct web_file *f, enum coding coding, struct str headers)
{
	struct str packed = str_make(f->bytes, f->n);
	struct buf plain = {0};
	if (coding == CODING_GZIP) {
		http_reply(r->ticket, 200, f->type, headers, packed);
		return;
	}
	if (coding_read(CODING_GZIP, packed, f->plain, &plain))
		refuse(r, 503, "Retry-After: 5\r\nCache-Control: no-store\r\n",
		    "no memory for this file now\n");
	else
		http_reply(r->ticket, 200, f->type, headers, buf_view(&plain));
	buf_done(&plain);
}

static void answer_file(struct http_request *r, const struct web_file *f)
{
	char etag[64], headers[800];
	enum coding coding = coding_wanted(r->header[H_ACCEPT_ENCODING]);
	if (coding == CODING_UNKNOWN) {
		refuse(r, 406, "Vary: Accept-Encoding\r\n", "this comes plain or as gzip\n");
		return;
	}
	bool gzip = coding == CODING_GZIP;
	size_t n = (size_t)snprintf(etag, sizeof etag, "\"%s%s\"", f->etag, gzip ? "" : "-plain");
	int status = condition_of(r, str_make(etag, n), CHANGED);
	if (status == 412) {
		refuse(r, 412, "Cache-Control: no-store\r\n", "this has changed\n");
		return;
	}
	bool kept = str_starts(r->path, FOLDER);
	n = (size_t)snprintf(headers, sizeof headers,
	    "ETag: %s\r\nVary: Accept-Encoding, Cookie\r\nCache-Control: %s\r\n" GUARDS "%s", etag,
	    kept ? "public, max-age=31536000, immutable" : "no-cache",
	    gzip && status == 200 ? "Content-Encoding: gzip\r\n" : "");
	CHECK(n < sizeof headers);
	if (status == 304)
		http_reply(r->ticket, 304, f->type, str_make(headers, n), STR(""));
	else
		send_file(r, f, coding, str_make(headers, n));
}

bool web_answer(struct http_request *r)
{
	if (!str_eq(r->path, STR("/")) && !str_starts(r->path, FOLDER))
		return false;
	bool guest = str_eq(r->path, STR("/")) && !has_session(r->header[H_COOKIE]);
	const struct web_file *f = find(guest ? STR("guest") : r->path);
	if (!f)
		refuse(r, 404, "Cache-Control: no-store\r\n", "there is no such file\n");
	else if (r->method != HTTP_M_GET && r->method != HTTP_M_HEAD)
		refuse(r, 405, "Allow: GET, HEAD\r\n", "this address is only read\n");
	else
		answer_file(r, f);
	return true;
}

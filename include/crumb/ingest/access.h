/* Web servers' access logs, line by line, to events as `import` reads them (NDJSON).
 *
 *     line ── the form's reader ──► fields (address, time, request, status, …) ── one judgement for
 * all forms ──► event, skipped, or malformed
 *
 * Forms: "combined" and its relatives (httpd, nginx; a virtual host, the head of a syslog line, a
 * list of addresses or a port may be there); W3C's extended form with #Fields (IIS, CloudFront);
 * AWS load balancers; HAProxy's; JSON lines (Caddy, Traefik, nginx escape=json and others, by the
 * names of their fields); and whatever a notation of nginx's log_format or httpd's LogFormat
 * describes. Each may lie in an object of JSON of Docker or journald.
 *
 * A visitor is a hash of address and agent under a key that ends with this struct. What is no
 * address is no visitor. One thread. */
#ifndef CRUMB_INGEST_ACCESS_H
#define CRUMB_INGEST_ACCESS_H

#include "crumb/base/buf.h"
#include "crumb/base/err.h"
#include "crumb/core/config.h"
#include "crumb/core/hash.h"
#include "crumb/privacy/hit.h"

#define ACCESS_COLUMNS 128

enum access_form {
	ACCESS_COMBINED,
	ACCESS_W3C,
	ACCESS_ALB,
	ACCESS_HAPROXY,
	ACCESS_JSON,
	ACCESS_OWN,
	ACCESS_FORMS
};

enum access_kind {
	ACCESS_EVENT,	  /* written */
	ACCESS_NOTHING,	  /* a comment: no line of the log */
	ACCESS_STATIC,	  /* a file that is no page */
	ACCESS_METHOD,	  /* another one than GET */
	ACCESS_STATUS,	  /* an error or a redirect */
	ACCESS_REQUEST,	  /* no request of HTTP, as of scanners and of clients that went away */
	ACCESS_MALFORMED, /* not of the form, or without an address or a time: see `why` */
	ACCESS_KINDS
};

struct access_piece; /* of a notation */

struct access {
	enum access_form form;
	struct key16 key;
	char host[254]; /* of lines that name none */
	struct cidr_list trusted, inside;
	const char *why; /* the last line was malformed */
	/* W3C: the field of each column */
	uint8_t columns[ACCESS_COLUMNS];
	unsigned columns_n;
	bool cloudfront;
	char date[11]; /* of the latest #Date */
	/* a notation */
	struct access_piece *pieces;
	size_t pieces_n;
	char *notation;
	/* of the line at hand */
	struct buf scratch;
	void *tree, *wrapper;
};

/* `host` is for lines that name none. Proxies in the lines are passed over as trusted_proxies says.
 */
enum err access_init(struct access *a, const struct config *c, const char *host) MUST_CHECK;
void access_done(struct access *a);
const char *access_form_name(enum access_form f);
bool access_set_form(
    struct access *a, const char *name); /* of the forms that have a name of their own */
/* Takes a notation such as '$remote_addr - - [$time_local] "$request" $status' or '%h %l %u %t "%r"
 * %>s %b'. */
enum err access_set_notation(struct access *a, const char *notation) MUST_CHECK;
/* The form that fits the first lines best; false: none does, and *why says what is missing. */
bool access_detect(struct access *a, struct str lines);
/* Adds the event to `out`, which has failed when there was no memory for it. */
enum access_kind access_line(struct access *a, struct str line, struct buf *out);

#endif

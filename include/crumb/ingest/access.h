/* Web servers' access logs, line by line, become events as `import` reads them (NDJSON).
 *
 *	line ─► unwrapped ─► fields: address, time, request … ─► event, skipped or malformed
 *	        of JSON      by the reader of the form           one judgement for all forms
 *
 * Forms:
 *	combined    httpd, nginx and relatives; a virtual host, the head of a syslog line, a list
 *	            of addresses or a port may be there
 *	w3c         the extended form with #Fields (IIS, CloudFront)
 *	alb         AWS load balancers
 *	haproxy     HAProxy's httplog
 *	json        Caddy, Traefik, nginx with escape=json and others, by the names of fields
 *	log-format  what a notation of nginx's log_format or httpd's LogFormat describes
 * Each may lie in an object of JSON of Docker, journald or a collector.
 *
 * A visitor is a hash of address and agent under a random key that ends with this struct, so two
 * imports never share a visitor. A line without an address has no visitor and is malformed.
 *
 * One thread. No allocation for a line but those of the JSON reader. */
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
	ACCESS_EVENT,	  /* an event was written */
	ACCESS_NOTHING,	  /* a comment: no line of the log */
	ACCESS_STATIC,	  /* a file that is no page */
	ACCESS_METHOD,	  /* another method than GET */
	ACCESS_STATUS,	  /* an error or a redirect */
	ACCESS_REQUEST,	  /* no request of HTTP: a scanner, or a client that went away */
	ACCESS_MALFORMED, /* not of the form, or no address, time or status: see `why` */
	ACCESS_KINDS
};

struct access_piece; /* of a notation */

struct access {
	enum access_form form;
	struct key16 key;
	char host[254];			  /* of lines that name none */
	struct cidr_list trusted, inside; /* trusted proxies; private networks */
	const char *why;		  /* the last line was malformed */
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
/* Any form but log-format. False: there is no form of this name. */
bool access_set_form(struct access *a, const char *name);
/* Takes a notation such as '$remote_addr - - [$time_local] "$request" $status' or '%h %l %u %t "%r"
 * %>s %b'. */
enum err access_set_notation(struct access *a, const char *notation) MUST_CHECK;
/* Sets the form that fits the first lines best. False: none does, and `why` says what is missing.
 */
bool access_detect(struct access *a, struct str lines);
/* Appends the event to `out`, which has failed when there was no memory for it. */
enum access_kind access_line(struct access *a, struct str line, struct buf *out);

#endif

/* Inside the reading of access logs: what the readers of the forms share. A line becomes a row of
 * fields, which are views into the line, into the scratch of `a`, or into its JSON tree, until the
 * next line. One thread, as struct access. */
#ifndef CRUMB_SRC_INGEST_ACCESS_ROW_H
#define CRUMB_SRC_INGEST_ACCESS_ROW_H

#include "crumb/ingest/access.h"

enum access_field {
	F_ADDRESS,   /* who asked, or a list with the proxies */
	F_FORWARDED, /* what a proxy says about the client: believed if the address is ours */
	F_TIME,
	F_DATE,	   /* of W3C, where the time is a time of day */
	F_REQUEST, /* the whole line, "GET /a HTTP/1.1" */
	F_METHOD,
	F_TARGET, /* path and query, or a whole URL */
	F_STEM,	  /* the path alone */
	F_QUERY,
	F_STATUS,
	F_REFERER,
	F_AGENT,
	F_HOST,
	FIELDS,
	F_NONE = FIELDS
};

struct access_row {
	struct str f[FIELDS];  /* empty: the line has no such field */
	bool escaped;	       /* \xHH and \" stand for bytes */
	bool nothing;	       /* the line is a comment */
	bool plus;	       /* blanks are written as plus signs */
	const char *time_form; /* of strptime(); NULL: the time is tried in all forms we know */
};

/* The field that a name of JSON, #Fields or nginx means. Of two names for one field that with the
 * smaller rank is taken. F_NONE: unknown. */
enum access_field access_field_named(struct str name, unsigned *rank);

bool access_read_combined(struct access *a, struct str line, struct access_row *r);
bool access_read_w3c(struct access *a, struct str line, struct access_row *r);
bool access_read_alb(struct access *a, struct str line, struct access_row *r);
bool access_read_haproxy(struct access *a, struct str line, struct access_row *r);
bool access_read_json(struct access *a, struct str line, struct access_row *r);
bool access_read_own(struct access *a, struct str line, struct access_row *r);
/* The line that a container's log, a collector of logs or journald keep in an object of JSON, such
 * as {"log":"LINE\n","stream":"stdout"}. Other lines stay as they are. */
struct str access_unwrapped(struct access *a, struct str line);
void access_forget_wrapper(struct access *a);
void access_forget_tree(struct access *a);
void access_forget_notation(struct access *a);

#define ADDRESS_TEXT 46
/* Reads an address and writes it in its usual form, without port, brackets and zone. */
bool access_address(struct str s, char out[ADDRESS_TEXT]);
/* Cuts the next word behind blanks. False: there is none. */
bool access_word(struct str *rest, struct str *out);
/* Cuts what stands between quotes. A backslash keeps the next sign from closing them. */
bool access_quoted(struct str *rest, struct str *out);
/* Room in the scratch that does not move. A line has four times its length of it. NULL: no room. */
char *access_room(struct access *a, size_t n);
/* Turns %HH into bytes, in the scratch. What is no %HH stays. */
struct str access_unpercent(struct access *a, struct str s);
/* Writes an address in its usual form. False: it is all zero, which is nobody's. */
bool access_written(const uint8_t b[16], char out[ADDRESS_TEXT]);
/* Turns what httpd and nginx write for bytes that cannot stand in a log into those bytes, in the
 * scratch. */
struct str access_unescaped(struct access *a, struct str s);
/* Could it be a host, with or without a port? */
bool access_host_like(struct str s, bool *port);

#endif

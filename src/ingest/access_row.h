/* What the readers of the forms share. */
#ifndef CRUMB_SRC_INGEST_ACCESS_ROW_H
#define CRUMB_SRC_INGEST_ACCESS_ROW_H

#include "crumb/ingest/access.h"

enum access_field {
	F_ADDRESS,   /* who asked, or a list with the proxies */
	F_FORWARDED, /* what a proxy says of who asked: believed if the address is one of ours */
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
	struct str f[FIELDS];  /* n 0: it is not there */
	bool escaped;	       /* \xHH and \" stand for bytes */
	bool nothing;	       /* a comment */
	bool plus;	       /* blanks are written as plus signs */
	const char *time_form; /* of strptime(); NULL: one that is known */
};

/* A row of the table of names: where a field goes, and which of two of the same is taken (the
 * smaller). F_NONE: unknown. */
enum access_field access_field_named(struct str name, unsigned *rank);

bool access_read_combined(struct access *a, struct str line, struct access_row *r);
bool access_read_w3c(struct access *a, struct str line, struct access_row *r);
bool access_read_alb(struct access *a, struct str line, struct access_row *r);
bool access_read_haproxy(struct access *a, struct str line, struct access_row *r);
bool access_read_json(struct access *a, struct str line, struct access_row *r);
bool access_read_own(struct access *a, struct str line, struct access_row *r);
/* What a container's log, a collector of logs or journald keep in an object of JSON:
 * {"log":"LINE\n","stream":"stdout"}. Others stay as they are. */
struct str access_unwrapped(struct access *a, struct str line);
void access_forget_wrapper(struct access *a);
void access_forget_tree(struct access *a);
void access_forget_notation(struct access *a);

#define ADDRESS_TEXT 46
/* One address in its usual writing, without port, brackets and zone. */
bool access_address(struct str s, char out[ADDRESS_TEXT]);
/* The next word behind blanks; false: there is none. */
bool access_word(struct str *rest, struct str *out);
/* Between quotes; a backslash keeps the next sign from closing them. */
bool access_quoted(struct str *rest, struct str *out);
/* Room in the scratch that does not move: at most as many bytes as the line has, twice. NULL: no
 * memory. */
char *access_room(struct access *a, size_t n);
/* %HH to bytes, in the scratch; what is none stays. */
struct str access_unpercent(struct access *a, struct str s);
/* The usual writing of an address; false: it is that of nobody, all zero. */
bool access_written(const uint8_t b[16], char out[ADDRESS_TEXT]);
/* What httpd and nginx write for bytes that are none of a log, as those bytes, in the scratch. */
struct str access_unescaped(struct access *a, struct str s);
/* Could it be a host, with a port behind it or not? */
bool access_host_like(struct str s, bool *port);

#endif

/* Who asks the admin listener, and whether from where it may be asked.
 *
 *     Authorization: Bearer TOKEN ──► hash ──► admin.token, or a token of admin.tokens ──► caller
 *     Cookie: crumb_admin=SECRET ───► session ──► hash of the token it was made with ───┘
 *
 * A session says nothing but which token it was made with. So it ends with that token, and never
 * may more than that. The file of tokens is looked at (stat) before a token of it is taken, and
 * read when it has changed: `crumb token` has effect with the next request. While the file cannot
 * be read none of its tokens is taken; admin.token, which does not stand in it, is.
 *
 * All of it is the main thread's. */
#ifndef CRUMB_SRC_ADMIN_CALLER_H
#define CRUMB_SRC_ADMIN_CALLER_H

#include "sessions.h"
#include "wrong.h"

#include <sys/stat.h>

#define SESSION_S (12 * 3600) /* a session ends so long after it began */
#define LINK_S 600	      /* a one-time link is good for so long */
#define COOKIE_NAME "crumb_admin"

struct caller {
	enum route_role role;
	char who[WHO_MOST + 1];
	uint8_t token[TOKEN_HASH]; /* hash of the token */
	uint32_t until;		   /* when the session ends; 0: it was the token itself */
};

struct callers {
	uint8_t operator_token[TOKEN_HASH]; /* hash of admin.token */
	struct tokens tokens;		    /* as they were read last */
	struct stat seen;  /* of the file as it was read; st_ino 0: there was none */
	char trouble[400]; /* why no token of the file is taken; "": they are */
	struct sessions sessions, links;
	struct wrong wrong;
};

/* Takes the hash of admin.token, and reads the others. */
void callers_start(struct admin *a, const char *operator_token);
void callers_end(struct admin *a);
/* Reads the file of tokens if it has changed. */
void callers_look(struct admin *a);
/* Why no token but admin.token is taken; "": they are. */
const char *callers_trouble(struct admin *a);

/* False: the request has no token or session that is good. */
bool caller_of(struct admin *a, const struct http_request *r, struct caller *out);
/* Whose token is it? */
bool caller_by_token(struct admin *a, struct str token, struct caller *out);
bool caller_by_hash(struct admin *a, const uint8_t hash[TOKEN_HASH], struct caller *out);
/* Did a token come with the request, right or wrong? */
bool caller_bears(const struct http_request *r);
/* Ends the sessions whose cookies the request has. */
void caller_leave(struct admin *a, const struct http_request *r);
/* A wrong token came with this request: counts it. */
enum wrong_how caller_wrong(struct admin *a, const struct http_request *r);
/* Does the browser speak TLS, as far as a trusted proxy says? */
bool caller_secure(const struct admin *a, const struct http_request *r);

/* --- asked_at.c */
/* Is it our address that was asked, or a name of admin.hosts? A request without Host, which no
 * browser sends, is. */
bool asked_at_us(const struct admin *a, const struct http_request *r);
/* Does the request come from no page, or from one of ours? */
bool asked_from_us(const struct admin *a, const struct http_request *r);

#endif

/* The tokens that open the admin listener beside `admin.token`: the store's file `admin.tokens`,
 * 0600, beside `keys`. `crumb token` writes it; a running server looks at each request whether it
 * has changed.
 *
 *     crumb tokens 1
 *     anna marketer 2026-11-27 64 hexadecimal digits       name, role, day it was made, hash
 *     check 16 hexadecimal digits                           (disk/checked.h)
 *
 * A token is 256 random bits, and the file has its BLAKE2b hash. A slow hash with salt, as for
 * passwords, would add nothing: nobody can try 2^256 tokens, whatever one try costs, and no two
 * tokens are alike. So whoever reads the file, or a backup of it, cannot sign in with it.
 *
 * Any thread; nothing is shared. Two commands that write at a time wait for each other. */
#ifndef CRUMB_ADMIN_TOKENS_H
#define CRUMB_ADMIN_TOKENS_H

#include "crumb/admin/route.h"

#define TOKENS_MOST 1000
#define TOKEN_HASH 32 /* bytes; BLAKE2b */
#define TOKEN_TEXT 44 /* a token as text: 43 characters of base64url, and a zero */
#define WHO_MOST 63   /* bytes of a name */
/* The name of whoever has `admin.token`; nobody else may be called so. */
#define WHO_OPERATOR "operator"

struct token {
	char name[WHO_MOST + 1];
	enum route_role role;
	uint16_t day;
	uint8_t hash[TOKEN_HASH];
};
struct tokens { /* zeroed: none */
	struct token *v;
	size_t n, cap;
};

const char *role_name(enum route_role role);
bool role_read(struct str word, enum route_role *out); /* viewer, marketer, operator */

/* A fresh secret, and its hash. */
void token_make(char text[TOKEN_TEXT], uint8_t hash[TOKEN_HASH]);
void token_hash(struct str text, uint8_t out[TOKEN_HASH]);

/* Where the file is. */
void tokens_path(const char *store, char out[4096]);
/* Replaces *out by what the file has; none where there is no file. ERR_CORRUPT: it is not what was
 * written. ERR_IO: it cannot be read. ERR_NOMEM. */
enum err tokens_read(const char *store, struct tokens *out) MUST_CHECK;
void tokens_done(struct tokens *t);
/* Makes a token, and notes its hash. ERR_USAGE: the name is taken, or none; ERR_FULL: there are
 * TOKENS_MOST; ERR_NOT_FOUND: there is no store. */
enum err tokens_add(const char *store, struct str name, enum route_role role, uint16_t day,
    char text[TOKEN_TEXT]) MUST_CHECK;
enum err tokens_remove(const char *store, struct str name) MUST_CHECK; /* ERR_NOT_FOUND */

/* By hash, in a time that tells nothing of the hashes. NULL: there is none. */
const struct token *tokens_find(const struct tokens *t, const uint8_t hash[TOKEN_HASH]);
const struct token *tokens_named(const struct tokens *t, struct str name);

#endif

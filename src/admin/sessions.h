/* Secrets that are made for a while and kept in memory only: sessions of browsers, and one-time
 * links.
 *
 *     secret (43 characters of base64url) ──► hash │ token it was made with │ until when
 *
 * Only hashes are kept, so a copy of the memory signs nobody in. All are compared, in constant
 * time. At most SESSIONS_MOST: for one more the oldest of the token that has most goes. A secret
 * does not say who may what; that is asked of its token at each request, so it ends with the token.
 *
 * The main thread's; a zeroed struct has none. 8 kB each. */
#ifndef CRUMB_SRC_ADMIN_SESSIONS_H
#define CRUMB_SRC_ADMIN_SESSIONS_H

#include "crumb/admin/tokens.h"

#define SESSIONS_MOST 100

struct session {
	uint8_t hash[TOKEN_HASH];
	uint8_t token[TOKEN_HASH]; /* hash of the token that it was made with */
	uint32_t until;		   /* clock_now(); 0: this place is free */
	uint64_t order;		   /* grows with each one that is made */
};
struct sessions {
	struct session v[SESSIONS_MOST];
	uint64_t order;
};

/* Makes one; `secret` is what its owner gets. */
void sessions_begin(
    struct sessions *s, const uint8_t token[TOKEN_HASH], uint32_t until, char secret[TOKEN_TEXT]);
/* NULL: there is none, or it is over. Valid until the next call. */
const struct session *sessions_find(const struct sessions *s, struct str secret, uint32_t now);
/* The same, and it is over from now on. False: there was none. */
bool sessions_spend(struct sessions *s, struct str secret, uint32_t now, struct session *out);

#endif

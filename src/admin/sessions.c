/* Sessions and one-time links: a hundred places, searched one after the other. */
#include "sessions.h"

#include <sodium.h>

static size_t how_many(const struct sessions *s, const uint8_t token[TOKEN_HASH])
{
	size_t n = 0;
	for (int i = 0; i < SESSIONS_MOST; i++)
		n += s->v[i].until && memcmp(s->v[i].token, token, TOKEN_HASH) == 0;
	return n;
}

/* A free place, or the oldest of the token that has most: whoever signs in again and again ends
 * sessions of their own. */
static struct session *free_place(struct sessions *s)
{
	struct session *found = NULL;
	size_t most = 0;
	for (int i = 0; i < SESSIONS_MOST; i++) {
		struct session *one = &s->v[i];
		if (!one->until)
			return one;
		size_t n = how_many(s, one->token);
		if (n > most || (n == most && one->order < found->order)) {
			found = one;
			most = n;
		}
	}
	return found;
}

void sessions_begin(
    struct sessions *s, const uint8_t token[TOKEN_HASH], uint32_t until, char secret[TOKEN_TEXT])
{
	struct session *one = free_place(s);
	token_make(secret, one->hash);
	memcpy(one->token, token, TOKEN_HASH);
	one->until = until;
	one->order = ++s->order;
}

const struct session *sessions_find(const struct sessions *s, struct str secret, uint32_t now)
{
	uint8_t hash[TOKEN_HASH];
	const struct session *found = NULL;
	token_hash(secret, hash);
	for (int i = 0; i < SESSIONS_MOST; i++)
		if (sodium_memcmp(s->v[i].hash, hash, TOKEN_HASH) == 0 && s->v[i].until > now)
			found = &s->v[i];
	return found;
}

bool sessions_spend(struct sessions *s, struct str secret, uint32_t now, struct session *out)
{
	const struct session *found = sessions_find(s, secret, now);
	if (!found)
		return false;
	*out = *found;
	s->v[found - s->v] = (struct session){.until = 0};
	return true;
}

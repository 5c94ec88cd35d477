/* The walk over a shard's table of visitors: a cursor that can begin behind a key, and that passes
 * over what is no visitor's key. */
#include "crumb/store/each_stored.h"

void each_stored_begin(
    struct each_stored *w, struct shard *s, struct db_txn *t, const struct vkey *after)
{
	*w = (struct each_stored){.shard = s, .resumes = after != NULL};
	if (after)
		w->key = *after;
	db_walk(t, s->visitors, &w->cursor);
}

/* The visitor whom the walk resumes behind may have gone meanwhile. */
static bool behind(struct each_stored *w, struct str *key)
{
	w->resumes = false;
	if (!db_seek(&w->cursor, vkey_str(&w->key), key, &w->bytes))
		return false;
	return !str_eq(*key, vkey_str(&w->key)) || db_next(&w->cursor, key, &w->bytes);
}

/* A key of another length cannot be a visitor's: it is noted as damage, and the walk goes on. */
bool each_stored(struct each_stored *w)
{
	struct str key;
	for (;;) {
		w->there = w->resumes ? behind(w, &key) : db_next(&w->cursor, &key, &w->bytes);
		if (!w->there)
			return false;
		if (key.n == sizeof w->key.b)
			break;
		w->misfits++;
		shard_bad_profile(w->shard);
	}
	memcpy(w->key.b, key.p, sizeof w->key.b);
	return true;
}

int each_stored_order(const struct each_stored *a, const struct each_stored *b)
{
	if (!a->there || !b->there)
		return a->there ? -1 : 1;
	return memcmp(a->key.b, b->key.b, sizeof a->key.b);
}

void each_stored_end(struct each_stored *w)
{
	db_walk_end(&w->cursor);
}

/* Partners' ids for visitors, in both directions: a visitor's row leads from the visitor to the id,
 * and the other row from the id to the visitor. Every match is in both or in neither, since both
 * are written in one transaction.
 *
 *     'v' │ visitor 16 │ partner              →  t u32 │ id
 *     'p' │ partner │ 0 │ id │ 0 │ visitor 16  →  t u32
 *
 * A visitor has one id at a partner: a later match replaces it. An id may have several visitors;
 * the one who was matched last is meant. Neither partner nor id has a zero byte, so that the parts
 * of the second key cannot be taken for one another. */
#include "crumb/base/code.h"
#include "crumb/store/shard.h"

enum {
	FORWARD_LEN = 1 + 16, /* of a visitor's row, before the partner */
	MATCH_KEY_MAX = 1 + MATCH_PARTNER_MAX + 1 + PARTNER_ID_MAX + 1 + 16,
	FORGET_AT_ONCE = 8
};

static struct str bytes(const uint8_t *p, size_t n)
{
	return str_make((const char *)p, n);
}

/* The key of the visitor's row: with an empty partner, the beginning of all of them. */
static struct str forward_key(uint8_t *b, const struct vkey *k, struct str partner)
{
	b[0] = 'v';
	memcpy(b + 1, k->b, sizeof k->b);
	if (partner.n)
		memcpy(b + FORWARD_LEN, partner.p, partner.n);
	return bytes(b, FORWARD_LEN + partner.n);
}

/* The key of the other row, up to and with the zero behind the id; the visitor follows. */
static size_t reverse_prefix(uint8_t *b, struct str partner, struct str id)
{
	uint8_t *at = b;
	*at++ = 'p';
	memcpy(at, partner.p, partner.n);
	at += partner.n;
	*at++ = 0;
	memcpy(at, id.p, id.n);
	at += id.n;
	*at++ = 0;
	return (size_t)(at - b);
}

static struct str reverse_key(uint8_t *b, struct str partner, struct str id, const struct vkey *k)
{
	size_t n = reverse_prefix(b, partner, id);
	memcpy(b + n, k->b, sizeof k->b);
	return bytes(b, n + sizeof k->b);
}

/* A visitor's row as a match. False: it is none that shard_match_put() writes. */
static bool match_read(struct str key, struct str value, struct match_row *out)
{
	if (key.n <= FORWARD_LEN || key.n - FORWARD_LEN > sizeof out->partner || value.n <= 4 ||
	    value.n - 4 > sizeof out->id)
		return false;
	out->partner_n = (unsigned)(key.n - FORWARD_LEN);
	memcpy(out->partner, key.p + FORWARD_LEN, out->partner_n);
	out->id_n = (unsigned)value.n - 4;
	memcpy(out->id, value.p + 4, out->id_n);
	out->t = get_u32((const uint8_t *)value.p);
	return true;
}

/* Removes a match in both directions. */
static void match_del(
    struct shard *s, struct db_txn *t, const struct vkey *k, const struct match_row *m)
{
	uint8_t b[MATCH_KEY_MAX];
	struct str partner = str_make(m->partner, m->partner_n);
	db_del(t, s->partners, reverse_key(b, partner, str_make(m->id, m->id_n), k));
	db_del(t, s->partners, forward_key(b, k, partner));
}

void shard_match_put(struct shard *s, struct db_txn *t, const struct vkey *k, struct str partner,
    struct str id, uint32_t at)
{
	uint8_t b[MATCH_KEY_MAX], v[4 + PARTNER_ID_MAX];
	struct match_row old;
	if (partner.n == 0 || partner.n > sizeof old.partner || id.n == 0 || id.n > sizeof old.id)
		return;
	if (shard_match(s, t, k, partner, 0, &old)) {
		if (old.t > at)
			return;
		match_del(s, t, k, &old);
	}
	put_u32(v, at);
	memcpy(v + 4, id.p, id.n);
	db_put(t, s->partners, forward_key(b, k, partner), bytes(v, 4 + id.n));
	db_put(t, s->partners, reverse_key(b, partner, id, k), bytes(v, 4));
}

bool shard_match(struct shard *s, struct db_txn *t, const struct vkey *k, struct str partner,
    uint32_t oldest, struct match_row *out)
{
	uint8_t b[MATCH_KEY_MAX];
	struct str value, key;
	if (partner.n > sizeof out->partner)
		return false;
	key = forward_key(b, k, partner);
	return db_get(t, s->partners, key, &value) && match_read(key, value, out) &&
	       out->t >= oldest;
}

unsigned shard_matches(struct shard *s, struct db_txn *t, const struct vkey *k, uint32_t oldest,
    struct match_row *out, unsigned cap)
{
	uint8_t b[MATCH_KEY_MAX];
	struct db_cursor c;
	struct str prefix = forward_key(b, k, STR("")), key, value;
	unsigned n = 0;
	db_walk(t, s->partners, &c);
	for (bool more = db_seek(&c, prefix, &key, &value);
	     more && n < cap && str_starts(key, prefix); more = db_next(&c, &key, &value))
		n += match_read(key, value, &out[n]) && out[n].t >= oldest;
	db_walk_end(&c);
	return n;
}

bool shard_match_visitor(struct shard *s, struct db_txn *t, struct str partner, struct str id,
    uint32_t oldest, struct vkey *out, uint32_t *at)
{
	uint8_t b[MATCH_KEY_MAX];
	struct db_cursor c;
	struct str key, value;
	bool found = false;
	if (partner.n == 0 || partner.n > MATCH_PARTNER_MAX || id.n == 0 || id.n > PARTNER_ID_MAX)
		return false;
	struct str prefix = bytes(b, reverse_prefix(b, partner, id));
	db_walk(t, s->partners, &c);
	for (bool more = db_seek(&c, prefix, &key, &value); more && str_starts(key, prefix);
	     more = db_next(&c, &key, &value)) {
		if (key.n != prefix.n + sizeof out->b || value.n != 4)
			continue;
		uint32_t when = get_u32((const uint8_t *)value.p);
		if (when < oldest || (found && when < *at))
			continue;
		memcpy(out->b, key.p + prefix.n, sizeof out->b);
		*at = when;
		found = true;
	}
	db_walk_end(&c);
	return found;
}

void shard_match_forget(struct shard *s, struct db_txn *t, const struct vkey *k)
{
	struct match_row rows[FORGET_AT_ONCE];
	for (unsigned n = FORGET_AT_ONCE; n == FORGET_AT_ONCE && db_count(t, s->partners);) {
		n = shard_matches(s, t, k, 0, rows, FORGET_AT_ONCE);
		for (unsigned i = 0; i < n; i++)
			match_del(s, t, k, &rows[i]);
	}
}

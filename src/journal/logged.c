/* Records on a log outside: a block with another place, under another key. */
#include "logged.h"

#include "crumb/base/code.h"

#define CONTEXT "crumb log record 1"
#define PLACE ((size_t)LOGGED_HEAD_LEN + LOGGED_KEY_LEN)
_Static_assert(PLACE <= PLACE_MOST, "the place of a record fits");

void logged_key(const uint8_t day_key[32], uint8_t out[32])
{
	crypto_generichash(out, 32, (const uint8_t *)CONTEXT, sizeof CONTEXT - 1, day_key, 32);
}

void logged_id_save(struct logged_id id, uint8_t out[LOGGED_KEY_LEN])
{
	put_u64(out, id.life);
	put_u64(out + 8, id.counter);
}

enum err logged_make(struct sealer *x, const struct journal_block *b, struct logged_id id,
    const uint8_t key[32], const uint8_t rules_hash[16], struct buf *value)
{
	uint8_t place[PLACE];
	place[0] = LOGGED_VERSION;
	put_u16(place + 1, b->shard);
	put_u16(place + 3, b->day);
	logged_id_save(id, place + LOGGED_HEAD_LEN);
	enum err e = sealed_make(x, b, key, sealed_bytes(place, PLACE), rules_hash);
	if (e)
		return e;
	if (!buf_reserve(value, LOGGED_HEAD_LEN + x->sealed.n))
		return err_set(ERR_NOMEM, "journal: a record of %zu bytes", x->sealed.n);
	buf_str(value, sealed_bytes(place, LOGGED_HEAD_LEN));
	buf_str(value, buf_view(&x->sealed));
	return OK;
}

enum err logged_peek(struct str key, struct str value, struct logged_head *out)
{
	const uint8_t *k = (const uint8_t *)key.p, *v = (const uint8_t *)value.p;
	if (key.n != LOGGED_KEY_LEN ||
	    value.n < LOGGED_HEAD_LEN + HEADER_LEN + NONCE_LEN + TAG_LEN || v[0] != LOGGED_VERSION)
		return err_set(ERR_CORRUPT, "journal: these bytes are no record of the log");
	struct str block = str_skip(value, LOGGED_HEAD_LEN);
	out->id = (struct logged_id){get_u64(k), get_u64(k + 8)};
	out->shard = get_u16(v + 1);
	out->day = get_u16(v + 3);
	out->count = sealed_count(block);
	memcpy(out->rules_hash, sealed_rules(block), sizeof out->rules_hash);
	return OK;
}

enum err logged_open(struct opener *x, const uint8_t day_key[32], struct str key, struct str value,
    struct buf *records)
{
	uint8_t place[PLACE];
	uint32_t count;
	if (key.n != LOGGED_KEY_LEN || value.n < LOGGED_HEAD_LEN || *value.p != LOGGED_VERSION)
		return err_set(ERR_CORRUPT, "journal: these bytes are no record of the log");
	memcpy(place, value.p, LOGGED_HEAD_LEN);
	memcpy(place + LOGGED_HEAD_LEN, key.p, LOGGED_KEY_LEN);
	return sealed_open(x, day_key, sealed_bytes(place, PLACE), str_skip(value, LOGGED_HEAD_LEN),
	    records, &count);
}

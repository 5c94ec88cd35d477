/* Tables of a shard: how keys and values are written and read. Every function is one step in its
 * caller's transaction, and leaves the error there (t->err). shard.h has the table of tables. */
#include "crumb/store/shard.h"

#include "crumb/base/code.h"
#include "crumb/base/memory.h"
#include "crumb/core/metric.h"

#define ORDINAL_REST_HOURS 24 /* before an ordinal is given to another visitor */
#define TABLES_MOST 16

static struct str shard_bytes(const uint8_t *p, size_t n)
{
	return str_make((const char *)p, n);
}

static struct str key_u16(uint8_t *b, uint16_t a)
{
	put_u16(b, a);
	return shard_bytes(b, 2);
}

static struct str key_u32u32(uint8_t *b, uint32_t hi, uint32_t lo)
{
	put_u32(b, hi);
	put_u32(b + 4, lo);
	return shard_bytes(b, 8);
}

enum err shard_open(
    struct shard *s, const char *folder, unsigned number, size_t map_bytes, enum db_access access)
{
	*s = (struct shard){.number = number};
	enum err e = db_open(
	    &s->db, folder, map_bytes, TABLES_MOST, access == DB_READ ? DB_READONLY : DB_REBUILT);
	if (e)
		return e;
	const struct {
		const char *name;
		db_table *table;
	} tables[] = {{"visitors", &s->visitors}, {"ordinals", &s->ordinals}, {"free", &s->free},
	    {"due", &s->due}, {"members", &s->members}, {"provisional", &s->provisional},
	    {"prov_hours", &s->prov_hours}, {"tombstones", &s->tombstones},
	    {"partners", &s->partners}, {"changes", &s->changes}, {"names", &s->names},
	    {"counts", &s->counts}, {"daily", &s->daily}, {"meta", &s->meta}};
	struct db_txn t;
	if ((e = db_begin(&s->db, access, &t)))
		goto out;
	for (size_t i = 0; i < sizeof tables / sizeof tables[0] && !e; i++)
		e = db_open_table(&t, tables[i].name, tables[i].table);
	uint64_t schema = SHARD_SCHEMA;
	if (!e && !shard_meta_u64(s, &t, "schema", &schema) && access == DB_WRITE)
		shard_meta_put_u64(s, &t, "schema", schema);
	if (!e && schema != SHARD_SCHEMA)
		e = err_set(ERR_CORRUPT, "%s: written by another version of crumb (schema %llu)",
		    folder, (unsigned long long)schema);
	if (e) {
		db_abort(&t);
		goto out;
	}
	/* handles of tables stay valid only if the transaction that opened them commits */
	e = db_end(&t);
out:
	if (e)
		shard_close(s);
	return e;
}

void shard_close(struct shard *s)
{
	db_close(&s->db);
}

/* The name is store id 16 │ generation u32 │ shard u16. A store of an older crumb has no id, and
 * its shards have no names. */
enum err shard_belongs(struct shard *s, const struct shard_name *name, enum db_access access)
{
	static const uint8_t none[STORE_ID_LEN];
	uint8_t b[STORE_ID_LEN + 4 + 2];
	struct str has;
	struct db_txn t;
	memcpy(b, name->store, STORE_ID_LEN);
	put_u32(b + STORE_ID_LEN, name->generation);
	put_u16(b + STORE_ID_LEN + 4, (uint16_t)name->shard);
	if (memcmp(b, none, STORE_ID_LEN) == 0)
		return OK;
	enum err e = db_begin(&s->db, DB_READ, &t);
	if (e)
		return e;
	bool named = db_get(&t, s->meta, STR("name"), &has),
	     same = named && has.n == sizeof b && memcmp(has.p, b, sizeof b) == 0;
	e = t.err;
	if (!e && named && !same)
		e = err_set(ERR_CORRUPT,
		    "the views of shard %u are another store's or another shard's", s->number);
	db_abort(&t);
	if (e || named || access == DB_READ || (e = db_begin(&s->db, DB_WRITE, &t)))
		return e;
	db_put(&t, s->meta, STR("name"), shard_bytes(b, sizeof b));
	return db_end(&t);
}

void shard_clear(struct shard *s, struct db_txn *t)
{
	const db_table of_visitors[] = {s->visitors, s->ordinals, s->free, s->due, s->members,
	    s->provisional, s->prov_hours, s->tombstones, s->partners, s->changes, s->counts,
	    s->daily};
	const struct str states[] = {
	    STR("part"), STR("fill"), STR("next_ordinal"), STR("changes"), STR("since")};
	for (size_t i = 0; i < sizeof of_visitors / sizeof *of_visitors; i++)
		db_clear(t, of_visitors[i]);
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		db_del(t, s->meta, states[i]);
}

bool shard_meta_u64(struct shard *s, struct db_txn *t, const char *name, uint64_t *out)
{
	struct str v;
	if (!db_get(t, s->meta, str_c(name), &v) || v.n != 8)
		return false;
	*out = get_u64((const uint8_t *)v.p);
	return true;
}

void shard_meta_put_u64(struct shard *s, struct db_txn *t, const char *name, uint64_t v)
{
	uint8_t b[8];
	put_u64(b, v);
	db_put(t, s->meta, str_c(name), shard_bytes(b, 8));
}

bool shard_watermark(struct shard *s, struct db_txn *t, struct journal_pos *out)
{
	uint64_t saved = 0;
	bool known = shard_meta_u64(s, t, "watermark", &saved);
	*out = journal_pos_load(saved);
	return known;
}

void shard_watermark_put(struct shard *s, struct db_txn *t, struct journal_pos at)
{
	shard_meta_put_u64(s, t, "watermark", journal_pos_save(at));
}

bool shard_unfinished(struct shard *s, struct db_txn *t, struct journal_pos *target, uint64_t *next)
{
	struct str v;
	if (!db_get(t, s->meta, STR("part"), &v) || v.n != 16)
		return false;
	*target = journal_pos_load(get_u64((const uint8_t *)v.p));
	*next = get_u64((const uint8_t *)v.p + 8);
	return true;
}

void shard_unfinished_put(
    struct shard *s, struct db_txn *t, struct journal_pos target, uint64_t next)
{
	uint8_t b[16];
	put_u64(b, journal_pos_save(target));
	put_u64(b + 8, next);
	db_put(t, s->meta, STR("part"), shard_bytes(b, 16));
}

void shard_unfinished_done(struct shard *s, struct db_txn *t)
{
	db_del(t, s->meta, STR("part"));
}

void shard_bad_profile(struct shard *s)
{
	if (memory_short())
		return; /* there was no memory to decode it: that says nothing of its bytes */
	metric_inc(M_PROFILES_BAD);
	db_found_damage(&s->db);
}

bool shard_profile(struct shard *s, struct db_txn *t, const struct vkey *k, struct profile *out)
{
	struct str v;
	out->bad = false;
	if (!db_get(t, s->visitors, vkey_str(k), &v))
		return false;
	if (profile_load(out, v))
		return true;
	shard_bad_profile(s);
	profile_clear(out);
	out->bad = true;
	return false;
}

void shard_profile_put(struct shard *s, struct db_txn *t, const struct vkey *k,
    const struct profile *p, struct buf *scratch)
{
	buf_clear(scratch);
	profile_save(p, scratch);
	(s->appending ? db_append : db_put)(t, s->visitors, vkey_str(k), buf_view(scratch));
}

/* `free` is in order of hours, so that its first entry has rested longest. The key is copied before
 * it is deleted: it is LMDB's memory. */
uint32_t shard_ordinal_take(struct shard *s, struct db_txn *t, uint32_t hour, const struct vkey *k)
{
	uint8_t b[4];
	uint32_t ordinal = UINT32_MAX;
	struct db_cursor c;
	struct str key, value;
	db_walk(t, s->free, &c);
	bool rested = db_next(&c, &key, &value) && key.n == 8 &&
		      get_u32((const uint8_t *)key.p) + ORDINAL_REST_HOURS <= hour;
	if (rested)
		ordinal = get_u32((const uint8_t *)key.p + 4);
	uint8_t taken[8];
	if (rested)
		memcpy(taken, key.p, 8);
	db_walk_end(&c);
	if (rested) {
		db_del(t, s->free, shard_bytes(taken, 8));
	} else {
		uint64_t next = 0;
		shard_meta_u64(s, t, "next_ordinal", &next);
		if (next >= UINT32_MAX)
			return UINT32_MAX;
		ordinal = (uint32_t)next;
		shard_meta_put_u64(s, t, "next_ordinal", next + 1);
	}
	put_u32(b, ordinal);
	db_put(t, s->ordinals, shard_bytes(b, 4), vkey_str(k));
	return ordinal;
}

void shard_ordinal_free(struct shard *s, struct db_txn *t, uint32_t hour, uint32_t ordinal)
{
	uint8_t b[8];
	put_u32(b, ordinal);
	db_del(t, s->ordinals, shard_bytes(b, 4));
	shard_ordinal_rest(s, t, hour, ordinal);
}

void shard_ordinal_keep(struct shard *s, struct db_txn *t, uint32_t ordinal, const struct vkey *k)
{
	uint8_t b[4];
	put_u32(b, ordinal);
	db_put(t, s->ordinals, shard_bytes(b, 4), vkey_str(k));
}

void shard_ordinal_rest(struct shard *s, struct db_txn *t, uint32_t hour, uint32_t ordinal)
{
	uint8_t b[8];
	db_put(t, s->free, key_u32u32(b, hour, ordinal), STR(""));
}

bool shard_ordinal_key(struct shard *s, struct db_txn *t, uint32_t ordinal, struct vkey *out)
{
	uint8_t b[4];
	struct str v;
	put_u32(b, ordinal);
	if (!db_get(t, s->ordinals, shard_bytes(b, 4), &v) || v.n != sizeof out->b)
		return false;
	memcpy(out->b, v.p, sizeof out->b);
	return true;
}

void shard_due_move(
    struct shard *s, struct db_txn *t, uint32_t ordinal, uint32_t from_hour, uint32_t to_hour)
{
	uint8_t b[8];
	if (from_hour == to_hour)
		return;
	if (from_hour)
		db_del(t, s->due, key_u32u32(b, from_hour, ordinal));
	if (to_hour)
		db_put(t, s->due, key_u32u32(b, to_hour, ordinal), STR(""));
}

bool shard_due_first(struct shard *s, struct db_txn *t, uint32_t hour, uint32_t ordinal,
    uint32_t *due_hour, uint32_t *due_ordinal)
{
	uint8_t b[8];
	struct db_cursor c;
	struct str key, value;
	db_walk(t, s->due, &c);
	bool found = db_seek(&c, key_u32u32(b, hour, ordinal), &key, &value) && key.n == 8;
	if (found) {
		*due_hour = get_u32((const uint8_t *)key.p);
		*due_ordinal = get_u32((const uint8_t *)key.p + 4);
	}
	db_walk_end(&c);
	return found;
}

static uint64_t counter(struct db_txn *t, db_table table, struct str key)
{
	struct str v;
	return db_get(t, table, key, &v) && v.n == 8 ? get_u64((const uint8_t *)v.p) : 0;
}

static void counter_add(struct db_txn *t, db_table table, struct str key, int64_t by)
{
	uint8_t b[8];
	uint64_t sum = counter(t, table, key) + (uint64_t)by;
	put_u64(b, sum);
	if (sum)
		db_put(t, table, key, shard_bytes(b, 8));
	else
		db_del(t, table, key);
}

uint64_t shard_count(struct shard *s, struct db_txn *t, uint16_t category)
{
	uint8_t b[2];
	return counter(t, s->counts, key_u16(b, category));
}

void shard_count_add(struct shard *s, struct db_txn *t, uint16_t category, int64_t by)
{
	uint8_t b[2];
	counter_add(t, s->counts, key_u16(b, category), by);
}

uint64_t shard_events(struct shard *s, struct db_txn *t, uint16_t day)
{
	uint8_t b[3] = {(uint8_t)(day >> 8), (uint8_t)day, 'e'};
	return counter(t, s->daily, shard_bytes(b, 3));
}

void shard_events_add(struct shard *s, struct db_txn *t, uint16_t day, int64_t by)
{
	uint8_t b[3] = {(uint8_t)(day >> 8), (uint8_t)day, 'e'};
	counter_add(t, s->daily, shard_bytes(b, 3), by);
}

uint64_t shard_events_since(struct shard *s, struct db_txn *t, uint16_t oldest)
{
	uint64_t sum = 0;
	uint8_t b[2];
	struct db_cursor c;
	struct str key, value;
	db_walk(t, s->daily, &c);
	for (bool more = db_seek(&c, key_u16(b, oldest), &key, &value); more;
	     more = db_next(&c, &key, &value))
		if (key.n == 3 && key.p[2] == 'e' && value.n == 8)
			sum += get_u64((const uint8_t *)value.p);
	db_walk_end(&c);
	return sum;
}

void shard_daily_segment(struct shard *s, struct db_txn *t, uint16_t day, uint16_t segment,
    const struct daily_segment *change)
{
	uint8_t k[5] = {(uint8_t)(day >> 8), (uint8_t)day, 's', (uint8_t)(segment >> 8),
	    (uint8_t)segment},
		v[16];
	struct str old;
	struct daily_segment sum = *change;
	if (db_get(t, s->daily, shard_bytes(k, 5), &old) && old.n == 16) {
		sum.entered += get_u32((const uint8_t *)old.p + 8);
		sum.left += get_u32((const uint8_t *)old.p + 12);
	}
	put_u64(v, sum.size);
	put_u32(v + 8, sum.entered);
	put_u32(v + 12, sum.left);
	db_put(t, s->daily, shard_bytes(k, 5), shard_bytes(v, 16));
}

bool shard_daily_get(
    struct shard *s, struct db_txn *t, uint16_t day, uint16_t segment, struct daily_segment *out)
{
	uint8_t k[5] = {
	    (uint8_t)(day >> 8), (uint8_t)day, 's', (uint8_t)(segment >> 8), (uint8_t)segment};
	struct str v;
	if (!db_get(t, s->daily, shard_bytes(k, 5), &v) || v.n != 16)
		return false;
	*out = (struct daily_segment){get_u64((const uint8_t *)v.p),
	    get_u32((const uint8_t *)v.p + 8), get_u32((const uint8_t *)v.p + 12)};
	return true;
}

void shard_daily_forget(
    struct shard *s, struct db_txn *t, uint16_t segment, uint16_t from, uint16_t to)
{
	for (uint32_t day = from; day <= to; day++) {
		uint8_t k[5] = {(uint8_t)(day >> 8), (uint8_t)day, 's', (uint8_t)(segment >> 8),
		    (uint8_t)segment};
		db_del(t, s->daily, shard_bytes(k, 5));
	}
}

uint16_t shard_daily_first(struct shard *s, struct db_txn *t)
{
	struct db_cursor c;
	struct str key, value;
	uint16_t day = 0;
	db_walk(t, s->daily, &c);
	while (!day && db_next(&c, &key, &value))
		if (key.n == 5 && key.p[2] == 's')
			day = get_u16((const uint8_t *)key.p);
	db_walk_end(&c);
	return day;
}

/* One entry after the other, from the first: a cursor does not outlive the deletion of its entry.
 */
void shard_daily_expire(struct shard *s, struct db_txn *t, uint16_t oldest)
{
	for (;;) {
		struct db_cursor c;
		struct str key, value;
		uint8_t copy[8];
		db_walk(t, s->daily, &c);
		bool old = db_next(&c, &key, &value) && key.n <= sizeof copy && key.n >= 2 &&
			   get_u16((const uint8_t *)key.p) < oldest;
		size_t n = old ? key.n : 0;
		if (old)
			memcpy(copy, key.p, n);
		db_walk_end(&c);
		if (!old)
			return;
		db_del(t, s->daily, shard_bytes(copy, n));
	}
}

bool shard_provisional(
    struct shard *s, struct db_txn *t, const struct vkey *k, uint32_t *hour, struct str *records)
{
	struct str v;
	if (!db_get(t, s->provisional, vkey_str(k), &v) || v.n < 4)
		return false;
	*hour = get_u32((const uint8_t *)v.p);
	*records = str_skip(v, 4);
	return true;
}

static struct str prov_hour_key(uint8_t b[20], uint32_t hour, const struct vkey *k)
{
	put_u32(b, hour);
	memcpy(b + 4, k->b, sizeof k->b);
	return shard_bytes(b, 20);
}

/* The hour is in both tables: in the visitor's own for the look-up, in the other for the order in
 * which they end. A visitor who is there already is deleted first, by the caller. */
void shard_provisional_put(
    struct shard *s, struct db_txn *t, const struct vkey *k, uint32_t hour, struct str records)
{
	uint8_t b[20];
	struct buf value = {0};
	put_u32(b, hour);
	buf_add(&value, b, 4);
	buf_str(&value, records);
	db_put(t, s->provisional, vkey_str(k), buf_view(&value));
	db_put(t, s->prov_hours, prov_hour_key(b, hour, k), STR(""));
	buf_done(&value);
}

void shard_provisional_del(struct shard *s, struct db_txn *t, const struct vkey *k)
{
	uint8_t b[20];
	uint32_t hour;
	struct str records;
	if (!shard_provisional(s, t, k, &hour, &records))
		return;
	db_del(t, s->provisional, vkey_str(k));
	db_del(t, s->prov_hours, prov_hour_key(b, hour, k));
}

bool shard_provisional_expire_one(struct shard *s, struct db_txn *t, uint32_t before)
{
	struct db_cursor c;
	struct str key, value;
	struct vkey v;
	db_walk(t, s->prov_hours, &c);
	bool old =
	    db_next(&c, &key, &value) && key.n == 20 && get_u32((const uint8_t *)key.p) < before;
	if (old)
		memcpy(v.b, key.p + 4, sizeof v.b);
	db_walk_end(&c);
	if (old)
		shard_provisional_del(s, t, &v);
	return old && !t->err;
}

uint64_t shard_provisional_since(struct shard *s, struct db_txn *t, uint32_t hour)
{
	uint64_t n = 0;
	uint8_t b[4];
	struct db_cursor c;
	struct str key, value;
	put_u32(b, hour);
	db_walk(t, s->prov_hours, &c);
	for (bool more = db_seek(&c, shard_bytes(b, 4), &key, &value); more;
	     more = db_next(&c, &key, &value))
		n++;
	db_walk_end(&c);
	return n;
}

bool shard_tombstone(struct shard *s, struct db_txn *t, const struct vkey *k, uint16_t today)
{
	struct str v;
	return db_get(t, s->tombstones, vkey_str(k), &v) && v.n == 2 &&
	       get_u16((const uint8_t *)v.p) > today;
}

void shard_tombstone_put(struct shard *s, struct db_txn *t, const struct vkey *k, uint16_t until)
{
	uint8_t b[2];
	db_put(t, s->tombstones, vkey_str(k), key_u16(b, until));
}

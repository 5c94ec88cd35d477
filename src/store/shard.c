#include "crumb/store/shard.h"

#include "crumb/base/code.h"
#include "crumb/base/memory.h"
#include "crumb/core/metric.h"

#define ORDINAL_REST_HOURS 24

static struct str view(const uint8_t *p, size_t n)
{
	return str_make((const char *)p, n);
}

static struct str key_u16(uint8_t *b, uint16_t a)
{
	put_u16(b, a);
	return view(b, 2);
}

static struct str key_u32u32(uint8_t *b, uint32_t hi, uint32_t lo)
{
	put_u32(b, hi);
	put_u32(b + 4, lo);
	return view(b, 8);
}

enum err shard_open(
    struct shard *s, const char *folder, unsigned number, size_t map_bytes, enum db_access access)
{
	*s = (struct shard){.number = number};
	enum err e =
	    db_open(&s->db, folder, map_bytes, 16, access == DB_READ ? DB_READONLY : DB_REBUILT);
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

enum err shard_belongs(struct shard *s, const struct shard_name *name, enum db_access access)
{
	static const uint8_t none[16];
	uint8_t b[16 + 4 + 2];
	struct str has;
	struct db_txn t;
	memcpy(b, name->store, 16);
	put_u32(b + 16, name->generation);
	put_u16(b + 20, (uint16_t)name->shard);
	enum err e = memcmp(b, none, 16) == 0 ? OK : db_begin(&s->db, DB_READ, &t);
	if (e || memcmp(b, none, 16) == 0)
		return e;
	bool named = db_get(&t, s->meta, STR("name"), &has),
	     same = named && has.n == sizeof b && memcmp(has.p, b, sizeof b) == 0;
	e = t.err ? t.err
	    : named && !same
		? err_set(ERR_CORRUPT,
		      "the views of shard %u are another store's or another shard's", s->number)
		: OK;
	db_abort(&t);
	if (e || named || access == DB_READ || (e = db_begin(&s->db, DB_WRITE, &t)))
		return e;
	db_put(&t, s->meta, STR("name"), view(b, sizeof b));
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
	db_put(t, s->meta, str_c(name), view(b, 8));
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
	db_put(t, s->meta, STR("part"), view(b, 16));
}

void shard_unfinished_done(struct shard *s, struct db_txn *t)
{
	db_del(t, s->meta, STR("part"));
}

void shard_bad_profile(struct shard *s)
{
	if (memory_short())
		return; /* there was none for it: that says nothing of its bytes */
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
		db_del(t, s->free, view(taken, 8));
	} else {
		uint64_t next = 0;
		shard_meta_u64(s, t, "next_ordinal", &next);
		if (next >= UINT32_MAX)
			return UINT32_MAX;
		ordinal = (uint32_t)next;
		shard_meta_put_u64(s, t, "next_ordinal", next + 1);
	}
	put_u32(b, ordinal);
	db_put(t, s->ordinals, view(b, 4), vkey_str(k));
	return ordinal;
}

void shard_ordinal_free(struct shard *s, struct db_txn *t, uint32_t hour, uint32_t ordinal)
{
	uint8_t b[8];
	put_u32(b, ordinal);
	db_del(t, s->ordinals, view(b, 4));
	shard_ordinal_rest(s, t, hour, ordinal);
}

void shard_ordinal_keep(struct shard *s, struct db_txn *t, uint32_t ordinal, const struct vkey *k)
{
	uint8_t b[4];
	put_u32(b, ordinal);
	db_put(t, s->ordinals, view(b, 4), vkey_str(k));
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
	if (!db_get(t, s->ordinals, view(b, 4), &v) || v.n != sizeof out->b)
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
		db_put(t, table, key, view(b, 8));
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
	return counter(t, s->daily, view(b, 3));
}

void shard_events_add(struct shard *s, struct db_txn *t, uint16_t day, int64_t by)
{
	uint8_t b[3] = {(uint8_t)(day >> 8), (uint8_t)day, 'e'};
	counter_add(t, s->daily, view(b, 3), by);
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
	if (db_get(t, s->daily, view(k, 5), &old) && old.n == 16) {
		sum.entered += get_u32((const uint8_t *)old.p + 8);
		sum.left += get_u32((const uint8_t *)old.p + 12);
	}
	put_u64(v, sum.size);
	put_u32(v + 8, sum.entered);
	put_u32(v + 12, sum.left);
	db_put(t, s->daily, view(k, 5), view(v, 16));
}

bool shard_daily_get(
    struct shard *s, struct db_txn *t, uint16_t day, uint16_t segment, struct daily_segment *out)
{
	uint8_t k[5] = {
	    (uint8_t)(day >> 8), (uint8_t)day, 's', (uint8_t)(segment >> 8), (uint8_t)segment};
	struct str v;
	if (!db_get(t, s->daily, view(k, 5), &v) || v.n != 16)
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
		db_del(t, s->daily, view(k, 5));
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
		db_del(t, s->daily, view(copy, n));
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
	return view(b, 20);
}

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
	for (bool more = db_seek(&c, view(b, 4), &key, &value); more;
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

/* --- partners */

_Static_assert(sizeof((struct match_row *)0)->id == PARTNER_ID_MAX, "a row holds any id");
#define MATCH_KEY_MAX (1 + 64 + 1 + PARTNER_ID_MAX + 1 + 16)

static struct str forward_key(uint8_t *b, const struct vkey *k, struct str partner)
{
	b[0] = 'v';
	memcpy(b + 1, k->b, sizeof k->b);
	if (partner.n)
		memcpy(b + 17, partner.p, partner.n);
	return view(b, 17 + partner.n);
}

/* Up to and with the zero behind the id; the visitor follows. */
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
	return view(b, n + sizeof k->b);
}

static bool match_read(struct str key, struct str value, struct match_row *out)
{
	if (key.n <= 17 || key.n - 17 > sizeof out->partner || value.n <= 4 ||
	    value.n - 4 > sizeof out->id)
		return false;
	out->partner_n = (unsigned)key.n - 17;
	memcpy(out->partner, key.p + 17, out->partner_n);
	out->id_n = (unsigned)value.n - 4;
	memcpy(out->id, value.p + 4, out->id_n);
	out->t = get_u32((const uint8_t *)value.p);
	return true;
}

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
	db_put(t, s->partners, forward_key(b, k, partner), view(v, 4 + id.n));
	db_put(t, s->partners, reverse_key(b, partner, id, k), view(v, 4));
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
	if (partner.n == 0 || partner.n > 64 || id.n == 0 || id.n > PARTNER_ID_MAX)
		return false;
	struct str prefix = view(b, reverse_prefix(b, partner, id));
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
	struct match_row rows[8];
	for (unsigned n = 8; n == 8 && db_count(t, s->partners);) {
		n = shard_matches(s, t, k, 0, rows, 8);
		for (unsigned i = 0; i < n; i++)
			match_del(s, t, k, &rows[i]);
	}
}

/* The views of one shard: one LMDB environment, its tables and how their keys are written. Integers
 * are big-endian, so that keys sort by them. `│` parts fields; a number alone is bytes.
 *
 *     table        key                              value
 *     visitors     visitor key 16                   profile (model/profile.h)
 *     ordinals     ordinal u32                      visitor key 16
 *     free         hour u32 │ ordinal u32           empty: the ordinal was freed at that hour
 *     due          hour u32 │ ordinal u32           empty: exactly one entry a visitor
 *     members      segment u16 │ chunk u16          checksum u64 │ size u32 │ roaring bitmap of the
 *                                                   low 16 bits of ordinals
 *     provisional  visitor key 16                   hour u32 │ records (msgpack)
 *     prov_hours   hour u32 │ visitor key 16        empty
 *     tombstones   visitor key 16                   until day u16
 *     partners     'v' │ visitor 16 │ partner       t u32 │ partner's id: the latest match
 *                  'p' │ partner │ 0 │ id │ 0       t u32: the same, the other way round
 *                      │ visitor 16
 *     changes      sequence u64                     segment u16 │ t u32 │ visitor key 16: who
 *                                                   entered or left, for streams
 *                                                   (views/changes.h)
 *     names        'c' or 's' │ number u16          id of a category or segment
 *     counts       category u16                     visitors u64 who have it on a retained day
 *     daily        day u16 │ 'e'                    events u64 of that day
 *                  day u16 │ 's' │ segment u16      size u64 │ entered u32 │ left u32
 *     meta         a name                           what the shard is, and how far it has come:
 *                                                   schema, name, rules, next_ordinal; watermark;
 *                                                   changes (the latest), since (views/since.h);
 *                                                   part, while a fold is half done; boot, fill,
 *                                                   adopting, while the shard is built
 *
 * An ordinal is a small number for a visitor of this shard, for the bitmaps of members. One that
 * was freed rests for 24 hours before another visitor gets it. A tombstone stands for an erased
 * visitor for 90 days, as long as a cookie lives: meanwhile no record brings the visitor back.
 *
 * A visitor with a profile of 100 bytes costs 116 bytes in visitors, 20 in ordinals, 8 in due, 10
 * of LMDB's for each of the three, and the room that pages leave. Loads never trust the bytes.
 *
 * A shard is opened once in a process. One thread at a time writes it (the fold); any thread reads
 * it, in a transaction of its own. What functions yield as struct str is LMDB's memory (disk/db.h).
 */
#ifndef CRUMB_STORE_SHARD_H
#define CRUMB_STORE_SHARD_H

#include "crumb/model/profile.h"
#include "crumb/disk/db.h"
#include "crumb/journal/journal.h"

#define SHARD_SCHEMA 4

struct shard {
	struct db db;
	unsigned number;
	bool appending; /* the writer's: profiles come in order of key, as into a new shard */
	/* constant once the shard is open */
	db_table visitors, ordinals, free, due, members, provisional, prov_hours, tombstones,
	    partners, changes, names, counts, daily, meta;
};

/* Opens the environment in the folder; a writer makes what is missing. ERR_CORRUPT: of another
 * schema, or a table is missing. */
enum err shard_open(struct shard *s, const char *folder, unsigned number, size_t map_bytes,
    enum db_access access) MUST_CHECK;
void shard_close(struct shard *s);
/* Is the shard this store's, of this generation and number? A writer names a shard that has no name
 * yet. ERR_CORRUPT: it is another's. */
struct shard_name {
	uint8_t store[16]; /* zeros: it has no id yet */
	uint32_t generation;
	unsigned shard;
};
enum err shard_belongs(
    struct shard *s, const struct shard_name *name, enum db_access access) MUST_CHECK;

/* Removes every visitor, and all that came of one. What the shard is stays: schema, name, rules,
 * boot. The watermark stays, too: the caller sets it. */
void shard_clear(struct shard *s, struct db_txn *t);

static inline struct str vkey_str(const struct vkey *k)
{
	return str_make((const char *)k->b, sizeof k->b);
}

bool shard_meta_u64(struct shard *s, struct db_txn *t, const char *name, uint64_t *out);
void shard_meta_put_u64(struct shard *s, struct db_txn *t, const char *name, uint64_t v);
/* How much of the shard's journal is in the views. False: the shard does not say yet. */
bool shard_watermark(struct shard *s, struct db_txn *t, struct journal_pos *out);
void shard_watermark_put(struct shard *s, struct db_txn *t, struct journal_pos at);
/* A fold of several transactions that is under way, or was when the server went down: visitors
 * whose key begins below `next` have all records up to `target`, the others up to the watermark. */
bool shard_unfinished(
    struct shard *s, struct db_txn *t, struct journal_pos *target, uint64_t *next);
void shard_unfinished_put(
    struct shard *s, struct db_txn *t, struct journal_pos target, uint64_t next);
void shard_unfinished_done(struct shard *s, struct db_txn *t);

/* --- profiles. False: there is none, or it does not decode; then it is counted, and out->bad says
 * so. `scratch` is the caller's, to be used again. */
bool shard_profile(struct shard *s, struct db_txn *t, const struct vkey *k, struct profile *out);
void shard_bad_profile(struct shard *s); /* for whoever decodes a profile himself and cannot */
void shard_profile_put(struct shard *s, struct db_txn *t, const struct vkey *k,
    const struct profile *p, struct buf *scratch);

/* --- ordinals */
/* The one that was freed first, if it has rested; else a new one. UINT32_MAX: none is left. */
uint32_t shard_ordinal_take(struct shard *s, struct db_txn *t, uint32_t hour, const struct vkey *k);
void shard_ordinal_free(struct shard *s, struct db_txn *t, uint32_t hour, uint32_t ordinal);
/* For views made of others, whose ordinals go on: one that a visitor has, and one that rests. */
void shard_ordinal_keep(struct shard *s, struct db_txn *t, uint32_t ordinal, const struct vkey *k);
void shard_ordinal_rest(struct shard *s, struct db_txn *t, uint32_t hour, uint32_t ordinal);
bool shard_ordinal_key(struct shard *s, struct db_txn *t, uint32_t ordinal, struct vkey *out);

/* --- due: the hour at which time alone changes something about the visitor; 0: never */
void shard_due_move(
    struct shard *s, struct db_txn *t, uint32_t ordinal, uint32_t from_hour, uint32_t to_hour);
/* First entry not before (hour, ordinal); false at the end. */
bool shard_due_first(struct shard *s, struct db_txn *t, uint32_t hour, uint32_t ordinal,
    uint32_t *due_hour, uint32_t *due_ordinal);

/* --- counters. A counter that comes to 0 has no entry. */
uint64_t shard_count(struct shard *s, struct db_txn *t, uint16_t category);
void shard_count_add(struct shard *s, struct db_txn *t, uint16_t category, int64_t by);
uint64_t shard_events(struct shard *s, struct db_txn *t, uint16_t day);
void shard_events_add(struct shard *s, struct db_txn *t, uint16_t day, int64_t by);
uint64_t shard_events_since(struct shard *s, struct db_txn *t, uint16_t oldest);
struct daily_segment {
	uint64_t size;
	uint32_t entered, left;
};
/* Adds to who entered and left on that day, and replaces the size. */
void shard_daily_segment(struct shard *s, struct db_txn *t, uint16_t day, uint16_t segment,
    const struct daily_segment *change);
bool shard_daily_get(
    struct shard *s, struct db_txn *t, uint16_t day, uint16_t segment, struct daily_segment *out);
/* Removes the days from `from` to `to`, both included, of one segment. */
void shard_daily_forget(
    struct shard *s, struct db_txn *t, uint16_t segment, uint16_t from, uint16_t to);
/* The first day on which the size of any segment changed; 0: none. */
uint16_t shard_daily_first(struct shard *s, struct db_txn *t);
void shard_daily_expire(struct shard *s, struct db_txn *t, uint16_t oldest);

/* --- provisional visitors: those who were seen once, by the hour of that */
bool shard_provisional(
    struct shard *s, struct db_txn *t, const struct vkey *k, uint32_t *hour, struct str *records);
void shard_provisional_put(
    struct shard *s, struct db_txn *t, const struct vkey *k, uint32_t hour, struct str records);
void shard_provisional_del(struct shard *s, struct db_txn *t, const struct vkey *k);
/* Forgets the oldest whose hour is below `before`; false when there is none. */
bool shard_provisional_expire_one(struct shard *s, struct db_txn *t, uint32_t before);
uint64_t shard_provisional_since(struct shard *s, struct db_txn *t, uint32_t hour);

/* --- tombstones. There is one while `today` is before `until`. */
bool shard_tombstone(struct shard *s, struct db_txn *t, const struct vkey *k, uint16_t today);
void shard_tombstone_put(struct shard *s, struct db_txn *t, const struct vkey *k, uint16_t until);

/* --- partners' ids (partner_ids.c). Both directions are kept. Where two visitors were matched with
 * one id, the id has both. */
#define MATCH_PARTNER_MAX 64 /* bytes of a partner's name */
struct match_row {
	char partner[MATCH_PARTNER_MAX];
	char id[PARTNER_ID_MAX];
	unsigned partner_n, id_n;
	uint32_t t; /* of the match */
};
/* Keeps a match, unless there is a later one. */
void shard_match_put(struct shard *s, struct db_txn *t, const struct vkey *k, struct str partner,
    struct str id, uint32_t at);
/* The visitor's id at a partner; false: none since `oldest` (seconds). */
bool shard_match(struct shard *s, struct db_txn *t, const struct vkey *k, struct str partner,
    uint32_t oldest, struct match_row *out);
/* All of a visitor's, at most `cap`. Returns how many. */
unsigned shard_matches(struct shard *s, struct db_txn *t, const struct vkey *k, uint32_t oldest,
    struct match_row *out, unsigned cap);
/* The visitor who was matched last with a partner's id. */
bool shard_match_visitor(struct shard *s, struct db_txn *t, struct str partner, struct str id,
    uint32_t oldest, struct vkey *out, uint32_t *at);
void shard_match_forget(struct shard *s, struct db_txn *t, const struct vkey *k);

#endif

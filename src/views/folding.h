/* Inside views: the scratch of a fold, and the steps that fold, sweep, filling and adoption share.
 *
 * One pass, in order of the files:
 *
 *     gather.c    blocks of the journal → entries and rests, sorted by visitor
 *     visit.c     all records of one visitor → its profile
 *     settle.c    a changed profile → memberships, due hour, what is stored, counters
 *     fold.c      the transactions around them, and the resume rule (views/fold.h)
 *     sweep.c     visitors whose due hour has come → settle
 *     fill.c      an empty shard, from the journal by ranges of keys → visit
 *     adopt.c     an empty shard, from another's profiles → settle
 *
 * An entry is kept small, since a million may wait, and the bytes of a block are read once. Three
 * tables take what would make it large; each entry has an index into them:
 *
 *     lists   categories of events; one list for all events that are about the same
 *     rests   place, device, value, flags; equal ones are stored once
 *     raw     whole records that are needed again: attributes, matches, first hits
 *
 * Example: 1,000,000 page views of 17 paths, from 40 regions and five kinds of browsers, make
 * 1,000,000 entries (32 MB), 17 lists and about 200 rests.
 *
 * The holder of the fold's `busy` lock owns all of it; nothing here locks. */
#ifndef CRUMB_SRC_VIEWS_FOLDING_H
#define CRUMB_SRC_VIEWS_FOLDING_H

#include "crumb/model/record.h"
#include "crumb/views/changes.h"
#include "crumb/views/fold.h"
#include "crumb/views/since.h"

#define MEMO_SIZE 8192	     /* 192 KB */
#define LISTS_MAX (4u << 20) /* bytes; then the memo begins anew */
/* The sweep forgets a first hit an hour later than it stops to count: a hit that came back in time
 * may be in the journal and not yet be published. */
#define PROVISIONAL_KEPT_HOURS (PROVISIONAL_HOURS + 1)
/* Days whose numbers of events one transaction can change: the retained ones and some to come. A
 * day stands at its number modulo this. */
#define DAYS_TRACKED 128
/* Visitors in one transaction of a shard that is being made. It is appended to, and nothing in it
 * is replaced, so a transaction may be larger than FOLD_SLICE of fold.c. */
#define NEW_SLICE 50000

/* What the fold needs of a record, until its visitor is visited. */
struct entry {
	uint64_t hi, lo; /* the visitor key */
	uint32_t n;	 /* place in the batch, which is the order of the journal */
	uint32_t t;	 /* seconds */
	uint32_t cats;	 /* where in `lists` its categories stand: how many, then their numbers */
	uint32_t rest;	 /* where in `rests` the rest stands */
};
struct entry_rest {
	double v;
	uint32_t at; /* where in `raw` its bytes begin, if they are needed again */
	struct place place;
	struct agent agent;
	uint16_t purposes;
	uint8_t kind, flags, attrs_n;
	bool has_v;
};

/* An entry of the due index, and the visitor whose ordinal it names; all zero: nobody's. */
struct due {
	struct vkey k;
	uint32_t hour, ordinal;
};

struct fold_scratch {
	/* the batch: filled by fold_gather(), and constant while its visitors are visited */
	struct buf block; /* records of the block being read */
	struct entry *entries;
	size_t entries_n, entries_cap;
	struct entry_rest *rests;
	size_t rests_n, rests_cap;
	struct buf raw;		  /* bytes of the records that are needed again */
	uint32_t rest_memo[1024]; /* the number of a rest + 1, by hash */
	/* kept from batch to batch: lists of categories, and where the list of an event stands */
	struct buf lists;
	struct key16 memo_key; /* random, so that nobody can choose what collides */
	struct memo {
		struct hash16 hash;
		uint32_t cats;
		bool known;
	} memo[MEMO_SIZE];
	struct match *match;
	uint16_t *cats; /* of the event at hand */
	/* the visitor at hand */
	struct profile profile;
	struct record record, replayed;
	struct buf saved, provisional;
	uint64_t *mask; /* bits: segments that what was touched can change */
	size_t mask_words;
	uint16_t *cats_before, *cats_after, *segments;
	struct block *evaluator;
	/* what the open transaction changes besides profiles: fold_begin() to fold_finish() */
	struct member_changes members;
	struct crossing_list changes;
	int64_t *counts;	  /* by category: change of its visitors */
	uint16_t *touched_counts; /* categories whose change is not 0 */
	size_t touched_n;
	int64_t events[DAYS_TRACKED]; /* change of a day's events */
	uint16_t event_days[DAYS_TRACKED];
	/* the sweep that is under way, over several transactions */
	struct due *due;
	size_t due_n, due_cap, due_at;
	/* from fold to fold */
	struct since since;
};

/* One transaction: fold_begin(), profiles, fold_finish(), fold_commit(). Counters and memberships
 * are gathered and written at the end, each bitmap once. */
void fold_begin(struct fold_scratch *x);
void fold_finish(struct fold *f, struct db_txn *t, uint16_t today);
/* Ends the transaction. What memory says of the views (the latest crossing, what is saved, what was
 * removed) is changed when the commit succeeded, and not before. */
enum err fold_commit(struct fold *f, struct db_txn *t) MUST_CHECK;
/* The open transaction changes a category's visitors, or a day's events, by so many. */
void fold_count_change(struct fold_scratch *x, uint16_t cat, int64_t by);
void fold_events_change(struct fold_scratch *x, uint16_t day, int64_t by);

/* Categories of a profile, each once, sorted; `out` holds PROFILE_NUMBERS. */
size_t fold_cats(const struct profile *p, uint16_t *out);
/* Counts one visitor less or more in the categories that differ: cats_before has `before_n`,
 * cats_after `after_n`, both sorted. */
void fold_count_cats(struct fold_scratch *x, size_t before_n, size_t after_n);
/* Writes a profile back after a change. `before_n` categories are in cats_before. `all`: evaluate
 * every segment; else those of the mask, unless the day is another than the last evaluation's. */
void fold_settle(struct fold *f, struct db_txn *t, const struct vkey *k, struct profile *p,
    size_t before_n, bool all, uint32_t now);
/* Removes a visitor with memberships, due entry, ordinal and matches; counters are the caller's. */
void fold_remove_visitor(
    struct fold *f, struct db_txn *t, const struct vkey *k, struct profile *p, uint32_t now);

/* What a kind of record does to the views; both functions NULL: nothing. Events are the common
 * kind, so the steps that see each record ask for them first and do not call through the row. */
struct visiting;
struct fold_row {
	/* a record of the whole store: done at once, while the journal is read */
	void (*note)(struct fold *f, const struct record *r);
	/* a record of a visitor: done in its place among the visitor's records */
	void (*visit)(struct visiting *v, const struct entry *e, const struct entry_rest *rest);
	/* a first hit came back, and this was remembered with it; NULL: nothing is to be done */
	void (*recall)(struct visiting *v, struct record *r);
	bool again; /* `visit` needs the record's bytes, so they are kept in `raw` */
};
extern const struct fold_row *const fold_rows[RECORD_KINDS];

/* What visitors need of a record, which is `x->record` or `x->replayed`. `n` is its place in the
 * batch. Finds the categories of an event, and closes its vocabularies. */
struct entry fold_entry(struct fold *f, struct record *r, size_t n, struct entry_rest *rest);

/* Which blocks and visitors fold_gather() reads. */
struct fold_want {
	struct journal_pos after, upto; /* blocks behind the one, up to and with the other */
	uint64_t lo, hi; /* visitors whose key begins with lo … hi, both inclusive */
	size_t most;	 /* entries; the block that reaches this is the last */
	size_t raw_most; /* bytes of `raw`, likewise */
	size_t expect;	 /* entries to make room for at once; 0: not known */
};
/* Reads blocks of the journal into entries, sorted by visitor. *last: the block that was read last,
 * or `upto`. *more: it stopped early, at `most` or `raw_most`. */
enum err fold_gather(struct fold *f, struct journal *j, const struct fold_want *want,
    struct journal_pos *last, bool *more) MUST_CHECK;
/* Applies all records of one visitor, in order. */
void fold_visit(struct fold *f, struct db_txn *t, const struct entry *first,
    const struct entry *end, uint32_t now);
/* Visits the visitor whose first entry is number `i`; the number of the next visitor's first. */
size_t fold_visit_at(struct fold *f, struct db_txn *t, size_t i, uint32_t now);
/* May a transaction end before entry `i`? The rule that resumes knows the first half of a key. */
static inline bool fold_may_end(const struct fold_scratch *x, size_t i)
{
	return x->entries[i - 1].hi != x->entries[i].hi;
}

#endif

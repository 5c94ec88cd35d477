/* Inside views: the scratch of a fold and the steps that batches, sweep and adoption share. */
#ifndef CRUMB_SRC_VIEWS_FOLDING_H
#define CRUMB_SRC_VIEWS_FOLDING_H

#include "crumb/model/record.h"
#include "crumb/views/changes.h"
#include "crumb/views/fold.h"
#include "crumb/views/since.h"

#define MEMO_SIZE 8192
#define LISTS_MAX (4u << 20) /* then the memo begins anew */
#define PROVISIONAL_HOURS 24
/* A first hit goes by the clock an hour after it ended: a hit that comes back in time may be in the
 * journal and not yet be published. */
#define PROVISIONAL_KEPT_HOURS (PROVISIONAL_HOURS + 1)
#define DAYS_TRACKED 128

/* A record of the batch: what visitors need of it, so that its bytes are read once, in order.
 * Sorted by visitor and then by place in the journal. Small, for there may be millions. */
struct entry {
	uint64_t hi, lo; /* the visitor key */
	uint32_t n;	 /* place in the journal */
	uint32_t t;	 /* seconds */
	uint32_t cats;	 /* where its categories stand in `lists`: how many, then their numbers */
	uint32_t rest;	 /* where the rest stands in `rests`; most events share a few */
};
struct entry_rest {
	double v;
	uint32_t at; /* where its bytes begin in `raw`, if they are needed again: attributes, or a
			first hit */
	struct place place;
	struct agent agent;
	uint16_t purposes;
	uint8_t kind, flags, attrs_n;
	bool has_v;
};

/* An entry of `due`, and whose it is; all zero: nobody's. */
struct due {
	struct vkey k;
	uint32_t hour, ordinal;
};

struct fold_scratch {
	struct buf block; /* records of the block being read */
	struct buf raw;	  /* bytes of the records that are needed again */
	struct buf saved, provisional, lists;
	struct entry *entries;
	size_t entries_n, entries_cap;
	struct entry_rest *rests;
	size_t rests_n, rests_cap;
	uint32_t rest_memo[1024]; /* number of a rest + 1, by hash */
	struct profile profile;
	struct member_changes members;
	struct crossing_list changes;
	int64_t *counts; /* per category: change of visitors */
	uint16_t *touched_counts;
	size_t touched_n;
	int64_t events[DAYS_TRACKED]; /* per day modulo */
	uint16_t event_days[DAYS_TRACKED];
	uint64_t *mask; /* segments to evaluate */
	size_t mask_words;
	uint16_t *cats, *cats_before, *cats_after, *segments;
	struct due *due; /* being swept */
	size_t due_n, due_cap, due_at;
	struct record record, replayed;
	struct match *match;
	struct block *evaluator;
	struct since since;
	struct key16 memo_key;
	struct memo {
		struct hash16 hash;
		uint32_t cats;
		bool known;
	} memo[MEMO_SIZE];
};

/* A transaction's changes besides profiles: counters and memberships, gathered and then written at
 * once. */
void fold_begin(struct fold_scratch *x);
void fold_finish(struct fold *f, struct db_txn *t, uint16_t today);
/* Ends it. What memory says of the views (the latest change, what is saved, what was removed) it
 * says when it is in them, and not before. */
enum err fold_commit(struct fold *f, struct db_txn *t) MUST_CHECK;
void fold_count_change(struct fold_scratch *x, uint16_t cat, int64_t by);
void fold_events_change(struct fold_scratch *x, uint16_t day, int64_t by);

/* Categories of a profile, each once, sorted; `out` holds 65,536. */
size_t fold_cats(const struct profile *p, uint16_t *out);
/* Writes a profile back after a change; `before_n` categories are in cats_before, `all` evaluates
 * every segment. */
void fold_settle(struct fold *f, struct db_txn *t, const struct vkey *k, struct profile *p,
    size_t before_n, bool all, uint32_t now);
/* What a kind of record does to the views. Neither function: nothing. An event is the common one,
 * so the steps that see each record ask for it first, and call nothing through its row. */
struct visiting;
struct fold_row {
	void (*note)(struct fold *f,
	    const struct record *r); /* of the store: at once, while the journal is read */
	/* of a visitor: in its place among the visitor's records */
	void (*visit)(struct visiting *v, const struct entry *e, const struct entry_rest *rest);
	/* the same when a first hit comes back, and what was remembered with it counts; NULL:
	 * nothing */
	void (*recall)(struct visiting *v, struct record *r);
	bool again; /* its bytes are needed when the visitor is visited */
};
extern const struct fold_row *const fold_rows[RECORD_KINDS];

/* What visitors need of a record, `x->record` or `x->replayed`. Categorises. */
struct entry fold_entry(struct fold *f, struct record *r, size_t n, struct entry_rest *rest);

/* Reads blocks of the journal into entries, sorted by visitor. */
struct fold_want {
	struct journal_pos after, upto; /* blocks behind the one, up to the other */
	uint64_t lo, hi;		/* only visitors whose key begins with lo … hi */
	size_t most;			/* records, about */
	size_t raw_most;		/* bytes of records that are needed again, about */
	size_t expect;			/* make room for so many at once; 0: as they come */
};
enum err fold_gather(struct fold *f, struct journal *j, const struct fold_want *want,
    struct journal_pos *last, bool *more) MUST_CHECK;
/* All records of one visitor, in order. */
void fold_visit(struct fold *f, struct db_txn *t, const struct entry *first,
    const struct entry *end, uint32_t now);

#endif

/* Inside the journal: what a kind of journal has to do. journal.c hands every call on to the kind;
 * what is asked for each look-up stands in struct journal itself and costs no indirect call.
 * crumb/journal/journal.h says what each function promises, and which thread calls it. */
#ifndef CRUMB_SRC_JOURNAL_KIND_H
#define CRUMB_SRC_JOURNAL_KIND_H

#include "crumb/journal/journal.h"

#include <stdatomic.h>

struct journal_kind {
	void (*close)(struct journal *j);
	/* the writer's */
	enum err (*commit)(struct journal *j, struct journal_block *blocks, size_t n,
	    const uint8_t rules_hash[16]);
	enum err (*publish)(struct journal *j);
	enum err (*try)(struct journal *j, uint16_t day);
	size_t (*unpublished)(const struct journal *j);
	enum err (*swap)(struct journal *j, struct journal_cleaned *c);
	void (*wipe_log)(struct journal *j);
	void (*expire)(struct journal *j, uint16_t oldest);
	void (*floor)(struct journal *j, unsigned shard, struct journal_pos seen);
	/* NULL: nothing comes from outside */
	enum err (*follow)(struct journal *j, void (*arrived)(void *arg), void *arg);
	void (*unfollow)(struct journal *j);
	/* any thread's */
	size_t (*arrived)(struct journal *j); /* or NULL */
	struct journal_pos (*resolve)(
	    const struct journal *j, unsigned lane, struct journal_pos at); /* or NULL */
	enum err (*clean)(struct journal *j, uint16_t day,
	    bool (*drop)(void *arg, const struct vkey *visitor), void *arg,
	    const _Atomic bool *stop, struct journal_cleaned **out, uint64_t *dropped);
	void (*discard)(struct journal *j, struct journal_cleaned *c);
	unsigned (*days)(struct journal *j, uint16_t *out, unsigned cap);
	enum err (*count)(
	    struct journal *j, unsigned shard, struct journal_pos upto, uint64_t *records);
	enum err (*verify)(
	    struct journal *j, void (*problem)(void *arg, const char *text), void *arg);
	enum err (*read)(struct journal *j, unsigned shard, struct journal_pos after,
	    struct journal_reader **out);
	enum err (*next)(struct journal_reader *r, struct buf *records, struct journal_pos *pos,
	    uint32_t *count, uint16_t *day);
	void (*read_end)(struct journal_reader *r);
	/* of days that are files; NULL: none is */
	enum err (*copy)(struct journal *j, uint16_t day, uint64_t moment, const char *folder);
	uint64_t (*moment)(struct journal *j);
	enum err (*cut)(const struct journal *j, const char *folder, uint64_t moment);
	void (*expect)(struct journal *j, const uint16_t *days, unsigned n);
};

/* What every kind begins with. */
struct journal {
	const struct journal_kind *kind;
	unsigned lanes;		     /* one for each shard, and the control lane behind them */
	_Atomic uint64_t *last;	     /* per lane: what readers see */
	_Atomic uint64_t *committed; /* per lane: what is durable */
};
struct journal_reader {
	struct journal *of;
};

struct sifted {
	uint32_t left, gone; /* records */
	uint64_t events;     /* of those that are gone */
};
/* Parts a block's records: those of visitors whom `drop` names are counted, the others are appended
 * to `kept`. Pure, but for `drop`. */
enum err journal_sift(struct str records, bool (*drop)(void *arg, const struct vkey *visitor),
    void *arg, struct buf *kept, struct sifted *out) MUST_CHECK;
uint64_t ledger_events(struct str records); /* how many of the records are events */

enum err journal_begin(
    struct journal *j, const struct journal_kind *kind, unsigned shards) MUST_CHECK;
void journal_end(struct journal *j); /* gives the memory of struct journal's own fields back */

enum err local_open(const struct journal_place *p, struct journal **out) MUST_CHECK;
/* In front of files: p->log says which topic. */
enum err kafka_open(const struct journal_place *p, struct journal **out) MUST_CHECK;
enum err memory_open(const struct journal_place *p, struct journal **out) MUST_CHECK;

#endif

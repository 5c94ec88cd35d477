/* Inside the journal: the kind that keeps blocks in memory (crumb/journal/in_memory.h). What
 * memory.c, memory_clean.c and memory_block.c share. Threads are those of any journal. Functions
 * say when they want the medium's lock. */
#ifndef CRUMB_SRC_JOURNAL_MEMORY_KIND_H
#define CRUMB_SRC_JOURNAL_MEMORY_KIND_H

#include "crumb/journal/in_memory.h"
#include "kind.h"
#include "sealed.h"

#include <pthread.h>
#include <stdatomic.h>

/* A block; constant but for two fields. */
struct kept {
	_Atomic unsigned refs;
	bool torn; /* under the medium's lock: of a commit that does not count */
	uint16_t day, shard;
	uint64_t seq;
	size_t n;
	uint8_t bytes[];
};

/* The blocks of a shard, in order of sequence; it has a reference to each. */
struct lane {
	struct kept **list;
	size_t n, cap;
};

struct journal_memory {
	/* shared, under lock */
	pthread_mutex_t lock;
	struct lane *lanes;
	unsigned lanes_n; /* 0: no journal has been opened yet */
	uint64_t commits;
	/* the writer's, set while nobody writes */
	enum memory_fate (*fate)(void *arg, enum memory_act act);
	void *arg;
};

struct memory {
	struct journal base;
	struct journal_memory *of;
	struct keys *keys;
	/* the writer's */
	struct sealer sealer;
	uint64_t next_seq;
	bool torn; /* something is to be taken back */
};

struct memory_reader {
	struct journal_reader base;
	struct keys *keys;
	struct opener opener;
	struct kept **list; /* references */
	size_t n, at;
	uint16_t key_day; /* 0: none yet */
	uint8_t key[32];
};

/* --- memory_block.c */

void memory_let_go(struct kept *k); /* of a reference */
struct str memory_bytes(const struct kept *k);
/* What the test says of an act. For the writer. */
enum memory_fate memory_fate_of(const struct memory *j, enum memory_act act);
enum err memory_refuses(void); /* the error of an act that fails */
/* Adds a block behind the others. The caller holds the lock, where the lane is the medium's. */
enum err memory_add_block(
    struct lane *l, const struct journal_block *b, struct str bytes, bool torn) MUST_CHECK;
/* The index of the first block of a lane behind a sequence. The caller holds the lock. */
size_t memory_first_behind(const struct lane *l, uint64_t seq);
/* Opens a block with the key of its day, which the reader remembers. */
enum err memory_open_block(
    struct memory_reader *r, const struct kept *k, struct buf *records, uint32_t *count) MUST_CHECK;

/* --- memory_clean.c: functions of the kind (kind.h) */
enum err memory_clean(struct journal *base, uint16_t day,
    bool (*drop)(void *arg, const struct vkey *visitor), void *arg, const _Atomic bool *stop,
    struct journal_cleaned **out, uint64_t *dropped) MUST_CHECK;
enum err memory_swap(struct journal *base, struct journal_cleaned *cleaned) MUST_CHECK;
void memory_discard(struct journal *base, struct journal_cleaned *cleaned);

#endif

/* A journal in memory, for tests. A struct journal_memory is the medium, as a disk would be:
 * journals are opened over it, one after the other, and what is durable outlives them. Blocks are
 * sealed by their days' keys like those of files, so a day whose key is gone is gone.
 *
 * A test decides the fate of each act: it works, it fails before anything was written, or it is
 * torn, so that a part is there. A torn part never counts: it is taken back before anything else is
 * written, and when the journal is opened. A slow disk is a `fate` that takes its time; it is
 * called on the writer's thread.
 *
 * There is no log: a committed block is in its day at once, and journal_publish() shows it to
 * readers. There is no backup. Threads are those of any journal. journal_memory_free() is called
 * when no journal is open. */
#ifndef CRUMB_JOURNAL_IN_MEMORY_H
#define CRUMB_JOURNAL_IN_MEMORY_H

#include "crumb/journal/journal.h"

struct journal_memory;

enum memory_act {
	MEMORY_COMMIT,
	MEMORY_PUBLISH,
	MEMORY_TRY,
	MEMORY_UNDO,
	MEMORY_SWAP,
	MEMORY_EXPIRE
};
enum memory_fate {
	MEMORY_WORKS,
	MEMORY_FAILS,
	MEMORY_TORN /* a commit, of which half was written; else as MEMORY_FAILS */
};

enum err journal_memory_new(struct journal_memory **out) MUST_CHECK;
void journal_memory_free(struct journal_memory *m);
/* `fate` decides from now on; NULL: everything works. */
void journal_memory_fate(
    struct journal_memory *m, enum memory_fate (*fate)(void *arg, enum memory_act act), void *arg);

struct journal_memory_sum {
	uint64_t commits, blocks, records; /* that count */
	uint64_t torn;			   /* blocks that do not */
	uint16_t oldest;		   /* day; 0: there is none */
};
void journal_memory_sum(struct journal_memory *m, struct journal_memory_sum *out);

#endif

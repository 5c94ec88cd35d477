/* Crossings: who entered or left a segment, for streams. A table of each shard, written in the
 * transaction of the fold that found them.
 *
 *     key      sequence u64                       1, 2, 3 … for each shard
 *     value    segment u16 │ t u32 │ visitor 16   30 bytes a crossing with its key
 *
 * A row says that something changed and not what: whoever reads it looks at what holds now. So a
 * visitor who left and entered again makes two rows, and both say "in it".
 *
 * Example: a stream has read up to 41, and the table holds 38 … 45. changes_read(after 41) hands
 * out 42 … 45. A stream that has read up to 30 finds 38 first: 31 … 37 are forgotten, that is a
 * gap, and it has to read all members anew.
 *
 * Only segments that go to a destination are in it. Rows are kept for stream.keep_h hours; each
 * write forgets up to twice as many as it adds and a hundred more, so that forgetting never takes
 * long and always catches up. 1,000 crossings an hour, kept for 24 hours, are 720 KB.
 *
 * Threads: a list belongs to its fold; changes_read() is for any thread. */
#ifndef CRUMB_VIEWS_CHANGES_H
#define CRUMB_VIEWS_CHANGES_H

#include "crumb/model/event.h"
#include "crumb/store/shard.h"

struct fold;
struct crossing {
	uint16_t segment;
	struct vkey visitor;
};
struct crossing_list {
	struct crossing *list;
	size_t n, cap;
	uint64_t last; /* sequence of the latest that is written and not yet committed; 0: none */
};

void changes_note(struct crossing_list *l, uint16_t segment, const struct vkey *k);
/* Appends the list to the table, forgets some rows that are too old, and empties the list. */
void changes_write(struct fold *f, struct db_txn *t, struct crossing_list *l);

/* Calls `each` for up to `most` crossings behind the sequence `after` that are not older than
 * `since` (seconds). *last: the sequence of the last row that was looked at. *gap: rows behind
 * `after` are forgotten already. */
enum err changes_read(struct fold *f, uint64_t after, uint32_t since, size_t most,
    void (*each)(void *arg, const struct crossing *c), void *arg, uint64_t *last,
    bool *gap) MUST_CHECK;

#endif

/* Who entered and left segments, for streams: a table of each shard, written with the fold that
 * found it, kept for stream.keep_h hours. Only of segments that go to some destination. A row says
 * that something changed, not what: whoever reads it looks at what holds now. */
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
	uint64_t
	    last; /* sequence of the latest that was written and is not committed yet; 0: none */
};

void changes_note(struct crossing_list *l, uint16_t segment, const struct vkey *k);
/* Behind the others, and forgets some of those that are too old. Empties the list. */
void changes_write(struct fold *f, struct db_txn *t, struct crossing_list *l);

/* Calls `each` for up to `most` changes behind a sequence that are not older than `since`; *last is
 * the sequence of the last one that was looked at. *gap: some behind `after` are gone already. */
enum err changes_read(struct fold *f, uint64_t after, uint32_t since, size_t most,
    void (*each)(void *arg, const struct crossing *c), void *arg, uint64_t *last,
    bool *gap) MUST_CHECK;

#endif

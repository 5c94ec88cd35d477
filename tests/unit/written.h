/* A store with one shard, and batches that go into its journal without a writer. */
#ifndef CRUMB_TESTS_WRITTEN_H
#define CRUMB_TESTS_WRITTEN_H

#include "folder.h"

#include "crumb/ingest/writer.h"

static inline void committed(struct batch *b)
{
	(void)b;
}

static inline struct store *open_it(struct config *c)
{
	struct store *s = NULL;
	char option[128];
	assert_int_equal(config_init(c), OK);
	snprintf(option, sizeof option, "store.path=%s/store", folder);
	assert_int_equal(config_set(c, option), OK);
	assert_int_equal(config_set(c, "store.shards=1"), OK);
	assert_int_equal(store_open(c, STORE_WRITE, &s), OK);
	return s;
}

/* What a batch holds, into the journal, and the batch is empty. */
static inline void commit(struct store *s, struct batch *b)
{
	static const uint8_t rules[16] = {1};
	for (size_t i = 0; i < b->parts_n; i++) {
		struct batch_part *p = &b->parts[i];
		struct journal_block block = {
		    p->day, p->shard, p->count, buf_view(&p->records), 0, p->events};
		if (p->count)
			assert_int_equal(journal_commit(s->journal, &block, 1, rules), OK);
	}
	assert_int_equal(journal_publish(s->journal), OK);
	batch_clear(b);
}

#endif

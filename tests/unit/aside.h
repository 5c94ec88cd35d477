/* A store in which events are set aside and released, without a writer. */
#ifndef CRUMB_TESTS_ASIDE_H
#define CRUMB_TESTS_ASIDE_H

#include "stored.h"

#include "crumb/base/clock.h"
#include "crumb/ingest/asides.h"
#include "crumb/ingest/quarantine.h"
#include "crumb/journal/in_memory.h"

static struct config config;
static struct store *store;
static struct journal_memory *medium;
static uint32_t now;

/* On the journal in memory, which no disk makes wait. */
static inline void open_again(void)
{
	assert_int_equal(store_open_on(&config, STORE_WRITE, medium, NULL, &store), OK);
}

static inline int begin(void **state)
{
	char option[128];
	if (make_folder(state) != 0 || config_init(&config) != OK ||
	    journal_memory_new(&medium) != OK)
		return -1;
	snprintf(option, sizeof option, "store.path=%s/store", folder);
	assert_int_equal(config_set(&config, option), OK);
	open_again();
	now = clock_now();
	return 0;
}

static inline int end(void **state)
{
	close_store(store, &config);
	journal_memory_free(medium);
	clock_set_offset(0);
	return drop_folder(state);
}

static inline void commit_block(uint16_t shard, struct buf *b, uint32_t n)
{
	static const uint8_t rules[16] = {1};
	struct journal_block block = {
	    .day = day_of(now), .shard = shard, .count = n, .records = buf_view(b)};
	assert_int_equal(journal_commit(store->journal, &block, 1, rules), OK);
	assert_int_equal(journal_publish(store->journal), OK);
	buf_done(b);
}

static inline void set_aside(
    uint16_t shard, enum aside why, const char *pattern, unsigned n, uint32_t t)
{
	struct buf b = {0};
	struct event e = {.visitor = {{0, (uint8_t)shard}},
	    .t = t,
	    .name = STR("view"),
	    .path = STR("/a"),
	    .aside = (uint8_t)why,
	    .pattern = str_c(pattern)};
	for (unsigned i = 0; i < n; i++)
		event_encode(&e, &b);
	if (n)
		commit_block(shard, &b, n);
}

/* The rows as "reason pattern events, …". */
static inline const char *listed(void)
{
	static char text[1000];
	struct aside_row *rows;
	size_t n, at = 0;
	text[0] = 0;
	assert_int_equal(asides_list(store, &rows, &n), OK);
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%s %s %llu", i ? ", " : "",
		    aside_names[rows[i].why], rows[i].pattern, (unsigned long long)rows[i].events);
	free(rows);
	return text;
}

static inline enum err to_journal(void *arg)
{
	struct batch *b = arg;
	static const uint8_t rules[16] = {1};
	struct journal_block blocks[16];
	size_t n = 0;
	for (size_t i = 0; i < b->parts_n; i++)
		if (b->parts[i].count)
			blocks[n++] = (struct journal_block){.day = b->parts[i].day,
			    .shard = b->parts[i].shard,
			    .count = b->parts[i].count,
			    .records = buf_view(&b->parts[i].records),
			    .events = b->parts[i].events};
	assert_true(n <= 16);
	enum err e = journal_commit(store->journal, blocks, n, rules);
	batch_clear(b);
	return e ? e : journal_publish(store->journal);
}

static inline uint64_t release(enum aside why, const char *pattern)
{
	struct batch b;
	uint64_t events = 99;
	batch_init(&b, store->shards, NULL, NULL);
	assert_int_equal(
	    quarantine_release(store, why, str_c(pattern), now, &b, to_journal, &b, &events), OK);
	batch_done(&b);
	return events;
}

#endif

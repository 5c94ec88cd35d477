/* Evaluates all segments of a rules file from scratch over every profile of a store, one thread for each core, and counts members. The rules must
 * have the categories that the store was made with.
 *
 *     bench-evaluate STORE RULES [ROWS.csv]
 *
 * Prints seconds and sizes; with a third argument also writes the rows, for the peer to load: visitor,category,day,count. */
#include "crumb/views/engine.h"
#include "crumb/load/load.h"
#include "crumb/base/clock.h"
#include "crumb/base/log.h"
#include "crumb/condition/block.h"
#include "crumb/check/check.h"
#include "crumb/store/each_stored.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SHARDS_MAX 256

struct job {
	struct store *store;
	struct rules *rules;
	uint16_t today;
	_Atomic unsigned taken;
	FILE *rows;
	pthread_mutex_t lock;
	uint64_t *sizes, visitors, seen;
};

static void write_rows(struct job *j, const struct profile *p)
{
	for (size_t i = 0; i < p->rows_n; i++)
		if (p->rows[i].cat != CATEGORY_ALL)
			fprintf(j->rows, "%llu,%u,%u,%u\n", (unsigned long long)j->seen, p->rows[i].cat, p->rows[i].day, p->rows[i].count);
	j->seen++;
}

static unsigned count(struct job *j, struct block *b, unsigned n, uint64_t *own)
{
	own[j->rules->segments_n] += n;
	for (size_t i = 0; i < j->rules->segments_n; i++)
		own[i] += (uint64_t)__builtin_popcountll(rules_block_segment(b, (uint16_t)i));
	rules_block_clear(b, j->today);
	return 0;
}

static void one_shard(struct job *j, unsigned number, uint64_t *own)
{
	struct shard s;
	struct db_txn t;
	struct each_stored w;
	struct str memberships;
	struct profile p = {0};
	struct block *block = rules_block_begin(j->rules);
	unsigned n = 0;
	rules_block_clear(block, j->today);
	CHECK(store_shard(j->store, store_current(j->store), number, &s) == OK &&
	      db_begin(&s.db, DB_READ, &t) == OK);
	each_stored_begin(&w, &s, &t, NULL);
	while (each_stored(&w)) {
		CHECK(profile_view(&p, w.bytes, NULL, &memberships));
		if (j->rows) {
			write_rows(j, &p);
			continue;
		}
		rules_block_add(block, &p);
		if (++n == BLOCK_MAX)
			n = count(j, block, n, own);
	}
	count(j, block, n, own);
	CHECK(t.err == OK && w.misfits == 0);
	each_stored_end(&w);
	db_abort(&t);
	shard_close(&s);
	profile_done(&p);
	rules_block_end(block);
}

static void *work(void *arg)
{
	struct job *j = arg;
	uint64_t *own = calloc(j->rules->segments_n + 1, sizeof *own);
	CHECK(own);
	for (unsigned s; (s = atomic_fetch_add(&j->taken, 1)) < j->store->shards;)
		one_shard(j, s, own);
	pthread_mutex_lock(&j->lock);
	for (size_t i = 0; i <= j->rules->segments_n; i++)
		j->sizes[i] += own[i];
	pthread_mutex_unlock(&j->lock);
	free(own);
	return NULL;
}

static void run(struct job *j, long threads)
{
	pthread_t t[SHARDS_MAX];
	atomic_store(&j->taken, 0);
	memset(j->sizes, 0, (j->rules->segments_n + 1) * sizeof *j->sizes);
	for (long i = 1; i < threads; i++)
		CHECK(pthread_create(&t[i], NULL, work, j) == 0);
	work(j);
	for (long i = 1; i < threads; i++)
		pthread_join(t[i], NULL);
}

int main(int argc, char **argv)
{
	static struct config c;
	struct job j = {.today = day_of(clock_now())};
	struct buf bundle = {0};
	char store[4096];
	if (argc < 3)
		return fputs("usage: bench-evaluate STORE RULES [ROWS.csv]\n", stderr), 2;
	snprintf(store, sizeof store, "store.path=%s", argv[1]);
	pthread_mutex_init(&j.lock, NULL);
	log_threshold(LOG_WARN);
	CHECK(sodium_init() >= 0 && config_init(&c) == OK && config_set(&c, store) == OK);
	if (store_open(&c, STORE_READ, &j.store) || rules_read(argv[2], NULL, &bundle) || rules_load(buf_view(&bundle), NULL, &j.rules))
		return fprintf(stderr, "%s\n", err_text()), 1;
	j.sizes = calloc(j.rules->segments_n + 1, sizeof *j.sizes);
	if (argc > 3) {
		CHECK(j.sizes && (j.rows = fopen(argv[3], "w")));
		fputs("visitor,category,day,count\n", j.rows);
		run(&j, 1);
		return fclose(j.rows) != 0;
	}
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t from = clock_mono_us();
	run(&j, cores < 1 ? 1 : cores > SHARDS_MAX ? SHARDS_MAX : cores);
	printf("{\"s\":%.4f,\"visitors\":%llu,\"sizes\":[", (double)(clock_mono_us() - from) / 1e6, (unsigned long long)j.sizes[j.rules->segments_n]);
	for (size_t i = 0; i < j.rules->segments_n; i++)
		printf("%s%llu", i ? "," : "", (unsigned long long)j.sizes[i]);
	printf("]}\n");
	rules_unref(j.rules);
	store_close(j.store);
	free(j.sizes);
	buf_done(&bundle);
	return 0;
}

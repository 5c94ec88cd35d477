#include "crumb/core/metric.h"

#include "crumb/base/err.h"

#include <stdlib.h>

_Thread_local struct metric_block *metric_mine;
static _Atomic(struct metric_block *) blocks; /* grows only; a block outlives its thread, so that sums never go back */

static const struct {
	const char *name, *labels, *help;
} rows[] = {
#define X(symbol, name, labels, help) {name, labels, help},
    METRIC_COUNTERS(X)
#undef X
};

struct metric_block *metric_block_make(void)
{
	struct metric_block *b = calloc(1, sizeof *b);
	CHECK(b);
	b->next = atomic_load(&blocks);
	while (!atomic_compare_exchange_weak(&blocks, &b->next, b))
		;
	return metric_mine = b;
}

uint64_t metric_get(enum metric m)
{
	uint64_t sum = 0;
	for (struct metric_block *b = atomic_load(&blocks); b; b = b->next)
		sum += atomic_load_explicit(&b->n[m], memory_order_relaxed);
	return sum;
}

struct str metric_reason(enum metric m)
{
	struct str s = str_c(rows[m].labels);
	s = str_skip(s, str_find(s, '"') + 1);
	return str_make(s.p, str_find(s, '"'));
}

static const uint64_t ends[] = METRIC_HIT_BUCKETS;
_Static_assert(sizeof ends / sizeof *ends == METRIC_HIT_BUCKETS_N, "the buckets are as many as it says");

static void add(_Atomic uint64_t *n, uint64_t by)
{
	atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + by, memory_order_relaxed);
}

void metric_hits_took(uint64_t us, uint64_t hits)
{
	struct metric_block *b = metric_mine ? metric_mine : metric_block_make();
	unsigned i = 0;
	while (i < METRIC_HIT_BUCKETS_N && us > ends[i])
		i++;
	add(&b->hit[i], hits);
	add(&b->hit_us, us * hits);
}

/* Buckets are told with all that are below them. */
static void print_histogram(struct buf *out)
{
	uint64_t sum = 0, us = 0;
	buf_c(out, "# HELP crumb_hit_duration_seconds Time from reading a hit to its being on disk and answered\n# TYPE crumb_hit_duration_seconds histogram\n");
	for (unsigned i = 0; i <= METRIC_HIT_BUCKETS_N; i++) {
		for (struct metric_block *b = atomic_load(&blocks); b; b = b->next)
			sum += atomic_load_explicit(&b->hit[i], memory_order_relaxed);
		if (i < METRIC_HIT_BUCKETS_N)
			buf_addf(out, "crumb_hit_duration_seconds_bucket{le=\"%g\"} %llu\n", (double)ends[i] / 1e6, (unsigned long long)sum);
		else
			buf_addf(out, "crumb_hit_duration_seconds_bucket{le=\"+Inf\"} %llu\n", (unsigned long long)sum);
	}
	for (struct metric_block *b = atomic_load(&blocks); b; b = b->next)
		us += atomic_load_explicit(&b->hit_us, memory_order_relaxed);
	buf_addf(out, "crumb_hit_duration_seconds_sum %.6f\ncrumb_hit_duration_seconds_count %llu\n", (double)us / 1e6, (unsigned long long)sum);
}

static bool same_name(size_t a, size_t b)
{
	return strcmp(rows[a].name, rows[b].name) == 0;
}

/* Rows of one name stand together in the table or not: the format wants one head for them, and all of them below it. */
void metric_print(struct buf *out)
{
	for (size_t i = 0; i < METRIC_MAX; i++) {
		size_t first = 0;
		while (!same_name(first, i))
			first++;
		if (first != i)
			continue;
		buf_addf(out, "# HELP crumb_%s %s\n# TYPE crumb_%s counter\n", rows[i].name, rows[i].help, rows[i].name);
		for (size_t j = i; j < METRIC_MAX; j++)
			if (same_name(j, i))
				buf_addf(out, "crumb_%s%s%s%s %llu\n", rows[j].name, *rows[j].labels ? "{" : "", rows[j].labels, *rows[j].labels ? "}" : "",
				    (unsigned long long)metric_get((enum metric)j));
	}
	print_histogram(out);
}

void metric_gauge(struct buf *out, const char *name, const char *help, double value)
{
	buf_addf(out, "# HELP crumb_%s %s\n# TYPE crumb_%s gauge\ncrumb_%s %.17g\n", name, help, name, name, value);
}

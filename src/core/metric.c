#include "crumb/core/metric.h"

#include "crumb/base/err.h"

#include <stdlib.h>

_Static_assert(offsetof(struct metric_block, next) == 0, "ambient_done() goes along blocks by their first field");

static const struct {
	const char *name, *labels, *help;
} rows[] = {
#define X(symbol, name, labels, help) {name, labels, help},
    METRIC_COUNTERS(X)
#undef X
};

/* A block outlives its thread, so that sums never go back. When the system gives another thread the same name, the first is gone, and the other goes on
 * with its block. */
struct metric_block *metric_block_find(void)
{
	struct ambient *a = ambient_mine;
	struct metric_block *b = atomic_load(&a->counts);
	while (b && !pthread_equal(b->thread, pthread_self()))
		b = b->next;
	if (b)
		return ambient_counts = b;
	b = calloc(1, sizeof *b);
	CHECK(b);
	b->thread = pthread_self();
	b->next = atomic_load(&a->counts);
	while (!atomic_compare_exchange_weak(&a->counts, &b->next, b))
		;
	return ambient_counts = b;
}

uint64_t metric_get(enum metric m)
{
	uint64_t sum = 0;
	for (struct metric_block *b = atomic_load(&ambient_mine->counts); b; b = b->next)
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
	struct metric_block *b = ambient_counts ? ambient_counts : metric_block_find();
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
		for (struct metric_block *b = atomic_load(&ambient_mine->counts); b; b = b->next)
			sum += atomic_load_explicit(&b->hit[i], memory_order_relaxed);
		if (i < METRIC_HIT_BUCKETS_N)
			buf_addf(out, "crumb_hit_duration_seconds_bucket{le=\"%g\"} %llu\n", (double)ends[i] / 1e6, (unsigned long long)sum);
		else
			buf_addf(out, "crumb_hit_duration_seconds_bucket{le=\"+Inf\"} %llu\n", (unsigned long long)sum);
	}
	for (struct metric_block *b = atomic_load(&ambient_mine->counts); b; b = b->next)
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

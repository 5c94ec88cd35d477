/* Metrics: one row names a number for every output (core/metric_rows.h). Each thread that counts
 * owns a block of plain counters. It alone writes them, any thread reads them, and the sum is made
 * when somebody asks. So counting takes no lock, and no two threads write one word:
 *
 *     ambient.counts ──► [ thread C: n[…] ] ──► [ thread B: n[…] ] ──► [ thread A: n[…] ] ──► NULL
 *     metric_inc(M_HITS) on B     B.n[M_HITS] = B.n[M_HITS] + 1
 *     metric_get(M_HITS)          C.n[M_HITS] + B.n[M_HITS] + A.n[M_HITS]
 *
 * The chain grows at its head and never shrinks while the node runs. A block costs 8 bytes for each
 * counter and 136 for each histogram, less than a kilobyte.
 *
 * Blocks are those of the thread's ambient (base/ambient.h): each node of a program has its own
 * counters, and sums are over the threads of the node. Gauges have no block: they are read when
 * somebody asks. */
#ifndef CRUMB_CORE_METRIC_H
#define CRUMB_CORE_METRIC_H

#include "crumb/base/ambient.h"
#include "crumb/base/buf.h"

#include <pthread.h>
#include <stdatomic.h>

/* What the numbers are about: headings of docs/METRICS.md. */
enum metric_group {
#define METRIC_GROUP(group, sentence) METRICS_##group,
#include "crumb/core/metric_rows.h"
	METRIC_GROUPS
};

enum metric {
#define COUNTER(group, symbol, name, unit, sentence) symbol,
#define EACH(symbol, name, value, sentence) symbol,
#include "crumb/core/metric_rows.h"
	METRIC_MAX
};

/* Counters of one name. */
enum metric_family {
#define COUNTER(group, symbol, name, unit, sentence) FAMILY_##name,
#define COUNTERS(group, name, label, unit, sentence) FAMILY_##name,
#include "crumb/core/metric_rows.h"
	METRIC_FAMILIES
};

enum histogram {
#define HISTOGRAM(group, symbol, name, unit, per, sentence, ...) symbol,
#include "crumb/core/metric_rows.h"
	HISTOGRAM_MAX
};
#define HISTOGRAM_ENDS_MOST 15 /* upper ends of buckets; one more bucket has none */

/* --- the rows, for whoever tells them */
struct metric_group_row {
	const char *name, *help;
};
struct metric_family_row {
	enum metric_group group;
	const char *name;  /* without "crumb_" */
	const char *label; /* NULL: it is one number */
	const char *unit, *help;
	bool by_day; /* sums by day are kept (report/tally.h) */
};
struct metric_counter_row {
	enum metric_family family;
	const char *value; /* of the label; NULL: there is none */
	const char *help;
};
struct histogram_row {
	enum metric_group group;
	const char *name, *unit, *help;
	double per; /* values are counted in 1/per of the unit: 1000000 of microseconds */
	uint64_t ends[HISTOGRAM_ENDS_MOST + 1]; /* 0 behind the last */
};
extern const struct metric_group_row metric_groups[METRIC_GROUPS];
extern const struct metric_family_row metric_families[METRIC_FAMILIES];
extern const struct metric_counter_row metric_counters[METRIC_MAX];
extern const struct histogram_row metric_histograms[HISTOGRAM_MAX];

/* A gauge is a row of a table beside what it tells of. A table ends with a zero row, and
 * admin/gauges.c has the list of tables. `of` is what the table is about, as the comment at the
 * table says. Read when somebody asks, by one thread. */
struct gauge {
	enum metric_group group;
	const char *name;  /* without "crumb_" */
	const char *label; /* NULL: it is one number */
	const char *unit, *help;
	double (*read)(void *of); /* one number. NULL: it has a label, and print() is called */
	/* Calls gauge_sample() for each value of the label. No sample: the gauge is not told. */
	void (*print)(struct buf *out, const struct gauge *g, void *of);
};

struct metric_block {
	/* Shared; set before the block is in the chain. The first field: ambient_done() frees the
	 * chain without knowing this struct. */
	struct metric_block *next;
	pthread_t thread; /* the owner; of an ended thread until another has the same name */
	/* written by the owner alone, read by any thread */
	_Atomic uint64_t n[METRIC_MAX];
	struct {
		_Atomic uint64_t buckets[HISTOGRAM_ENDS_MOST + 1], sum;
	} histograms[HISTOGRAM_MAX];
};

/* This thread's block, made when it has none. It is ambient_counts from now on. */
struct metric_block *metric_block_find(void);

static inline void metric_add(enum metric m, uint64_t by)
{
	struct metric_block *b = ambient_counts ? ambient_counts : metric_block_find();
	uint64_t v = atomic_load_explicit(&b->n[m], memory_order_relaxed);
	atomic_store_explicit(&b->n[m], v + by, memory_order_relaxed);
}
static inline void metric_inc(enum metric m)
{
	metric_add(m, 1);
}

/* What this thread alone has counted. */
static inline uint64_t metric_mine(enum metric m)
{
	struct metric_block *b = ambient_counts ? ambient_counts : metric_block_find();
	return atomic_load_explicit(&b->n[m], memory_order_relaxed);
}

/* Something took `value` (in 1/per of the histogram's unit), and that many times. */
void metric_took(enum histogram h, uint64_t value, uint64_t times);

uint64_t metric_get(enum metric m);	 /* the sum over threads */
struct str metric_reason(enum metric m); /* the value of its label */

/* Prometheus' text format 0.0.4: all counters and histograms, and the gauges of a table. */
void metric_print(struct buf *out);
void metric_gauges(struct buf *out, const struct gauge *table, void *of);
void gauge_sample(struct buf *out, const struct gauge *g, const char *value, double number);

#endif

/* The rows of metrics as tables, the blocks in which threads count, and Prometheus' text.
 *
 * A count is a relaxed load and a relaxed store of the thread's own word: no lock, and no atomic
 * addition. Whoever asks reads the words of all blocks while they are written; each word is whole,
 * and two of them may be a moment apart. */
#include "crumb/core/metric.h"

#include "crumb/base/err.h"

#include <stdlib.h>

_Static_assert(offsetof(struct metric_block, next) == 0,
    "ambient_done() goes along blocks by their first field");

const struct metric_group_row metric_groups[METRIC_GROUPS] = {
#define METRIC_GROUP(group, sentence) {#group, sentence},
#include "crumb/core/metric_rows.h"
};

const struct metric_family_row metric_families[METRIC_FAMILIES] = {
#define COUNTER(group, symbol, name, unit, sentence)                                               \
	{METRICS_##group, #name, NULL, unit, sentence, false},
#define COUNTERS(group, name, label, unit, sentence)                                               \
	{METRICS_##group, #name, label, unit, sentence, false},
#define COUNTER_BY_DAY(group, symbol, name, unit, sentence)                                        \
	{METRICS_##group, #name, NULL, unit, sentence, true},
#define COUNTERS_BY_DAY(group, name, label, unit, sentence)                                        \
	{METRICS_##group, #name, label, unit, sentence, true},
#include "crumb/core/metric_rows.h"
};

const struct metric_counter_row metric_counters[METRIC_MAX] = {
#define COUNTER(group, symbol, name, unit, sentence) {FAMILY_##name, NULL, sentence},
#define EACH(symbol, name, value, sentence) {FAMILY_##name, value, sentence},
#include "crumb/core/metric_rows.h"
};

const struct histogram_row metric_histograms[HISTOGRAM_MAX] = {
#define HISTOGRAM(group, symbol, name, unit, per, sentence, ...)                                   \
	{METRICS_##group, #name, unit, sentence, per, {__VA_ARGS__}},
#include "crumb/core/metric_rows.h"
};

/* A block outlives its thread, so that sums never go back. When the system gives a new thread the
 * pthread_t of one that has ended, the new thread goes on with its block. The block is put at the
 * head of the chain without a lock: whoever walks the chain sees it or does not. */
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
	const char *value = metric_counters[m].value;
	return value ? str_c(value) : STR("");
}

static void cell_add(_Atomic uint64_t *n, uint64_t by)
{
	atomic_store_explicit(
	    n, atomic_load_explicit(n, memory_order_relaxed) + by, memory_order_relaxed);
}

/* Bucket i has the values up to ends[i]; the one behind the last end has all that are above. */
void metric_took(enum histogram h, uint64_t value, uint64_t times)
{
	struct metric_block *b = ambient_counts ? ambient_counts : metric_block_find();
	const uint64_t *ends = metric_histograms[h].ends;
	unsigned i = 0;
	while (ends[i] && value > ends[i])
		i++;
	cell_add(&b->histograms[h].buckets[i], times);
	cell_add(&b->histograms[h].sum, value * times);
}

/* --- Prometheus' text */

static void print_head(struct buf *out, const char *name, const char *help, const char *type)
{
	buf_addf(out, "# HELP crumb_%s %s\n# TYPE crumb_%s %s\n", name, help, name, type);
}

/* Prometheus' buckets are cumulative: each is told with all that are below it. */
static void print_histogram(struct buf *out, enum histogram h)
{
	const struct histogram_row *r = &metric_histograms[h];
	struct metric_block *first = atomic_load(&ambient_mine->counts);
	uint64_t times = 0, sum = 0;
	print_head(out, r->name, r->help, "histogram");
	for (unsigned i = 0; i == 0 || r->ends[i - 1]; i++) {
		for (struct metric_block *b = first; b; b = b->next)
			times += atomic_load_explicit(
			    &b->histograms[h].buckets[i], memory_order_relaxed);
		buf_addf(out, "crumb_%s_bucket{le=\"", r->name);
		if (r->ends[i])
			buf_addf(out, "%g", (double)r->ends[i] / r->per);
		else
			buf_c(out, "+Inf");
		buf_addf(out, "\"} %llu\n", (unsigned long long)times);
	}
	for (struct metric_block *b = first; b; b = b->next)
		sum += atomic_load_explicit(&b->histograms[h].sum, memory_order_relaxed);
	buf_addf(out, "crumb_%s_sum %.6f\n", r->name, (double)sum / r->per);
	buf_addf(out, "crumb_%s_count %llu\n", r->name, (unsigned long long)times);
}

/* The format wants one head for all numbers of a name, and all of them below it. */
static void print_family(struct buf *out, enum metric_family family)
{
	const struct metric_family_row *f = &metric_families[family];
	print_head(out, f->name, f->help, "counter");
	for (enum metric m = 0; m < METRIC_MAX; m++) {
		const struct metric_counter_row *c = &metric_counters[m];
		if (c->family != family)
			continue;
		buf_addf(out, "crumb_%s", f->name);
		if (c->value)
			buf_addf(out, "{%s=\"%s\"}", f->label, c->value);
		buf_addf(out, " %llu\n", (unsigned long long)metric_get(m));
	}
}

void metric_print(struct buf *out)
{
	for (enum metric_family f = 0; f < METRIC_FAMILIES; f++)
		print_family(out, f);
	for (enum histogram h = 0; h < HISTOGRAM_MAX; h++)
		print_histogram(out, h);
}

void gauge_sample(struct buf *out, const struct gauge *g, const char *value, double number)
{
	buf_addf(out, "crumb_%s{%s=\"%s\"} %.17g\n", g->name, g->label, value, number);
}

/* Samples are made before the head is written: a gauge without a sample has no head, either. */
void metric_gauges(struct buf *out, const struct gauge *table, void *of)
{
	for (const struct gauge *g = table; g->name; g++) {
		struct buf samples = {0};
		if (g->read)
			buf_addf(&samples, "crumb_%s %.17g\n", g->name, g->read(of));
		else
			g->print(&samples, g, of);
		if (samples.n)
			print_head(out, g->name, g->help, "gauge");
		if (samples.n)
			buf_str(out, buf_view(&samples));
		out->failed |= samples.failed;
		buf_done(&samples);
	}
}

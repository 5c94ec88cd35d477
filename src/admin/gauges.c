/* GET /metrics: counters and histograms, and every table of gauges. A module's gauges are rows
 * beside the module; its table is a row of GAUGES here. Sizes of segments pass the k gate as those
 * of lists do, so that a scrape tells no more than a list. */
#include "job.h"

#include "crumb/base/clock.h"
#include "crumb/base/version.h"

#include <malloc.h>

/* --- segments. The sizes are counted once for all gauges of a scrape. */

struct segment_sizes {
	struct generation *g;
	struct group_sizes sizes;
	bool known;
};

static void sizes_begin(struct segment_sizes *s, struct admin *a)
{
	*s = (struct segment_sizes){.g = engine_serving(a->node->engine)};
	s->known = s->g->rules->segments_n > 0;
	s->known = s->known && view_sizes(s->g, &a->gate, clock_now(), &s->sizes) == OK;
}

static void sizes_end(struct segment_sizes *s)
{
	if (s->known)
		view_sizes_done(&s->sizes);
	generation_unref(s->g);
}

static void print_sizes(struct buf *out, const struct gauge *g, void *of)
{
	const struct segment_sizes *s = of;
	const struct rules *r = s->g->rules;
	for (size_t i = 0; s->known && i < r->segments_n; i++)
		if (s->sizes.segments[i].told)
			gauge_sample(out, g, r->segments[i].id, (double)s->sizes.segments[i].n);
}

/* A size that is withheld is below every alert. */
static void print_alerts(struct buf *out, const struct gauge *g, void *of)
{
	const struct segment_sizes *s = of;
	const struct rules *r = s->g->rules;
	for (size_t i = 0; s->known && i < r->segments_n; i++) {
		const struct segment *one = &r->segments[i];
		const struct shown *n = &s->sizes.segments[i];
		if (one->alert)
			gauge_sample(out, g, one->id, !n->told || n->n < (uint64_t)one->alert);
	}
}

static const struct gauge segment_gauges[] = {
    /* of a struct segment_sizes */
    {METRICS_segments, "segment_size", "segment", "visitors",
	"Members of a segment; absent below privacy.k.", .print = print_sizes},
    {METRICS_segments, "segment_alert", "segment", "0 or 1",
	"1 while a segment is smaller than its alert says. The tag or a rule may be broken.",
	.print = print_alerts},
    {0},
};

/* --- the process */

static void print_build(struct buf *out, const struct gauge *g, void *of)
{
	(void)of;
	gauge_sample(out, g, CRUMB_VERSION, 1);
}

static double heap(void *of)
{
	struct mallinfo2 m = mallinfo2();
	(void)of;
	return (double)m.uordblks;
}

static const struct gauge process_gauges[] = {
    /* of nothing */
    {METRICS_process, "build_info", "version", "1", "Which crumbd this is.", .print = print_build},
    {METRICS_process, "heap_bytes", NULL, "bytes",
	"Heap in use. It grows with connections and with the rules; without end it is a fault.",
	.read = heap},
    {0},
};

/* --- all of them */

/* X(table, what it is about), where `a` is the listener and `s` the sizes of segments. */
#define GAUGES(X)                                                                                  \
	X(engine_gauges, a->node->engine)                                                          \
	X(node_gauges, a->node)                                                                    \
	X(damage_gauges, a->node->store->damage)                                                   \
	X(collect_gauges, a->shared)                                                               \
	X(segment_gauges, &s)                                                                      \
	X(process_gauges, NULL)

const struct gauge *const admin_gauges[] = {
#define X(table, about) table,
    GAUGES(X)
#undef X
	NULL,
};

void admin_metrics(struct admin *a, struct buf *out)
{
	struct segment_sizes s;
	sizes_begin(&s, a);
	metric_print(out);
#define X(table, about) metric_gauges(out, table, about);
	GAUGES(X)
#undef X
	sizes_end(&s);
}

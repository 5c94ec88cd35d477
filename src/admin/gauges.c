/* The page of GET /metrics: counters, and gauges that are read when somebody asks. */
#include "job.h"

#include "crumb/base/clock.h"
#include "crumb/base/version.h"
#include "crumb/core/metric.h"

#include <malloc.h>

/* The numbers that lists tell, by the same gate; what is withheld is not there. */
static void segments(struct admin *a, struct buf *out)
{
	struct generation *g = engine_serving(a->node->engine);
	const struct rules *r = g->rules;
	struct group_sizes sizes;
	bool any = false;
	if (r->segments_n == 0 || view_sizes(g, &a->gate, clock_now(), &sizes) != OK) {
		generation_unref(g);
		return;
	}
	for (size_t i = 0; i < r->segments_n; i++) {
		if (!sizes.segments[i].told)
			continue;
		if (!any)
			buf_c(out, "# HELP crumb_segment_size Members of a segment; absent below privacy.k\n# TYPE crumb_segment_size gauge\n");
		any = true;
		buf_addf(out, "crumb_segment_size{segment=\"%s\"} %llu\n", r->segments[i].id, (unsigned long long)sizes.segments[i].n);
	}
	any = false;
	for (size_t i = 0; i < r->segments_n; i++) {
		const struct segment *s = &r->segments[i];
		if (!s->alert)
			continue;
		if (!any)
			buf_c(out, "# HELP crumb_segment_alert 1 while a segment is smaller than its alert says\n# TYPE crumb_segment_alert gauge\n");
		any = true;
		buf_addf(out, "crumb_segment_alert{segment=\"%s\"} %d\n", s->id, !sizes.segments[i].told || sizes.segments[i].n < (uint64_t)s->alert);
	}
	view_sizes_done(&sizes);
	generation_unref(g);
}

void admin_metrics(struct admin *a, struct buf *out)
{
	struct engine *e = a->node->engine;
	struct mallinfo2 m = mallinfo2();
	metric_print(out);
	buf_c(out, "# HELP crumb_build_info Which crumbd this is\n# TYPE crumb_build_info gauge\ncrumb_build_info{version=\"" CRUMB_VERSION "\"} 1\n");
	metric_gauge(out, "fold_lag_seconds", "Age of the newest hit that is not in the views", engine_lag_s(e));
	metric_gauge(out, "sweep_hours_behind", "Hours whose expiry has not been swept", engine_hours_behind(e));
	metric_gauge(out, "rules_building", "1 while changed rules are applied to the history", engine_building(e));
	metric_gauge(out, "clock_jumped", "1 while deletion is suspended because the clock jumped", clock_jumped());
	char why[1200];
	metric_gauge(out, "trouble", "1 while hits cannot be recorded or the views cannot follow; GET /readyz says why",
	    node_trouble(a->node, why, sizeof why));
	struct damage_sum damage;
	damage_sum(a->node->store->damage, &damage);
	metric_gauge(out, "damaged_days", "Days of the journal that are gone or cannot be read, whole or in part", damage.days);
	metric_gauge(out, "damaged_files", "Other files of the store that were damaged", damage.others);
	metric_gauge(out, "lost_events", "Events that were stored and cannot be read any more", (double)damage.lost_events);
	metric_gauge(out, "disk_low", "1 while new visitors are refused because the disk is nearly full", atomic_load(&a->shared->disk_low));
	segments(a, out);
	metric_gauge(out, "heap_bytes", "Heap in use", (double)m.uordblks);
}

/* What the admin listener tells without changing anything: metrics, lists, state of the rules. It walks shards, so it has a thread of its own. */
#include "admin_jobs.h"

#include "crumb/base/clock.h"
#include "crumb/base/version.h"
#include "crumb/core/metric.h"
#include "crumb/delivery/lists.h"

#include <malloc.h>
#include <stdlib.h>

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

static void metrics(struct admin *a, struct buf *out)
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

static enum err rules_status(struct admin *a, json_t **out)
{
	struct generation *g = engine_serving(a->node->engine);
	struct rules *newest = node_rules(a->node);
	struct engine_build build = {.rules = NULL};
	json_t *partial = NULL;
	bool building = engine_progress(a->node->engine, &build);
	if (list_partial(g, clock_now(), &partial) != OK)
		partial = json_array();
	json_t *j = json_pack("{s:s,s:I,s:b,s:i,s:s,s:o}", "hash", g->rules->hash_text, "serving_since", (json_int_t)g->since, "complete",
	    !building && memcmp(g->rules->hash, newest->hash, sizeof newest->hash) == 0, "generation", (int)g->number, "newest", newest->hash_text,
	    "partial", partial);
	json_object_set_new(j, "backfill",
	    building ? json_pack(
			   "{s:s,s:f,s:s}", "hash", build.rules->hash_text, "done", build.share, "from", build.from_profiles ? "profiles" : "journal")
		     : json_null());
	rules_unref(build.rules);
	rules_unref(newest);
	generation_unref(g);
	char *path = realpath(a->shared->config->rules_path, NULL); /* of whoever asks, the folder may be another */
	json_object_set_new(j, "path", json_string(path ? path : a->shared->config->rules_path));
	free(path);
	char why[400];
	bool trouble = building && engine_build_trouble(a->node->engine, why, sizeof why);
	json_object_set_new(j, "trouble", trouble ? json_string(why) : json_null());
	*out = j;
	return OK;
}

static enum err lists(struct admin *a, struct waiting *w)
{
	struct generation *g = engine_serving(a->node->engine);
	struct engine_build build = {.rules = NULL};
	char id[128];
	uint32_t now = clock_now();
	enum err e;
	engine_progress(a->node->engine, &build);
	if (w->what == SEGMENTS) {
		e = list_segments(g, &a->gate, now, build.rules, &w->answer);
	} else if (w->what == CATEGORIES) {
		e = list_categories(g, &a->gate, now, build.rules, &w->answer);
	} else {
		struct str s = buf_view(&w->body);
		snprintf(id, sizeof id, STR_FMT, STR_ARG(s));
		e = list_segment(g, &a->gate, now, build.rules, id, LIST_DAYS, &w->answer); /* of one that was cut there is none */
	}
	generation_unref(g);
	rules_unref(build.rules);
	return e;
}

void admin_tell(struct admin *a, struct waiting *w)
{
	if (w->what == METRICS)
		metrics(a, &w->out);
	else
		w->result = w->what == STATUS ? rules_status(a, &w->answer) : lists(a, w);
}

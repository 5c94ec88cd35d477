/* What the admin listener tells without changing anything: metrics, lists, state of the rules. It walks shards, so it has a thread of its own. */
#include "admin_jobs.h"

#include "crumb/base/clock.h"
#include "crumb/delivery/lists.h"

#include <stdlib.h>

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
		admin_metrics(a, &w->out);
	else
		w->result = w->what == STATUS ? rules_status(a, &w->answer) : lists(a, w);
}

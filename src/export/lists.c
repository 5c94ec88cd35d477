#include "crumb/export/lists.h"

#include <jansson.h>

static void put_shown(json_t *row, const char *name, struct shown n)
{
	json_object_set_new(row, name, n.told ? json_integer((json_int_t)n.n) : json_null());
}

enum err list_segments(struct generation *g, const struct kgate *gate, uint32_t now, json_t **out)
{
	struct group_sizes sizes;
	enum err e = view_sizes(g, gate, now, &sizes);
	if (e)
		return e;
	json_t *list = json_array();
	for (size_t i = 0; i < g->rules->segments_n; i++) {
		const struct segment *s = &g->rules->segments[i];
		json_t *row = json_pack("{s:s,s:s,s:s,s:s}", "id", s->id, "name", s->name, "kind", "rule", "state", "active");
		put_shown(row, "size", sizes.segments[i]);
		if (!sizes.segments[i].told)
			json_object_set_new(row, "below", json_integer(kgate_k(gate)));
		json_array_append_new(list, row);
	}
	view_sizes_done(&sizes);
	*out = list;
	return OK;
}

enum err list_categories(struct generation *g, const struct kgate *gate, uint32_t now, json_t **out)
{
	struct group_sizes sizes;
	enum err e = view_sizes(g, gate, now, &sizes);
	if (e)
		return e;
	json_t *list = json_array();
	for (size_t i = 1; i < g->rules->categories_n; i++) {
		json_t *row = json_pack("{s:s,s:s}", "id", g->rules->categories[i].id, "name", g->rules->categories[i].name);
		put_shown(row, "visitors", sizes.categories[i]);
		if (!sizes.categories[i].told)
			json_object_set_new(row, "below", json_integer(kgate_k(gate)));
		json_array_append_new(list, row);
	}
	view_sizes_done(&sizes);
	*out = list;
	return OK;
}

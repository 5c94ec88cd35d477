/* Lists of segments and categories, and one segment with its days, for whoever asks about groups.
 *
 * A number that may not be told is null, with "below" beside it: k, so that a reader knows why.
 * Shares and alerts are made of the numbers as they are told, never of the exact ones, so that they
 * tell no more than these do. While new rules are coming the list says what serves now, marks what
 * will change, and has rows without numbers for what is new. */
#include "crumb/delivery/lists.h"
#include "crumb/load/load.h"

#include "crumb/condition/sentence.h"
#include "crumb/views/adopt.h"
#include "crumb/base/clock.h"
#include "crumb/base/json.h"
#include "crumb/rules/like.h"

#include <jansson.h>
#include <stdlib.h>

static void put_shown(json_t *row, const char *name, struct shown n, const struct kgate *gate)
{
	json_object_set_new(row, name, n.told ? json_integer((json_int_t)n.n) : json_null());
	if (!n.told)
		json_object_set_new(row, "below", json_integer(kgate_k(gate)));
}

static void put_day(json_t *row, const char *name, uint16_t day)
{
	char text[DAY_TEXT];
	if (!day)
		return;
	day_text(day, text);
	json_object_set_new(row, name, json_string(text));
}

static void put_sentence(json_t *row, const struct rules *r, int root)
{
	struct buf b = {0};
	condition_words(r, root, &b);
	json_object_set_new(row, "words", b.failed ? json_null() : json_stringn(b.p, b.n));
	buf_done(&b);
}

static void put_labels(json_t *row, const struct labels *l)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < l->n; i++)
		json_array_append_new(list, json_stringn(l->list[i].p, l->list[i].n));
	if (l->n)
		json_object_set_new(row, "labels", list);
	else
		json_decref(list);
}

/* The part of everybody; null where one of the two numbers is not told. Both are rounded, so the
 * quotient may be above 1, and is cut. */
static void put_share(json_t *row, struct shown part, struct shown everybody)
{
	bool told = part.told && everybody.told;
	json_object_set_new(
	    row, "share", told ? json_share((double)part.n, (double)everybody.n) : json_null());
}

static void put_alert(json_t *row, const struct segment *s, struct shown size)
{
	if (!s->alert)
		return;
	bool firing = !size.told || size.n < (uint64_t)s->alert;
	json_object_set_new(
	    row, "alert", json_pack("{s:I,s:b}", "below", (json_int_t)s->alert, "firing", firing));
}

/* `from`: the day on which the history of its parts begins; 0: all of it is there. */
static json_t *segment_row(const struct segment *s, struct shown size, const struct kgate *gate,
    uint16_t today, uint16_t from, bool complete)
{
	char split[16];
	json_t *row = json_pack("{s:s,s:s,s:s,s:s,s:b}", "id", s->id, "name", s->name, "kind",
	    s->like ? "lookalike" : "rule", "state", segment_state(s, today), "complete", complete);
	put_shown(row, "size", size, gate);
	if (s->owner)
		json_object_set_new(row, "owner", json_string(s->owner));
	if (s->destinations_n) {
		json_t *to = json_array();
		for (unsigned i = 0; i < s->destinations_n; i++)
			json_array_append_new(
			    to, json_stringn(s->destinations[i].p, s->destinations[i].n));
		json_object_set_new(row, "destinations", to);
	}
	put_day(row, "until", s->until);
	put_day(row, "history_from", from);
	if (s->target < 100) {
		snprintf(split, sizeof split, "%u/%u", s->target, 100 - s->target);
		json_object_set_new(row, "split", json_string(split));
	}
	if (s->sensitive)
		json_object_set_new(row, "sensitive", json_true());
	put_labels(row, &s->labels);
	if (complete)
		put_alert(row, s, size);
	return row;
}

/* What its rule asks for, and how good its model was at its training. */
static json_t *lookalike_json(const struct rules *r, const struct segment *s, uint16_t today)
{
	const struct lookalike *l = s->like;
	char name[200], text[64];
	json_error_t error;
	if (l->reach > 0)
		snprintf(text, sizeof text, "%g%%", 100 * l->reach);
	else if (l->size)
		snprintf(text, sizeof text, "%ld visitors", l->size);
	else
		snprintf(text, sizeof text, "%g times likelier", l->min_lift);
	json_t *j = json_pack(
	    "{s:s,s:s,s:i}", "seed", l->seed, "reach", text, "refresh_days", (int)l->refresh_days);
	snprintf(name, sizeof name, "%s%s", LIKE_PREFIX, s->id);
	struct str file = l->model ? rules_file(buf_view(&r->bundle), str_c(name)) : STR("");
	json_t *model = file.n ? json_loadb(file.p, file.n, 0, &error) : NULL;
	static const char *const keys[] = {"trained", "auc", "activity_auc", "lift_at_10"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		json_t *value = json_object_get(model, keys[i]);
		json_object_set_new(j, keys[i], value ? json_incref(value) : json_null());
	}
	json_object_set_new(
	    j, "over", json_boolean(l->model && l->model->trained + RETENTION_MAX - 1 < today));
	json_decref(model);
	return j;
}

/* Does the number stay what it is when the coming rules serve? */
static bool segment_complete(const struct rules *serving, const struct rules *coming, uint16_t i)
{
	uint16_t same;
	int there = coming ? rules_segment(coming, str_c(serving->segments[i].id)) : -1;
	return there < 0 || segment_unchanged(serving, coming, (uint16_t)there, &same);
}

enum err list_segments(struct generation *g, const struct kgate *gate, uint32_t now,
    const struct rules *coming, json_t **out)
{
	struct group_sizes sizes;
	uint16_t *from_category, *from;
	enum err e = view_sizes(g, gate, now, &sizes);
	if (e)
		return e;
	if ((e = view_since(g, now, &from_category, &from))) {
		view_sizes_done(&sizes);
		return e;
	}
	json_t *list = json_array();
	for (size_t i = 0; i < g->rules->segments_n; i++) {
		const struct segment *s = &g->rules->segments[i];
		json_t *row = segment_row(s, sizes.segments[i], gate, day_of(now), from[i],
		    segment_complete(g->rules, coming, (uint16_t)i));
		put_share(row, sizes.segments[i], sizes.categories[0]);
		if (s->like)
			json_object_set_new(
			    row, "lookalike", lookalike_json(g->rules, s, day_of(now)));
		json_array_append_new(list, row);
	}
	for (size_t i = 0; coming && i < coming->segments_n; i++)
		if (rules_segment(g->rules, str_c(coming->segments[i].id)) < 0)
			json_array_append_new(
			    list, segment_row(&coming->segments[i], (struct shown){false, 0}, gate,
				      day_of(now), 0, false));
	free(from_category);
	free(from);
	view_sizes_done(&sizes);
	*out = list;
	return OK;
}

/* The same for a category: by what it is defined as. */
static bool category_complete(const struct rules *serving, const struct rules *coming, size_t i)
{
	int there = coming ? rules_category(coming, str_c(serving->categories[i].id)) : -1;
	return there < 0 || memcmp(&coming->categories[there].definition,
				&serving->categories[i].definition, sizeof(struct hash16)) == 0;
}

enum err list_categories(struct generation *g, const struct kgate *gate, uint32_t now,
    const struct rules *coming, json_t **out)
{
	struct group_sizes sizes;
	uint16_t *from, *from_segment;
	enum err e = view_sizes(g, gate, now, &sizes);
	if (e)
		return e;
	if ((e = view_since(g, now, &from, &from_segment))) {
		view_sizes_done(&sizes);
		return e;
	}
	json_t *list = json_array();
	for (size_t i = 1; i < g->rules->categories_n; i++) {
		const struct category *c = &g->rules->categories[i];
		json_t *row = json_pack("{s:s,s:s,s:b}", "id", c->id, "name", c->name, "complete",
		    category_complete(g->rules, coming, i));
		put_shown(row, "visitors", sizes.categories[i], gate);
		put_share(row, sizes.categories[i], sizes.categories[0]);
		put_day(row, "history_from", from[i]);
		if (c->iab)
			json_object_set_new(row, "iab", json_integer(c->iab));
		if (c->sensitive)
			json_object_set_new(row, "sensitive", json_true());
		put_labels(row, &c->labels);
		json_array_append_new(list, row);
	}
	for (size_t i = 1; coming && i < coming->categories_n; i++)
		if (rules_category(g->rules, str_c(coming->categories[i].id)) < 0) {
			json_t *row = json_pack("{s:s,s:s,s:b}", "id", coming->categories[i].id,
			    "name", coming->categories[i].name, "complete", false);
			put_shown(row, "visitors", (struct shown){false, 0}, gate);
			json_array_append_new(list, row);
		}
	free(from);
	free(from_segment);
	view_sizes_done(&sizes);
	*out = list;
	return OK;
}

enum err list_segment(struct generation *g, const struct kgate *gate, uint32_t now,
    const struct rules *coming, const char *id, unsigned days, json_t **out)
{
	json_t *list, *row, *found = NULL;
	size_t i;
	enum err e = list_segments(g, gate, now, coming, &list);
	if (e)
		return e;
	json_array_foreach(list, i, row)
	{
		if (!found && strcmp(json_string_value(json_object_get(row, "id")), id) == 0)
			found = json_incref(row);
	}
	json_decref(list);
	if (!found) {
		/* no such segment; or there is one, and no memory for its row */
		uint16_t number;
		e = rules_find_segment(g->rules, str_c(id), &number);
		return e ? e : err_set(ERR_NOMEM, "no memory for this list");
	}
	int served = rules_segment(g->rules, str_c(id));
	const struct segment *s = served >= 0 ? &g->rules->segments[served]
					      : &coming->segments[rules_segment(coming, str_c(id))];
	json_object_set_new(found, "when", json_string(s->when));
	put_sentence(found, served >= 0 ? g->rules : coming, s->root);
	struct day_sizes *sizes = calloc(days, sizeof *sizes);
	uint16_t since = 0;
	if (!sizes)
		e = err_set(ERR_NOMEM, "no memory for this list");
	else if (served >= 0)
		e = view_days(g, gate, (uint16_t)served, now, days, sizes, &since);
	if (!e)
		put_day(found, "recorded_since", since);
	json_t *history = json_array();
	for (unsigned d = 0; served >= 0 && d < days && !e; d++) {
		json_t *day = json_object();
		put_day(day, "day", sizes[d].day);
		put_shown(day, "size", sizes[d].size, gate);
		put_shown(day, "entered", sizes[d].entered, gate);
		put_shown(day, "left", sizes[d].left, gate);
		json_object_del(day, "below");
		json_object_set_new(day, "recorded", json_boolean(sizes[d].recorded));
		json_array_append_new(history, day);
	}
	json_object_set_new(found, "days", history);
	free(sizes);
	if (e)
		json_decref(found);
	else
		*out = found;
	return e;
}

enum err list_partial(struct generation *g, uint32_t now, json_t **out)
{
	uint16_t *categories, *segments;
	enum err e = view_since(g, now, &categories, &segments);
	if (e)
		return e;
	json_t *list = json_array();
	for (size_t i = 1; i < g->rules->categories_n; i++) {
		if (!categories[i])
			continue;
		json_t *row = json_pack("{s:s,s:s,s:s}", "what", "category", "id",
		    g->rules->categories[i].id, "why",
		    "it looks at fields that are not kept (title, url, p.NAME) or at a declared "
		    "attribute, which are matched when a hit comes in");
		put_day(row, "from", categories[i]);
		json_array_append_new(list, row);
	}
	for (size_t i = 0; i < g->rules->segments_n; i++) {
		if (!segments[i])
			continue;
		json_t *row = json_pack("{s:s,s:s,s:s}", "what", "segment", "id",
		    g->rules->segments[i].id, "why", "it uses something whose history begins then");
		put_day(row, "from", segments[i]);
		json_array_append_new(list, row);
	}
	free(categories);
	free(segments);
	*out = list;
	return OK;
}

/* A bundle to rules. Categories, attributes and segments of all files first, then conditions, which
 * may name any of them. */
#include "crumb/base/array.h"
#include "crumb/condition/parse.h"
#include "crumb/base/clock.h"
#include "crumb/base/mp.h"
#include "crumb/load/load.h"
#include "crumb/rules/like.h"
#include "crumb/load/loader.h"

#include <stdio.h>
#include <stdlib.h>

#define IAB_LAST 1679 /* of Audience Taxonomy 1.1 */

/* --- categories */

static void category_id(struct yaml *y, const yaml_node_t *n, void *c)
{
	yaml_id(y, n, &((struct category *)c)->id);
}
static void category_name(struct yaml *y, const yaml_node_t *n, void *c)
{
	load_words(y, n, "a name", &((struct category *)c)->name);
}
static void category_iab(struct yaml *y, const yaml_node_t *n, void *c)
{
	yaml_count(
	    y, n, "a row of the IAB Audience Taxonomy", 1, IAB_LAST, &((struct category *)c)->iab);
}
static void category_labels(struct yaml *y, const yaml_node_t *n, void *c)
{
	load_labels(y, n, &((struct category *)c)->labels);
}
static void category_sensitive(struct yaml *y, const yaml_node_t *n, void *c)
{
	yaml_truth(y, n, "sensitive", &((struct category *)c)->sensitive);
}
static void category_any(struct yaml *y, const yaml_node_t *n, void *c)
{
	load_clauses(y, n, &((struct category *)c)->any);
}
static void category_all(struct yaml *y, const yaml_node_t *n, void *c)
{
	load_clauses(y, n, &((struct category *)c)->all);
}
static void category_none(struct yaml *y, const yaml_node_t *n, void *c)
{
	load_clauses(y, n, &((struct category *)c)->none);
}

static const struct yaml_key category_keys[] = {{"id", category_id, NULL},
    {"name", category_name, NULL}, {"iab", category_iab, NULL}, {"any", category_any, NULL},
    {"all", category_all, NULL}, {"none", category_none, NULL}, {"labels", category_labels, NULL},
    {"sensitive", category_sensitive, NULL}, {"match", NULL, "any"}, {"rules", NULL, "any"},
    {"when", NULL, "any"}, {"not", NULL, "none"}, {"title", NULL, "name"}, {"path", NULL, "any"},
    {"event", NULL, "any"}, {"label", NULL, "labels"}, {"parent", NULL, "id"}};

/* Words that mean something in conditions, so that no category can be called so there. */
static bool reserved(struct str id)
{
	static const char *const words[] = {"and", "or", "not", "in", "then", "within", "between",
	    "of", "visits", "country", "region", "device", "os", "browser"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_ieq(id, str_c(words[i])))
			return true;
	size_t digits = 0;
	while (digits < id.n && chr_digit(id.p[digits]))
		digits++;
	return (digits && digits == id.n) ||
	       (digits && digits + 1 == id.n && id.p[digits] == 'd') ||
	       str_starts(id, STR("attr."));
}

static void load_category(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct loader *l = loader_of(y);
	(void)into;
	struct rules *r = l->r;
	size_t errors = y->report->errors;
	struct category c = {.named = true, .at = yaml_at(y, n)};
	if (!yaml_map(y, n, "a category", category_keys,
		sizeof category_keys / sizeof *category_keys, &c))
		return;
	if (!c.id) {
		if (errors == y->report->errors)
			complain(y, n, "missing", NULL, "a category needs an id");
		return;
	}
	if (!c.name)
		c.name = c.id;
	if (c.any.n + c.all.n == 0 && errors == y->report->errors)
		complain(y, n, "matches-all", "say under any: what belongs to it",
		    "category '%s' has nothing under any or all, so it would match everything",
		    c.id);
	if (reserved(str_c(c.id)))
		complain(y, n, "reserved", "choose another id",
		    "'%s' means something else in conditions", c.id);
	uint32_t other;
	if (map_get(&r->category_ids, str_c(c.id), &other)) {
		complain(y, n, "twice", "rename one, or join their lists",
		    "category '%s' is defined twice: also at %s:%zu", c.id,
		    r->categories[other].at.file, r->categories[other].at.line);
		return;
	}
	if (r->categories_n >= RULES_CATEGORIES_MAX) {
		complain(y, n, "too-many", NULL, "more than %d categories", RULES_CATEGORIES_MAX);
		return;
	}
	map_put(&r->category_ids, str_c(c.id), (uint32_t)r->categories_n);
	CHECK(array_room_zeroed(r->categories, l->categories_cap, r->categories_n + 1));
	r->categories[r->categories_n++] = c;
}

/* --- segments */

/* A segment while it is read: where its condition stands is needed until it is parsed. */
struct reading {
	struct segment s;
	const yaml_node_t *when;
};

static struct segment *of(void *into)
{
	return &((struct reading *)into)->s;
}
static void segment_id(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_id(y, n, &of(into)->id);
}
static void segment_name(struct yaml *y, const yaml_node_t *n, void *into)
{
	load_words(y, n, "a name", &of(into)->name);
}
static void segment_owner(struct yaml *y, const yaml_node_t *n, void *into)
{
	load_words(y, n, "an owner", &of(into)->owner);
}
static void segment_iab(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_count(y, n, "a row of the IAB Audience Taxonomy", 1, IAB_LAST, &of(into)->iab);
}
static void segment_labels(struct yaml *y, const yaml_node_t *n, void *into)
{
	load_labels(y, n, &of(into)->labels);
}
static void segment_when(struct yaml *y, const yaml_node_t *n, void *into)
{
	if (n->type == YAML_SEQUENCE_NODE || n->type == YAML_MAPPING_NODE) {
		complain(y, n, "type",
		    "write it in one line: outerwear >= 3 in 14d and not purchase in 30d",
		    "a condition is one text");
		return;
	}
	load_words(y, n, "a condition", &of(into)->when);
	((struct reading *)into)->when = n;
}
static void segment_destinations(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct loader *l = loader_of(y);
	struct segment *s = of(into);
	yaml_words(y, n, "destinations", &s->destinations, &s->destinations_n);
	for (unsigned i = 0; i < s->destinations_n; i++)
		s->page |= str_eq(s->destinations[i], STR("page"));
	l->r->any_destination |= s->destinations_n > 0;
}
static void segment_life(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s;
	char hint[100];
	if (!yaml_text(y, n, "state", &s))
		return;
	of(into)->paused = str_eq(s, STR("paused"));
	if (of(into)->paused || str_eq(s, STR("active")))
		return;
	struct near near = near_begin(s);
	near_try(&near, STR("active"));
	near_try(&near, STR("paused"));
	complain(y, n, "state", near_hint(&near, hint, sizeof hint),
	    "a segment is active or paused, not '" STR_FMT "'", STR_ARG(s));
}
static void segment_until(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s;
	uint16_t day;
	if (!yaml_text(y, n, "until", &s))
		return;
	if (s.n != 10 || !day_parse(s.p, s.n, &day))
		complain(
		    y, n, "date", "write it as 2026-12-24", "'" STR_FMT "' is no date", STR_ARG(s));
	else
		of(into)->until = day;
}
static void segment_alert(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s, rest;
	uint64_t v;
	if (!yaml_text(y, n, "alert", &s))
		return;
	rest = str_starts(s, STR("size")) ? str_trim(str_skip(s, 4)) : STR("");
	if (!str_starts(rest, STR("<")) || !str_u64(str_trim(str_skip(rest, 1)), &v) || v == 0 ||
	    v > 1000000000)
		complain(y, n, "alert", "write it as: size < 500", "'" STR_FMT "' is no alert",
		    STR_ARG(s));
	else
		of(into)->alert = (long)v;
}
static void segment_split(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s, first;
	uint64_t a, b;
	if (!yaml_text(y, n, "split", &s))
		return;
	struct str rest = s;
	if (!str_cut(&rest, '/', &first) || !str_u64(first, &a) || !str_u64(rest, &b) || a == 0 ||
	    b == 0 || a > 99 || b > 99 || a + b != 100)
		complain(y, n, "split",
		    "write it as 90/10: what is handed out, and what is held out",
		    "'" STR_FMT "' are not two parts of 100", STR_ARG(s));
	else
		of(into)->target = (unsigned)a;
}

static const struct yaml_key segment_keys[] = {{"id", segment_id, NULL},
    {"name", segment_name, NULL}, {"when", segment_when, NULL}, {"iab", segment_iab, NULL},
    {"destinations", segment_destinations, NULL}, {"state", segment_life, NULL},
    {"until", segment_until, NULL}, {"owner", segment_owner, NULL}, {"alert", segment_alert, NULL},
    {"split", segment_split, NULL}, {"labels", segment_labels, NULL}, {"condition", NULL, "when"},
    {"if", NULL, "when"}, {"where", NULL, "when"}, {"any", NULL, "when"}, {"all", NULL, "when"},
    {"rule", NULL, "when"}, {"destination", NULL, "destinations"}, {"to", NULL, "destinations"},
    {"expires", NULL, "until"}, {"status", NULL, "state"}, {"holdout", NULL, "split"},
    {"label", NULL, "labels"}, {"title", NULL, "name"}};

#define CONDITION_MAX 8192

static struct rules_at when_locate(const void *arg, size_t offset, size_t length)
{
	const struct segment *s = arg;
	size_t n = strlen(s->when);
	return rules_segment_at(s, str_make(s->when + (offset < n ? offset : n), length));
}

/* Finds the places of a condition's bytes. Most stand in one line as they are; the others get a
 * table. */
static void place_when(struct yaml *y, const yaml_node_t *n, struct segment *s)
{
	size_t len = strlen(s->when);
	s->when_at = yaml_at_offset(y, n, 0, len);
	size_t from = y->lines[s->when_at.line - 1] + s->when_at.column - 1;
	if (from + len <= y->text.n && memcmp(y->text.p + from, s->when, len) == 0 &&
	    !memchr(s->when, '\n', len))
		return;
	struct rules_at *places = arena_alloc(y->arena, (len + 1) * sizeof *places);
	for (size_t i = 0; i <= len; i++)
		places[i] = yaml_at_offset(y, n, i, 1);
	s->places = places;
}

/* False: there is room for it, and no other of its name. */
static bool known_twice(struct yaml *y, const yaml_node_t *n, const struct segment *s)
{
	struct loader *l = loader_of(y);
	struct rules *r = l->r;
	uint32_t other;
	if (map_get(&r->segment_ids, str_c(s->id), &other)) {
		complain(y, n, "twice", "rename one",
		    "segment '%s' is defined twice: also at %s:%zu", s->id,
		    r->segments[other].at.file, r->segments[other].at.line);
		return true;
	}
	if (r->segments_n < RULES_SEGMENTS_MAX)
		return false;
	complain(y, n, "too-many", NULL, "more than %d segments", RULES_SEGMENTS_MAX);
	return true;
}

static void keep_segment(struct loader *l, const struct segment *s)
{
	struct rules *r = l->r;
	map_put(&r->segment_ids, str_c(s->id), (uint32_t)r->segments_n);
	CHECK(array_room_zeroed(r->segments, l->segments_cap, r->segments_n + 1));
	r->segments[r->segments_n++] = *s;
}

static void load_segment(struct yaml *y, const yaml_node_t *n, void *into)
{
	(void)into;
	size_t errors = y->report->errors;
	struct reading g = {.s = {.at = yaml_at(y, n), .target = 100, .root = -1}};
	if (!yaml_map(
		y, n, "a segment", segment_keys, sizeof segment_keys / sizeof *segment_keys, &g))
		return;
	struct segment *s = &g.s;
	if (!s->id || !s->when) {
		if (errors == y->report->errors)
			complain(y, n, "missing",
			    s->id ? "say whom you want to reach: when: outerwear >= 3 in 14d"
				  : NULL,
			    "a segment needs %s", s->id ? "a condition" : "an id");
		return;
	}
	if (!s->name)
		s->name = s->id;
	if (known_twice(y, n, s))
		return;
	size_t len = strlen(s->when);
	if (len > CONDITION_MAX) {
		complain(y, g.when, "too-long", "build it from smaller ones with segment(ID)",
		    "a condition of %zu bytes is longer than %d", len, CONDITION_MAX);
		return;
	}
	place_when(y, g.when, s);
	keep_segment(loader_of(y), s);
}

/* --- lookalikes */

static void like_seed(struct yaml *y, const yaml_node_t *n, void *into)
{
	load_words(y, n, "a seed", &of(into)->like->seed);
}
static void like_share(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s;
	double v;
	if (!yaml_text(y, n, "reach", &s))
		return;
	if (s.n < 2 || s.p[s.n - 1] != '%' || !rules_number(str_make(s.p, s.n - 1), &v) || v <= 0 ||
	    v > 50)
		complain(y, n, "reach", "write it as 5%, at most 50%",
		    "'" STR_FMT "' is no share of the population", STR_ARG(s));
	else
		of(into)->like->reach = v / 100;
}
static void like_size(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_count(y, n, "size", 1, 1000000000, &of(into)->like->size);
}
static void like_min_lift(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s;
	double v;
	if (!yaml_text(y, n, "min_lift", &s))
		return;
	if (!rules_number(s, &v) || v <= 1 || v > 1000)
		complain(y, n, "min_lift", "write it as 3: three times as many as by chance",
		    "'" STR_FMT "' is no lift", STR_ARG(s));
	else
		of(into)->like->min_lift = v;
}
static void like_population(struct yaml *y, const yaml_node_t *n, void *into)
{
	load_words(y, n, "a population", &of(into)->like->population);
}
static void like_exclude_visitors(struct yaml *y, const yaml_node_t *n, void *into)
{
	load_words(y, n, "a condition", &of(into)->like->exclude);
}
static void like_exclude_categories(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_words(y, n, "categories", &of(into)->like->ignore, &of(into)->like->ignore_n);
}
static const struct yaml_key exclude_keys[] = {
    {"visitors", like_exclude_visitors, NULL}, {"categories", like_exclude_categories, NULL}};
/* One text is a condition, a list are categories. */
static void like_exclude(struct yaml *y, const yaml_node_t *n, void *into)
{
	if (n->type == YAML_MAPPING_NODE)
		yaml_map(y, n, "exclude", exclude_keys, sizeof exclude_keys / sizeof *exclude_keys,
		    into);
	else if (n->type == YAML_SEQUENCE_NODE)
		like_exclude_categories(y, n, into);
	else
		like_exclude_visitors(y, n, into);
}
static void like_refresh(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s;
	if (!yaml_text(y, n, "refresh", &s))
		return;
	unsigned days = str_eq(s, STR("daily")) ? 1 : str_eq(s, STR("weekly")) ? 7 : 0;
	if (!days && !str_eq(s, STR("by hand")))
		complain(y, n, "refresh", "write it as daily, weekly or by hand",
		    "'" STR_FMT "' is no time to train anew", STR_ARG(s));
	of(into)->like->refresh_days = days;
}
static void like_sensitive(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_truth(y, n, "sensitive", &of(into)->like->sensitive);
}

static const struct yaml_key like_keys[] = {{"id", segment_id, NULL}, {"name", segment_name, NULL},
    {"seed", like_seed, NULL}, {"reach", like_share, NULL}, {"size", like_size, NULL},
    {"min_lift", like_min_lift, NULL}, {"population", like_population, NULL},
    {"exclude", like_exclude, NULL}, {"refresh", like_refresh, NULL},
    {"sensitive", like_sensitive, NULL}, {"iab", segment_iab, NULL},
    {"destinations", segment_destinations, NULL}, {"state", segment_life, NULL},
    {"until", segment_until, NULL}, {"owner", segment_owner, NULL}, {"alert", segment_alert, NULL},
    {"split", segment_split, NULL}, {"labels", segment_labels, NULL}, {"when", NULL, "population"},
    {"of", NULL, "seed"}, {"segment", NULL, "seed"}, {"lift", NULL, "min_lift"},
    {"ignore", NULL, "exclude"}};

/* Who can be in it: the condition that the model is asked of. Seeds never are. */
static void like_condition(struct yaml *y, struct segment *s)
{
	struct buf b = {0};
	buf_addf(&b, "(%s) and not segment(%s)",
	    s->like->population ? s->like->population : "visits", s->like->seed);
	if (s->like->exclude)
		buf_addf(&b, " and not (%s)", s->like->exclude);
	s->when = yaml_kept(y, buf_view(&b));
	buf_done(&b);
	size_t len = strlen(s->when);
	struct rules_at *places = arena_alloc(y->arena, (len + 1) * sizeof *places);
	for (size_t i = 0; i <= len; i++)
		places[i] = s->at;
	s->when_at = s->at;
	s->places = places;
}

static void load_lookalike(struct yaml *y, const yaml_node_t *n, void *into)
{
	(void)into;
	size_t errors = y->report->errors;
	struct reading g = {.s = {.at = yaml_at(y, n), .target = 100, .root = -1}};
	struct segment *s = &g.s;
	s->like = arena_alloc(y->arena, sizeof *s->like);
	s->like->refresh_days = 1;
	if (!yaml_map(y, n, "a lookalike", like_keys, sizeof like_keys / sizeof *like_keys, &g) ||
	    errors != y->report->errors)
		return;
	if (!s->id || !s->like->seed) {
		complain(y, n, "missing", NULL, "a lookalike needs %s",
		    s->id ? "a seed: the id of a segment" : "an id");
		return;
	}
	if ((s->like->reach > 0) + (s->like->size > 0) + (s->like->min_lift > 0) != 1) {
		complain(y, n, "missing", "such as reach: 5%",
		    "lookalike '%s' wants one of reach, size and min_lift", s->id);
		return;
	}
	if (!s->name)
		s->name = s->id;
	like_condition(y, s);
	if (!known_twice(y, n, s))
		keep_segment(loader_of(y), s);
}

/* --- files */

static void root_version(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s;
	*(bool *)into = true;
	if (yaml_text(y, n, "version", &s) && !str_eq(s, STR("1")))
		complain(y, n, "version", NULL, "this crumb reads version: 1");
}
static void root_categories(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_list(y, n, "categories", load_category, into);
}
static void root_segments(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_list(y, n, "segments", load_segment, into);
}
static void root_attributes(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_list(y, n, "attributes", load_vocabulary, into);
}
static void root_lookalikes(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_list(y, n, "lookalikes", load_lookalike, into);
}

static const struct yaml_key root_keys[] = {{"version", root_version, NULL},
    {"attributes", root_attributes, NULL}, {"categories", root_categories, NULL},
    {"segments", root_segments, NULL}, {"lookalikes", root_lookalikes, NULL},
    {"audiences", NULL, "segments"}, {"rules", NULL, "categories"}};

static void load_file(struct loader *l, struct str name, struct str text)
{
	l->yaml.file = yaml_kept(&l->yaml, name);
	l->yaml.text = text;
	const yaml_node_t *root = yaml_open(&l->yaml);
	bool version = false;
	if (root) {
		if (root->type != YAML_MAPPING_NODE)
			complain(&l->yaml, root, "type", NULL,
			    "a rules file has version: 1, attributes, categories and segments");
		else if (yaml_map(&l->yaml, root, "a rules file", root_keys,
			     sizeof root_keys / sizeof *root_keys, &version) &&
			 !version)
			complain(&l->yaml, root, "version", "write it as the first line",
			    "the file must say 'version: 1'");
	}
	yaml_close(&l->yaml);
}

/* --- numbering */

static int by_category_id(const void *a, const void *b)
{
	return strcmp(((const struct category *)a)->id, ((const struct category *)b)->id);
}

static int by_segment_id(const void *a, const void *b)
{
	return strcmp(((const struct segment *)a)->id, ((const struct segment *)b)->id);
}

static size_t last_dot(struct str id)
{
	size_t dot = id.n;
	while (dot > 0 && id.p[dot - 1] != '.')
		dot--;
	return dot; /* 0: there is none; else behind it */
}

/* Adds the parents that exist only by being part of an id, sorts, numbers. */
static void number_categories(struct loader *l)
{
	struct rules *r = l->r;
	size_t defined = r->categories_n;
	for (size_t i = 1; i < defined; i++) {
		struct str id = str_c(r->categories[i].id);
		for (size_t dot = last_dot(id); dot; dot = last_dot(id)) {
			uint32_t known;
			id.n = dot - 1;
			if (map_get(&r->category_ids, id, &known))
				continue;
			CHECK(array_room_zeroed(
			    r->categories, l->categories_cap, r->categories_n + 1));
			char *copy = yaml_kept(&l->yaml, id);
			struct rules_at at = r->categories[i].at;
			r->categories[r->categories_n] =
			    (struct category){.id = copy, .name = copy, .at = at};
			map_put(&r->category_ids, str_c(copy), (uint32_t)r->categories_n++);
		}
	}
	qsort(r->categories + 1, r->categories_n - 1, sizeof *r->categories, by_category_id);
	map_done(&r->category_ids);
	for (size_t i = 1; i < r->categories_n; i++)
		map_put(&r->category_ids, str_c(r->categories[i].id), (uint32_t)i);
	for (size_t i = 1; i < r->categories_n; i++) {
		struct str id = str_c(r->categories[i].id);
		size_t dot = last_dot(id);
		r->categories[i].parent = dot ? rules_category(r, str_make(id.p, dot - 1)) : -1;
		/* every ending: apparel.shoes.boots is known as shoes.boots and as boots */
		for (size_t k = 1; k < id.n; k++) {
			struct str tail = str_skip(id, k);
			uint32_t other;
			if (id.p[k - 1] != '.')
				continue;
			if (!map_get(&r->last_parts, tail, &other))
				map_put(&r->last_parts, tail, (uint32_t)i);
			else if (other != RULES_AMBIGUOUS)
				map_set(&r->last_parts, tail, RULES_AMBIGUOUS);
		}
	}
}

/* The model that the bundle has for a lookalike. Its last day is the lookalike's, at the latest. */
static void take_model(struct loader *l, struct segment *s)
{
	uint16_t until;
	for (size_t i = 0; i < l->models_n; i++) {
		if (!str_eq(str_skip(l->models[i].name, sizeof LIKE_PREFIX - 1), str_c(s->id)))
			continue;
		if (like_read(l->r, l->models[i].text, &s->like->model, &until) != OK)
			report_add(l->yaml.report, &s->at, true, "model", "train it again",
			    "the model of '%s' cannot be read: nobody is in it", s->id);
		else if (!s->until || s->until > until)
			s->until = until;
		l->r->any_until |= s->like->model != NULL;
	}
	int seed = rules_segment(l->r, str_c(s->like->seed));
	if (seed >= 0 && l->r->segments[seed].like)
		report_add(l->yaml.report, &s->at, false, "seed",
		    "name the segment that it was made from",
		    "the seed of '%s' is a lookalike itself", s->id);
	for (unsigned i = 0; i < s->like->ignore_n; i++) {
		struct near near = near_begin(s->like->ignore[i]);
		char hint[200];
		uint32_t cat;
		if (rules_category(l->r, s->like->ignore[i]) > 0 ||
		    (map_get(&l->r->last_parts, s->like->ignore[i], &cat) &&
			cat != RULES_AMBIGUOUS))
			continue;
		for (size_t k = 1; k < l->r->categories_n; k++)
			near_try(&near, str_c(l->r->categories[k].id));
		report_add(l->yaml.report, &s->at, false, "category",
		    near_hint(&near, hint, sizeof hint), "there is no category '" STR_FMT "'",
		    STR_ARG(s->like->ignore[i]));
	}
}

static void number_segments(struct loader *l)
{
	struct rules *r = l->r;
	if (r->segments_n)
		qsort(r->segments, r->segments_n, sizeof *r->segments, by_segment_id);
	map_done(&r->segment_ids);
	for (size_t i = 0; i < r->segments_n; i++) {
		r->any_until |= r->segments[i].until != 0;
		map_put(&r->segment_ids, str_c(r->segments[i].id), (uint32_t)i);
	}
	for (size_t i = 0; i < r->segments_n; i++) {
		struct segment *s = &r->segments[i];
		struct condition_place place = {when_locate, s};
		int root = -1;
		if (condition_parse(r, str_c(s->when), &place, l->yaml.report, &root))
			s->root = s->like ? condition_and_like(r, root, (uint16_t)i) : root;
		if (s->like)
			take_model(l, s);
	}
}

static void keep_model(struct loader *l, struct str name, struct str text)
{
	CHECK(array_room_zeroed(l->models, l->models_cap, l->models_n + 1));
	l->models[l->models_n].name = name;
	l->models[l->models_n++].text = text;
}

/* Everything that can be read of a bundle, mistakes and all. */
static enum err load_bundle(
    struct str bundle, bool stored, struct report *report, struct rules **out)
{
	struct rules *r = calloc(1, sizeof *r);
	if (!r)
		return err_set(ERR_NOMEM, "no memory");
	r->refs = 1;
	buf_str(&r->bundle, bundle);
	struct hash16 h = hash_content(bundle);
	memcpy(r->hash, h.b, sizeof r->hash);
	sodium_bin2hex(r->hash_text, sizeof r->hash_text, r->hash, sizeof r->hash);
	struct loader l = {
	    .yaml = {.arena = &r->arena, .report = report}, .stored = stored, .r = r};
	CHECK(array_room_zeroed(r->categories, l.categories_cap, 1));
	r->categories[0] = (struct category){
	    .id = yaml_kept(&l.yaml, STR("")), .name = yaml_kept(&l.yaml, STR("")), .parent = -1};
	r->categories_n = 1;
	struct mp m = mp_over(buf_view(&r->bundle));
	uint32_t n = mp_array(&m);
	for (uint32_t i = 0; i + 1 < n && !m.bad; i += 2) {
		struct str name = mp_str(&m), text = mp_str(&m);
		if (!m.bad && str_starts(name, STR(LIKE_PREFIX)))
			keep_model(&l, name, text);
		else if (!m.bad)
			load_file(&l, name, text);
	}
	if (!m.bad) {
		number_categories(&l);
		number_segments(&l);
		rules_link(r, report);
	}
	free(l.models);
	map_done(&l.patterns);
	if (m.bad) {
		rules_unref(r);
		return err_set(ERR_CORRUPT, "the stored rules cannot be read");
	}
	*out = r;
	return OK;
}

static enum err load(struct str bundle,
    void (*check)(struct rules *, const void *, struct report *), const void *arg,
    struct report *report, struct rules **out)
{
	struct report own = {0}, *to = report ? report : &own;
	struct rules *r = NULL;
	enum err e = load_bundle(bundle, !check, to, &r);
	if (!e) {
		if (check)
			check(r, arg, to);
		report_sort(to);
		e = report_error(to);
	}
	report_done(&own);
	if (e)
		rules_unref(r);
	else
		*out = r;
	return e;
}

enum err rules_load(struct str bundle, struct report *report, struct rules **out)
{
	return load(bundle, NULL, NULL, report, out);
}

enum err rules_load_new(struct str bundle,
    void (*check)(struct rules *, const void *, struct report *), const void *arg,
    struct report *report, struct rules **out)
{
	return load(bundle, check, arg, report, out);
}

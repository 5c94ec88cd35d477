/* A bundle to rules, in the steps that load/load.h draws. Sections of all files come first, then
 * numbers, then conditions, which may name anything of any file. */
#include "loader.h"

#include "crumb/base/array.h"
#include "crumb/condition/parse.h"
#include "crumb/base/clock.h"
#include "crumb/base/mp.h"
#include "crumb/load/load.h"
#include "crumb/rules/like.h"

#include <stdio.h>
#include <stdlib.h>

/* --- files */

static void root_version(struct yaml *y, const yaml_node_t *n, void *into)
{
	*(bool *)into = true;
	yaml_version(y, n);
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
static void root_journeys(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_list(y, n, "journeys", load_journey, into);
}

static const struct yaml_key root_keys[] = {
    {.name = "version",
	.load = root_version,
	.shape = KEY_COUNT,
	.min = 1,
	.max = 1,
	.says = "`1`, in the first line."},
    {.name = "attributes",
	.load = root_attributes,
	.shape = KEY_MAPS,
	.of = &vocabulary_table,
	.says = "Closed vocabularies of what pages send as `a.NAME`."},
    {.name = "categories",
	.load = root_categories,
	.aliases = "rules",
	.shape = KEY_MAPS,
	.of = &category_table,
	.says = "What behaviour means."},
    {.name = "segments",
	.load = root_segments,
	.aliases = "audiences",
	.shape = KEY_MAPS,
	.of = &segment_table,
	.says = "Whom to reach."},
    {.name = "lookalikes",
	.load = root_lookalikes,
	.shape = KEY_MAPS,
	.of = &lookalike_table,
	.says = "Whom to reach: visitors who behave like those of a segment."},
    {.name = "journeys",
	.load = root_journeys,
	.aliases = "funnels|paths",
	.shape = KEY_MAPS,
	.of = &journey_table,
	.says = "Ways from one category to others, for the report."},
};
const struct yaml_table rules_table = {
    .name = "file", .what = "a rules file", YAML_KEYS(root_keys), .required = "version"};

/* One file, which may be empty. Its sections are read in the order in which they stand. */
static void load_file(struct loader *l, struct str name, struct str text)
{
	l->yaml.file = yaml_kept(&l->yaml, name);
	l->yaml.text = text;
	const yaml_node_t *root = yaml_open(&l->yaml);
	bool version = false;
	if (root) {
		if (root->type != YAML_MAPPING_NODE)
			yaml_complain(&l->yaml, root, "type", NULL,
			    "a rules file has version: 1, attributes, categories and segments");
		else if (yaml_read(&l->yaml, root, &rules_table, &version) && !version)
			yaml_complain(&l->yaml, root, "version", "write it as the first line",
			    "the file must say 'version: 1'");
	}
	yaml_close(&l->yaml);
}

/* --- numbering */

/* Where a part of a condition stands, for the parser of conditions, which knows bytes only. */
static struct yaml_place when_locate(const void *arg, size_t offset, size_t length)
{
	const struct segment *s = arg;
	size_t n = strlen(s->when);
	return rules_segment_at(s, str_make(s->when + (offset < n ? offset : n), length));
}

/* Ids are ordered by their bytes, so that numbers do not depend on the locale. */
static int by_category_id(const void *a, const void *b)
{
	return strcmp(((const struct category *)a)->id, ((const struct category *)b)->id);
}

static int by_segment_id(const void *a, const void *b)
{
	return strcmp(((const struct segment *)a)->id, ((const struct segment *)b)->id);
}

/* Where the last part of an id begins: behind its last dot. 0: it has one part. */
static size_t last_dot(struct str id)
{
	size_t dot = id.n;
	while (dot > 0 && id.p[dot - 1] != '.')
		dot--;
	return dot;
}

/* apparel.coats.parkas makes apparel.coats and apparel, where no rule names them. */
static void add_parents(struct loader *l)
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
			struct yaml_place at = r->categories[i].at;
			r->categories[r->categories_n] =
			    (struct category){.id = copy, .name = copy, .at = at};
			map_put(&r->category_ids, str_c(copy), (uint32_t)r->categories_n++);
		}
	}
}

/* Every ending of an id is a name, too, if it is of one category only: apparel.shoes.boots is known
 * as shoes.boots and as boots. */
static void add_endings(struct rules *r, size_t category)
{
	struct str id = str_c(r->categories[category].id);
	for (size_t k = 1; k < id.n; k++) {
		struct str tail = str_skip(id, k);
		uint32_t other;
		if (id.p[k - 1] != '.')
			continue;
		if (!map_get(&r->last_parts, tail, &other))
			map_put(&r->last_parts, tail, (uint32_t)category);
		else if (other != RULES_AMBIGUOUS)
			map_set(&r->last_parts, tail, RULES_AMBIGUOUS);
	}
}

/* Sorts by id. From now on a category is named by its place in the array. */
static void number_categories(struct loader *l)
{
	struct rules *r = l->r;
	add_parents(l);
	qsort(r->categories + 1, r->categories_n - 1, sizeof *r->categories, by_category_id);
	map_done(&r->category_ids);
	for (size_t i = 1; i < r->categories_n; i++)
		map_put(&r->category_ids, str_c(r->categories[i].id), (uint32_t)i);
	for (size_t i = 1; i < r->categories_n; i++) {
		struct str id = str_c(r->categories[i].id);
		size_t dot = last_dot(id);
		r->categories[i].parent = dot ? rules_category(r, str_make(id.p, dot - 1)) : -1;
		add_endings(r, i);
	}
}

/* Marks categories and segments of which another has the same name, so that whoever tells them by
 * name adds the id. */
static void mark_namesakes(struct rules *r)
{
	struct map categories = {0}, segments = {0};
	uint32_t other;
	for (size_t i = 1; i < r->categories_n; i++) {
		struct category *c = &r->categories[i];
		c->namesake = map_get(&categories, str_c(c->name), &other);
		if (c->namesake)
			r->categories[other].namesake = true;
		else
			map_put(&categories, str_c(c->name), (uint32_t)i);
	}
	for (size_t i = 0; i < r->segments_n; i++) {
		struct segment *s = &r->segments[i];
		s->namesake = map_get(&segments, str_c(s->name), &other);
		if (s->namesake)
			r->segments[other].namesake = true;
		else
			map_put(&segments, str_c(s->name), (uint32_t)i);
	}
	map_done(&categories);
	map_done(&segments);
}

/* The model that the bundle has for a lookalike. Its last day is the lookalike's, at the latest. */
static void take_model(struct loader *l, struct segment *s)
{
	uint16_t until;
	for (size_t i = 0; i < l->models_n; i++) {
		if (!str_eq(str_skip(l->models[i].name, sizeof LIKE_PREFIX - 1), str_c(s->id)))
			continue;
		if (like_read(l->r, l->models[i].text, &s->like->model, &until) != OK)
			report_add(l->yaml.report, &s->at, SEVERITY_WARNING, "model",
			    "train it again", "the model of '%s' cannot be read: nobody is in it",
			    s->id);
		else if (!s->until || s->until > until)
			s->until = until;
		l->r->any_until |= s->like->model != NULL;
	}
}

/* What a lookalike names: its seed is no lookalike, the categories that it ignores are there. */
static void check_lookalike(struct loader *l, struct segment *s)
{
	int seed = rules_segment(l->r, str_c(s->like->seed));
	if (seed >= 0 && l->r->segments[seed].like)
		report_add(l->yaml.report, &s->at, SEVERITY_ERROR, "seed",
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
		report_add(l->yaml.report, &s->at, SEVERITY_ERROR, "category",
		    near_hint(&near, hint, sizeof hint), "there is no category '" STR_FMT "'",
		    STR_ARG(s->like->ignore[i]));
	}
}

/* Sorts by id and numbers; then parses the conditions, which name segments by number. */
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
		if (s->like) {
			take_model(l, s);
			check_lookalike(l, s);
		}
	}
}

/* Models are kept until the lookalikes that they are of are known. */
static void keep_model(struct loader *l, struct str name, struct str text)
{
	CHECK(array_room_zeroed(l->models, l->models_cap, l->models_n + 1));
	l->models[l->models_n].name = name;
	l->models[l->models_n++].text = text;
}

/* Everything that can be read of a bundle, mistakes and all: the steps of load/load.h. ERR_CORRUPT:
 * it is no bundle. */
static enum err load_bundle(
    struct str bundle, bool stored, struct report *report, struct rules **out)
{
	struct rules *r = calloc(1, sizeof *r);
	if (!r)
		return err_set(ERR_NOMEM, "no memory");
	r->refs = 1;
	buf_str(&r->bundle, bundle); /* the rules point into a copy of their own */
	if (r->bundle.failed) {
		rules_unref(r);
		return err_set(ERR_NOMEM, "no memory");
	}
	struct hash16 h = hash_content(bundle);
	memcpy(r->hash, h.b, sizeof r->hash);
	sodium_bin2hex(r->hash_text, sizeof r->hash_text, r->hash, sizeof r->hash);
	struct loader l = {
	    .yaml = {.arena = &r->arena, .report = report}, .stored = stored, .r = r};
	CHECK(array_room_zeroed(r->categories, l.categories_cap, 1));
	/* category 0 is every event, and nobody's child */
	r->categories[0] = (struct category){
	    .id = yaml_kept(&l.yaml, STR("")), .name = yaml_kept(&l.yaml, STR("")), .parent = -1};
	r->categories_n = 1;
	/* a bundle comes from a disk, so it may be no bundle at all */
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
		number_journeys(&l);
		mark_namesakes(r);
		rules_link(r, report);
	}
	free(l.models);
	free(l.journeys);
	map_done(&l.patterns);
	if (m.bad) {
		rules_unref(r);
		return err_set(ERR_CORRUPT, "the stored rules cannot be read");
	}
	*out = r;
	return OK;
}

/* check NULL: the rules were in force once. */
static enum err load_and_check(struct str bundle,
    void (*check)(struct rules *, const void *, struct report *), const void *arg,
    struct report *report, struct rules **out)
{
	struct report own = {0}, *to = report ? report : &own;
	struct rules *r = NULL;
	to->lister = RULES_LISTER;
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
	return load_and_check(bundle, NULL, NULL, report, out);
}

enum err rules_load_new(struct str bundle,
    void (*check)(struct rules *, const void *, struct report *), const void *arg,
    struct report *report, struct rules **out)
{
	return load_and_check(bundle, check, arg, report, out);
}

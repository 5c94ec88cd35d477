/* Segments and lookalikes: whom to reach, where they may go, and until when. Conditions are parsed
 * when all files are read. */
#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/rules/like.h"
#include "crumb/load/loader.h"

#include <stdio.h>
#include <stdlib.h>

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

void load_segment(struct yaml *y, const yaml_node_t *n, void *into)
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

void load_lookalike(struct yaml *y, const yaml_node_t *n, void *into)
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

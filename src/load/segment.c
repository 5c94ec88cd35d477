/* Segments and lookalikes: one entry of the sections `segments` and `lookalikes`, and their keys.
 *
 * Conditions stay text here, with the places of their bytes; they are parsed when all files are
 * read (load.c). A lookalike is a segment, too: what its keys say becomes a condition (who can be
 * in it), and its model is asked beside that condition. */
#include "loader.h"

#include "crumb/base/array.h"
#include "crumb/base/clock.h"
#include "crumb/rules/like.h"

#include <stdio.h>
#include <stdlib.h>

/* --- segments */

#define SIZE_MOST 1000000000 /* visitors that somebody can ask for */

/* A segment while it is read: its condition's node is needed until its places are known. */
struct reading {
	struct segment s;
	const yaml_node_t *when;
};

/* The segment that is being read, of any key's `into`. */
static struct segment *segment_of(void *into)
{
	return &((struct reading *)into)->s;
}
static void segment_id(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_id(y, n, &segment_of(into)->id);
}
static void segment_name(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_keep(y, n, "a name", &segment_of(into)->name);
}
static void segment_owner(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_keep(y, n, "an owner", &segment_of(into)->owner);
}
static void segment_iab(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_count(y, n, "a row of the IAB Audience Taxonomy", 1, IAB_LAST, &segment_of(into)->iab);
}
static void segment_labels(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct labels *l = &segment_of(into)->labels;
	yaml_words(y, n, "labels", &l->list, &l->n);
}
/* A list or a map is what people write who know other languages of rules. */
static void segment_when(struct yaml *y, const yaml_node_t *n, void *into)
{
	if (n->type == YAML_SEQUENCE_NODE || n->type == YAML_MAPPING_NODE) {
		yaml_complain(y, n, "type",
		    "write it in one line: outerwear >= 3 in 14d and not purchase in 30d",
		    "a condition is one text");
		return;
	}
	yaml_keep(y, n, "a condition", &segment_of(into)->when);
	((struct reading *)into)->when = n;
}
/* Whether there are such destinations is the checker's to say: stored rules are not asked. */
static void segment_destinations(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct loader *l = loader_of(y);
	struct segment *s = segment_of(into);
	yaml_words(y, n, "destinations", &s->destinations, &s->destinations_n);
	l->r->any_destination |= s->destinations_n > 0;
}
/* active or paused */
static void segment_life(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s;
	char hint[100];
	if (!yaml_text(y, n, "state", &s))
		return;
	segment_of(into)->paused = str_eq(s, STR("paused"));
	if (segment_of(into)->paused || str_eq(s, STR("active")))
		return;
	struct near near = near_begin(s);
	near_try(&near, STR("active"));
	near_try(&near, STR("paused"));
	yaml_complain(y, n, "state", near_hint(&near, hint, sizeof hint),
	    "a segment is active or paused, not '" STR_FMT "'", STR_ARG(s));
}
/* 2026-12-24 */
static void segment_until(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s;
	uint16_t day;
	if (!yaml_text(y, n, "until", &s))
		return;
	if (s.n != 10 || !day_parse(s.p, s.n, &day))
		yaml_complain(
		    y, n, "date", "write it as 2026-12-24", "'" STR_FMT "' is no date", STR_ARG(s));
	else
		segment_of(into)->until = day;
}
/* size < 500 */
static void segment_alert(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s, rest;
	uint64_t v;
	if (!yaml_text(y, n, "alert", &s))
		return;
	rest = str_starts(s, STR("size")) ? str_trim(str_skip(s, 4)) : STR("");
	if (!str_starts(rest, STR("<")) || !str_u64(str_trim(str_skip(rest, 1)), &v) || v == 0 ||
	    v > SIZE_MOST)
		yaml_complain(y, n, "alert", "write it as: size < 500", "'" STR_FMT "' is no alert",
		    STR_ARG(s));
	else
		segment_of(into)->alert = (long)v;
}
/* 90/10: two whole parts of 100 */
static void segment_split(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s, first;
	uint64_t a, b;
	if (!yaml_text(y, n, "split", &s))
		return;
	struct str rest = s;
	if (!str_cut(&rest, '/', &first) || !str_u64(first, &a) || !str_u64(rest, &b) || a == 0 ||
	    b == 0 || a > 99 || b > 99 || a + b != 100)
		yaml_complain(y, n, "split",
		    "write it as 90/10: what is handed out, and what is held out",
		    "'" STR_FMT "' are not two parts of 100", STR_ARG(s));
	else
		segment_of(into)->target = (unsigned)a;
}

/* Keys of segments and lookalikes both: where they go, and until when. */
#define HANDED_OUT                                                                                 \
	{.name = "iab",                                                                            \
	    .load = segment_iab,                                                                   \
	    .shape = KEY_COUNT,                                                                    \
	    .min = 1,                                                                              \
	    .max = IAB_LAST,                                                                       \
	    .says = "Row of the IAB Audience Taxonomy 1.1. Pages get it in "                       \
		    "place of the id, in the OpenRTB form."},                                      \
	    {.name = "destinations",                                                               \
		.load = segment_destinations,                                                      \
		.aliases = "destination|to",                                                       \
		.shape = KEY_WORDS,                                                                \
		.says = "Where the segment may go: `page`, and the ids of "                        \
			"[etc/destinations.yaml](DESTINATIONS.md). As soon as "                    \
			"any segment names destinations, pages see only "                          \
			"segments with `page`."},                                                  \
	    {.name = "state",                                                                      \
		.load = segment_life,                                                              \
		.aliases = "status",                                                               \
		.shape = KEY_CHOICE,                                                               \
		.words = "active|paused",                                                          \
		.says = "`active`, or `paused`: the segment is counted as "                        \
			"before, but handed to nobody."},                                          \
	    {.name = "until",                                                                      \
		.load = segment_until,                                                             \
		.aliases = "expires",                                                              \
		.shape = KEY_TEXT,                                                                 \
		.pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",                                         \
		.says = "The last day of the segment, as `2026-12-24`. From "                      \
			"the next day on it is empty, and so are segments that "                   \
			"build on it."},                                                           \
	    {.name = "owner",                                                                      \
		.load = segment_owner,                                                             \
		.shape = KEY_TEXT,                                                                 \
		.says = "Whom to ask about the segment."},                                         \
	    {.name = "alert",                                                                      \
		.load = segment_alert,                                                             \
		.shape = KEY_TEXT,                                                                 \
		.pattern = "^size *< *[0-9]+$",                                                    \
		.says = "`size < 500`: lists and metrics say when the segment is smaller."},       \
	    {.name = "split",                                                                      \
		.load = segment_split,                                                             \
		.aliases = "holdout",                                                              \
		.shape = KEY_TEXT,                                                                 \
		.pattern = "^[0-9]{1,2}/[0-9]{1,2}$",                                              \
		.says = "`90/10`: 10 per cent of the visitors are held out: "                      \
			"counted, but handed to nobody, so that you can "                          \
			"compare. The same visitors stay held out; `export "                       \
			"--holdout` writes them."},                                                \
	{                                                                                          \
		.name = "labels", .load = segment_labels, .aliases = "label", .shape = KEY_WORDS,  \
		.says = "Words that say where the data came from. A segment "                      \
			"also has the labels of everything that it is made of."                    \
	}
/* Keys that every entry has. */
#define NAMED                                                                                      \
	{.name = "id",                                                                             \
	    .load = segment_id,                                                                    \
	    .shape = KEY_TEXT,                                                                     \
	    .pattern = YAML_ID_PATTERN,                                                            \
	    .max = YAML_ID_MOST,                                                                   \
	    .says = "As the id of a category. Exports and pages use it."},                         \
	{                                                                                          \
		.name = "name", .load = segment_name, .aliases = "title", .shape = KEY_TEXT,       \
		.says = "What people read. Visitors who are in the segment see "                   \
			"it, too (`/me`)."                                                         \
	}

static const struct yaml_key segment_keys[] = {
    NAMED,
    {.name = "when",
	.load = segment_when,
	.aliases = "condition|if|where|any|all|rule",
	.shape = KEY_TEXT,
	.says = "The condition: `outerwear >= 3 in 14d and not purchase in 30d`."},
    HANDED_OUT,
};
const struct yaml_table segment_table = {
    .name = "segment", .what = "a segment", YAML_KEYS(segment_keys), .required = "id|when"};

#define CONDITION_MAX 8192 /* bytes of a condition */

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
	struct yaml_place *places = arena_alloc(y->arena, (len + 1) * sizeof *places);
	for (size_t i = 0; i <= len; i++)
		places[i] = yaml_at_offset(y, n, i, 1);
	s->places = places;
}

/* True, and reported: another segment has its id, or there are too many. */
static bool known_twice(struct yaml *y, const yaml_node_t *n, const struct segment *s)
{
	struct loader *l = loader_of(y);
	struct rules *r = l->r;
	uint32_t other;
	if (map_get(&r->segment_ids, str_c(s->id), &other)) {
		yaml_complain(y, n, "twice", "rename one",
		    "segment '%s' is defined twice: also at %s:%zu", s->id,
		    r->segments[other].at.file, r->segments[other].at.line);
		return true;
	}
	if (r->segments_n < RULES_SEGMENTS_MAX)
		return false;
	yaml_complain(y, n, "too-many", NULL, "more than %d segments", RULES_SEGMENTS_MAX);
	return true;
}

/* Its number is its place for now; number_segments() (load.c) gives it another. */
static void keep_segment(struct loader *l, const struct segment *s)
{
	struct rules *r = l->r;
	map_put(&r->segment_ids, str_c(s->id), (uint32_t)r->segments_n);
	CHECK(array_room_zeroed(r->segments, l->segments_cap, r->segments_n + 1));
	r->segments[r->segments_n++] = *s;
}

/* Reads one segment and keeps it, unless it has no id, no condition or a condition that is too
 * long. */
void load_segment(struct yaml *y, const yaml_node_t *n, void *into)
{
	(void)into;
	size_t errors = y->report->errors;
	struct reading g = {.s = {.at = yaml_at(y, n), .target = 100, .root = -1}};
	if (!yaml_read(y, n, &segment_table, &g))
		return;
	struct segment *s = &g.s;
	if (!s->id || !s->when) {
		if (errors == y->report->errors)
			yaml_complain(y, n, "missing",
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
		yaml_complain(y, g.when, "too-long", "build it from smaller ones with segment(ID)",
		    "a condition of %zu bytes is longer than %d", len, CONDITION_MAX);
		return;
	}
	place_when(y, g.when, s);
	keep_segment(loader_of(y), s);
}

/* --- lookalikes */

static void like_seed(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_keep(y, n, "a seed", &segment_of(into)->like->seed);
}
/* 5% */
static void like_share(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s;
	double v;
	if (!yaml_text(y, n, "reach", &s))
		return;
	if (s.n < 2 || s.p[s.n - 1] != '%' || !rules_number(str_make(s.p, s.n - 1), &v) || v <= 0 ||
	    v > 50)
		yaml_complain(y, n, "reach", "write it as 5%, at most 50%",
		    "'" STR_FMT "' is no share of the population", STR_ARG(s));
	else
		segment_of(into)->like->reach = v / 100;
}
static void like_size(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_count(y, n, "size", 1, SIZE_MOST, &segment_of(into)->like->size);
}
/* 3, or 2.5 */
static void like_min_lift(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s;
	double v;
	if (!yaml_text(y, n, "min_lift", &s))
		return;
	if (!rules_number(s, &v) || v <= 1 || v > 1000)
		yaml_complain(y, n, "min_lift", "write it as 3: three times as many as by chance",
		    "'" STR_FMT "' is no lift", STR_ARG(s));
	else
		segment_of(into)->like->min_lift = v;
}
static void like_population(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_keep(y, n, "a population", &segment_of(into)->like->population);
}
static void like_exclude_visitors(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_keep(y, n, "a condition", &segment_of(into)->like->exclude);
}
static void like_exclude_categories(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_words(
	    y, n, "categories", &segment_of(into)->like->ignore, &segment_of(into)->like->ignore_n);
}
static const struct yaml_key exclude_keys[] = {
    {.name = "visitors",
	.load = like_exclude_visitors,
	.shape = KEY_TEXT,
	.says = "A condition: who is left out."},
    {.name = "categories",
	.load = like_exclude_categories,
	.shape = KEY_WORDS,
	.says = "Categories that are not learned from."},
};
static const struct yaml_table exclude_table = {
    .name = "exclude", .what = "exclude", YAML_KEYS(exclude_keys)};
/* One text is a condition, a list are categories. */
static void like_exclude(struct yaml *y, const yaml_node_t *n, void *into)
{
	if (n->type == YAML_MAPPING_NODE)
		yaml_read(y, n, &exclude_table, into);
	else if (n->type == YAML_SEQUENCE_NODE)
		like_exclude_categories(y, n, into);
	else
		like_exclude_visitors(y, n, into);
}
/* daily, weekly or by hand */
static void like_refresh(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s;
	if (!yaml_text(y, n, "refresh", &s))
		return;
	unsigned days = 0;
	if (str_eq(s, STR("daily")))
		days = 1;
	else if (str_eq(s, STR("weekly")))
		days = 7;
	else if (!str_eq(s, STR("by hand")))
		yaml_complain(y, n, "refresh", "write it as daily, weekly or by hand",
		    "'" STR_FMT "' is no time to train anew", STR_ARG(s));
	segment_of(into)->like->refresh_days = days;
}
static void like_sensitive(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_truth(y, n, "sensitive", &segment_of(into)->like->sensitive);
}

static const struct yaml_key like_keys[] = {
    NAMED,
    {.name = "seed",
	.load = like_seed,
	.aliases = "of|segment",
	.shape = KEY_TEXT,
	.says = "The id of the segment whose members the lookalike is to resemble. They are "
		"never in the lookalike."},
    {.name = "reach",
	.load = like_share,
	.shape = KEY_TEXT,
	.pattern = "^[0-9.]+%$",
	.says = "How far to reach: a share of the population without the seed, such as `5%`."},
    {.name = "size",
	.load = like_size,
	.shape = KEY_COUNT,
	.min = 1,
	.max = SIZE_MOST,
	.says = "How far to reach: a number of visitors."},
    {.name = "min_lift",
	.load = like_min_lift,
	.aliases = "lift",
	.shape = KEY_NUMBER,
	.says = "How far to reach: as many of the most similar visitors as are together so many "
		"times likelier than the average visitor to be like the seed (`3`). If there are "
		"none, training ends with exit code 1, and the model stays as it was."},
    {.name = "population",
	.load = like_population,
	.aliases = "when",
	.shape = KEY_TEXT,
	.says = "A condition: who can be in the lookalike."},
    {.name = "exclude",
	.load = like_exclude,
	.aliases = "ignore",
	.shape = KEY_PARTS,
	.of = &exclude_table,
	.says = "A condition: visitors who are left out (converters). A list: categories that "
		"are not learned from. Or both: `{visitors: buy in 30d, categories: "
		"[newsletter]}`."},
    {.name = "refresh",
	.load = like_refresh,
	.shape = KEY_CHOICE,
	.words = "daily|weekly|by hand",
	.says = "How often the model is trained anew: `daily` (the default) or `weekly`, at night, "
		"or only `by hand`. A model that is 90 days old ends."},
    {.name = "sensitive",
	.load = like_sensitive,
	.shape = KEY_TRUTH,
	.says = "`true`: the lookalike may learn from sensitive categories, and is sensitive "
		"itself then."},
    HANDED_OUT,
};
const struct yaml_table lookalike_table = {.name = "lookalike",
    .what = "a lookalike",
    YAML_KEYS(like_keys),
    .required = "id|seed",
    .one_of = "reach|size|min_lift"};

/* Who can be in it: the condition that the model is asked of. Seeds never are. No byte of it stands
 * in the file as it is, so all of them have the place of the entry. */
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
	struct yaml_place *places = arena_alloc(y->arena, (len + 1) * sizeof *places);
	for (size_t i = 0; i <= len; i++)
		places[i] = s->at;
	s->when_at = s->at;
	s->places = places;
}

/* Reads one lookalike and keeps it as a segment with a `like`; a mistake in a key loses all of it.
 */
void load_lookalike(struct yaml *y, const yaml_node_t *n, void *into)
{
	(void)into;
	size_t errors = y->report->errors;
	struct reading g = {.s = {.at = yaml_at(y, n), .target = 100, .root = -1}};
	struct segment *s = &g.s;
	s->like = arena_alloc(y->arena, sizeof *s->like);
	s->like->refresh_days = 1;
	if (!yaml_read(y, n, &lookalike_table, &g) || errors != y->report->errors)
		return;
	if (!s->id || !s->like->seed) {
		yaml_complain(y, n, "missing", NULL, "a lookalike needs %s",
		    s->id ? "a seed: the id of a segment" : "an id");
		return;
	}
	if ((s->like->reach > 0) + (s->like->size > 0) + (s->like->min_lift > 0) != 1) {
		yaml_complain(y, n, "missing", "such as reach: 5%",
		    "lookalike '%s' wants one of reach, size and min_lift", s->id);
		return;
	}
	if (!s->name)
		s->name = s->id;
	like_condition(y, s);
	if (!known_twice(y, n, s))
		keep_segment(loader_of(y), s);
}

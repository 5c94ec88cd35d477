/* Attributes: closed vocabularies, and who may set them. The hash of a vocabulary is of what it
 * allows, in sorted order: as long as that stays the same, so does its history. */
#include "loader.h"

#include "crumb/base/array.h"
#include "crumb/rules/rules.h"

#include <stdio.h>
#include <stdlib.h>

static void vocabulary_id(struct yaml *y, const yaml_node_t *n, void *v)
{
	yaml_id(y, n, &((struct vocabulary *)v)->id);
}
static void vocabulary_name(struct yaml *y, const yaml_node_t *n, void *v)
{
	yaml_keep(y, n, "a name", &((struct vocabulary *)v)->name);
}
static void vocabulary_values(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct vocabulary *v = into;
	if (!yaml_words(y, n, "values", &v->values, &v->values_n))
		return;
	for (unsigned i = 0; i < v->values_n; i++)
		if (v->values[i].n > EVENT_VALUE_MAX)
			yaml_complain(y, n, "too-long", NULL, "a value is at most %d bytes long",
			    EVENT_VALUE_MAX);
	if (v->values_n == 0)
		yaml_complain(y, n, "empty", NULL, "values has no value in it");
}
/* 0..120, 0.. or ..120 */
static void vocabulary_range(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct vocabulary *v = into;
	struct str s;
	if (!yaml_text(y, n, "a range", &s))
		return;
	if (!range_parse(s, &v->range) || v->range.lo > v->range.hi)
		yaml_complain(y, n, "range", "write it as 0..120, 0.. or ..120",
		    "'" STR_FMT "' is no range of numbers", STR_ARG(s));
	v->ranged = true;
}

static void vocabulary_source(struct yaml *y, const yaml_node_t *n, void *v)
{
	yaml_id(y, n, &((struct vocabulary *)v)->source);
}
static void vocabulary_segment(struct yaml *y, const yaml_node_t *n, void *v)
{
	yaml_keep(y, n, "the partner's name for a segment", &((struct vocabulary *)v)->segment);
}
static void vocabulary_labels(struct yaml *y, const yaml_node_t *n, void *v)
{
	struct labels *l = &((struct vocabulary *)v)->labels;
	yaml_words(y, n, "labels", &l->list, &l->n);
}

static const struct yaml_key vocabulary_keys[] = {
    {.name = "id",
	.load = vocabulary_id,
	.shape = KEY_TEXT,
	.pattern = "^[A-Za-z0-9_]{1,32}$",
	.says = "Letters, digits, `_`; pages send it as `a.NAME`, and rules ask for `attr.NAME`."},
    {.name = "name",
	.load = vocabulary_name,
	.shape = KEY_TEXT,
	.says = "What people read; the id if you leave it out."},
    {.name = "values",
	.load = vocabulary_values,
	.aliases = "value|enum",
	.shape = KEY_VALUES,
	.says = "A list: the values that the attribute may have, kept as you spell them here."},
    {.name = "range",
	.load = vocabulary_range,
	.aliases = "min|max",
	.shape = KEY_TEXT,
	.pattern = "^-?[0-9.]*\\.\\.-?[0-9.]*$|^[<>]=? *-?[0-9.]+$",
	.says = "Instead of values, a range of numbers: `0..120`, `0..` or `..120`."},
    {.name = "source",
	.load = vocabulary_source,
	.aliases = "partner",
	.shape = KEY_TEXT,
	.says = "The partner of [etc/destinations.yaml](DESTINATIONS.md) whose files set the "
		"attribute. Pages cannot set it."},
    {.name = "segment",
	.load = vocabulary_segment,
	.shape = KEY_TEXT,
	.says = "The partner's name for the segment that this attribute stands for. Its value is "
		"`member`, or nothing."},
    {.name = "labels",
	.load = vocabulary_labels,
	.aliases = "label",
	.shape = KEY_WORDS,
	.says = "Words that say where the data came from, for destinations that may get only some "
		"of it."},
};
const struct yaml_table vocabulary_table = {.name = "attribute",
    .what = "an attribute",
    YAML_KEYS(vocabulary_keys),
    .required = "id",
    .one_of = "values|range",
    .or_else = "source|segment"};

/* As memcmp() orders, whatever the locale. */
static int by_bytes(const void *a, const void *b)
{
	const struct str *x = a, *y = b;
	int c = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);
	if (c)
		return c;
	return x->n < y->n ? -1 : x->n > y->n;
}

/* Each value is led by a zero byte, so that [ab] and [a, b] differ. */
static uint64_t vocabulary_hash(struct yaml *y, const struct vocabulary *v)
{
	struct buf b = {0};
	struct str *sorted = arena_alloc(y->arena, (v->values_n + 1) * sizeof *sorted);
	if (v->values_n)
		memcpy(sorted, v->values, v->values_n * sizeof *sorted);
	qsort(sorted, v->values_n, sizeof *sorted, by_bytes);
	buf_addf(&b, "vocabulary %s %d %.17g %.17g", v->id, v->ranged, v->range.lo, v->range.hi);
	if (v->source)
		buf_addf(&b, " from %s %s", v->source, v->segment ? v->segment : "");
	for (unsigned i = 0; i < v->values_n; i++) {
		buf_add(&b, "", 1);
		buf_str(&b, sorted[i]);
	}
	CHECK(!b.failed);
	uint64_t h = hash_plain64(b.p, b.n);
	buf_done(&b);
	return h;
}

/* Reads one attribute. A partner's segment needs no values: it has the one that stands for being in
 * it. */
void load_vocabulary(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct loader *l = loader_of(y);
	(void)into;
	struct rules *r = l->r;
	size_t errors = y->report->errors;
	uint32_t other;
	struct vocabulary v = {.at = yaml_at(y, n)};
	if (!yaml_read(y, n, &vocabulary_table, &v))
		return;
	if (!v.id) {
		if (errors == y->report->errors)
			yaml_complain(y, n, "missing", NULL, "an attribute needs an id");
		return;
	}
	for (const char *c = v.id; *c; c++)
		if (!chr_alpha(*c) && !chr_digit(*c) && *c != '_') {
			yaml_complain(y, n, "id", "pages send it as a.NAME",
			    "an attribute is named with letters, digits and '_', not '%s'", v.id);
			return;
		}
	if (!v.name)
		v.name = v.id;
	if (v.segment && !v.source)
		yaml_complain(y, n, "missing", "say source: and the partner's id",
		    "attribute '%s' is a partner's segment, but of which partner?", v.id);
	if (v.segment && !v.ranged && !v.values_n) {
		v.values = arena_alloc(&r->arena, sizeof *v.values);
		v.values[0] = STR(VOCABULARY_MEMBER);
		v.values_n = 1;
	}
	if (v.ranged == (v.values_n > 0) && errors == y->report->errors)
		yaml_complain(
		    y, n, "missing", NULL, "attribute '%s' wants either values or a range", v.id);
	if (map_get(&r->vocabulary_ids, str_c(v.id), &other)) {
		yaml_complain(y, n, "twice", NULL,
		    "attribute '%s' is declared twice: also at %s:%zu", v.id,
		    r->vocabularies[other].at.file, r->vocabularies[other].at.line);
		return;
	}
	v.hash = vocabulary_hash(y, &v);
	map_put(&r->vocabulary_ids, str_c(v.id), (uint32_t)r->vocabularies_n);
	CHECK(array_room_zeroed(r->vocabularies, l->vocabularies_cap, r->vocabularies_n + 1));
	r->vocabularies[r->vocabularies_n++] = v;
}

/* Examples are read as YAML into deeds, and each is run on a profile of its own: every deed becomes
 * an event of its day, is matched and counted `times` over, as a server would have done; then the
 * segments are asked of the profile. */
#include "crumb/check/example.h"

#include "crumb/base/array.h"
#include "crumb/condition/eval.h"
#include "crumb/match/match.h"
#include "crumb/yaml/yaml.h"

#include <stdlib.h>

#define PARAMS_MOST 16 /* of one deed */
#define DAYS_MOST 3650 /* that a deed may lie back */
#define TIMES_MOST 100000

/* One thing that a visitor did, `times` times, `ago` days before today. */
struct deed {
	struct event e;
	struct leaf_input in; /* its parameters are those below */
	struct attr params[PARAMS_MOST];
	long times, ago;
};

struct example {
	char *name;
	struct yaml_place at;
	struct deed *deeds;
	unsigned deeds_n;
	struct deed visitor; /* what is known of them whatever they did */
	struct str *expect, *not ;
	unsigned expect_n, not_n;
};

struct examples {
	struct example *list;
	size_t n, cap;
};

/* --- what was done */

/* The number of a word, case aside. */
static bool example_number(const char *const *names, unsigned n, struct str value, uint8_t *out)
{
	for (unsigned i = 0; i < n; i++)
		if (str_ieq(value, str_c(names[i]))) {
			*out = (uint8_t)i;
			return true;
		}
	return false;
}

/* ENG, or GB-ENG, which says the country, too. */
static void set_region(struct event *e, struct str value)
{
	if (value.n > 3 && value.p[2] == '-') {
		memcpy(e->place.country, value.p, 2);
		value = str_skip(value, 3);
	}
	memcpy(e->place.region, value.p,
	    value.n < sizeof e->place.region ? value.n : sizeof e->place.region);
}

static bool add_attr(
    struct attr *list, unsigned *n, unsigned most, struct str name, struct str value)
{
	if (*n == most)
		return false;
	list[(*n)++] = (struct attr){name, value};
	return true;
}

/* Puts a value where the field's row says that it is got from. False: the field is computed of
 * others, or there is no room for one more. */
static bool set_field(struct deed *d, enum rule_field f, struct str name, struct str value)
{
	const struct field *row = &rule_fields[f];
	char *at = (field_is_kept(f) ? (char *)&d->e : (char *)&d->in) + row->at;
	if (row->takes & TAKES_BELOW)
		return false;
	switch (row->from) {
	case FROM_TEXT:
		memcpy(at, &value, sizeof value);
		return true;
	case FROM_NUMBER:
		return example_number(row->words, row->words_n, value, (uint8_t *)at);
	case FROM_COUNTRY:
		d->e.place.country[0] = (char)(value.p[0] & ~0x20);
		d->e.place.country[1] = (char)(value.p[1] & ~0x20);
		return true;
	case FROM_REGION:
		set_region(&d->e, value);
		return true;
	case FROM_ATTRS:
		return add_attr(d->e.attrs, &d->e.attrs_n, EVENT_ATTRS_MAX, name, value);
	case FROM_PARAMS:
		return add_attr(d->params, &d->in.params_n, PARAMS_MOST, name, value);
	default:
		return false;
	}
}

/* The host and path of a URL, for an example that gives nothing else. */
static void split_url(struct deed *d)
{
	struct str rest = d->in.url;
	for (size_t i = 0; i + 2 < d->in.url.n; i++)
		if (memcmp(d->in.url.p + i, "://", 3) == 0) {
			rest = str_skip(d->in.url, i + 3);
			break;
		}
	size_t end = 0;
	while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#')
		end++;
	if (!d->e.host.n)
		d->e.host = str_make(rest.p, end);
	rest = str_skip(rest, end);
	end = 0;
	while (end < rest.n && rest.p[end] != '?' && rest.p[end] != '#')
		end++;
	if (!d->e.path.n)
		d->e.path = end ? str_make(rest.p, end) : STR("/");
}

static bool load_days(struct yaml *y, const yaml_node_t *n, struct str s, long *out)
{
	uint64_t days;
	if (s.n < 2 || s.p[s.n - 1] != 'd' || !str_u64(str_make(s.p, s.n - 1), &days) ||
	    days > DAYS_MOST) {
		yaml_complain(y, n, "window", "write it as 3d",
		    "'" STR_FMT "' is no number of days", STR_ARG(s));
		return false;
	}
	*out = (long)days;
	return true;
}

/* "path, host, …, v, times and ago are known" */
static void unknown_detail(struct yaml *y, const yaml_node_t *key, struct str k)
{
	char hint[300], text[FIELD_TEXT];
	size_t used = 0;
	for (int f = 0; f < FIELD_MAX && used < sizeof hint; f++)
		if (!(rule_fields[f].takes & TAKES_BELOW) && rule_fields[f].from != FROM_FUNCTION)
			used += (size_t)snprintf(hint + used, sizeof hint - used, "%s, ",
			    field_text((enum rule_field)f, text));
	if (used < sizeof hint)
		snprintf(hint + used, sizeof hint - used, "v, times and ago are known");
	yaml_complain(y, key, "unknown-key", hint, "there is no '" STR_FMT "' here", STR_ARG(k));
}

/* A field and its value, or one of times, ago and v. */
static void load_detail(
    struct yaml *y, const yaml_node_t *key, const yaml_node_t *value, struct deed *d)
{
	struct yaml_place at = yaml_at(y, value);
	struct str k, v, name;
	if (!yaml_text(y, key, "a key", &k))
		return;
	if (str_eq(k, STR("times"))) {
		yaml_count(y, value, "times", 1, TIMES_MOST, &d->times);
		return;
	}
	if (!yaml_value(y, value, "a value", &v))
		return;
	v = arena_keep(y->arena, v);
	if (str_eq(k, STR("ago"))) {
		load_days(y, value, v, &d->ago);
		return;
	}
	if (str_eq(k, STR("v"))) {
		d->e.has_v = rules_number(v, &d->e.v);
		if (!d->e.has_v)
			yaml_complain(y, value, "number", NULL, "v is a number");
		return;
	}
	enum rule_field f = field_named(k, &name);
	if (f < FIELD_MAX && rule_fields[f].is == IS_CLOSED && !field_check(y->report, &at, f, v))
		return;
	if (f == FIELD_MAX || !set_field(d, f, arena_keep(y->arena, name), v))
		unknown_detail(y, key, k);
}

/* A map of fields and values; a view of a page is what was done unless `event` says otherwise. */
static void load_deed(struct yaml *y, const yaml_node_t *n, struct deed *d)
{
	d->times = 1;
	d->e.name = STR("view");
	if (n->type != YAML_MAPPING_NODE) {
		yaml_complain(y, n, "type", "write it as {path: /coats/parka, times: 3, ago: 2d}",
		    "expected fields and values");
		return;
	}
	for (yaml_node_pair_t *it = n->data.mapping.pairs.start; it < n->data.mapping.pairs.top;
	     it++)
		load_detail(y, yaml_node(y, it->key), yaml_node(y, it->value), d);
	if (d->in.url.n)
		split_url(d);
}

/* --- the file */

static void example_name(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct str s;
	if (yaml_text(y, n, "a name", &s))
		((struct example *)into)->name = yaml_kept(y, s);
}

/* Fields that are known of the visitor from the beginning. */
static void example_visitor(struct yaml *y, const yaml_node_t *n, void *into)
{
	load_deed(y, n, &((struct example *)into)->visitor);
}

static void one_deed(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct example *x = into;
	load_deed(y, n, &x->deeds[x->deeds_n++]);
}

static void example_did(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct example *x = into;
	size_t most = n->type == YAML_SEQUENCE_NODE
			  ? (size_t)(n->data.sequence.items.top - n->data.sequence.items.start)
			  : 0;
	x->deeds = arena_alloc(y->arena, (most + 1) * sizeof *x->deeds);
	yaml_list(y, n, "did", one_deed, x);
}

/* A file of examples while it is read. */
struct reading_examples {
	struct yaml yaml; /* first: names_of() makes it whole again */
	const struct rules *r;
};

/* Names of segments, each of which must be there. */
static void names_of(struct yaml *y, const yaml_node_t *n, struct str **out, unsigned *out_n)
{
	const struct rules *r = ((struct reading_examples *)y)->r;
	char hint[200];
	if (n->type == YAML_SEQUENCE_NODE &&
	    n->data.sequence.items.start == n->data.sequence.items.top)
		return;
	if (!yaml_words(y, n, "a list of segments", out, out_n))
		return;
	for (unsigned i = 0; i < *out_n; i++) {
		if (rules_segment(r, (*out)[i]) >= 0)
			continue;
		struct near near = near_begin((*out)[i]);
		for (size_t k = 0; k < r->segments_n; k++)
			near_try(&near, str_c(r->segments[k].id));
		yaml_complain(y, n, "unknown-segment", near_hint(&near, hint, sizeof hint),
		    "there is no segment '" STR_FMT "'", STR_ARG((*out)[i]));
	}
}

static void example_expect(struct yaml *y, const yaml_node_t *n, void *into)
{
	names_of(y, n, &((struct example *)into)->expect, &((struct example *)into)->expect_n);
}

static void example_not(struct yaml *y, const yaml_node_t *n, void *into)
{
	names_of(y, n, &((struct example *)into)->not, &((struct example *)into)->not_n);
}

static const struct yaml_key example_keys[] = {
    {.name = "name", .load = example_name},
    {.name = "visitor", .load = example_visitor},
    {.name = "did", .load = example_did, .aliases = "does|events"},
    {.name = "expect", .load = example_expect, .aliases = "expected|segments"},
    {.name = "not", .load = example_not, .aliases = "expect_not"},
};

static void load_example(struct yaml *y, const yaml_node_t *n, void *into)
{
	struct examples *all = into;
	size_t errors = y->report->errors;
	struct example *x = arena_alloc(y->arena, sizeof *x);
	x->at = yaml_at(y, n);
	yaml_map(y, n, "a test", example_keys, sizeof example_keys / sizeof *example_keys, x);
	if (errors == y->report->errors && x->expect_n + x->not_n == 0)
		yaml_complain(y, n, "missing", "say expect: [SEGMENT] or not: [SEGMENT]",
		    "this test expects nothing");
	if (!x->name)
		x->name = yaml_kept(y, STR("(no name)"));
	CHECK(array_room_zeroed(all->list, all->cap, all->n + 1));
	all->list[all->n++] = *x;
}

static void root_tests(struct yaml *y, const yaml_node_t *n, void *into)
{
	yaml_list(y, n, "tests", load_example, into);
}

static void tests_version(struct yaml *y, const yaml_node_t *n, void *into)
{
	(void)into;
	yaml_version(y, n);
}

static const struct yaml_key root_keys[] = {
    {.name = "version", .load = tests_version},
    {.name = "tests", .load = root_tests, .aliases = "examples"},
};

/* --- running one */

/* As a server would: leaves, vocabularies, categories, then the profile. `cats` has room for all.
 */
static void do_deed(struct rules *r, struct match *m, struct deed *d, struct profile *p,
    uint16_t today, unsigned retention, uint16_t *cats)
{
	uint16_t day = (uint16_t)(today - d->ago);
	d->in.params = d->params;
	if (d->ago >= (long)retention)
		return; /* forgotten by now */
	d->e.leaves_n = rules_leaves(m, &d->in, d->e.leaves);
	rules_close(r, &d->e);
	unsigned n = rules_categorise(m, &d->e, cats);
	for (unsigned i = 0; i <= n; i++) {
		uint16_t cat = i ? cats[i - 1] : CATEGORY_ALL;
		profile_add(p, cat, day, (uint32_t)d->times);
		for (long k = 0; k < d->times && d->e.has_v && r->categories[cat].summed; k++)
			profile_add_value(p, cat, day, d->e.v);
	}
	profile_observe(p, day, &d->e.place, &d->e.agent, d->e.attrs, d->e.attrs_n);
}

static void example_run(struct rules *r, struct match *m, struct example *x, uint16_t today,
    unsigned retention, uint16_t *cats, struct example_result *out)
{
	struct profile *p = calloc(1, sizeof *p);
	CHECK(p);
	for (unsigned i = 0; i < x->deeds_n; i++)
		do_deed(r, m, &x->deeds[i], p, today, retention, cats);
	struct event *known = &x->visitor.e;
	rules_close(r, known);
	profile_observe(p, today, &known->place, &known->agent, known->attrs, known->attrs_n);
	*out = (struct example_result){.name = x->name, .at = x->at};
	out->missing = arena_alloc(&r->arena, (x->expect_n + 1) * sizeof *out->missing);
	out->unwanted = arena_alloc(&r->arena, (x->not_n + 1) * sizeof *out->unwanted);
	for (unsigned i = 0; i < x->expect_n; i++)
		if (!rules_eval(r, (uint16_t)rules_segment(r, x->expect[i]), p, today))
			out->missing[out->missing_n++] = x->expect[i];
	for (unsigned i = 0; i < x->not_n; i++)
		if (rules_eval(r, (uint16_t)rules_segment(r, x->not [i]), p, today))
			out->unwanted[out->unwanted_n++] = x->not [i];
	out->passed = out->missing_n + out->unwanted_n == 0;
	profile_done(p);
	free(p);
}

/* Deeds and names live in the arena of the rules; the profile is freed after each example. */
enum err examples_run(struct rules *r, struct str file, struct str text, uint16_t today,
    unsigned retention, struct report *report, void (*each)(void *, const struct example_result *),
    void *arg)
{
	struct reading_examples reading = {.yaml = {.arena = &r->arena,
					       .report = report,
					       .file = arena_keep(&r->arena, file).p,
					       .text = text},
	    .r = r};
	struct examples all = {NULL, 0, 0};
	struct match *m = NULL;
	const yaml_node_t *root = yaml_open(&reading.yaml);
	if (root)
		yaml_map(&reading.yaml, root, "a file of tests", root_keys,
		    sizeof root_keys / sizeof *root_keys, &all);
	yaml_close(&reading.yaml);
	report_sort(report);
	enum err e = report_error(report);
	if (!e)
		e = rules_match_begin(r, &m);
	uint16_t *cats = calloc(r->categories_n + 1, sizeof *cats);
	CHECK(cats);
	for (size_t i = 0; i < all.n && !e; i++) {
		struct example_result result;
		example_run(r, m, &all.list[i], today, retention, cats, &result);
		each(arg, &result);
	}
	rules_match_end(m);
	free(cats);
	free(all.list);
	return e;
}

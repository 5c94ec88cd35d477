/* rules explain: why a visitor is in a segment or not.
 *
 * The condition is a tree of nodes (rules/rules.h). It is told as JSON first, and printed from the
 * JSON, so that both say the same. Of each node it says:
 *
 *     true    does it hold today, by the evaluator that also makes memberships
 *     count, days, value, first, then    what it looked at, by its kind
 *     flips   the day on which time alone changes it
 *
 * For a visitor who is not in, rules_change() (condition/explain.h) finds the smallest change that
 * would bring the visitor in. A referred segment is told as a part of its own. */
#include "crumb/condition/explain.h"
#include "crumb/rules/fact.h"

#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct explaining {
	const struct rules *r;
	const struct profile *p;
	uint16_t today;
	unsigned retention;
};

static json_t *day_or_null(uint16_t day)
{
	char text[DAY_TEXT];
	if (!day)
		return json_null();
	day_text(day, text);
	return json_string(text);
}

/* Sums are kept in millionths. */
static double units(const struct rule_node *n, int64_t amount)
{
	return n->kind == NODE_SUM ? (double)amount / 1e6 : (double)amount;
}

/* A whole number as one: 3, not 3.0. */
static json_t *json_number(double v)
{
	if (fabs(v) < 1e15 && v == (double)(long long)v)
		return json_integer((json_int_t)v);
	return json_real(v);
}

/* The days of a category that count for a node, oldest first. `then` and `first` have no window. */
static json_t *days_json(const struct explaining *x, const struct rule_node *n, uint16_t cat)
{
	json_t *list = json_array();
	size_t rows, sums;
	const struct cat_day *r = profile_span(x->p, cat, &rows);
	const struct sum_day *s = profile_sums(x->p, cat, &sums);
	uint16_t from = n->kind == NODE_THEN || n->kind == NODE_FIRST
			    ? 0
			    : rules_window_start(n->window, x->today);
	for (size_t i = 0; i < rows; i++) {
		if (r[i].day < from || r[i].day > x->today)
			continue;
		json_t *day = json_pack(
		    "{s:o,s:I}", "day", day_or_null(r[i].day), "count", (json_int_t)r[i].count);
		for (size_t k = 0; k < sums && n->kind == NODE_SUM; k++)
			if (s[k].day == r[i].day)
				json_object_set_new(
				    day, "value", json_number((double)s[k].millionths / 1e6));
		json_array_append_new(list, day);
	}
	return list;
}

static json_t *node_json(const struct explaining *x, int at);

/* Parts of "a and b and c", which is parsed as two nodes, are told as three parts of one. */
static void add_parts(const struct explaining *x, int at, enum node_kind kind, json_t *list)
{
	const struct rule_node *n = &x->r->nodes[at];
	if (n->kind != kind) {
		json_array_append_new(list, node_json(x, at));
		return;
	}
	add_parts(x, n->left, kind, list);
	add_parts(x, n->right, kind, list);
}

/* What a node looked at, by its kind. */
static void add_facts(const struct explaining *x, const struct rule_node *n, json_t *j)
{
	if (n->kind == NODE_FACT) {
		struct str v = rules_fact(x->p, n->fact);
		json_object_set_new(j, "value", v.n ? json_stringn(v.p, v.n) : json_null());
	} else if (n->kind == NODE_ATTR) {
		const struct profile_attr *a = profile_attr(x->p, n->attr);
		json_object_set_new(
		    j, "value", a ? json_stringn(a->value.p, a->value.n) : json_null());
		if (a)
			json_object_set_new(j, "since", day_or_null(a->day));
	} else if (n->kind == NODE_THEN) {
		json_object_set_new(j, "first", days_json(x, n, n->cat));
		json_object_set_new(j, "then", days_json(x, n, n->then));
	} else if (n->kind == NODE_COUNT || n->kind == NODE_DAYS || n->kind == NODE_SUM) {
		json_object_set_new(
		    j, "count", json_number(units(n, rules_amount(x->p, n, x->today).n)));
		json_object_set_new(j, "days", days_json(x, n, n->cat));
	} else if (n->kind == NODE_FIRST) {
		json_object_set_new(j, "days", days_json(x, n, n->cat));
	}
}

static json_t *node_json(const struct explaining *x, int at)
{
	const struct rule_node *n = &x->r->nodes[at];
	static const char *const kinds[] = {"and", "or", "not", "count", "days", "sum", "first",
	    "then", "fact", "attribute", "segment", "model", "never"};
	json_t *j = json_pack("{s:s%,s:s,s:b,s:o}", "text", n->text.p, n->text.n, "kind",
	    kinds[n->kind], "true", rules_part_holds(x->r, at, x->p, x->today), "flips",
	    day_or_null(rules_part_flips(x->r, at, x->p, x->today, x->retention)));
	if (n->kind == NODE_AND || n->kind == NODE_OR || n->kind == NODE_NOT) {
		json_t *parts = json_array();
		if (n->kind == NODE_NOT)
			json_array_append_new(parts, node_json(x, n->left));
		else
			add_parts(x, at, n->kind, parts);
		json_object_set_new(j, "parts", parts);
	} else if (n->kind == NODE_SEGMENT) {
		json_object_set_new(j, "segment", json_string(x->r->segments[n->segment].id));
		json_object_set_new(
		    j, "parts", json_pack("[o]", node_json(x, x->r->segments[n->segment].root)));
	} else {
		add_facts(x, n, j);
	}
	return j;
}

/* --- what would bring a visitor in */

#define FACT_SHOWN 400 /* bytes of a part of a condition, in a sentence */

/* A step of a change: in words, and as numbers for whoever makes other words of it. */
static json_t *step_json(const struct explaining *x, const struct step *s)
{
	char words[500], day[DAY_TEXT];
	const char *cat = x->r->categories[s->cat].id;
	struct str text = x->r->nodes[s->node].text;
	json_t *j = NULL;
	if (s->cat == CATEGORY_ALL && (s->kind == STEP_EVENTS || s->kind == STEP_DAYS))
		cat = "any event";
	switch (s->kind) {
	case STEP_EVENTS:
		snprintf(words, sizeof words, "%lld more %s today", (long long)s->n, cat);
		j = json_pack("{s:s,s:s,s:I}", "action", "events", "category", cat, "count",
		    (json_int_t)s->n);
		break;
	case STEP_DAYS:
		snprintf(words, sizeof words, "%s on %lld more %s", cat, (long long)s->n,
		    cli_plural((uint64_t)s->n, "day", "days"));
		j = json_pack(
		    "{s:s,s:s,s:I}", "action", "days", "category", cat, "count", (json_int_t)s->n);
		break;
	case STEP_VALUE:
		snprintf(words, sizeof words, "%s worth %.15g more", cat, (double)s->n / 1e6);
		j = json_pack("{s:s,s:s,s:o}", "action", "value", "category", cat, "value",
		    json_number((double)s->n / 1e6));
		break;
	case STEP_WAIT:
		day_text(s->day, day);
		snprintf(words, sizeof words, "wait until %s", day);
		j = json_pack("{s:s,s:s}", "action", "wait", "until", day);
		break;
	case STEP_FACT:
		snprintf(words, sizeof words, "'%.*s' would have to be %s",
		    (int)(text.n > FACT_SHOWN ? FACT_SHOWN : text.n), text.p,
		    s->wanted ? "true" : "false");
		j = json_pack("{s:s,s:s%,s:b}", "action", "fact", "fact", text.p, text.n, "wanted",
		    s->wanted);
		break;
	}
	json_object_set_new(j, "words", json_string(words));
	return j;
}

/* `sure`: the visitor would be in after the steps. Else they are only needed, such as where an
 * attribute would have to be another. */
static json_t *change_json(const struct explaining *x, uint16_t segment)
{
	struct change c = rules_change(x->r, segment, x->p, x->today, x->retention);
	json_t *steps = json_array();
	for (unsigned i = 0; i < c.n; i++)
		json_array_append_new(steps, step_json(x, &c.steps[i]));
	return json_pack("{s:b,s:b,s:o}", "possible", c.possible, "sure", c.sure, "steps", steps);
}

/* --- for people */

static void print_days(const json_t *days)
{
	size_t i;
	json_t *day;
	json_array_foreach(days, i, day)
	{
		printf("%s%s×%lld", i ? ", " : "", json_string_value(json_object_get(day, "day")),
		    (long long)json_integer_value(json_object_get(day, "count")));
		if (json_object_get(day, "value"))
			printf(" (%.15g)", json_number_value(json_object_get(day, "value")));
	}
}

/* "yes  coats >= 2 in 14d   is 3   on 2026-12-01×3   ends on 2026-12-15" */
static void print_node(const json_t *n, int depth)
{
	size_t i;
	json_t *part;
	const json_t *flips = json_object_get(n, "flips"), *count = json_object_get(n, "count"),
		     *days = json_object_get(n, "days"), *value = json_object_get(n, "value"),
		     *first = json_object_get(n, "first");
	bool holds = json_is_true(json_object_get(n, "true"));
	printf("%*s%s  %s", 2 * depth + 2, "", holds ? "yes" : "no ",
	    json_string_value(json_object_get(n, "text")));
	if (count)
		printf("   is %.15g", json_number_value(count));
	if (json_is_string(value))
		printf("   is %s", json_string_value(value));
	else if (value && !count)
		printf("   is not known");
	if (days && json_array_size(days)) {
		printf("   on ");
		print_days(days);
	}
	if (first) {
		printf("   on ");
		print_days(first);
		printf("; then on ");
		print_days(json_object_get(n, "then"));
	}
	if (json_is_string(flips))
		printf("   %s on %s", holds ? "ends" : "comes true", json_string_value(flips));
	putchar('\n');
	json_array_foreach(json_object_get(n, "parts"), i, part) print_node(part, depth + 1);
}

static void print_explanation(const json_t *j)
{
	const json_t *change = json_object_get(j, "change");
	size_t i;
	json_t *step;
	bool in = json_is_true(json_object_get(j, "in"));
	printf("%s %s\n", in ? "in" : "not in", json_string_value(json_object_get(j, "segment")));
	if (json_is_string(json_object_get(j, "until")))
		printf("  until %s, if nothing more is seen\n",
		    json_string_value(json_object_get(j, "until")));
	if (json_is_string(json_object_get(j, "state")) &&
	    strcmp(json_string_value(json_object_get(j, "state")), "active") != 0)
		printf("  the segment is %s\n", json_string_value(json_object_get(j, "state")));
	print_node(json_object_get(j, "tree"), 0);
	if (in)
		return;
	if (!json_is_true(json_object_get(change, "possible"))) {
		puts("  nothing that the visitor does, and no waiting, leads into it");
		return;
	}
	bool sure = json_is_true(json_object_get(change, "sure"));
	puts(sure ? "  would be in after:" : "  at least this would be needed:");
	json_array_foreach(json_object_get(change, "steps"), i, step)
	    printf("    %s\n", json_string_value(json_object_get(step, "words")));
}

/* Says why there is no profile. */
static void fail_unknown(struct cli *c, const struct vkey *k, uint32_t now, enum err e)
{
	uint32_t hour;
	if (e != ERR_NOT_FOUND)
		cli_fail("%s", err_text());
	else if (view_provisional(c->generation, k, now, &hour))
		cli_fail("this visitor was seen once, without a cookie, and counts only when it "
			 "comes back");
	else
		cli_fail("nothing is known of this visitor");
}

/* The segment stands before or behind the option that names the visitor. */
static int explain(struct cli *c, int argc, char **argv)
{
	struct vkey k;
	struct profile *p = calloc(1, sizeof *p);
	int rc = EXIT_MISUSE;
	const char *id = NULL;
	uint32_t now = clock_now();
	CHECK(p);
	/* the segment is the word that is no option's value */
	for (int i = 0; i < argc; i++) {
		if (argv[i] && argv[i][0] == '-')
			i++;
		else if (argv[i] && !id)
			id = argv[i], argv[i] = NULL;
	}
	if (!id) {
		cli_misuse("rules explain wants the id of a segment, and one of --cookie VALUE, "
			   "--id IMPORTED_ID, --key HEX");
		goto out;
	}
	if (!cli_who(c, "rules explain", argc, argv, &k, &rc))
		goto out;
	rc = EXIT_WRONG;
	const struct rules *r = c->generation->rules;
	uint16_t segment;
	if (rules_find_segment(r, str_c(id), &segment) != OK) {
		cli_fail("%s", err_text());
		goto out;
	}
	if (r->segments[segment].like) {
		cli_fail("'%s' is a lookalike: a model decides, and no condition leads into it; "
			 "'crumb lookalike explain %s' says what speaks for and against",
		    id, id);
		goto out;
	}
	enum err e = view_visitor(c->generation, &k, now, p);
	if (e) {
		fail_unknown(c, &k, now, e);
		goto out;
	}
	struct explaining x = {r, p, day_of(now), (unsigned)c->config.retention_days};
	const struct segment *s = &r->segments[segment];
	bool in = rules_eval(r, segment, p, x.today);
	json_t *j = json_pack("{s:s,s:b,s:s,s:o,s:o}", "segment", s->id, "in", in, "state",
	    segment_state(s, x.today), "until",
	    in ? day_or_null(rules_member_until(r, segment, p, x.today, x.retention)) : json_null(),
	    "tree", node_json(&x, s->root));
	if (!in)
		json_object_set_new(j, "change", change_json(&x, segment));
	if (c->json) {
		cli_print_json(j);
	} else {
		print_explanation(j);
		json_decref(j);
	}
	rc = EXIT_FINE;
out:
	profile_done(p);
	free(p);
	return rc;
}

const struct command commands_explain[] = {
    {.name = "rules explain",
	.args = "SEGMENT --cookie VALUE | --id IMPORTED_ID | --key HEX [--json]",
	.summary = "why a visitor is in a segment or not",
	.help = "Shows the condition part by part: whether the part is true, what it counts and "
		"on which days, and the day on which time alone changes it. For a visitor who is "
		"not in the segment it shows the smallest change that would bring the visitor "
		"in. Exit status 1: nothing is known of the visitor.",
	.run = explain},
    {0},
};

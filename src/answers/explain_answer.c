/* Why a visitor is in a segment or not.
 *
 * The condition is a tree of nodes (rules/rules.h). Of each node it is told:
 *
 *     true    does it hold today, by the evaluator that also makes memberships
 *     count, days, value, first, then    what it looked at, by its kind
 *     flips   the day on which time alone changes it
 *
 * For a visitor who is not in, rules_change() (condition/explain.h) finds the smallest change that
 * would bring the visitor in. A referred segment is told as a part of its own. */
#include "crumb/answers/explain_answer.h"

#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "crumb/condition/explain.h"
#include "crumb/condition/sentence.h"
#include "crumb/rules/fact.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

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
static json_t *whole_or_real(double v)
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
				    day, "value", whole_or_real((double)s[k].millionths / 1e6));
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
		    j, "count", whole_or_real(units(n, rules_amount(x->p, n, x->today).n)));
		json_object_set_new(j, "days", days_json(x, n, n->cat));
	} else if (n->kind == NODE_FIRST) {
		json_object_set_new(j, "days", days_json(x, n, n->cat));
	}
}

/* What is joined has none: its parts have them, and a deep condition would say each of them over
 * and over. */
static void add_words(const struct explaining *x, int at, json_t *j)
{
	struct buf words = {0};
	condition_part_words(x->r, at, &words);
	json_object_set_new(j, "words", words.failed ? NULL : json_stringn(words.p, words.n));
	buf_done(&words);
}

static json_t *node_json(const struct explaining *x, int at)
{
	const struct rule_node *n = &x->r->nodes[at];
	static const char *const kinds[] = {"and", "or", "not", "count", "days", "sum", "first",
	    "then", "fact", "attribute", "segment", "model", "never"};
	json_t *j = json_pack("{s:s%,s:s,s:b,s:o}", "text", n->text.p, n->text.n, "kind",
	    kinds[n->kind], "true", rules_part_holds(x->r, at, x->p, x->today), "flips",
	    day_or_null(rules_part_flips(x->r, at, x->p, x->today, x->retention)));
	if (n->kind != NODE_AND && n->kind != NODE_OR)
		add_words(x, at, j);
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
	const char *cat = x->r->categories[s->cat].id, *name = x->r->categories[s->cat].name;
	struct str text = x->r->nodes[s->node].text;
	json_t *j = NULL;
	if (s->cat == CATEGORY_ALL && (s->kind == STEP_EVENTS || s->kind == STEP_DAYS))
		cat = name = "any event";
	switch (s->kind) {
	case STEP_EVENTS:
		snprintf(words, sizeof words, "%lld more %s today", (long long)s->n, cat);
		j = json_pack("{s:s,s:s,s:I}", "action", "events", "category", cat, "count",
		    (json_int_t)s->n);
		break;
	case STEP_DAYS:
		snprintf(words, sizeof words, "%s on %lld more %s", cat, (long long)s->n,
		    s->n == 1 ? "day" : "days");
		j = json_pack(
		    "{s:s,s:s,s:I}", "action", "days", "category", cat, "count", (json_int_t)s->n);
		break;
	case STEP_VALUE:
		snprintf(words, sizeof words, "%s worth %.15g more", cat, (double)s->n / 1e6);
		j = json_pack("{s:s,s:s,s:o}", "action", "value", "category", cat, "value",
		    whole_or_real((double)s->n / 1e6));
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
	if (json_object_get(j, "category"))
		json_object_set_new(j, "name", json_string(name ? name : cat));
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

/* --- the answer */

/* Says why there is no profile. */
static enum err nobody_known(struct generation *g, const struct vkey *k, uint32_t now, enum err e)
{
	uint32_t hour;
	if (e != ERR_NOT_FOUND)
		return e;
	if (view_provisional(g, k, now, &hour))
		return err_set(ERR_NOT_FOUND, "this visitor was seen once, without a cookie, and "
					      "counts only when it comes back");
	return err_set(ERR_NOT_FOUND, "nothing is known of this visitor");
}

static json_t *explanation(const struct explaining *x, uint16_t segment)
{
	const struct segment *s = &x->r->segments[segment];
	bool in = rules_eval(x->r, segment, x->p, x->today);
	uint16_t until = in ? rules_member_until(x->r, segment, x->p, x->today, x->retention) : 0;
	json_t *j = json_pack("{s:s,s:b,s:s,s:o,s:o}", "segment", s->id, "in", in, "state",
	    segment_state(s, x->today), "until", in ? day_or_null(until) : json_null(), "tree",
	    node_json(x, s->root));
	if (!in)
		json_object_set_new(j, "change", change_json(x, segment));
	return j;
}

enum err answer_explain(struct generation *g, unsigned retention, const struct vkey *k,
    struct str id, uint32_t now, json_t **out)
{
	struct profile p = {0};
	uint16_t segment;
	enum err e = rules_find_segment(g->rules, id, &segment);
	if (!e && g->rules->segments[segment].like)
		e = err_set(ERR_USAGE,
		    "'" STR_FMT "' is a lookalike: a model decides, and no condition leads into "
		    "it; 'crumb lookalike explain " STR_FMT "' says what speaks for and against",
		    STR_ARG(id), STR_ARG(id));
	if (e)
		return e;
	if ((e = view_visitor(g, k, now, &p)))
		e = nobody_known(g, k, now, e);
	struct explaining x = {g->rules, &p, day_of(now), retention};
	if (!e)
		*out = explanation(&x, segment);
	profile_done(&p);
	return e;
}

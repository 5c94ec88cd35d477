/* The condition language: text to nodes, by recursive descent. One function for each line of the
 * grammar (rules/rules.h), one for each form of a test; what stands in a test, such as a category,
 * a window or an amount, is operand.c.
 *
 *     coats >= 3 in 7d and not country = US
 *
 *     parse_or, parse_and ─┬─ parse_not ─ category_test                0  COUNT coats >= 3, 7 days
 *                          └─ parse_not ─ parse_not ─ fact_test        1  FACT country in (US)
 *                                                                      2  NOT 1
 *                                                                      3  AND 0 2: the root
 *
 * Nodes are an array of the rule set, children before their parents; the functions return the
 * number of a node, -1 after a refusal. Every refusal says where, what was found and what was
 * expected, and, for the slips that people make, what they may have meant (parser.c). */
#include "crumb/condition/forms.h"
#include "parser.h"

#include "crumb/base/array.h"
#include "crumb/condition/parse.h"

#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 64 /* of "not" and parentheses within each other */

/* --- nodes */

static int append_node(struct rules *r, struct rule_node n)
{
	CHECK(array_room(r->nodes, r->nodes_cap, r->nodes_n + 1));
	r->nodes[r->nodes_n] = n;
	return (int)r->nodes_n++;
}

static int add_node(struct parser *p, struct rule_node n)
{
	return append_node(p->r, n);
}

/* The model is a second condition beside the one that was written: both have to hold. */
int condition_and_like(struct rules *r, int root, uint16_t segment)
{
	struct str all = r->nodes[root].text;
	int like = append_node(
	    r, (struct rule_node){
		   .kind = NODE_LIKE, .segment = segment, .text = str_skip(all, all.n)});
	return append_node(
	    r, (struct rule_node){.kind = NODE_AND, .left = root, .right = like, .text = all});
}

/* A test of a fact or an attribute, behind its name. "!=" and "not in" are a NOT above the node. */
static int fact_test(struct parser *p, struct rule_node n, size_t from)
{
	bool negate = false;
	if (parse_is(p, "not")) {
		negate = true;
		parse_next(p);
		if (!parse_is(p, "in")) {
			parse_expected(p, "'in'", NULL);
			return -1;
		}
	}
	bool attr = n.kind == NODE_ATTR;
	if (parse_is(p, "in")) {
		parse_next(p);
		parse_values(p, &n);
	} else if (attr &&
		   (parse_is(p, "between") ||
		       (p->now.kind == TOK_OP && p->now.op != OP_EQ && p->now.op != OP_NE))) {
		parse_range(p, &n);
	} else if (p->now.kind != TOK_OP || (p->now.op != OP_EQ && p->now.op != OP_NE)) {
		parse_expected(
		    p, attr ? "a comparison, 'in' or 'between'" : "'=', '!=' or 'in'", NULL);
		return -1;
	} else {
		n.op = p->now.op;
		negate = n.op == OP_NE;
		n.words_n = 1;
		n.words = arena_alloc(&p->r->arena, sizeof *n.words);
		parse_next(p);
		n.words[0] = parse_value(p, &n);
	}
	if (p->failed)
		return -1;
	n.text = parse_written(p, from);
	int node = add_node(p, n);
	return negate
		   ? add_node(p, (struct rule_node){.kind = NODE_NOT, .left = node, .text = n.text})
		   : node;
}

/* --- tests */

/* segment(ID). One that is not there becomes NODE_NEVER, so that reading goes on. */
static int segment_test(struct parser *p, size_t from)
{
	char message[300], hint[200];
	parse_next(p);
	parse_expect(p, TOK_OPEN, "'(' and the id of a segment");
	if (p->failed)
		return -1;
	if (p->now.kind != TOK_WORD && p->now.kind != TOK_NUMBER && p->now.kind != TOK_DAYS) {
		parse_expected(p, "the id of a segment", NULL);
		return -1;
	}
	struct str id = p->now.text;
	int seg = rules_segment(p->r, id);
	if (seg < 0) {
		struct near near = near_begin(id);
		for (size_t i = 0; i < p->r->segments_n; i++)
			near_try(&near, str_c(p->r->segments[i].id));
		near_hint(&near, hint, sizeof hint);
		snprintf(message, sizeof message, "there is no segment '" STR_FMT "'",
		    (int)(id.n > 130 ? 130 : id.n), id.p);
		if (!*hint && rules_category(p->r, id) > 0)
			snprintf(
			    hint, sizeof hint, "it is a category: write it without segment( )");
		parse_report(p, id, "unknown-segment", hint, message);
	}
	parse_next(p);
	parse_expect(p, TOK_CLOSE, "')'");
	if (p->failed)
		return -1;
	return add_node(p, (struct rule_node){.kind = seg < 0 ? NODE_NEVER : NODE_SEGMENT,
			       .segment = (uint16_t)seg,
			       .text = parse_written(p, from)});
}

/* Adds a node that is read to its end, with the text that it was written as. */
static int finish(struct parser *p, struct rule_node n, size_t from)
{
	if (p->failed)
		return -1;
	n.text = parse_written(p, from);
	return add_node(p, n);
}

/* days(CATEGORY) >= N in 30d, last(CATEGORY) within 2d, first(CATEGORY) within 7d, sum(v of
 * CATEGORY) >= X in 30d */
static int function_test(struct parser *p, enum node_kind kind, size_t from)
{
	struct rule_node n = {.kind = kind, .op = OP_GE, .n = 1};
	bool amounts = kind == NODE_DAYS || kind == NODE_SUM;
	parse_next(p);
	parse_expect(p, TOK_OPEN, "'(' and a category");
	if (kind == NODE_SUM && !p->failed) {
		if (!parse_is(p, "v")) {
			parse_expected(p, "'v of' and a category",
			    "sum(v of purchase): v is the value that pages send along");
			return -1;
		}
		parse_next(p);
		if (!parse_is(p, "of")) {
			parse_expected(p, "'of' and a category", NULL);
			return -1;
		}
		parse_next(p);
	}
	n.cat = parse_category(p, "a category");
	parse_expect(p, TOK_CLOSE, "')'");
	if (amounts) {
		parse_amount(p, &n);
		n.window = parse_optional_window(p);
	} else {
		n.window = parse_within(p);
	}
	return finish(p, n, from);
}

/* CATEGORY, CATEGORY >= N in 30d, CATEGORY between N and M, A then B within 3d */
static int category_test(struct parser *p, size_t from)
{
	struct rule_node n = {.kind = NODE_COUNT, .op = OP_GE, .n = 1};
	n.cat = parse_category(p, "a category");
	if (parse_is(p, "then")) {
		parse_next(p);
		n.kind = NODE_THEN;
		n.then = parse_category(p, "a category");
		n.window = parse_within(p);
		return finish(p, n, from);
	}
	if (p->now.kind == TOK_OP || parse_is(p, "between"))
		parse_amount(p, &n);
	else if (parse_is(p, "not")) {
		parse_expected(p, "a comparison, 'in', 'and' or 'or'",
		    "'not' stands before the category: not purchase in 30d");
		return -1;
	}
	n.window = parse_optional_window(p);
	return finish(p, n, from);
}

/* Does a parenthesis follow the token at hand? */
static bool opens(const struct parser *p)
{
	size_t at = p->at;
	while (at < p->text.n && p->text.p[at] == ' ')
		at++;
	return at < p->text.n && p->text.p[at] == '(';
}

/* "segment, days, last, first and sum are known" */
static void hint_calls(char *hint, size_t cap)
{
	const char *last = NULL;
	size_t used = 0;
	for (size_t i = 0; i < condition_forms_n && used < cap; i++) {
		const struct condition_form *f = &condition_forms[i];
		if (f->begins != BEGINS_WITH_CALL)
			continue;
		if (last)
			used += (size_t)snprintf(
			    hint + used, cap - used, "%s%s", used ? ", " : "", last);
		last = f->word;
	}
	if (last && used < cap)
		snprintf(hint + used, cap - used, "%s%s are known", used ? " and " : "", last);
}

static void unknown_call(struct parser *p)
{
	struct str word = p->now.text;
	char message[200], hint[100];
	struct near near = near_begin(word);
	for (size_t i = 0; i < condition_forms_n; i++)
		if (condition_forms[i].begins == BEGINS_WITH_CALL)
			near_try(&near, str_c(condition_forms[i].word));
	if (str_ieq(word, STR("count")))
		snprintf(hint, sizeof hint, "a category counts by itself: coats >= 3");
	else
		near_hint(&near, hint, sizeof hint);
	if (!*hint)
		hint_calls(hint, sizeof hint);
	snprintf(message, sizeof message, "there is no '" STR_FMT "( )'",
	    (int)(word.n > 100 ? 100 : word.n), word.p);
	parse_report(p, word, "unknown-function", hint, message);
	p->failed = true;
}

/* visits, visits >= N in 14d: days with any event. */
static int visits_test(struct parser *p, size_t from)
{
	struct rule_node n = {.kind = NODE_DAYS, .op = OP_GE, .n = 1, .cat = CATEGORY_ALL};
	parse_next(p);
	if (p->now.kind == TOK_OP || parse_is(p, "between"))
		parse_amount(p, &n);
	n.window = parse_optional_window(p);
	return finish(p, n, from);
}

/* One test: the word at hand says which form it is. */
static int parse_test(struct parser *p)
{
	size_t from = parse_here(p);
	if (p->now.kind != TOK_WORD) {
		parse_expected(p, "a category, a fact or '('",
		    p->now.kind == TOK_NUMBER ? "the category comes first: coats >= 3" : NULL);
		return -1;
	}
	if (opens(p)) {
		const struct condition_form *f = condition_form(BEGINS_WITH_CALL, p->now.text);
		if (f)
			return f->kind == NODE_SEGMENT ? segment_test(p, from)
						       : function_test(p, f->kind, from);
		if (!parse_is(p, "and") && !parse_is(p, "or")) {
			unknown_call(p);
			return -1;
		}
	}
	if (parse_is(p, "and") || parse_is(p, "or") || parse_is(p, "in") || parse_is(p, "then") ||
	    parse_is(p, "within")) {
		parse_expected(p, "a category, a fact or '('", NULL);
		return -1;
	}
	if (condition_form(BEGINS_WITH_WORD, p->now.text))
		return visits_test(p, from);
	for (int f = 0; f < FACT_MAX; f++) {
		if (parse_is(p, fact_name((enum fact)f))) {
			parse_next(p);
			return fact_test(
			    p, (struct rule_node){.kind = NODE_FACT, .fact = (enum fact)f}, from);
		}
	}
	if (str_starts(p->now.text, STR("attr.")) && p->now.text.n > 5) {
		struct str name = arena_keep(&p->r->arena, str_skip(p->now.text, 5));
		parse_next(p);
		return fact_test(p, (struct rule_node){.kind = NODE_ATTR, .attr = name}, from);
	}
	return category_test(p, from);
}

/* --- the grammar's upper part */

static int parse_or(struct parser *p);

static int parse_not(struct parser *p)
{
	int node = -1;
	if (p->failed)
		return -1;
	if (++p->depth > DEPTH_MAX) {
		parse_expected(p, "a condition that is nested less deeply",
		    "build it from smaller ones with segment(ID)");
		return -1;
	}
	size_t from = parse_here(p);
	if (parse_is(p, "not")) {
		parse_next(p);
		int inner = parse_not(p);
		if (!p->failed)
			node = add_node(p,
			    (struct rule_node){
				.kind = NODE_NOT, .left = inner, .text = parse_written(p, from)});
	} else if (p->now.kind == TOK_OPEN) {
		parse_next(p);
		node = parse_or(p);
		parse_expect(p, TOK_CLOSE, "')'");
	} else {
		node = parse_test(p);
	}
	p->depth--;
	return node;
}

/* PART, PART word PART …: a chain of nodes to the left, as `and` and `or` both make it. */
static int parse_row(
    struct parser *p, const char *word, enum node_kind kind, int (*part)(struct parser *))
{
	size_t from = parse_here(p);
	int node = part(p);
	while (!p->failed && parse_is(p, word)) {
		parse_next(p);
		int right = part(p);
		if (!p->failed)
			node = add_node(p, (struct rule_node){.kind = kind,
					       .left = node,
					       .right = right,
					       .text = parse_written(p, from)});
	}
	return node;
}

static int parse_and(struct parser *p)
{
	return parse_row(p, "and", NODE_AND, parse_not);
}

static int parse_or(struct parser *p)
{
	return parse_row(p, "or", NODE_OR, parse_and);
}

bool condition_parse(struct rules *r, struct str text, const struct condition_place *place,
    struct report *report, int *root)
{
	struct parser p = {.r = r, .text = text, .place = place, .report = report};
	char hint[160];
	parse_next(&p);
	int top = parse_or(&p);
	if (!p.failed && p.now.kind != TOK_END)
		parse_expected(&p, "'and', 'or' or the end", parse_number_hint(&p, hint));
	if (p.failed || p.wrong)
		return false;
	*root = top;
	return true;
}

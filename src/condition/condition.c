/* The condition language: text to nodes, by recursive descent. Every refusal says where, what was
 * found and what was expected, and, for the slips that people make, what they may have meant
 * (parser.c). */
#include "crumb/condition/forms.h"
#include "parser.h"

#include "crumb/base/array.h"
#include "crumb/condition/parse.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 64
#define AMOUNT_MAX UINT32_MAX
#define SUM_MAX 1e12 /* in units; sums are kept in millionths */

/* --- nodes */

static int append(struct rules *r, struct rule_node n)
{
	CHECK(array_room(r->nodes, r->nodes_cap, r->nodes_n + 1));
	r->nodes[r->nodes_n] = n;
	return (int)r->nodes_n++;
}

static int add(struct parser *p, struct rule_node n)
{
	return append(p->r, n);
}

int condition_and_like(struct rules *r, int root, uint16_t segment)
{
	struct str all = r->nodes[root].text;
	int like =
	    append(r, (struct rule_node){
			  .kind = NODE_LIKE, .segment = segment, .text = str_skip(all, all.n)});
	return append(
	    r, (struct rule_node){.kind = NODE_AND, .left = root, .right = like, .text = all});
}

/* What was written from `from` to the latest token taken. */
static struct str written(const struct parser *p, size_t from)
{
	return str_make(p->text.p + from, p->before > from ? p->before - from : 0);
}

static size_t here(const struct parser *p)
{
	return p->now.text.p ? (size_t)(p->now.text.p - p->text.p) : p->text.n;
}

static void unknown_category(struct parser *p, struct str name)
{
	const struct rules *r = p->r;
	char message[300], hint[200];
	struct near near = near_begin(name);
	for (size_t i = 1; i < r->categories_n; i++) {
		struct str id = str_c(r->categories[i].id);
		near_try(&near, id);
		for (size_t k = 1; k < id.n; k++)
			if (id.p[k - 1] == '.')
				near_try(&near, str_skip(id, k));
	}
	for (int f = 0; f < FACT_MAX; f++)
		near_try(&near, str_c(fact_name((enum fact)f)));
	for (size_t i = 0; i < condition_forms_n; i++)
		if (condition_forms[i].begins == BEGINS_WITH_WORD)
			near_try(&near, str_c(condition_forms[i].word));
	snprintf(message, sizeof message, "there is no category '" STR_FMT "'",
	    (int)(name.n > 130 ? 130 : name.n), name.p);
	near_hint(&near, hint, sizeof hint);
	if (!*hint && rules_segment(r, name) >= 0)
		snprintf(hint, sizeof hint, "it is a segment: write segment(" STR_FMT ")",
		    STR_ARG(name));
	else if (!*hint && rules_vocabulary(r, name))
		snprintf(
		    hint, sizeof hint, "it is an attribute: write attr." STR_FMT, STR_ARG(name));
	else if (!*hint && name.n > 2 && name.n < 100 && (name.p[0] & 0x80) == 0 &&
		 str_find(name, '.') == name.n)
		snprintf(hint, sizeof hint,
		    "categories are defined under categories:, in any file of the folder");
	parse_report(p, name, "unknown-category", hint, message);
}

/* A category in full or by an unambiguous last part. */
static uint16_t resolve(struct parser *p, struct str name)
{
	const struct rules *r = p->r;
	uint32_t tail;
	int found = rules_category(r, name);
	if (found > 0)
		return (uint16_t)found;
	if (!map_get(&r->last_parts, name, &tail)) {
		unknown_category(p, name);
		return 0;
	}
	if (tail != RULES_AMBIGUOUS)
		return (uint16_t)tail;
	char message[500];
	struct str some[2] = {{"", 0}, {"", 0}};
	for (size_t i = 1, k = 0; i < r->categories_n && k < 2; i++) {
		struct str id = str_c(r->categories[i].id);
		if (id.n > name.n && id.p[id.n - name.n - 1] == '.' &&
		    str_eq(str_skip(id, id.n - name.n), name))
			some[k++] = id;
	}
	snprintf(message, sizeof message, "'" STR_FMT "' could be " STR_FMT " or " STR_FMT,
	    STR_ARG(name), STR_ARG(some[0]), STR_ARG(some[1]));
	parse_report(p, name, "ambiguous", "write it in full", message);
	return 0;
}

static uint16_t category(struct parser *p, const char *what)
{
	if (p->failed)
		return 0;
	if (p->now.kind != TOK_WORD) {
		parse_expected(p, what, NULL);
		return 0;
	}
	uint16_t cat = resolve(p, p->now.text);
	parse_next(p);
	return cat;
}

/* --- windows */

static const char *days_hint(struct parser *p, char *out, size_t cap)
{
	struct str s = p->now.text, unit = s;
	uint64_t n = 0;
	while (unit.n && chr_digit(unit.p[0]))
		unit = str_skip(unit, 1);
	if (unit.n == s.n || !str_u64(str_make(s.p, s.n - unit.n), &n) || n > 1000)
		return parse_is(p, "today") ? "write 1d"
		       : parse_is(p, "last") || parse_is(p, "the") || parse_is(p, "past")
			   ? "write only the number of days: in 14d"
			   : NULL;
	unsigned long days =
	    str_ieq(unit, STR("w"))						     ? 7
	    : str_ieq(unit, STR("h"))						     ? 0
	    : str_ieq(unit, STR("m")) || str_ieq(unit, STR("mo"))		     ? 30
	    : unit.n == 0 || str_ieq(unit, STR("d")) || str_starts(unit, STR("day")) ? 1
	    : str_starts(unit, STR("week"))					     ? 7
	    : str_starts(unit, STR("month"))					     ? 30
										     : 99;
	if (days == 99)
		return NULL;
	if (days == 0)
		snprintf(
		    out, cap, "windows are whole days: write %lud", (unsigned long)(n + 23) / 24);
	else
		snprintf(out, cap, "write %lud", (unsigned long)n * days);
	return out;
}

/* "14d" behind "in" or "within". */
static uint8_t days(struct parser *p)
{
	char message[200], hint[100];
	if (p->failed)
		return 0;
	if (p->now.kind != TOK_DAYS) {
		parse_expected(p, "a number of days such as 14d", days_hint(p, hint, sizeof hint));
		return 0;
	}
	uint64_t n = p->now.number;
	if (n == 0) {
		parse_report(
		    p, p->now.text, "window", "today alone is 1d", "a window of 0d is empty");
	} else if (n > RETENTION_MAX) {
		snprintf(message, sizeof message,
		    "a window of " STR_FMT " is longer than the %d days that are kept",
		    STR_ARG(p->now.text), RETENTION_MAX);
		parse_report(p, p->now.text, "window",
		    "write 90d, or leave the window out: everything that is kept counts then",
		    message);
	}
	parse_next(p);
	return n > RETENTION_MAX ? RETENTION_MAX : (uint8_t)n;
}

static uint8_t optional_window(struct parser *p)
{
	if (p->failed || (!parse_is(p, "in") && !parse_is(p, "within")))
		return 0;
	parse_next(p);
	return days(p);
}

static uint8_t within(struct parser *p)
{
	if (p->failed)
		return 0;
	if (!parse_is(p, "within") && !parse_is(p, "in")) {
		parse_expected(p, "'within' and a number of days", NULL);
		return 0;
	}
	parse_next(p);
	return days(p);
}

/* --- amounts */

static int64_t whole_number(struct parser *p)
{
	static const char *const numbers[] = {
	    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"};
	char hint[60];
	const char *h = NULL;
	if (p->failed)
		return 0;
	if (p->now.kind == TOK_NUMBER && p->now.number <= AMOUNT_MAX) {
		int64_t n = (int64_t)p->now.number;
		parse_next(p);
		return n;
	}
	double v;
	if (p->now.kind == TOK_NUMBER)
		h = "that is more than anybody can do";
	else if (p->now.kind == TOK_WORD && rules_number(p->now.text, &v))
		h = v < 0 ? "counts are never negative"
			  : "counts are whole numbers; sum(v of CATEGORY) takes others";
	for (int i = 0; i <= 10; i++)
		if (parse_is(p, numbers[i])) {
			snprintf(hint, sizeof hint, "write %d", i);
			h = hint;
		}
	if (p->now.kind == TOK_DAYS) {
		snprintf(hint, sizeof hint, "write the number first: >= 1 in " STR_FMT,
		    STR_ARG(p->now.text));
		parse_report(p, p->now.text, "syntax", hint,
		    "expected a whole number, found a number of days");
		p->failed = true;
		return 0;
	}
	parse_expected(p, "a whole number", h);
	return 0;
}

static double number(struct parser *p)
{
	double v = 0;
	char hint[160];
	if (p->failed)
		return 0;
	if ((p->now.kind != TOK_NUMBER && p->now.kind != TOK_WORD) ||
	    !rules_number(p->now.text, &v)) {
		parse_expected(p, "a number", parse_number_hint(p, hint));
		return 0;
	}
	parse_next(p);
	return v;
}

static int64_t millionths(struct parser *p)
{
	double v = number(p);
	if (!p->failed && fabs(v) > SUM_MAX) {
		parse_report_at(p, p->before ? p->before - 1 : 0, 1, "number", NULL,
		    "sums are compared up to 1000000000000");
		return 0;
	}
	return llround(v * 1e6);
}

/* ">= 3", "between 2 and 5" */
static void amount(struct parser *p, struct rule_node *n)
{
	bool sum = n->kind == NODE_SUM;
	if (p->failed)
		return;
	if (parse_is(p, "between")) {
		size_t from = here(p);
		parse_next(p);
		n->op = OP_BETWEEN;
		n->n = sum ? millionths(p) : whole_number(p);
		if (!p->failed && !parse_is(p, "and"))
			parse_expected(p, "'and' and the upper bound", NULL);
		if (p->failed)
			return;
		parse_next(p);
		n->n2 = sum ? millionths(p) : whole_number(p);
		if (!p->failed && n->n > n->n2)
			parse_report_at(p, from, p->before - from, "empty-range",
			    "the smaller number comes first", "nothing is between these two");
		return;
	}
	if (p->now.kind != TOK_OP) {
		parse_expected(p, "a comparison such as >= 3", NULL);
		return;
	}
	n->op = p->now.op;
	parse_next(p);
	n->n = sum ? millionths(p) : whole_number(p);
}

/* --- facts and attributes */

/* Is the value one that can be? Facts have known values, declared attributes closed ones. */
static void check_value(
    struct parser *p, const struct rule_node *n, struct str token, struct str value)
{
	struct rules_at at =
	    p->place->locate(p->place->arg, (size_t)(token.p - p->text.p), token.n);
	if (n->kind == NODE_FACT) {
		p->wrong |= !field_check(p->report, &at, rule_facts[n->fact].field, value);
		return;
	}
	const struct vocabulary *v = rules_vocabulary(p->r, n->attr);
	char hint[200];
	if (!v || rules_value(v, &value))
		return;
	struct near near = near_begin(value);
	for (unsigned i = 0; i < v->values_n; i++)
		near_try(&near, v->values[i]);
	near_hint(&near, hint, sizeof hint);
	if (!*hint)
		snprintf(hint, sizeof hint, "it is declared at %s:%zu", v->at.file, v->at.line);
	report_add(p->report, &at, SEVERITY_ERROR, "vocabulary", hint,
	    "attribute '%s' never is '" STR_FMT "'", v->id, STR_ARG(value));
	p->wrong = true;
}

static struct str word_value(struct parser *p, const struct rule_node *n)
{
	enum token_kind k = p->now.kind;
	if (k != TOK_WORD && k != TOK_NUMBER && k != TOK_TEXT && k != TOK_DAYS) {
		parse_expected(p, "a value", NULL);
		return STR("");
	}
	struct str token = p->now.text, s = token;
	if (k == TOK_TEXT)
		s = str_make(s.p + 1, s.n - 2);
	if (s.n == 0)
		parse_report(p, token, "empty", NULL, "an empty value matches nobody");
	else
		check_value(p, n, token, s);
	parse_next(p);
	return arena_keep(&p->r->arena, s);
}

static void word_list(struct parser *p, struct rule_node *n)
{
	struct str list[256];
	char hint[160];
	if (p->now.kind != TOK_OPEN) {
		parse_expected(p, "'(' and a list of values", parse_number_hint(p, hint));
		return;
	}
	parse_expect(p, TOK_OPEN, "'(' and a list of values");
	while (!p->failed) {
		if (n->words_n == sizeof list / sizeof list[0]) {
			parse_expected(p, "at most 256 values", NULL);
			return;
		}
		list[n->words_n++] = word_value(p, n);
		if (p->failed || p->now.kind != TOK_COMMA)
			break;
		parse_next(p);
	}
	parse_expect(p, TOK_CLOSE, "',' or ')'");
	if (p->failed)
		return;
	n->words = arena_alloc(&p->r->arena, n->words_n * sizeof *n->words);
	memcpy(n->words, list, n->words_n * sizeof *n->words);
}

static void compare_attr(struct parser *p, struct rule_node *n)
{
	struct range all = {-INFINITY, INFINITY, false, false};
	n->numeric = true;
	n->range = all;
	if (parse_is(p, "between")) {
		size_t from = here(p);
		parse_next(p);
		n->op = OP_BETWEEN;
		n->range.lo = number(p);
		if (!p->failed && !parse_is(p, "and"))
			parse_expected(p, "'and' and the upper bound", NULL);
		if (p->failed)
			return;
		parse_next(p);
		n->range.hi = number(p);
		if (!p->failed && n->range.lo > n->range.hi)
			parse_report_at(p, from, p->before - from, "empty-range",
			    "the smaller number comes first", "nothing is between these two");
		return;
	}
	n->op = p->now.op;
	parse_next(p);
	double v = number(p);
	if (n->op == OP_GE || n->op == OP_GT)
		n->range.lo = v, n->range.lo_out = n->op == OP_GT;
	else
		n->range.hi = v, n->range.hi_out = n->op == OP_LT;
}

/* Behind the name of a fact or attribute. */
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
		word_list(p, &n);
	} else if (attr &&
		   (parse_is(p, "between") ||
		       (p->now.kind == TOK_OP && p->now.op != OP_EQ && p->now.op != OP_NE))) {
		compare_attr(p, &n);
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
		n.words[0] = word_value(p, &n);
	}
	if (p->failed)
		return -1;
	n.text = written(p, from);
	int node = add(p, n);
	return negate ? add(p, (struct rule_node){.kind = NODE_NOT, .left = node, .text = n.text})
		      : node;
}

/* --- tests */

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
	return add(p, (struct rule_node){.kind = seg < 0 ? NODE_NEVER : NODE_SEGMENT,
			  .segment = (uint16_t)seg,
			  .text = written(p, from)});
}

static int finish(struct parser *p, struct rule_node n, size_t from)
{
	if (p->failed)
		return -1;
	n.text = written(p, from);
	return add(p, n);
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
	n.cat = category(p, "a category");
	parse_expect(p, TOK_CLOSE, "')'");
	if (amounts) {
		amount(p, &n);
		n.window = optional_window(p);
	} else {
		n.window = within(p);
	}
	return finish(p, n, from);
}

static int category_test(struct parser *p, size_t from)
{
	struct rule_node n = {.kind = NODE_COUNT, .op = OP_GE, .n = 1};
	n.cat = category(p, "a category");
	if (parse_is(p, "then")) {
		parse_next(p);
		n.kind = NODE_THEN;
		n.then = category(p, "a category");
		n.window = within(p);
		return finish(p, n, from);
	}
	if (p->now.kind == TOK_OP || parse_is(p, "between"))
		amount(p, &n);
	else if (parse_is(p, "not")) {
		parse_expected(p, "a comparison, 'in', 'and' or 'or'",
		    "'not' stands before the category: not purchase in 30d");
		return -1;
	}
	n.window = optional_window(p);
	return finish(p, n, from);
}

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

static int visits_test(struct parser *p, size_t from)
{
	struct rule_node n = {.kind = NODE_DAYS, .op = OP_GE, .n = 1, .cat = CATEGORY_ALL};
	parse_next(p);
	if (p->now.kind == TOK_OP || parse_is(p, "between"))
		amount(p, &n);
	n.window = optional_window(p);
	return finish(p, n, from);
}

static int test(struct parser *p)
{
	size_t from = here(p);
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
	size_t from = here(p);
	if (parse_is(p, "not")) {
		parse_next(p);
		int inner = parse_not(p);
		if (!p->failed)
			node =
			    add(p, (struct rule_node){
				       .kind = NODE_NOT, .left = inner, .text = written(p, from)});
	} else if (p->now.kind == TOK_OPEN) {
		parse_next(p);
		node = parse_or(p);
		parse_expect(p, TOK_CLOSE, "')'");
	} else {
		node = test(p);
	}
	p->depth--;
	return node;
}

static int parse_row(
    struct parser *p, const char *word, enum node_kind kind, int (*part)(struct parser *))
{
	size_t from = here(p);
	int node = part(p);
	while (!p->failed && parse_is(p, word)) {
		parse_next(p);
		int right = part(p);
		if (!p->failed)
			node = add(p, (struct rule_node){.kind = kind,
					  .left = node,
					  .right = right,
					  .text = written(p, from)});
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

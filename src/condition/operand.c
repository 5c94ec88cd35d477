/* The operands of a test: a category, a window, an amount, a value, a list of values, a range. Each
 * function takes its tokens, or refuses with what was expected and a hint for what people write
 * instead:
 *
 *     coats >= three in 2w          "write 3", "write 14d"
 *     shoos                         there is no category 'shoos' (shoes)
 *     attr.price = 100-200          "write between 100 and 200"
 *
 * After a refusal (p->failed) the functions do nothing, so that callers need not ask in between. */
#include "crumb/base/near.h"
#include "crumb/condition/forms.h"
#include "parser.h"

#include <math.h>
#include <stdio.h>

#define AMOUNT_MAX UINT32_MAX
#define SUM_MAX 1e12   /* in units; sums are kept in millionths */
#define VALUES_MAX 256 /* in a list behind "in" */

/* Says that a name is no category, and what may have been meant: one that is near, in full or by a
 * last part, a fact, a word of the language, a segment, an attribute. */
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

uint16_t parse_category(struct parser *p, const char *what)
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

bool condition_category(struct rules *r, struct str text, const struct condition_place *place,
    struct report *report, uint16_t *category)
{
	struct parser p = {.r = r, .text = text, .place = place, .report = report};
	uint16_t found = resolve(&p, text);
	if (!p.wrong)
		*category = found;
	return !p.wrong;
}

/* --- windows */

/* Days of a unit of time that people write instead of d; 0: it is none. */
static unsigned long unit_days(struct str unit)
{
	static const struct {
		const char *unit;
		unsigned long days;
		bool prefix; /* "weeks" and "weekly" count as "week" */
	} units[] = {{"w", 7, false}, {"m", 30, false}, {"mo", 30, false}, {"", 1, false},
	    {"d", 1, false}, {"day", 1, true}, {"week", 7, true}, {"month", 30, true}};
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		struct str known = str_c(units[i].unit);
		if (units[i].prefix ? str_starts(unit, known) : str_ieq(unit, known))
			return units[i].days;
	}
	return 0;
}

/* What stands where a window is expected, as a window: "2w" is 14d. NULL: nobody knows. */
static const char *days_hint(struct parser *p, char *out, size_t cap)
{
	struct str s = p->now.text, unit = s;
	uint64_t n = 0;
	while (unit.n && chr_digit(unit.p[0]))
		unit = str_skip(unit, 1);
	if (unit.n == s.n || !str_u64(str_make(s.p, s.n - unit.n), &n) || n > 1000) {
		if (parse_is(p, "today"))
			return "write 1d";
		if (parse_is(p, "last") || parse_is(p, "the") || parse_is(p, "past"))
			return "write only the number of days: in 14d";
		return NULL;
	}
	if (str_ieq(unit, STR("h"))) {
		snprintf(
		    out, cap, "windows are whole days: write %lud", (unsigned long)(n + 23) / 24);
		return out;
	}
	unsigned long days = unit_days(unit);
	if (!days)
		return NULL;
	snprintf(out, cap, "write %lud", (unsigned long)n * days);
	return out;
}

/* "14d" behind "in" or "within". */
static uint8_t window_days(struct parser *p)
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

uint8_t parse_optional_window(struct parser *p)
{
	if (p->failed || (!parse_is(p, "in") && !parse_is(p, "within")))
		return 0;
	parse_next(p);
	return window_days(p);
}

uint8_t parse_within(struct parser *p)
{
	if (p->failed)
		return 0;
	if (!parse_is(p, "within") && !parse_is(p, "in")) {
		parse_expected(p, "'within' and a number of days", NULL);
		return 0;
	}
	parse_next(p);
	return window_days(p);
}

bool condition_days(struct rules *r, struct str text, const struct condition_place *place,
    struct report *report, uint8_t *days)
{
	struct parser p = {.r = r, .text = text, .place = place, .report = report};
	parse_next(&p);
	uint8_t found = window_days(&p);
	if (!p.failed && p.now.kind != TOK_END)
		parse_expected(&p, "only a number of days such as 14d", NULL);
	if (!p.wrong)
		*days = found;
	return !p.wrong;
}

/* --- amounts */

/* A count. Numbers in words and numbers of days get a hint. */
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
	if (p->now.kind == TOK_NUMBER) {
		snprintf(hint, sizeof hint, "counts go up to %u", (unsigned)AMOUNT_MAX);
		h = hint;
	} else if (p->now.kind == TOK_WORD && rules_number(p->now.text, &v))
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

/* A value of an attribute, or a sum in units. */
static double decimal_number(struct parser *p)
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
	double v = decimal_number(p);
	if (!p->failed && fabs(v) > SUM_MAX) {
		parse_report_at(p, p->before ? p->before - 1 : 0, 1, "number", NULL,
		    "sums are compared up to 1000000000000");
		return 0;
	}
	return llround(v * 1e6);
}

void parse_amount(struct parser *p, struct rule_node *n)
{
	bool sum = n->kind == NODE_SUM;
	if (p->failed)
		return;
	if (parse_is(p, "between")) {
		size_t from = parse_here(p);
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
	struct yaml_place at =
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

struct str parse_value(struct parser *p, const struct rule_node *n)
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

void parse_values(struct parser *p, struct rule_node *n)
{
	struct str list[VALUES_MAX];
	char hint[160];
	if (p->now.kind != TOK_OPEN) {
		parse_expected(p, "'(' and a list of values", parse_number_hint(p, hint));
		return;
	}
	parse_expect(p, TOK_OPEN, "'(' and a list of values");
	while (!p->failed) {
		if (n->words_n == VALUES_MAX) {
			snprintf(hint, sizeof hint, "at most %d values", VALUES_MAX);
			parse_expected(p, hint, NULL);
			return;
		}
		list[n->words_n++] = parse_value(p, n);
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

void parse_range(struct parser *p, struct rule_node *n)
{
	struct range all = {-INFINITY, INFINITY, false, false};
	n->numeric = true;
	n->range = all;
	if (parse_is(p, "between")) {
		size_t from = parse_here(p);
		parse_next(p);
		n->op = OP_BETWEEN;
		n->range.lo = decimal_number(p);
		if (!p->failed && !parse_is(p, "and"))
			parse_expected(p, "'and' and the upper bound", NULL);
		if (p->failed)
			return;
		parse_next(p);
		n->range.hi = decimal_number(p);
		if (!p->failed && n->range.lo > n->range.hi)
			parse_report_at(p, from, p->before - from, "empty-range",
			    "the smaller number comes first", "nothing is between these two");
		return;
	}
	n->op = p->now.op;
	parse_next(p);
	double v = decimal_number(p);
	if (n->op == OP_GE || n->op == OP_GT)
		n->range.lo = v, n->range.lo_out = n->op == OP_GT;
	else
		n->range.hi = v, n->range.hi_out = n->op == OP_LT;
}

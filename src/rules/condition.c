/* The condition language: text to nodes, by recursive descent. Every refusal says where, what was found and what was expected. */
#include "crumb/base/clock.h"
#include "crumb/rules/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 64

const char *const fact_names[FACT_MAX] = {"country", "region", "device", "os", "browser"};

enum token_kind { TOK_END, TOK_WORD, TOK_NUMBER, TOK_DAYS, TOK_OP, TOK_OPEN, TOK_CLOSE, TOK_COMMA, TOK_TEXT, TOK_BAD };
struct token {
	enum token_kind kind;
	struct str text;
	enum node_op op;
	uint64_t number;
};
struct parser {
	struct rules *r;
	struct str text;
	size_t at, depth;
	struct token now;
	const struct rules_at *start;
};

enum err rules_complain(const struct rules_at *at, const char *fmt, ...)
{
	char words[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(words, sizeof words, fmt, ap);
	va_end(ap);
	return err_set(ERR_SYNTAX, "%s:%zu:%zu: %s", at->file, at->line, at->column, words);
}

/* A message about the token at hand. */
static enum err complain(const struct parser *p, const char *expected)
{
	struct rules_at at = *p->start;
	struct str found = p->now.text;
	at.column += p->now.text.p ? (size_t)(p->now.text.p - p->text.p) : p->text.n;
	if (p->now.kind == TOK_END)
		return rules_complain(&at, "the condition ends where %s is expected", expected);
	return rules_complain(&at, "expected %s, found '" STR_FMT "'", expected, STR_ARG(found));
}

static bool word_char(char c)
{
	return chr_alpha(c) || chr_digit(c) || c == '_' || c == '.' || c == '-' || (c & 0x80);
}

static void number_token(struct parser *p, struct token *t)
{
	size_t n = 0;
	while (p->at + n < p->text.n && chr_digit(p->text.p[p->at + n]))
		n++;
	struct str digits = str_make(p->text.p + p->at, n);
	bool days = p->at + n < p->text.n && p->text.p[p->at + n] == 'd';
	size_t all = n + days;
	while (p->at + all < p->text.n && word_char(p->text.p[p->at + all]))
		all++;
	t->text = str_make(digits.p, all);
	if (all > n + days) {
		/* 3xl, 12.5 or an id that begins with a digit */
		t->kind = TOK_WORD;
		return;
	}
	t->kind = str_u64(digits, &t->number) ? (days ? TOK_DAYS : TOK_NUMBER) : TOK_BAD;
}

static void next(struct parser *p)
{
	struct str s = p->text;
	while (p->at < s.n && (s.p[p->at] == ' ' || s.p[p->at] == '\n' || s.p[p->at] == '\t' || s.p[p->at] == '\r'))
		p->at++;
	struct token t = {TOK_END, {NULL, 0}, OP_GE, 0};
	if (p->at < s.n) {
		char c = s.p[p->at], d = p->at + 1 < s.n ? s.p[p->at + 1] : 0;
		t.text = str_make(s.p + p->at, 1);
		if (chr_digit(c)) {
			number_token(p, &t);
		} else if (word_char(c)) {
			t.kind = TOK_WORD;
			while (p->at + t.text.n < s.n && word_char(s.p[p->at + t.text.n]))
				t.text.n++;
		} else if (c == '"' || c == '\'') {
			size_t len = 1;
			while (p->at + len < s.n && s.p[p->at + len] != c)
				len++;
			t.kind = p->at + len < s.n ? TOK_TEXT : TOK_BAD;
			t.text.n = p->at + len < s.n ? len + 1 : s.n - p->at;
		} else if (c == '(' || c == ')' || c == ',') {
			t.kind = c == '(' ? TOK_OPEN : c == ')' ? TOK_CLOSE : TOK_COMMA;
		} else if (c == '>' || c == '<' || c == '=' || c == '!') {
			t.kind = c == '!' && d != '=' ? TOK_BAD : TOK_OP;
			t.op = c == '>' ? (d == '=' ? OP_GE : OP_GT) : c == '<' ? (d == '=' ? OP_LE : OP_LT) : c == '=' ? OP_EQ : OP_NE;
			t.text.n = d == '=' ? 2 : 1;
		} else {
			t.kind = TOK_BAD;
		}
		p->at += t.text.n;
	}
	p->now = t;
}

static bool is_word(const struct parser *p, const char *word)
{
	return p->now.kind == TOK_WORD && str_ieq(p->now.text, str_c(word));
}

static int add(struct parser *p, struct rule_node n)
{
	struct rules *r = p->r;
	if ((r->nodes_n & (r->nodes_n - 1)) == 0) {
		size_t cap = r->nodes_n ? 2 * r->nodes_n : 1;
		struct rule_node *grown = realloc(r->nodes, cap * sizeof *grown);
		CHECK(grown);
		r->nodes = grown;
	}
	r->nodes[r->nodes_n] = n;
	return (int)r->nodes_n++;
}

static enum err expect(struct parser *p, enum token_kind kind, const char *what)
{
	if (p->now.kind != kind)
		return complain(p, what);
	next(p);
	return OK;
}

/* A category in full or by an unambiguous last part. */
static enum err resolve(struct parser *p, struct str name, uint16_t *cat)
{
	const struct rules *r = p->r;
	int found = rules_category(r, name);
	for (size_t i = 1; found < 0 && i < r->categories_n; i++) {
		struct str id = str_c(r->categories[i].id);
		if (id.n <= name.n || id.p[id.n - name.n - 1] != '.' || !str_eq(str_skip(id, id.n - name.n), name))
			continue;
		for (size_t k = i + 1; k < r->categories_n; k++) {
			struct str other = str_c(r->categories[k].id);
			if (other.n > name.n && other.p[other.n - name.n - 1] == '.' && str_eq(str_skip(other, other.n - name.n), name)) {
				struct rules_at at = *p->start;
				at.column += (size_t)(name.p - p->text.p);
				return rules_complain(&at, "'" STR_FMT "' could be " STR_FMT " or " STR_FMT ": write it in full", STR_ARG(name),
				    STR_ARG(id), STR_ARG(other));
			}
		}
		found = (int)i;
	}
	if (found < 0) {
		struct rules_at at = *p->start;
		at.column += (size_t)(name.p - p->text.p);
		return rules_complain(&at, "there is no category '" STR_FMT "'", STR_ARG(name));
	}
	*cat = (uint16_t)found;
	return OK;
}

static enum err category(struct parser *p, uint16_t *cat)
{
	if (p->now.kind != TOK_WORD)
		return complain(p, "a category");
	struct str name = p->now.text;
	enum err e = resolve(p, name, cat);
	if (!e)
		next(p);
	return e;
}

/* "in 14d" or "within 14d" behind the keyword. */
static enum err days(struct parser *p, uint8_t *window)
{
	if (p->now.kind != TOK_DAYS || p->now.number == 0)
		return complain(p, "a number of days such as 14d");
	if (p->now.number > RETENTION_MAX) {
		struct rules_at at = *p->start;
		at.column += (size_t)(p->now.text.p - p->text.p);
		return rules_complain(&at, "a window of " STR_FMT " is longer than the %d days that are kept", STR_ARG(p->now.text), RETENTION_MAX);
	}
	*window = (uint8_t)p->now.number;
	next(p);
	return OK;
}

static enum err optional_window(struct parser *p, uint8_t *window)
{
	*window = 0;
	if (!is_word(p, "in"))
		return OK;
	next(p);
	return days(p, window);
}

static enum err count(struct parser *p, struct rule_node *n)
{
	if (p->now.kind != TOK_OP)
		return complain(p, "a comparison such as >= 3");
	n->op = p->now.op;
	next(p);
	if (p->now.kind != TOK_NUMBER || p->now.number > UINT32_MAX)
		return complain(p, "a whole number");
	n->n = (uint32_t)p->now.number;
	next(p);
	return OK;
}

static enum err word_value(struct parser *p, struct str *out)
{
	enum token_kind k = p->now.kind;
	if (k != TOK_WORD && k != TOK_NUMBER && k != TOK_TEXT)
		return complain(p, "a value");
	struct str s = p->now.text;
	if (k == TOK_TEXT)
		s = str_make(s.p + 1, s.n - 2);
	*out = rules_keep(p->r, s);
	next(p);
	return OK;
}

static enum err word_list(struct parser *p, struct rule_node *n)
{
	struct str list[256];
	enum err e = expect(p, TOK_OPEN, "'(' and a list of values");
	while (!e) {
		if (n->words_n == sizeof list / sizeof list[0])
			return complain(p, "at most 256 values");
		if ((e = word_value(p, &list[n->words_n++])) || p->now.kind != TOK_COMMA)
			break;
		next(p);
	}
	if (e || (e = expect(p, TOK_CLOSE, "',' or ')'")))
		return e;
	n->words = rules_alloc(p->r, n->words_n * sizeof *n->words);
	memcpy(n->words, list, n->words_n * sizeof *n->words);
	return OK;
}

/* Behind the name of a fact or attribute. */
static enum err fact_test(struct parser *p, struct rule_node n, int *out)
{
	enum err e;
	bool negate = false;
	if (is_word(p, "not")) {
		negate = true;
		next(p);
		if (!is_word(p, "in"))
			return complain(p, "'in'");
	}
	if (is_word(p, "in")) {
		next(p);
		e = word_list(p, &n);
	} else {
		if (p->now.kind != TOK_OP || (n.kind == NODE_FACT && p->now.op != OP_EQ && p->now.op != OP_NE))
			return complain(p, n.kind == NODE_FACT ? "'=', '!=' or 'in'" : "a comparison or 'in'");
		n.op = p->now.op;
		n.words_n = 1;
		n.words = rules_alloc(p->r, sizeof *n.words);
		next(p);
		e = word_value(p, n.words);
		negate = n.op == OP_NE;
		n.numeric = n.op != OP_NE && n.op != OP_EQ;
		if (!e && n.numeric) {
			char *end, text[64];
			snprintf(text, sizeof text, STR_FMT, STR_ARG(n.words[0]));
			n.number = strtod(text, &end);
			if (*end || end == text)
				return complain(p, "a number before this");
		}
	}
	if (e)
		return e;
	*out = add(p, n);
	if (negate)
		*out = add(p, (struct rule_node){.kind = NODE_NOT, .left = *out});
	return OK;
}

static enum err segment_test(struct parser *p, int *out)
{
	next(p);
	enum err e = expect(p, TOK_OPEN, "'(' and the id of a segment");
	if (e)
		return e;
	int seg = p->now.kind == TOK_WORD || p->now.kind == TOK_NUMBER ? rules_segment(p->r, p->now.text) : -1;
	if (seg < 0)
		return complain(p, "the id of a segment");
	next(p);
	if ((e = expect(p, TOK_CLOSE, "')'")))
		return e;
	*out = add(p, (struct rule_node){.kind = NODE_SEGMENT, .segment = (uint16_t)seg});
	return OK;
}

/* days(CATEGORY) >= N in 30d, last(CATEGORY) within 2d */
static enum err function_test(struct parser *p, bool last, int *out)
{
	struct rule_node n = {.kind = last ? NODE_COUNT : NODE_DAYS, .op = OP_GE, .n = 1};
	enum err e;
	next(p);
	if ((e = expect(p, TOK_OPEN, "'(' and a category")) || (e = category(p, &n.cat)) || (e = expect(p, TOK_CLOSE, "')'")))
		return e;
	if (last) {
		if (!is_word(p, "within"))
			return complain(p, "'within' and a number of days");
		next(p);
		e = days(p, &n.window);
	} else if (!(e = count(p, &n))) {
		e = optional_window(p, &n.window);
	}
	if (!e)
		*out = add(p, n);
	return e;
}

static enum err category_test(struct parser *p, int *out)
{
	struct rule_node n = {.kind = NODE_COUNT, .op = OP_GE, .n = 1};
	enum err e = category(p, &n.cat);
	if (e)
		return e;
	if (is_word(p, "then")) {
		next(p);
		n.kind = NODE_THEN;
		if ((e = category(p, &n.then)))
			return e;
		if (!is_word(p, "within"))
			return complain(p, "'within' and a number of days");
		next(p);
		e = days(p, &n.window);
	} else {
		if (p->now.kind == TOK_OP && (e = count(p, &n)))
			return e;
		e = optional_window(p, &n.window);
	}
	if (!e)
		*out = add(p, n);
	return e;
}

static bool opens(const struct parser *p)
{
	size_t at = p->at;
	while (at < p->text.n && p->text.p[at] == ' ')
		at++;
	return at < p->text.n && p->text.p[at] == '(';
}

static enum err test(struct parser *p, int *out)
{
	if (p->now.kind != TOK_WORD)
		return complain(p, "a category, a fact or '('");
	if (opens(p) && is_word(p, "segment"))
		return segment_test(p, out);
	if (opens(p) && (is_word(p, "days") || is_word(p, "last")))
		return function_test(p, is_word(p, "last"), out);
	if (is_word(p, "visits")) {
		struct rule_node n = {.kind = NODE_DAYS, .cat = CATEGORY_ALL};
		next(p);
		enum err e = count(p, &n);
		if (!e && !(e = optional_window(p, &n.window)))
			*out = add(p, n);
		return e;
	}
	for (int f = 0; f < FACT_MAX; f++) {
		if (is_word(p, fact_names[f])) {
			next(p);
			return fact_test(p, (struct rule_node){.kind = NODE_FACT, .fact = (enum fact)f}, out);
		}
	}
	if (str_starts(p->now.text, STR("attr.")) && p->now.text.n > 5) {
		struct str name = rules_keep(p->r, str_skip(p->now.text, 5));
		next(p);
		return fact_test(p, (struct rule_node){.kind = NODE_ATTR, .attr = name}, out);
	}
	return category_test(p, out);
}

static enum err parse_or(struct parser *p, int *out);

static enum err parse_not(struct parser *p, int *out)
{
	enum err e;
	if (++p->depth > DEPTH_MAX)
		return complain(p, "a condition that is nested less deeply");
	if (is_word(p, "not")) {
		next(p);
		if (!(e = parse_not(p, out)))
			*out = add(p, (struct rule_node){.kind = NODE_NOT, .left = *out});
	} else if (p->now.kind == TOK_OPEN) {
		next(p);
		if (!(e = parse_or(p, out)))
			e = expect(p, TOK_CLOSE, "')'");
	} else {
		e = test(p, out);
	}
	p->depth--;
	return e;
}

static enum err parse_and(struct parser *p, int *out)
{
	enum err e = parse_not(p, out);
	while (!e && is_word(p, "and")) {
		int right;
		next(p);
		if (!(e = parse_not(p, &right)))
			*out = add(p, (struct rule_node){.kind = NODE_AND, .left = *out, .right = right});
	}
	return e;
}

static enum err parse_or(struct parser *p, int *out)
{
	enum err e = parse_and(p, out);
	while (!e && is_word(p, "or")) {
		int right;
		next(p);
		if (!(e = parse_and(p, &right)))
			*out = add(p, (struct rule_node){.kind = NODE_OR, .left = *out, .right = right});
	}
	return e;
}

enum err rules_condition(struct rules *r, struct str text, const struct rules_at *at, int *root)
{
	struct parser p = {.r = r, .text = text, .start = at};
	int top = -1;
	next(&p);
	enum err e = parse_or(&p, &top);
	if (e)
		return e;
	if (p.now.kind != TOK_END)
		return complain(&p, "'and', 'or' or the end");
	*root = top;
	return OK;
}

/* A condition in words. A "not" above a part is handed down with it, so that each form says both:
 * `negated` turns >= into <, "is in" into "is not in", and "and" into "or". */
#include "crumb/condition/sentence.h"

#include "crumb/rules/like.h"

#include <math.h>
#include <stdio.h>

struct wording {
	const struct rules *r;
	struct buf *out;
};

/* --- names */

/* Bytes at the beginning of `s` that nobody sees, or that would end the quotation: what stands for
 * them goes to *shown. 0: they are shown as they are. */
static size_t hidden(struct str s, const char **shown)
{
	static const struct {
		const char *bytes, *shown;
	} odd[] = {{"“", "‘"}, {"”", "’"},		/* marks of our own */
	    {"\xc2\xad", ""},				/* soft hyphen */
	    {"\xe2\x80\x8b", ""},			/* blank without width */
	    {"\xe2\x80\x8e", ""}, {"\xe2\x80\x8f", ""}, /* which way to read */
	    {"\xe2\x80\xaa", ""}, {"\xe2\x80\xab", ""}, {"\xe2\x80\xac", ""}, {"\xe2\x80\xad", ""},
	    {"\xe2\x80\xae", ""}, {"\xe2\x81\xa6", ""}, {"\xe2\x81\xa7", ""}, {"\xe2\x81\xa8", ""},
	    {"\xe2\x81\xa9", ""}, {"\xe2\x80\xa8", " "}, {"\xe2\x80\xa9", " "}, /* ends of lines */
	    {"\xef\xbb\xbf", ""}};
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		if (str_starts(s, str_c(odd[i].bytes))) {
			*shown = odd[i].shown;
			return strlen(odd[i].bytes);
		}
	*shown = " ";
	if ((unsigned char)s.p[0] < ' ' || s.p[0] == 0x7f)
		return 1;
	/* control characters of Latin-1 */
	bool latin = s.n > 1 && (unsigned char)s.p[0] == 0xc2 && (unsigned char)s.p[1] < 0xa0;
	return latin ? 2 : 0;
}

static void quoted(struct wording *w, struct str name)
{
	const char *shown;
	buf_c(w->out, "“");
	while (name.n) {
		size_t n = hidden(name, &shown);
		if (n)
			buf_c(w->out, shown);
		else
			buf_add(w->out, name.p, 1);
		name = str_skip(name, n ? n : 1);
	}
	buf_c(w->out, "”");
}

/* A name, and the id where the name alone does not tell which. */
static void say_name(struct wording *w, const char *name, const char *id, bool namesake)
{
	quoted(w, str_c(name));
	if (namesake)
		buf_addf(w->out, " (%s)", id);
}

static void category(struct wording *w, uint16_t cat)
{
	const struct category *c = &w->r->categories[cat];
	say_name(w, c->name, c->id, c->namesake);
}

static void segment(struct wording *w, uint16_t number)
{
	const struct segment *s = &w->r->segments[number];
	say_name(w, s->name, s->id, s->namesake);
}

/* “m”, “l” or “xl” */
static void values(struct wording *w, const struct rule_node *n)
{
	for (unsigned i = 0; i < n->words_n; i++) {
		if (i)
			buf_c(w->out, i + 1 < n->words_n ? ", " : " or ");
		quoted(w, n->words[i]);
	}
}

/* --- days and amounts */

/* "in the last 14 days" */
static void window(struct wording *w, unsigned days)
{
	if (days == 1)
		buf_c(w->out, " today");
	else if (days)
		buf_addf(w->out, " in the last %u days", days);
	else
		buf_c(w->out, " in the days that are kept");
}

/* "of the last 14 days" */
static void window_of(struct wording *w, unsigned days)
{
	if (days)
		buf_addf(w->out, " of the last %u day%s", days, days == 1 ? "" : "s");
	else
		buf_c(w->out, " of the days that are kept");
}

/* The comparison that holds when this one does not; *outside: of a BETWEEN. */
static enum node_op compared(enum node_op op, bool negated, bool *outside)
{
	static const enum node_op other[] = {[OP_GE] = OP_LT,
	    [OP_LT] = OP_GE,
	    [OP_GT] = OP_LE,
	    [OP_LE] = OP_GT,
	    [OP_EQ] = OP_NE,
	    [OP_NE] = OP_EQ,
	    [OP_BETWEEN] = OP_BETWEEN};
	*outside = negated && op == OP_BETWEEN;
	return negated ? other[op] : op;
}

/* One at least. */
static bool is_some(enum node_op op, int64_t n)
{
	return (op == OP_GE && n == 1) || ((op == OP_GT || op == OP_NE) && n == 0);
}

static bool is_none(enum node_op op, int64_t n)
{
	return (op == OP_LT && n == 1) || ((op == OP_LE || op == OP_EQ) && n == 0);
}

/* A count, or millionths as 99.5. */
static void number(struct wording *w, const struct rule_node *n, int64_t v)
{
	char text[32];
	int len;
	if (n->kind != NODE_SUM) {
		buf_addf(w->out, "%lld", (long long)v);
		return;
	}
	len = snprintf(text, sizeof text, "%s%lld.%06lld", v < 0 ? "-" : "",
	    (long long)(v < 0 ? -(v / 1000000) : v / 1000000),
	    (long long)(v < 0 ? -(v % 1000000) : v % 1000000));
	while (text[len - 1] == '0')
		len--;
	buf_add(w->out, text, (size_t)(text[len - 1] == '.' ? len - 1 : len));
}

/* "at least 3", "from 2 to 5" */
static void amount(struct wording *w, const struct rule_node *n, enum node_op op, bool outside)
{
	bool whole = n->kind != NODE_SUM;
	const char *const words[] = {[OP_GE] = "at least ",
	    [OP_GT] = "more than ",
	    [OP_LE] = "at most ",
	    [OP_LT] = whole ? "fewer than " : "less than ",
	    [OP_EQ] = "exactly ",
	    [OP_NE] = whole ? "fewer or more than " : "less or more than ",
	    [OP_BETWEEN] = whole ? "fewer than " : "less than "};
	buf_c(w->out, op == OP_BETWEEN && !outside ? "from " : words[op]);
	number(w, n, n->n);
	if (op != OP_BETWEEN)
		return;
	buf_c(w->out, outside ? " or more than " : " to ");
	number(w, n, n->n2);
}

static bool plural(const struct rule_node *n, enum node_op op)
{
	return (op == OP_BETWEEN ? n->n2 : n->n) != 1;
}

/* --- one function for each kind of node */

static void say_count(struct wording *w, const struct rule_node *n, bool negated)
{
	bool outside;
	enum node_op op = compared(n->op, negated, &outside);
	if (is_some(op, n->n)) {
		buf_c(w->out, "had an event of ");
	} else if (is_none(op, n->n)) {
		buf_c(w->out, "had no event of ");
	} else {
		buf_c(w->out, "had ");
		amount(w, n, op, outside);
		buf_c(w->out, plural(n, op) ? " events of " : " event of ");
	}
	category(w, n->cat);
	window(w, n->window);
}

/* Of every event: visits. */
static void say_days(struct wording *w, const struct rule_node *n, bool negated)
{
	bool outside, visits = n->cat == CATEGORY_ALL;
	enum node_op op = compared(n->op, negated, &outside);
	bool some = is_some(op, n->n), none = is_none(op, n->n);
	if (visits)
		buf_c(w->out, none ? "did not visit" : "visited");
	else
		buf_c(w->out, none ? "had no event of " : "had an event of ");
	if (!visits)
		category(w, n->cat);
	if (some || none) {
		window(w, n->window);
		return;
	}
	buf_c(w->out, " on ");
	amount(w, n, op, outside);
	window_of(w, n->window);
}

static void say_sum(struct wording *w, const struct rule_node *n, bool negated)
{
	bool outside;
	enum node_op op = compared(n->op, negated, &outside);
	buf_c(w->out, "had events of ");
	category(w, n->cat);
	window(w, n->window);
	buf_c(w->out, " worth ");
	amount(w, n, op, outside);
	buf_c(w->out, " in all");
	/* no value at all is a sum of 0, which may be what is asked for */
	bool zero = op == OP_BETWEEN ? (n->n <= 0 && n->n2 >= 0) != outside
		    : op == OP_LE    ? n->n >= 0
		    : op == OP_LT    ? n->n > 0
		    : op == OP_EQ    ? n->n == 0
		    : op == OP_NE    ? n->n != 0
		    : op == OP_GE    ? n->n <= 0
				     : n->n < 0;
	if (zero)
		buf_c(w->out, " (or none)");
}

static void say_first(struct wording *w, const struct rule_node *n, bool negated)
{
	buf_c(w->out, negated ? "did not have their first event of " : "had their first event of ");
	category(w, n->cat);
	window(w, n->window);
}

static void say_then(struct wording *w, const struct rule_node *n, bool negated)
{
	buf_c(w->out, negated ? "had no event of " : "had an event of ");
	category(w, n->then);
	buf_c(w->out, " on the same day as one of ");
	category(w, n->cat);
	if (n->window > 1)
		buf_addf(w->out, " or up to %u day%s after it", n->window - 1u,
		    n->window == 2 ? "" : "s");
}

static void say_fact(struct wording *w, const struct rule_node *n, bool negated)
{
	buf_c(w->out, negated ? "do not have " : "have ");
	values(w, n);
	buf_addf(w->out, " as the latest %s", fact_name(n->fact));
}

/* "from 50 to 100", "more than 50" */
static void say_range(struct wording *w, const struct range *x)
{
	bool low = isfinite(x->lo), high = isfinite(x->hi);
	if (low && high) /* "between", which has both ends */
		buf_addf(w->out, "from %.15g to %.15g", x->lo, x->hi);
	else if (low)
		buf_addf(w->out, "%s %.15g", x->lo_out ? "more than" : "at least", x->lo);
	else
		buf_addf(w->out, "%s %.15g", x->hi_out ? "less than" : "at most", x->hi);
}

static void say_attr(struct wording *w, const struct rule_node *n, bool negated)
{
	const struct vocabulary *v = rules_vocabulary(w->r, n->attr);
	buf_c(w->out, negated ? "do not have " : "have ");
	if (n->numeric)
		say_range(w, &n->range);
	else
		values(w, n);
	buf_c(w->out, " as the latest value of ");
	quoted(w, v ? str_c(v->name) : n->attr);
}

static void say_segment(struct wording *w, const struct rule_node *n, bool negated)
{
	buf_c(w->out, negated ? "are not in the segment " : "are in the segment ");
	segment(w, n->segment);
}

static void say_like(struct wording *w, const struct rule_node *n, bool negated)
{
	const struct lookalike *l = w->r->segments[n->segment].like;
	int seed = rules_segment(w->r, str_c(l->seed));
	buf_c(w->out, negated ? "do not behave like the segment " : "behave like the segment ");
	if (seed >= 0)
		segment(w, (uint16_t)seed);
	else
		quoted(w, str_c(l->seed));
	buf_c(w->out, " as the model has learned it");
}

/* Where a mistake stood. Such a condition never serves. */
static void say_never(struct wording *w, const struct rule_node *n, bool negated)
{
	(void)n;
	buf_c(w->out, negated ? "are anybody" : "are nobody");
}

/* --- trees */

static void (*const sayers[])(struct wording *, const struct rule_node *, bool) = {
    [NODE_COUNT] = say_count,
    [NODE_DAYS] = say_days,
    [NODE_SUM] = say_sum,
    [NODE_FIRST] = say_first,
    [NODE_THEN] = say_then,
    [NODE_FACT] = say_fact,
    [NODE_ATTR] = say_attr,
    [NODE_SEGMENT] = say_segment,
    [NODE_LIKE] = say_like,
    [NODE_NEVER] = say_never};

/* Which word the parts of a tree are joined with, when `negated` is handed down: not (a or b) is
 * neither, which is "not a, and not b". 0: it is no tree. */
enum joined { JOINED_NOT, JOINED_AND, JOINED_OR };
static enum joined joined_by(enum node_kind kind, bool negated)
{
	if (kind != NODE_AND && kind != NODE_OR)
		return JOINED_NOT;
	return (kind == NODE_AND) == negated ? JOINED_OR : JOINED_AND;
}

/* What is below `within` and joined likewise needs no parentheses. */
static void say(struct wording *w, int at, bool negated, enum joined within)
{
	const struct rule_node *n = &w->r->nodes[at];
	while (n->kind == NODE_NOT) {
		negated = !negated;
		n = &w->r->nodes[n->left];
	}
	enum joined by = joined_by(n->kind, negated);
	if (by == JOINED_NOT) {
		sayers[n->kind](w, n, negated);
		return;
	}
	bool apart = within != JOINED_NOT && within != by;
	buf_c(w->out, apart ? "(" : "");
	say(w, n->left, negated, by);
	buf_c(w->out, by == JOINED_AND ? ", and " : ", or ");
	say(w, n->right, negated, by);
	buf_c(w->out, apart ? ")" : "");
}

void condition_words(const struct rules *r, int root, struct buf *out)
{
	buf_c(out, "Visitors who ");
	condition_part_words(r, root, out);
	buf_c(out, ".");
}

void condition_part_words(const struct rules *r, int at, struct buf *out)
{
	struct wording w = {r, out};
	say(&w, at, false, JOINED_NOT);
}

/* --- clauses */

struct clausing {
	const struct rules *r;
	unsigned parts, done; /* of the whole condition; those that were added */
	struct buf text[CLAUSE_PARTS_MAX], words[CLAUSE_PARTS_MAX];
	struct clause_parts *out;
};

/* The chain of `and` leans to the left: each node of it is the condition up to its right part. */
static unsigned count_parts(const struct rules *r, int at)
{
	unsigned n = 1;
	for (; r->nodes[at].kind == NODE_AND; at = r->nodes[at].left)
		n++;
	return n;
}

/* Adds a part. Those that are too many are joined in the last one, in parentheses where they would
 * mean something else without. */
static void add_part(struct clausing *c, int at, int upto)
{
	const struct rule_node *n = &c->r->nodes[at];
	unsigned last = CLAUSE_PARTS_MAX - 1, i = c->done < last ? c->done : last;
	bool joined = i == last && c->parts > CLAUSE_PARTS_MAX,
	     apart = joined && n->kind == NODE_OR;
	struct wording w = {c->r, &c->words[i]};
	buf_c(&c->text[i], c->done > last ? " and " : "");
	buf_c(&c->words[i], c->done > last ? ", and " : "");
	buf_c(&c->text[i], apart ? "(" : "");
	buf_str(&c->text[i], n->kind == NODE_LIKE ? STR("model") : n->text);
	buf_c(&c->text[i], apart ? ")" : "");
	say(&w, at, false, joined ? JOINED_AND : JOINED_NOT);
	c->out->list[i].upto = upto;
	c->done++;
}

static void add_chain(struct clausing *c, int at)
{
	const struct rule_node *n = &c->r->nodes[at];
	if (n->kind != NODE_AND) {
		add_part(c, at, at);
		return;
	}
	add_chain(c, n->left);
	add_part(c, n->right, at);
}

void clause_parts_of(const struct rules *r, int root, struct clause_parts *out)
{
	struct clausing c = {.r = r, .parts = count_parts(r, root), .out = out};
	*out = (struct clause_parts){0};
	add_chain(&c, root);
	out->n = c.done < CLAUSE_PARTS_MAX ? c.done : CLAUSE_PARTS_MAX;
	for (unsigned i = 0; i < out->n; i++) {
		CHECK(!c.text[i].failed && !c.words[i].failed);
		out->list[i].text = arena_keep(&out->arena, buf_view(&c.text[i]));
		out->list[i].words = arena_keep(&out->arena, buf_view(&c.words[i]));
		buf_done(&c.text[i]);
		buf_done(&c.words[i]);
	}
}

void clause_parts_done(struct clause_parts *p)
{
	arena_done(&p->arena);
	p->n = 0;
}

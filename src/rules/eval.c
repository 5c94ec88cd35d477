/* The evaluator: conditions over profiles. There is no other. */
#include "crumb/rules/rules.h"

#include <stdlib.h>

static uint16_t window_start(uint8_t window, uint16_t today)
{
	return window == 0 || window > today ? 0 : (uint16_t)(today - window + 1);
}

static bool compare(enum node_op op, uint64_t a, uint64_t b)
{
	switch (op) {
	case OP_GE:
		return a >= b;
	case OP_GT:
		return a > b;
	case OP_LE:
		return a <= b;
	case OP_LT:
		return a < b;
	case OP_EQ:
		return a == b;
	case OP_NE:
	default:
		return a != b;
	}
}

/* Events of the category, or days with one, from the window's first day to today. */
static uint64_t amount(const struct profile *p, const struct rule_node *n, uint16_t today)
{
	size_t rows;
	const struct cat_day *r = profile_span(p, n->cat, &rows);
	uint16_t from = window_start(n->window, today);
	uint64_t sum = 0;
	for (size_t i = rows; i-- > 0 && r[i].day >= from;)
		if (r[i].day <= today)
			sum += n->kind == NODE_DAYS ? 1 : r[i].count;
	return sum;
}

/* Some day of `then` is 0 to window-1 days after some day of `cat`. */
static bool in_order(const struct profile *p, const struct rule_node *n)
{
	size_t an, bn, a = 0;
	const struct cat_day *first = profile_span(p, n->cat, &an), *second = profile_span(p, n->then, &bn);
	for (size_t b = 0; b < bn; b++) {
		while (a < an && first[a].day + n->window <= second[b].day)
			a++;
		if (a < an && first[a].day <= second[b].day)
			return true;
	}
	return false;
}

static struct str fact_value(const struct profile *p, enum fact f)
{
	switch (f) {
	case FACT_COUNTRY:
		return place_country(&p->place);
	case FACT_REGION:
		return place_region(&p->place);
	case FACT_DEVICE:
		return str_c(p->agent_day ? device_names[p->agent.device] : "");
	case FACT_OS:
		return str_c(p->agent_day ? os_names[p->agent.os] : "");
	case FACT_BROWSER:
	case FACT_MAX:
	default:
		return str_c(p->agent_day ? browser_names[p->agent.browser] : "");
	}
}

static bool fact_holds(const struct profile *p, const struct rule_node *n)
{
	struct str have = fact_value(p, n->fact);
	for (unsigned i = 0; i < n->words_n; i++) {
		struct str want = n->words[i];
		if (have.n && str_ieq(want, have))
			return true;
		/* region = US-CA says country and region at once */
		if (n->fact == FACT_REGION && have.n && want.n == have.n + 3 && want.p[2] == '-' && str_ieq(str_skip(want, 3), have) &&
		    str_ieq(str_make(want.p, 2), place_country(&p->place)))
			return true;
	}
	return false;
}

static bool attr_holds(const struct profile *p, const struct rule_node *n)
{
	const struct profile_attr *a = profile_attr(p, n->attr);
	if (!a)
		return false;
	if (n->numeric) {
		char text[EVENT_VALUE_MAX + 1], *end;
		size_t len = a->value.n < EVENT_VALUE_MAX ? a->value.n : EVENT_VALUE_MAX;
		memcpy(text, a->value.p, len);
		text[len] = 0;
		double v = strtod(text, &end);
		if (end == text || *end)
			return false;
		return n->op == OP_GE ? v >= n->number : n->op == OP_GT ? v > n->number : n->op == OP_LE ? v <= n->number : v < n->number;
	}
	for (unsigned i = 0; i < n->words_n; i++)
		if (str_ieq(a->value, n->words[i]))
			return true;
	return false;
}

static bool holds(const struct rules *r, int at, const struct profile *p, uint16_t today)
{
	const struct rule_node *n = &r->nodes[at];
	switch (n->kind) {
	case NODE_AND:
		return holds(r, n->left, p, today) && holds(r, n->right, p, today);
	case NODE_OR:
		return holds(r, n->left, p, today) || holds(r, n->right, p, today);
	case NODE_NOT:
		return !holds(r, n->left, p, today);
	case NODE_COUNT:
	case NODE_DAYS:
		return compare(n->op, amount(p, n, today), n->n);
	case NODE_THEN:
		return in_order(p, n);
	case NODE_FACT:
		return fact_holds(p, n);
	case NODE_ATTR:
		return attr_holds(p, n);
	case NODE_SEGMENT:
		return holds(r, r->segments[n->segment].root, p, today);
	}
	return false;
}

bool rules_eval(const struct rules *r, uint16_t segment, const struct profile *p, uint16_t today)
{
	return p->rows_n > 0 && holds(r, r->segments[segment].root, p, today);
}

unsigned rules_eval_all(const struct rules *r, const struct profile *p, uint16_t today, uint16_t *out)
{
	unsigned n = 0;
	for (size_t i = 0; i < r->segments_n; i++)
		if (rules_eval(r, (uint16_t)i, p, today))
			out[n++] = (uint16_t)i;
	return n;
}

static void sooner(uint32_t *due, uint32_t day, uint16_t today)
{
	if (day > today && day < *due)
		*due = day;
}

uint16_t rules_next_due(const struct rules *r, const struct profile *p, uint16_t today, unsigned retention)
{
	uint32_t due = UINT16_MAX;
	for (size_t i = 0; i < p->rows_n; i++) {
		const struct cat_day *row = &p->rows[i];
		sooner(&due, row->day + retention, today);
		if (row->cat < r->categories_n)
			for (unsigned w = 0; w < r->categories[row->cat].windows_n; w++)
				sooner(&due, (uint32_t)row->day + r->categories[row->cat].windows[w], today);
	}
	for (unsigned i = 0; i < p->attrs_n; i++)
		sooner(&due, p->attrs[i].day + retention, today);
	if (p->place_day)
		sooner(&due, p->place_day + retention, today);
	if (p->agent_day)
		sooner(&due, p->agent_day + retention, today);
	return (uint16_t)due;
}

uint16_t rules_member_until(const struct rules *r, uint16_t segment, const struct profile *from, uint16_t today, unsigned retention)
{
	/* The profile as it will be on each day on which something ends. */
	struct profile p = *from;
	uint16_t day = today;
	p.rows = malloc((from->rows_n + 1) * sizeof *p.rows);
	CHECK(p.rows);
	memcpy(p.rows, from->rows, from->rows_n * sizeof *p.rows);
	while (p.rows_n > 0 && rules_eval(r, segment, &p, day)) {
		day = rules_next_due(r, &p, day, retention);
		profile_expire(&p, (uint16_t)(day - retention + 1));
	}
	free(p.rows);
	return day;
}

static void note_window(struct category *c, uint8_t window)
{
	if (window == 0)
		return;
	unsigned at = c->windows_n;
	while (at > 0 && c->windows[at - 1] > window)
		at--;
	if (at > 0 && c->windows[at - 1] == window)
		return;
	memmove(c->windows + at + 1, c->windows + at, c->windows_n - at);
	c->windows[at] = window;
	c->windows_n++;
}

/* Walks the condition of `segment`, through nested segments too. */
static enum err link_node(struct rules *r, int at, uint16_t segment, uint8_t *on_path, const struct rules_at *where)
{
	const struct rule_node *n = &r->nodes[at];
	uint64_t bit = 1ull << (segment % 64);
	size_t word = segment / 64;
	enum err e;
	switch (n->kind) {
	case NODE_AND:
	case NODE_OR:
		if ((e = link_node(r, n->left, segment, on_path, where)))
			return e;
		return link_node(r, n->right, segment, on_path, where);
	case NODE_NOT:
		return link_node(r, n->left, segment, on_path, where);
	case NODE_THEN:
		r->categories[n->then].segments[word] |= bit;
		r->categories[n->cat].segments[word] |= bit;
		return OK;
	case NODE_COUNT:
	case NODE_DAYS:
		r->categories[n->cat].segments[word] |= bit;
		note_window(&r->categories[n->cat], n->window);
		return OK;
	case NODE_FACT:
	case NODE_ATTR:
		r->fact_segments[word] |= bit;
		return OK;
	case NODE_SEGMENT:
		if (on_path[n->segment])
			return rules_complain(
			    where, "segment '%s' depends on itself through '%s'", r->segments[segment].id, r->segments[n->segment].id);
		on_path[n->segment] = 1;
		e = link_node(r, r->segments[n->segment].root, segment, on_path, where);
		on_path[n->segment] = 0;
		return e;
	}
	return OK;
}

enum err rules_link(struct rules *r, const struct rules_at *at_of_segment)
{
	size_t words = r->segments_n / 64 + 1;
	r->fact_segments = rules_alloc(r, words * sizeof *r->fact_segments);
	for (size_t i = 0; i < r->categories_n; i++)
		r->categories[i].segments = rules_alloc(r, words * sizeof(uint64_t));
	uint8_t *on_path = calloc(r->segments_n + 1, 1);
	if (!on_path)
		return err_set(ERR_NOMEM, "no memory");
	enum err e = OK;
	for (size_t i = 0; i < r->segments_n && !e; i++) {
		on_path[i] = 1;
		e = link_node(r, r->segments[i].root, (uint16_t)i, on_path, &at_of_segment[i]);
		on_path[i] = 0;
	}
	free(on_path);
	return e;
}

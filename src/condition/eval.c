/* The evaluator: conditions over one profile, by walking the tree. And the days on which time alone
 * changes what it says.
 *
 * A row of a category changes something on the day on which it leaves a window that some condition
 * asks for, or its retention. rules_next_due() takes the nearest such day over all rows. Example:
 * day 100, retention 90, coats on days 60 and 95, windows of 7 and 30 days over coats:
 *
 *     retention 90    60 + 90 = 150     95 + 90 = 185
 *     window 7        60 + 7: past      95 + 7 = 102     ◄ the next: on day 102 "in 7d" has lost it
 *     window 30       60 + 30: past     95 + 30 = 125
 *
 * Rows lie in order of days, so the first that has not left a window yet is found by bisection. On
 * the due day the profile is evaluated again, and the next due day is found. */
#include "crumb/condition/eval.h"
#include "crumb/rules/fact.h"

#include "crumb/base/text.h"

#include "crumb/rules/like.h"

#include "crumb/base/memory.h"
#include <stdlib.h>

bool rules_compare(const struct rule_node *n, int64_t a)
{
	switch (n->op) {
	case OP_GE:
		return a >= n->n;
	case OP_GT:
		return a > n->n;
	case OP_LE:
		return a <= n->n;
	case OP_LT:
		return a < n->n;
	case OP_EQ:
		return a == n->n;
	case OP_BETWEEN:
		return a >= n->n && a <= n->n2;
	case OP_NE:
	default:
		return a != n->n;
	}
}

/* The sum of values in a window; it saturates. */
static struct amount sum_amount(
    const struct profile *p, const struct rule_node *n, uint16_t from, uint16_t today)
{
	size_t rows;
	const struct sum_day *r = profile_sums(p, n->cat, &rows);
	struct amount a = {0, 0, 0, 0};
	for (size_t i = 0; i < rows; i++) {
		if (r[i].day < from || r[i].day > today)
			continue;
		if (__builtin_add_overflow(a.n, r[i].millionths, &a.n))
			a.n = r[i].millionths < 0 ? INT64_MIN : INT64_MAX;
		a.first_day = a.days ? a.first_day : r[i].day;
		a.last_day = r[i].day;
		a.days++;
	}
	return a;
}

struct amount rules_amount(const struct profile *p, const struct rule_node *n, uint16_t today)
{
	size_t rows;
	uint16_t from = rules_window_start(n->window, today);
	if (n->kind == NODE_SUM)
		return sum_amount(p, n, from, today);
	const struct cat_day *r = profile_span(p, n->cat, &rows);
	struct amount a = {0, 0, 0, 0};
	for (size_t i = rows; i-- > 0 && r[i].day >= from;) {
		if (r[i].day > today)
			continue;
		a.n += n->kind == NODE_DAYS ? 1 : r[i].count;
		a.first_day = r[i].day;
		a.last_day = a.days ? a.last_day : r[i].day;
		a.days++;
	}
	return a;
}

/* Some day of `then` is 0 to window-1 days after some day of `cat`. Both lists rise, so one index
 * each is enough: a day of `cat` that is too old for this day of `then` is so for the next. */
static bool in_order(const struct profile *p, const struct rule_node *n)
{
	size_t an, bn, a = 0;
	const struct cat_day *first = profile_span(p, n->cat, &an),
			     *second = profile_span(p, n->then, &bn);
	for (size_t b = 0; b < bn; b++) {
		while (a < an && first[a].day + n->window <= second[b].day)
			a++;
		if (a < an && first[a].day <= second[b].day)
			return true;
	}
	return false;
}

/* The oldest day that is kept is within the window. */
static bool first_within(const struct profile *p, const struct rule_node *n, uint16_t today)
{
	size_t rows;
	const struct cat_day *r = profile_span(p, n->cat, &rows);
	return rows > 0 && r[0].day <= today && r[0].day >= rules_window_start(n->window, today);
}

static bool fact_holds(const struct profile *p, const struct rule_node *n)
{
	struct str have = rules_fact(p, n->fact);
	for (unsigned i = 0; i < n->words_n; i++) {
		struct str want = n->words[i];
		if (have.n && str_ieq(want, have))
			return true;
		/* region = US-CA says country and region at once */
		if (n->fact == FACT_REGION && have.n && want.n == have.n + 3 && want.p[2] == '-' &&
		    str_ieq(str_skip(want, 3), have) &&
		    str_ieq(str_make(want.p, 2), place_country(&p->place)))
			return true;
	}
	return false;
}

static bool attr_holds(const struct profile *p, const struct rule_node *n)
{
	const struct profile_attr *a = profile_attr(p, n->attr);
	double v;
	if (!a)
		return false;
	if (n->numeric)
		return rules_number(a->value, &v) && range_has(&n->range, v);
	for (unsigned i = 0; i < n->words_n; i++)
		if (text_eq(a->value, n->words[i]))
			return true;
	return false;
}

/* Does a node hold? Of a profile with rows. */
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
	case NODE_SUM:
		return rules_compare(n, rules_amount(p, n, today).n);
	case NODE_FIRST:
		return first_within(p, n, today);
	case NODE_THEN:
		return in_order(p, n);
	case NODE_FACT:
		return fact_holds(p, n);
	case NODE_ATTR:
		return attr_holds(p, n);
	case NODE_SEGMENT: {
		const struct segment *s = &r->segments[n->segment];
		return (!s->until || today <= s->until) && s->root >= 0 &&
		       holds(r, s->root, p, today);
	}
	case NODE_LIKE: {
		const struct like_model *m = r->segments[n->segment].like->model;
		return m && like_score(m, p, today) >= m->threshold;
	}
	case NODE_NEVER:
		return false;
	}
	return false;
}

/* The features of a model that are about categories stand before those about facts. */
static void model_asks(const struct like_model *m, uint64_t *wanted)
{
	for (unsigned i = 0; m && i < m->facts_at; i++)
		wanted[m->weights[i].f.cat / 64] |= 1ull << m->weights[i].f.cat % 64;
}

void rules_asks(const struct rules *r, int at, uint64_t *wanted)
{
	const struct rule_node *n = &r->nodes[at];
	switch (n->kind) {
	case NODE_AND:
	case NODE_OR:
		rules_asks(r, n->right, wanted);
		rules_asks(r, n->left, wanted);
		return;
	case NODE_NOT:
		rules_asks(r, n->left, wanted);
		return;
	case NODE_THEN:
		wanted[n->then / 64] |= 1ull << n->then % 64;
		wanted[n->cat / 64] |= 1ull << n->cat % 64;
		return;
	case NODE_COUNT:
	case NODE_DAYS:
	case NODE_SUM:
	case NODE_FIRST:
		wanted[n->cat / 64] |= 1ull << n->cat % 64;
		return;
	case NODE_SEGMENT:
		if (r->segments[n->segment].root >= 0)
			rules_asks(r, r->segments[n->segment].root, wanted);
		return;
	case NODE_LIKE:
		model_asks(r->segments[n->segment].like->model, wanted);
		return;
	case NODE_FACT:
	case NODE_ATTR:
	case NODE_NEVER:
		return;
	}
}

bool rules_holds(const struct rules *r, int root, const struct profile *p, uint16_t today)
{
	return p->rows_n > 0 && holds(r, root, p, today);
}

bool rules_eval(const struct rules *r, uint16_t segment, const struct profile *p, uint16_t today)
{
	const struct segment *s = &r->segments[segment];
	return (!s->until || today <= s->until) && rules_holds(r, s->root, p, today);
}

unsigned rules_eval_all(
    const struct rules *r, const struct profile *p, uint16_t today, uint16_t *out)
{
	unsigned n = 0;
	for (size_t i = 0; i < r->segments_n; i++)
		if (rules_eval(r, (uint16_t)i, p, today))
			out[n++] = (uint16_t)i;
	return n;
}

/* Kleene's three values, for somebody who never did anything: counts are 0, which is known; place,
 * device and attributes are unknown. AND is the least of its parts, OR the greatest, NOT turns
 * round: "not country = US" is unknown, so it does not hold of nobody. */
enum maybe { NOT_SO, UNKNOWN, SO };

static enum maybe of_nobody(const struct rules *r, int at, const struct profile *nobody)
{
	const struct rule_node *n = &r->nodes[at];
	enum maybe a, b;
	switch (n->kind) {
	case NODE_AND:
		a = of_nobody(r, n->left, nobody);
		b = of_nobody(r, n->right, nobody);
		return a < b ? a : b;
	case NODE_OR:
		a = of_nobody(r, n->left, nobody);
		b = of_nobody(r, n->right, nobody);
		return a > b ? a : b;
	case NODE_NOT:
		return SO - of_nobody(r, n->left, nobody);
	case NODE_LIKE:
		return NOT_SO;
	case NODE_FACT:
	case NODE_ATTR:
		return UNKNOWN;
	case NODE_SEGMENT:
		return r->segments[n->segment].root >= 0
			   ? of_nobody(r, r->segments[n->segment].root, nobody)
			   : NOT_SO;
	default:
		return holds(r, at, nobody, 1) ? SO : NOT_SO;
	}
}

bool rules_holds_of_nobody(const struct rules *r, int root)
{
	struct profile *nobody = calloc(1, sizeof *nobody);
	if (!nobody) {
		memory_none();
		return false;
	}
	enum maybe m = of_nobody(r, root, nobody);
	free(nobody);
	return m == SO;
}

static void sooner(uint32_t *due, uint32_t day, uint16_t today)
{
	if (day > today && day < *due)
		*due = day;
}

/* The day on which the oldest row that is not yet `days` old will be. */
static void soonest(
    uint32_t *due, const struct cat_day *rows, size_t n, uint32_t days, uint16_t today)
{
	size_t lo = 0, hi = n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (rows[mid].day + days <= today)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < n)
		sooner(due, rows[lo].day + days, today);
}

uint16_t rules_next_due(
    const struct rules *r, const struct profile *p, uint16_t today, unsigned retention)
{
	uint32_t due = UINT16_MAX;
	for (size_t i = 0, end; i < p->rows_n; i = end) {
		const struct cat_day *rows = &p->rows[i];
		for (end = i + 1; end < p->rows_n && p->rows[end].cat == rows->cat; end++)
			;
		soonest(&due, rows, end - i, retention, today);
		for (unsigned w = 0;
		     rows->cat < r->categories_n && w < r->categories[rows->cat].windows_n; w++)
			soonest(&due, rows, end - i, r->categories[rows->cat].windows[w], today);
	}
	for (unsigned i = 0; i < p->attrs_n; i++)
		sooner(&due, p->attrs[i].day + retention, today);
	if (p->place_day)
		sooner(&due, p->place_day + retention, today);
	if (p->agent_day)
		sooner(&due, p->agent_day + retention, today);
	/* A segment's end concerns its members only. A segment that refers to it changes for them,
	 * too, and for nobody else. */
	for (size_t i = 0; r->any_until && i < p->segments_n; i++)
		if (p->segments[i] < r->segments_n && r->segments[p->segments[i]].until)
			sooner(&due, r->segments[p->segments[i]].until + 1u, today);
	return (uint16_t)due;
}

/* The next day after `day` on which some segment ends for everybody. */
static uint16_t next_end(const struct rules *r, uint16_t day)
{
	uint32_t end = UINT16_MAX;
	for (size_t i = 0; r->any_until && i < r->segments_n; i++)
		if (r->segments[i].until)
			sooner(&end, r->segments[i].until + 1u, day);
	return (uint16_t)end;
}

/* The rows that the condition looks at, and the row that ends last: the visitor is there as long as
 * that one is. Other rows end without changing anything. */
static size_t asked_rows(
    const struct rules *r, int root, const struct profile *from, struct cat_day *out)
{
	uint64_t wanted[65536 / 64] = {0};
	size_t n = 0, latest = 0;
	rules_asks(r, root, wanted);
	for (size_t i = 1; i < from->rows_n; i++)
		if (from->rows[i].day > from->rows[latest].day)
			latest = i;
	for (size_t i = 0; i < from->rows_n; i++)
		if (i == latest || wanted[from->rows[i].cat / 64] >> from->rows[i].cat % 64 & 1)
			out[n++] = from->rows[i];
	return n;
}

uint16_t rules_member_until(const struct rules *r, uint16_t segment, const struct profile *from,
    uint16_t today, unsigned retention)
{
	/* A copy with only what the condition asks for, which is aged from one due day to the next
	 * until the condition does not hold. Rows can only go, so this ends. */
	struct profile p = *from;
	uint16_t day = today;
	p.rows = malloc((from->rows_n + 1) * sizeof *p.rows);
	p.sums = malloc((from->sums_n + 1) * sizeof *p.sums);
	if (!p.rows || !p.sums) {
		memory_none();
		free(p.rows);
		free(p.sums);
		return today;
	}
	p.rows_n = asked_rows(r, r->segments[segment].root, from, p.rows);
	if (from->sums_n)
		memcpy(p.sums, from->sums, from->sums_n * sizeof *p.sums);
	while (p.rows_n > 0 && rules_eval(r, segment, &p, day)) {
		uint16_t due = rules_next_due(r, &p, day, retention), end = next_end(r, day);
		day = end < due ? end : due;
		profile_expire(&p, (uint16_t)(day - retention + 1));
	}
	free(p.rows);
	free(p.sums);
	return day;
}

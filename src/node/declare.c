/* Lines of partners as records of the journal. A line goes through these questions, and the first
 * that is answered no counts its refusal: is it one of the two kinds; does it expire later than
 * today; do the rules declare all of it; is a visitor matched with the id? What a partner takes
 * back is a record like any other, with an empty value: the newest record of an attribute counts.
 */
#include "crumb/node/declare.h"

#include "crumb/views/view.h"

#include "crumb/base/clock.h"

#include <jansson.h>
#include <stdio.h>

/* The attribute, if the rules declare it with this partner as its source; else NULL. */
static const struct vocabulary *find_attribute(
    const struct rules *r, struct str partner, struct str name)
{
	const struct vocabulary *v = rules_vocabulary(r, name);
	return v && v->source && str_eq(partner, str_c(v->source)) ? v : NULL;
}

static struct str string_of(const json_t *j)
{
	return json_is_string(j) ? str_make(json_string_value(j), json_string_length(j)) : STR("");
}

/* Ids are text; numbers are the text of their digits. */
static struct str id_of(const json_t *j, char digits[24])
{
	if (!json_is_integer(j))
		return string_of(j);
	int n = snprintf(digits, 24, "%lld", (long long)json_integer_value(j));
	return str_make(digits, (size_t)n);
}

/* The first day on which the line is over: its own date, or when an observation of today would be.
 * False: the date makes no sense. */
static bool until_of(const json_t *line, uint16_t today, unsigned retention, uint16_t *out)
{
	const json_t *j = json_object_get(line, "expires");
	uint16_t last = (uint16_t)(today + retention);
	struct str s = string_of(j);
	*out = last;
	if (!j || json_is_null(j) || (json_is_string(j) && !s.n))
		return true;
	int64_t t;
	if (!time_parse_rfc3339(s.p, s.n, &t))
		return false;
	if (t < 0)
		t = 0;
	*out = t / DAY_S > last ? last : (uint16_t)(t / DAY_S);
	return true;
}

/* The line at hand. Values point into the line, or into `numbers`. */
struct declaring {
	const struct rules *r;
	struct str partner;
	struct attr attrs[EVENT_ATTRS_MAX];
	unsigned n;
	char numbers[EVENT_ATTRS_MAX][32];
};

/* Takes one more value. Returns the counter of why not, or NULL. */
static uint64_t *declare_value(
    struct declaring *d, const struct vocabulary *v, struct str value, struct declare_totals *t)
{
	if (!v)
		return &t->refused_undeclared;
	if (d->n == EVENT_ATTRS_MAX || (value.n && !rules_value(v, &value)))
		return &t->refused_value;
	d->attrs[d->n++] = (struct attr){str_c(v->id), value};
	return NULL;
}

/* An attribute that is refused costs only itself: the line counts when some attribute is taken. */
static uint64_t *read_attributes(
    struct declaring *d, json_t *attributes, bool over, struct declare_totals *t)
{
	const char *name;
	json_t *value;
	uint64_t *why = NULL;
	json_object_foreach(attributes, name, value)
	{
		struct str s = string_of(value);
		if (json_is_number(value) && d->n < EVENT_ATTRS_MAX) {
			char *to = d->numbers[d->n];
			s = str_make(to, (size_t)snprintf(to, sizeof d->numbers[0], "%.15g",
					     json_number_value(value)));
		} else if (json_is_boolean(value)) {
			s = json_is_true(value) ? STR("true") : STR("false");
		} else if (!json_is_string(value) && !json_is_null(value)) {
			return &t->refused_json;
		}
		const struct vocabulary *v = find_attribute(d->r, d->partner, str_c(name));
		uint64_t *not = declare_value(d, v, over ? STR("") : s, t);
		why = not ? not : why;
	}
	if (d->n)
		return NULL;
	return why ? why : &t->refused_json;
}

/* Takes a line. Returns the counter of what became of it. */
static uint64_t *declare_line(struct generation *g, struct declaring *d, json_t *line,
    unsigned retention, uint32_t now, struct batch *b, struct declare_totals *t)
{
	char digits[24];
	struct str id = id_of(json_object_get(line, "id"), digits),
		   segment = string_of(json_object_get(line, "segment")),
		   action = string_of(json_object_get(line, "action"));
	json_t *attributes = json_object_get(line, "attributes");
	struct vkey visitor;
	uint16_t today = day_of(now), until;
	uint64_t *why;
	bool has_segment = segment.n > 0, has_attributes = json_is_object(attributes);
	if (!id.n || has_segment == has_attributes || !until_of(line, today, retention, &until))
		return &t->refused_json;
	bool remove = str_ieq(action, STR("remove")), over = until <= today;
	if (action.n && !remove && !str_ieq(action, STR("add")))
		return &t->refused_json;
	if (over && !remove && json_object_get(line, "expires") && !has_segment)
		return &t->refused_old;
	d->n = 0;
	if (has_segment)
		why = declare_value(d, rules_partner_segment(d->r, d->partner, segment),
		    remove || over ? STR("") : STR(VOCABULARY_MEMBER), t);
	else
		why = read_attributes(d, attributes, remove, t);
	if (why)
		return why;
	if (!view_partner_visitor(g, d->partner, id, now, &visitor))
		return &t->refused_id;
	struct record r = {.kind = RECORD_DECLARED,
	    .event = {.visitor = visitor, .t = now, .attrs_n = d->n},
	    .until = remove || over ? (uint16_t)(today + retention) : until,
	    .partner = d->partner};
	memcpy(r.event.attrs, d->attrs, d->n * sizeof *d->attrs);
	batch_record(b, &r);
	return &t->accepted;
}

/* The word for a counter of refused lines; NULL: the line was taken. */
static const char *reason(const struct declare_totals *t, const uint64_t *counter)
{
	const struct {
		const uint64_t *counter;
		const char *word;
	} reasons[] = {
	    {&t->refused_json, "json"},
	    {&t->refused_id, "id"},
	    {&t->refused_undeclared, "undeclared"},
	    {&t->refused_value, "value"},
	    {&t->refused_old, "old"},
	};
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].counter == counter)
			return reasons[i].word;
	return NULL;
}

void declare_lines(struct generation *g, const struct rules *rules, unsigned retention,
    struct str partner, struct str lines, uint32_t now, struct batch *b,
    struct declare_totals *totals)
{
	struct declaring d = {.r = rules, .partner = partner};
	struct str line;
	uint64_t number = 0;
	while (lines.n && str_cut(&lines, '\n', &line)) {
		json_error_t error;
		line = str_trim(str_unmarked(line));
		number++;
		if (!line.n)
			continue;
		totals->read++;
		json_t *j = json_loadb(line.p, line.n, 0, &error);
		uint64_t *counter = &totals->refused_json;
		if (json_is_object(j))
			counter = declare_line(g, &d, j, retention, now, b, totals);
		++*counter;
		const char *why = reason(totals, counter);
		if (why)
			refused_add(&totals->first, number, why);
		json_decref(j);
	}
}

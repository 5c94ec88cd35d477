/* The text of a report: one line of JSON for each segment, category and journey (report/daily.h).
 * Shares and indices are computed from numbers as they are told, so they say nothing more. */
#include "making.h"

#include "crumb/base/json.h"
#include "crumb/base/memory.h"
#include "reporting.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

static json_t *number_json(int64_t told)
{
	return told == WITHHELD ? json_null() : json_integer(told);
}

static int64_t told_of(const struct making *m, uint32_t group)
{
	return m->groups[group].told;
}

/* Four digits, which is more than numbers that are rounded to ten have. */
static json_t *part_json(int64_t part, int64_t whole)
{
	if (part == WITHHELD || whole <= 0)
		return json_null();
	return json_real(round((double)part / (double)whole * 10000) / 10000);
}

static json_t *index_json(int64_t part, int64_t whole, int64_t theirs, int64_t all)
{
	if (part == WITHHELD || theirs <= 0 || whole <= 0 || all <= 0)
		return json_null();
	double share = (double)part / (double)whole, everybody = (double)theirs / (double)all;
	return json_integer((json_int_t)lround(100 * share / everybody));
}

static void tell_line(struct buf *out, enum daily_kind kind, const char *id, json_t *line)
{
	char *text = line ? json_whole(line, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
	if (text)
		buf_addf(out, "%c %s ", kind, id);
	if (text)
		buf_c(out, text);
	else
		out->failed = true;
	buf_c(out, "\n");
	free(text);
	json_decref(line);
}

/* --- a segment */

/* A group of a segment beside the same of everybody. */
static json_t *group_json(const struct making *m, size_t segment, const char *id, const char *name,
    uint32_t group, uint32_t everybody)
{
	int64_t size = told_of(m, group_of_segment(segment)), all = told_of(m, 0);
	int64_t n = told_of(m, group), theirs = told_of(m, everybody);
	return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o}", "id", id, "name", name, "visitors",
	    number_json(n), "share", part_json(n, size), "everybody", part_json(theirs, all),
	    "index", index_json(n, size, theirs, all));
}

/* Largest first; those of one number as they stand, and withheld ones last. */
static void add_by_number(json_t *list, json_t *row)
{
	json_t *mine = json_object_get(row, "visitors");
	size_t at = json_array_size(list);
	while (at && json_is_integer(mine)) {
		json_t *before = json_object_get(json_array_get(list, at - 1), "visitors");
		if (json_is_integer(before) &&
		    json_integer_value(before) >= json_integer_value(mine))
			break;
		at--;
	}
	json_array_insert_new(list, at, row);
}

static json_t *devices_json(const struct making *m, size_t segment)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < DEVICE_MAX; i++)
		add_by_number(list, group_json(m, segment, device_names[i], device_names[i],
					plan_device(&m->plans[segment], i), m->first_device + i));
	return list;
}

static json_t *countries_json(const struct making *m, size_t segment)
{
	const struct plan *p = &m->plans[segment];
	json_t *list = json_array();
	char code[8];
	for (unsigned i = 0; i < p->countries_n; i++) {
		uint32_t group = plan_country(p, i);
		country_code(p->countries[i], code);
		if (told_of(m, group) != WITHHELD)
			add_by_number(list, group_json(m, segment, code, code, group,
						m->first_country + p->countries[i]));
	}
	return list;
}

/* In which order a list is told: by numbers that are told, and else as it stands. */
struct ranked {
	unsigned at; /* place in the plan's list */
	double score;
};

static int by_score(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

static json_t *category_json(const struct making *m, size_t segment, unsigned at)
{
	const struct plan *p = &m->plans[segment];
	const struct category *c = &m->r->categories[p->categories[at]];
	return group_json(m, segment, c->id, c->name, plan_category(p, at),
	    m->first_category + p->categories[at]);
}

/* By what they say, as they were chosen (choose.c). */
static json_t *had_json(const struct making *m, size_t segment)
{
	const struct plan *p = &m->plans[segment];
	double size = (double)told_of(m, group_of_segment(segment)), all = (double)told_of(m, 0);
	struct ranked ranked[CATEGORIES_MOST];
	unsigned n = 0;
	json_t *list = json_array();
	for (unsigned i = 0; i < p->categories_n; i++) {
		double both = (double)told_of(m, plan_category(p, i));
		double theirs = (double)told_of(m, m->first_category + p->categories[i]);
		double index = theirs > 0 && size > 0 ? both / size / (theirs / all) : 1;
		if (both > 0)
			ranked[n++] = (struct ranked){i, size > 0 ? both / size * log(index) : 0};
	}
	qsort(ranked, n, sizeof *ranked, by_score);
	for (unsigned i = 0; i < n; i++)
		json_array_append_new(list, category_json(m, segment, ranked[i].at));
	return list;
}

static json_t *near_json(const struct making *m, size_t segment, unsigned at)
{
	const struct plan *p = &m->plans[segment];
	const struct segment *s = &m->r->segments[p->nearest[at]];
	int64_t both = told_of(m, plan_near(p, at));
	return json_pack("{s:s,s:s,s:o,s:o,s:o}", "id", s->id, "name", s->name, "both",
	    number_json(both), "of_this", part_json(both, told_of(m, group_of_segment(segment))),
	    "of_that", part_json(both, told_of(m, group_of_segment(p->nearest[at]))));
}

static json_t *nearest_json(const struct making *m, size_t segment)
{
	const struct plan *p = &m->plans[segment];
	double size = (double)told_of(m, group_of_segment(segment));
	struct ranked ranked[NEAREST_MOST];
	unsigned n = 0;
	json_t *list = json_array();
	for (unsigned i = 0; i < p->nearest_n; i++) {
		double both = (double)told_of(m, plan_near(p, i));
		double theirs = (double)told_of(m, group_of_segment(p->nearest[i]));
		if (both > 0)
			ranked[n++] = (struct ranked){i, both / fmax(size + theirs - both, both)};
	}
	qsort(ranked, n, sizeof *ranked, by_score);
	for (unsigned i = 0; i < n; i++)
		json_array_append_new(list, near_json(m, segment, ranked[i].at));
	return list;
}

static json_t *string_json(struct str s)
{
	return json_stringn(s.n ? s.p : "", s.n);
}

/* The last clause is the segment itself. */
static json_t *funnel_json(const struct making *m, size_t segment)
{
	const struct plan *p = &m->plans[segment];
	struct clause_parts parts;
	json_t *list = json_array();
	if (m->r->segments[segment].root < 0)
		return list;
	clause_parts_of(m->r, m->r->segments[segment].root, &parts);
	for (unsigned i = 0; i < parts.n; i++) {
		uint32_t group = i < p->clauses_n ? plan_clause(p, i) : NO_GROUP;
		if (i + 1 == parts.n)
			group = group_of_segment(segment);
		json_array_append_new(
		    list, json_pack("{s:o,s:o,s:o}", "clause", string_json(parts.list[i].text),
			      "words", string_json(parts.list[i].words), "size",
			      number_json(group == NO_GROUP ? WITHHELD : told_of(m, group))));
	}
	clause_parts_done(&parts);
	return list;
}

static void tell_segment(const struct making *m, size_t segment, struct buf *out)
{
	const struct segment *s = &m->r->segments[segment];
	struct buf words = {0};
	if (s->root >= 0)
		condition_words(m->r, s->root, &words);
	tell_line(out, DAILY_SEGMENT, s->id,
	    json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "id", s->id, "words",
		string_json(buf_view(&words)), "size",
		number_json(told_of(m, group_of_segment(segment))), "visitors",
		number_json(told_of(m, 0)), "categories", had_json(m, segment), "devices",
		devices_json(m, segment), "countries", countries_json(m, segment), "nearest",
		nearest_json(m, segment), "funnel", funnel_json(m, segment)));
	buf_done(&words);
}

/* --- a category */

static json_t *days_json(const int64_t *told)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < DAILY_DAYS; i++)
		json_array_append_new(list, number_json(told[i]));
	return list;
}

static void tell_category(const struct making *m, size_t category, struct buf *out)
{
	const struct category *c = &m->r->categories[category];
	tell_line(out, DAILY_CATEGORY, c->id,
	    json_pack("{s:s,s:s,s:o,s:o}", "id", c->id, "name", c->name, "events",
		days_json(&m->told_events[category * DAILY_DAYS]), "visitors",
		days_json(&m->told_visitors[category * DAILY_DAYS])));
}

/* --- a journey */

/* Half of the group came within so many days. */
static json_t *median_json(const struct making *m, uint32_t group)
{
	const _Atomic uint32_t *days =
	    &m->step_days[(size_t)(group - m->first_step[0]) * STEP_DAYS];
	uint64_t sum = 0, n = m->groups[group].n;
	unsigned day = 0;
	while (day < STEP_DAYS && 2 * (sum += days[day]) < n)
		day++;
	return json_integer(day);
}

/* A path of `depth` steps, whose number among those is `at`. */
static json_t *path_json(const struct making *m, const struct journey *j, uint32_t begun,
    uint32_t group, uint32_t at, int depth)
{
	json_t *steps = json_array();
	for (int i = 0; i < depth; i++, at /= j->steps_n)
		json_array_insert_new(
		    steps, 0, json_string(m->r->categories[j->steps[at % j->steps_n]].id));
	int64_t n = told_of(m, group);
	return json_pack("{s:o,s:o,s:o,s:o}", "steps", steps, "visitors", number_json(n), "share",
	    part_json(n, told_of(m, begun)), "median_days", median_json(m, group));
}

static json_t *paths_json(const struct making *m, const struct journey *j, uint32_t begun)
{
	json_t *all = json_array();
	uint32_t width = 1, group = begun + 1;
	for (int depth = 1; depth <= STEPS_MOST; depth++) {
		json_t *list = json_array();
		width *= j->steps_n;
		for (uint32_t at = 0; at < width; at++, group++)
			if (told_of(m, group) != WITHHELD)
				add_by_number(list, path_json(m, j, begun, group, at, depth));
		json_array_extend(all, list);
		json_decref(list);
	}
	return all;
}

static void tell_journey(const struct making *m, size_t journey, struct buf *out)
{
	const struct journey *j = &m->r->journeys[journey];
	uint32_t begun = m->first_step[journey];
	tell_line(out, DAILY_JOURNEY, j->id,
	    json_pack("{s:s,s:s,s:s,s:i,s:o,s:o}", "id", j->id, "name", j->name, "from",
		m->r->categories[j->from].id, "within_days", j->within, "visitors",
		number_json(told_of(m, begun)), "paths", paths_json(m, j, begun)));
}

enum err tell_report(const struct making *m, struct buf *out)
{
	char day[DAY_TEXT];
	day_text(m->today, day);
	buf_addf(out,
	    DAILY_FIRST_LINE "\nh {\"made\":%u,\"day\":\"%s\",\"rules\":\"%s\",\"k\":%u}\n", m->now,
	    day, m->r->hash_text, (unsigned)m->k);
	for (size_t i = 0; i < m->r->segments_n; i++)
		tell_segment(m, i, out);
	for (size_t i = 1; i < m->r->categories_n; i++)
		tell_category(m, i, out);
	for (size_t i = 0; i < m->r->journeys_n; i++)
		tell_journey(m, i, out);
	return out->failed ? err_set(ERR_NOMEM, "no memory for the report") : memory_check();
}

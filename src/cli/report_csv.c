/* Reports as CSV: one table for each report, in which a row stands for itself, so that a
 * spreadsheet can sort and sum: a row for each day and each thing that was counted.
 *
 *     day,segment,size,entered,left
 *     2026-11-26,coat-fans,1230,,40
 *     2026-11-27,coat-fans,1250,60,40
 *
 * Numbers are as they are told, shares of 1. What is withheld or was not recorded is empty. */
#include "crumb/base/csv.h"
#include "reports.h"

#include <jansson.h>
#include <stdio.h>

/* --- cells; each row begins with one that has nothing before it */

struct csv {
	struct buf *out;
	bool inside; /* a row */
};

static void next_cell(struct csv *s)
{
	buf_c(s->out, s->inside ? "," : "");
	s->inside = true;
}

static void csv_end_row(struct csv *s)
{
	buf_c(s->out, "\r\n");
	s->inside = false;
}

static void cell_word(struct csv *s, const char *text)
{
	next_cell(s);
	csv_text(s->out, str_c(text ? text : ""));
}

static void cell_empty(struct csv *s, unsigned n)
{
	while (n--)
		next_cell(s);
}

/* A text or a number; null and what is not there: empty. */
static void put_cell(struct csv *s, const json_t *v)
{
	if (json_is_string(v)) {
		cell_word(s, json_string_value(v));
		return;
	}
	next_cell(s);
	if (json_is_integer(v))
		buf_addf(s->out, "%lld", (long long)json_integer_value(v));
	else if (json_is_real(v))
		buf_addf(s->out, "%.6g", json_real_value(v));
}

static void put_cells(struct csv *s, const json_t *row, const char *const *keys)
{
	for (; *keys; keys++)
		put_cell(s, json_object_get(row, *keys));
}

/* --- one segment: its groups, the segments near it, its funnel */

/* Groups of one list, which `part` tells from those of the others. */
static void csv_groups(struct csv *s, const json_t *j, const char *list, const char *part)
{
	static const char *const keys[] = {
	    "id", "name", "visitors", "share", "everybody", "index", NULL};
	size_t i;
	json_t *row;
	json_array_foreach(json_object_get(j, list), i, row)
	{
		cell_word(s, part);
		put_cells(s, row, keys);
		cell_empty(s, 1);
		csv_end_row(s);
	}
}

static void csv_segment(struct csv *s, const json_t *j)
{
	static const char *const near[] = {"id", "name", "both", "of_this", NULL},
				 *const clause[] = {"clause", "words", "size", NULL};
	size_t i;
	json_t *row;
	cell_word(s, "segment");
	put_cell(s, json_object_get(j, "id"));
	put_cell(s, json_object_get(j, "words"));
	put_cell(s, json_object_get(j, "size"));
	cell_empty(s, 4);
	csv_end_row(s);
	csv_groups(s, j, "categories", "category");
	csv_groups(s, j, "devices", "device");
	csv_groups(s, j, "countries", "country");
	json_array_foreach(json_object_get(j, "nearest"), i, row)
	{
		cell_word(s, "near");
		put_cells(s, row, near);
		cell_empty(s, 2);
		put_cell(s, json_object_get(row, "of_that"));
		csv_end_row(s);
	}
	json_array_foreach(json_object_get(j, "funnel"), i, row)
	{
		cell_word(s, "clause");
		put_cells(s, row, clause);
		cell_empty(s, 4);
		csv_end_row(s);
	}
}

/* --- by day: a row for each day of each thing, whose lists of numbers are under `lists` */

static void csv_by_day(struct csv *s, const json_t *j, const char *things, const char *const *names,
    const char *const *lists)
{
	const json_t *days = json_object_get(j, "days");
	size_t i;
	json_t *thing;
	json_array_foreach(json_object_get(j, things), i, thing)
	{
		for (size_t d = 0; d < json_array_size(days); d++) {
			put_cell(s, json_array_get(days, d));
			put_cells(s, thing, names);
			for (const char *const *list = lists; *list; list++)
				put_cell(s, json_array_get(json_object_get(thing, *list), d));
			csv_end_row(s);
		}
	}
}

/* Counts of a category are of events; of a day without a report there is no row. */
static void csv_categories(struct csv *s, const json_t *j)
{
	csv_by_day(s, j, "categories", (const char *const[]){"id", "name", NULL},
	    (const char *const[]){"events", "visitors", NULL});
}

static void csv_hits(struct csv *s, const json_t *j)
{
	csv_by_day(s, j, "rows", (const char *const[]){"what", "reason", NULL},
	    (const char *const[]){"by_day", NULL});
}

static void csv_segments(struct csv *s, const json_t *j)
{
	csv_by_day(s, j, "segments", (const char *const[]){"id", NULL},
	    (const char *const[]){"size", "entered", "left", NULL});
}

/* Members are empty on days on which nobody counted them; rows of a day without a delivery are 0.
 */
static void csv_deliveries(struct csv *s, const json_t *j)
{
	csv_by_day(s, j, "destinations", (const char *const[]){"id", NULL},
	    (const char *const[]){
		"members", "with_id", "added", "removed", "refused", "failures", NULL});
}

/* --- today: a row for each number, each reason, each sentence, each segment that moved */

/* Rows of one kind: the name of the kind, the fields, and empty cells up to the width. */
static void csv_today_rows(struct csv *s, const json_t *rows, const char *what,
    const char *const *keys, unsigned empty_behind)
{
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
	{
		cell_word(s, what);
		put_cells(s, row, keys);
		cell_empty(s, empty_behind);
		csv_end_row(s);
	}
}

static void csv_summary(struct csv *s, const json_t *j)
{
	static const char *const numbers[] = {"visitors", "hits", "events", "lag_s", "disk_free"},
				 *const reason[] = {"reason", "", "hits", NULL},
				 *const sentence[] = {"id", "says", NULL},
				 *const mover[] = {"id", "name", "size", "before", NULL};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		cell_word(s, numbers[i]);
		cell_empty(s, 2);
		put_cell(s, json_object_get(j, numbers[i]));
		cell_empty(s, 1);
		csv_end_row(s);
	}
	csv_today_rows(s, json_object_get(j, "refused"), "refused", reason, 1);
	csv_today_rows(s, json_object_get(j, "set_aside"), "set aside", reason, 1);
	csv_today_rows(s, json_object_get(j, "attention"), "attention", sentence, 2);
	const json_t *movers = json_object_get(j, "movers");
	csv_today_rows(s, json_object_get(movers, "day"), "moved in a day", mover, 0);
	csv_today_rows(s, json_object_get(movers, "week"), "moved in a week", mover, 0);
}

/* --- journeys: who began is a row without steps */

#define STEPS 3

static void csv_journeys(struct csv *s, const json_t *j)
{
	static const char *const names[] = {"id", "name", "from", "within_days", NULL},
				 *const numbers[] = {"visitors", "share", "median_days", NULL};
	size_t i, p;
	json_t *journey, *path;
	json_array_foreach(json_object_get(j, "journeys"), i, journey)
	{
		put_cells(s, journey, names);
		cell_empty(s, STEPS);
		put_cell(s, json_object_get(journey, "visitors"));
		cell_empty(s, 2);
		csv_end_row(s);
		json_array_foreach(json_object_get(journey, "paths"), p, path)
		{
			put_cells(s, journey, names);
			for (size_t n = 0; n < STEPS; n++)
				put_cell(s, json_array_get(json_object_get(path, "steps"), n));
			put_cells(s, path, numbers);
			csv_end_row(s);
		}
	}
}

void reports_csv(enum report_kind kind, const json_t *j, struct buf *out)
{
	static const struct {
		const char *heads;
		void (*rows)(struct csv *s, const json_t *j);
	} forms[REPORT_KINDS] = {
	    [REPORT_SUMMARY] = {"what,id,says,number,before", csv_summary},
	    [REPORT_DELIVERIES] = {"day,destination,members,with_id,added,removed,refused,failures",
		csv_deliveries},
	    [REPORT_SEGMENT] = {"part,id,name,visitors,share,everybody,index,share_of_that",
		csv_segment},
	    [REPORT_CATEGORIES] = {"day,category,name,events,visitors", csv_categories},
	    [REPORT_JOURNEYS] =
		{"journey,name,from,within_days,step_1,step_2,step_3,visitors,share,"
		 "median_days",
		    csv_journeys},
	    [REPORT_HITS] = {"day,what,reason,number", csv_hits},
	    [REPORT_SEGMENTS] = {"day,segment,size,entered,left", csv_segments},
	};
	struct csv s = {.out = out};
	buf_c(out, forms[kind].heads);
	csv_end_row(&s);
	forms[kind].rows(&s, j);
}

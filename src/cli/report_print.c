/* Reports as tables for people. A report of many days is too wide for a terminal: it is told by
 * its last day, a day before, and a sum; --csv and --json have every day. */
#include "crumb/base/clock.h"
#include "reports.h"
#include "table.h"

#include <jansson.h>
#include <stdio.h>

static const char *key_text(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));
	return text ? text : "";
}

/* "made at …", or what to do where there is no report. False: there is none. */
static bool print_made(const json_t *j)
{
	const json_t *made = json_object_get(j, "made");
	char when[TIME_TEXT];
	if (!json_is_integer(made)) {
		puts("not in the report yet: it is made once a day and after a change of rules; "
		     "'crumb report make' makes it now");
		return false;
	}
	time_text(json_integer_value(made), when);
	printf("from the report of %s\n", when);
	return true;
}

/* A column whose numbers may be missing without being withheld: a dash. */
static void put_or_dash(struct table *t, const json_t *n)
{
	if (json_is_integer(n))
		table_cell(t, "%lld", (long long)json_integer_value(n));
	else
		table_text(t, "\u2013");
}

/* --- one segment */

/* A row for each group; a name that is the id is not said twice. */
static void print_groups(struct cli *c, const json_t *j, const char *list, const char *title)
{
	const char *const heads[] = {
	    "> members", "> of them", "> of everybody", "> index", title, "name", NULL};
	const json_t *rows = json_object_get(j, list);
	struct table t;
	size_t i;
	json_t *row;
	if (!json_array_size(rows))
		return;
	putchar('\n');
	table_begin(&t, heads);
	json_array_foreach(rows, i, row)
	{
		table_number(&t, json_object_get(row, "visitors"), kgate_k(&c->gate));
		table_share(&t, json_object_get(row, "share"));
		table_share(&t, json_object_get(row, "everybody"));
		put_or_dash(&t, json_object_get(row, "index"));
		table_text(&t, key_text(row, "id"));
		bool same = strcmp(key_text(row, "id"), key_text(row, "name")) == 0;
		table_text(&t, same ? NULL : key_text(row, "name"));
	}
	table_print(&t);
	table_end(&t);
}

/* Segments by how many visitors they share with this one. */
static void print_nearest(struct cli *c, const json_t *rows)
{
	static const char *const heads[] = {
	    "> in both", "> of them", "> of the other", "near segment", "name", NULL};
	struct table t;
	size_t i;
	json_t *row;
	putchar('\n');
	table_begin(&t, heads);
	json_array_foreach(rows, i, row)
	{
		table_number(&t, json_object_get(row, "both"), kgate_k(&c->gate));
		table_share(&t, json_object_get(row, "of_this"));
		table_share(&t, json_object_get(row, "of_that"));
		table_text(&t, key_text(row, "id"));
		table_text(&t, key_text(row, "name"));
	}
	table_print(&t);
	table_end(&t);
}

/* How many visitors meet the clauses so far, from the first to the whole condition. */
static void print_funnel(struct cli *c, const json_t *rows)
{
	static const char *const heads[] = {"> visitors left", "after the clause", NULL};
	struct table t;
	size_t i;
	json_t *row;
	putchar('\n');
	table_begin(&t, heads);
	json_array_foreach(rows, i, row)
	{
		table_number(&t, json_object_get(row, "size"), kgate_k(&c->gate));
		table_text(&t, key_text(row, "words"));
	}
	table_print(&t);
	table_end(&t);
}

/* What it is and how large, then each of its lists that has something in it. */
static void print_one_segment(struct cli *c, const json_t *j)
{
	const json_t *size = json_object_get(j, "size"), *all = json_object_get(j, "visitors");
	printf("%s: ", key_text(j, "id"));
	if (!print_made(j))
		return;
	puts(key_text(j, "words"));
	if (json_is_integer(size))
		printf("%lld visitors", (long long)json_integer_value(size));
	else
		printf("fewer than %u visitors", kgate_k(&c->gate));
	if (json_is_integer(all))
		printf(" of %lld", (long long)json_integer_value(all));
	putchar('\n');
	print_groups(c, j, "categories", "category");
	print_groups(c, j, "devices", "device");
	print_groups(c, j, "countries", "country");
	if (json_array_size(json_object_get(j, "nearest")))
		print_nearest(c, json_object_get(j, "nearest"));
	if (json_array_size(json_object_get(j, "funnel")))
		print_funnel(c, json_object_get(j, "funnel"));
}

/* --- by day */

/* The sum of the numbers that are told; false: none is. */
static bool sum_of(const json_t *list, long long *sum)
{
	size_t i;
	json_t *n;
	bool any = false;
	*sum = 0;
	json_array_foreach(list, i, n)
	{
		any |= json_is_integer(n);
		*sum += (long long)json_integer_value(n);
	}
	return any;
}

static void put_sum(struct table *t, const json_t *list)
{
	long long sum;
	if (sum_of(list, &sum))
		table_cell(t, "%lld", sum);
	else
		table_text(t, "\u2013");
}

/* How the numbers of one thing are read: null is withheld, and before `since` it was not recorded.
 */
struct by_day {
	const json_t *days;
	const char *since; /* NULL: all days are recorded */
	uint32_t k;
};

static void put_day_number(struct table *t, const struct by_day *b, const json_t *list, size_t d)
{
	const char *day = json_string_value(json_array_get(b->days, d));
	const json_t *n = json_array_get(list, d);
	if (!json_is_integer(n) && (!day || (b->since && strcmp(day, b->since) < 0)))
		table_text(t, "\u2013");
	else
		table_number(t, n, b->k);
}

/* The number of the last day, of the day `before` it. */
static void put_last(struct table *t, const struct by_day *b, const json_t *list, size_t before)
{
	size_t n = json_array_size(b->days);
	put_day_number(t, b, list, n > before ? n - 1 - before : n);
}

static struct by_day by_day_of(const struct cli *c, const json_t *j, const json_t *row)
{
	return (struct by_day){json_object_get(j, "days"),
	    json_string_value(json_object_get(row, "recorded_since")), kgate_k(&c->gate)};
}

/* Heads with the days in them. */
struct day_heads {
	char last[64], first[64], sum[64];
	size_t before; /* days from the other day to the last one */
};

static struct day_heads day_heads(const json_t *j, const char *what, const char *summed)
{
	const json_t *days = json_object_get(j, "days");
	size_t n = json_array_size(days);
	struct day_heads h = {.before = n > 7 ? 7 : n - (n > 0)}; /* a week, if there is one */
	const char *last = n ? json_string_value(json_array_get(days, n - 1)) : "";
	const char *first = n ? json_string_value(json_array_get(days, n - 1 - h.before)) : "";
	snprintf(h.last, sizeof h.last, "> %s %s", what, last);
	snprintf(h.first, sizeof h.first, "> %s", first);
	snprintf(h.sum, sizeof h.sum, "> %s in %zu days", summed, n);
	return h;
}

/* One category, a line for each day. */
static void print_category_days(const struct by_day *b, const json_t *row)
{
	static const char *const heads[] = {"  day", "> events", "> visitors", NULL};
	struct table t;
	printf("%s\n", key_text(row, "id"));
	table_begin(&t, heads);
	for (size_t d = 0; d < json_array_size(b->days); d++) {
		table_text(&t, json_string_value(json_array_get(b->days, d)));
		put_day_number(&t, b, json_object_get(row, "events"), d);
		put_day_number(&t, b, json_object_get(row, "visitors"), d);
	}
	table_print(&t);
	table_end(&t);
}

/* All of them by their last day and a sum; one alone day by day. */
static void print_categories(struct cli *c, const json_t *j)
{
	const json_t *rows = json_object_get(j, "categories");
	struct by_day b = by_day_of(c, j, NULL);
	if (!print_made(j))
		return;
	if (json_array_size(rows) == 1) {
		print_category_days(&b, json_array_get(rows, 0));
		return;
	}
	struct day_heads h = day_heads(j, "visitors", "events");
	const char *const heads[] = {h.sum, h.last, h.first, "category", "name", NULL};
	struct table t;
	size_t i;
	json_t *row;
	table_begin(&t, heads);
	json_array_foreach(rows, i, row)
	{
		put_sum(&t, json_object_get(row, "events"));
		put_last(&t, &b, json_object_get(row, "visitors"), 0);
		put_last(&t, &b, json_object_get(row, "visitors"), h.before);
		table_text(&t, key_text(row, "id"));
		bool same = strcmp(key_text(row, "id"), key_text(row, "name")) == 0;
		table_text(&t, same ? NULL : key_text(row, "name"));
	}
	table_print(&t);
	table_end(&t);
}

/* Counters that counted nothing are left out. */
static void print_hits(struct cli *c, const json_t *j)
{
	struct day_heads h = day_heads(j, "on", "in all");
	const char *const heads[] = {h.last, h.first, h.sum, "what", "reason", NULL};
	struct table t;
	size_t i;
	json_t *row;
	struct by_day b = by_day_of(c, j, j);
	table_begin(&t, heads);
	json_array_foreach(json_object_get(j, "rows"), i, row)
	{
		const json_t *by_day = json_object_get(row, "by_day");
		long long sum;
		if (!sum_of(by_day, &sum) || !sum)
			continue;
		put_last(&t, &b, by_day, 0);
		put_last(&t, &b, by_day, h.before);
		table_cell(&t, "%lld", sum);
		table_text(&t, key_text(row, "what"));
		table_text(&t, key_text(row, "reason"));
	}
	table_print(&t);
	table_end(&t);
	printf("counted since %s\n", key_text(j, "recorded_since"));
}

/* The size of the last day and of a week before, with all that entered and left meanwhile. */
static void print_segments(struct cli *c, const json_t *j)
{
	struct day_heads h = day_heads(j, "size", "entered");
	const char *const heads[] = {h.last, h.first, h.sum, "> left", "segment", NULL};
	struct table t;
	size_t i;
	json_t *row;
	table_begin(&t, heads);
	json_array_foreach(json_object_get(j, "segments"), i, row)
	{
		struct by_day b = by_day_of(c, j, row);
		put_last(&t, &b, json_object_get(row, "size"), 0);
		put_last(&t, &b, json_object_get(row, "size"), h.before);
		put_sum(&t, json_object_get(row, "entered"));
		put_sum(&t, json_object_get(row, "left"));
		table_text(&t, key_text(row, "id"));
	}
	table_print(&t);
	table_end(&t);
}

/* Members and ids of the latest day on which they were counted; rows and failures in all. */
static void print_deliveries(struct cli *c, const json_t *j)
{
	struct day_heads h = day_heads(j, "members", "added");
	const char *const heads[] = {"> members", "> with id", h.sum, "> removed", "> refused",
	    "> failures", "destination", NULL};
	static const char *const latest[] = {"members", "with_id"}, *const sums[] = {"added",
									"removed", "refused",
									"failures"};
	struct table t;
	size_t i;
	json_t *row;
	(void)c;
	table_begin(&t, heads);
	json_array_foreach(json_object_get(j, "destinations"), i, row)
	{
		for (size_t k = 0; k < 2; k++) {
			const json_t *list = json_object_get(row, latest[k]);
			size_t d = json_array_size(list);
			while (d > 0 && !json_is_integer(json_array_get(list, d - 1)))
				d--;
			put_or_dash(&t, d ? json_array_get(list, d - 1) : NULL);
		}
		for (size_t k = 0; k < 4; k++)
			put_sum(&t, json_object_get(row, sums[k]));
		table_text(&t, key_text(row, "id"));
	}
	if (json_array_size(json_object_get(j, "destinations")))
		table_print(&t);
	else
		puts("there are no destinations");
	table_end(&t);
}

/* --- today */

/* Hits that did not count, by why; nothing where all did. */
static void print_reasons(struct cli *c, const json_t *j, const char *what, const char *title)
{
	const char *const heads[] = {"> hits", title, NULL};
	const json_t *rows = json_object_get(j, what);
	struct table t;
	size_t i;
	json_t *row;
	if (!json_array_size(rows))
		return;
	putchar('\n');
	table_begin(&t, heads);
	json_array_foreach(rows, i, row)
	{
		table_number(&t, json_object_get(row, "hits"), kgate_k(&c->gate));
		table_text(&t, key_text(row, "reason"));
	}
	table_print(&t);
	table_end(&t);
}

/* The segments whose sizes have changed most since `before`. */
static void print_movers(struct cli *c, const json_t *rows, const char *before)
{
	const char *const heads[] = {"> size", before, "segment", "name", NULL};
	struct table t;
	size_t i;
	json_t *row;
	if (!json_array_size(rows))
		return;
	putchar('\n');
	table_begin(&t, heads);
	json_array_foreach(rows, i, row)
	{
		table_number(&t, json_object_get(row, "size"), kgate_k(&c->gate));
		table_number(&t, json_object_get(row, "before"), kgate_k(&c->gate));
		table_text(&t, key_text(row, "id"));
		table_text(&t, key_text(row, "name"));
	}
	table_print(&t);
	table_end(&t);
}

/* Numbers first, then why hits were refused, what moved, and what somebody should look at. */
static void print_summary(struct cli *c, const json_t *j)
{
	static const char *const heads[] = {"", "> ", NULL};
	static const char *const numbers[] = {"visitors", "hits", "events"}, *const words[] = {
										 "visitors",
										 "hits today",
										 "events today"};
	const json_t *movers = json_object_get(j, "movers"),
		     *free_part = json_object_get(j, "disk_free");
	struct table t;
	size_t i;
	json_t *row;
	puts(key_text(j, "day"));
	table_begin(&t, heads);
	t.headless = true;
	for (i = 0; i < 3; i++) {
		table_text(&t, words[i]);
		table_number(&t, json_object_get(j, numbers[i]), kgate_k(&c->gate));
	}
	table_text(&t, "views are behind");
	table_cell(&t, "%.1f s", json_number_value(json_object_get(j, "lag_s")));
	if (json_is_number(free_part)) {
		table_text(&t, "disk that is free");
		table_share(&t, free_part);
	}
	table_print(&t);
	table_end(&t);
	print_reasons(c, j, "refused", "refused because of");
	print_reasons(c, j, "set_aside", "set aside because of");
	print_movers(c, json_object_get(movers, "day"), "> a day before");
	print_movers(c, json_object_get(movers, "week"), "> a week before");
	if (json_array_size(json_object_get(j, "attention")))
		puts("\nto look at");
	json_array_foreach(json_object_get(j, "attention"), i, row)
	    printf("  %s\n", key_text(row, "says"));
}

/* --- journeys */

/* The ways of one journey. Who went on further is in the shorter ways, too. */
static void print_ways(struct cli *c, const json_t *paths)
{
	static const char *const heads[] = {
	    "> visitors", "> of them", "> half by day", "went on to", NULL};
	struct table t;
	size_t i, n;
	json_t *path, *step;
	table_begin(&t, heads);
	json_array_foreach(paths, i, path)
	{
		struct buf way = {0};
		table_number(&t, json_object_get(path, "visitors"), kgate_k(&c->gate));
		table_share(&t, json_object_get(path, "share"));
		put_or_dash(&t, json_object_get(path, "median_days"));
		json_array_foreach(json_object_get(path, "steps"), n, step)
		{
			buf_c(&way, n ? " > " : "");
			buf_c(&way, json_string_value(step));
		}
		buf_add(&way, "", 1);
		table_text(&t, way.failed ? NULL : way.p);
		buf_done(&way);
	}
	table_print(&t);
	table_end(&t);
}

/* One after the other, each with its ways: shorter ones first, then by how many went there. */
static void print_journeys(struct cli *c, const json_t *j)
{
	size_t i;
	json_t *row;
	if (!print_made(j))
		return;
	if (!json_array_size(json_object_get(j, "journeys")))
		puts("the rules name no journeys: docs/RULES.md says how");
	json_array_foreach(json_object_get(j, "journeys"), i, row)
	{
		const json_t *began = json_object_get(row, "visitors");
		printf("\n%s: %s\n", key_text(row, "id"), key_text(row, "name"));
		if (json_is_integer(began))
			printf("%lld visitors", (long long)json_integer_value(began));
		else
			printf("fewer than %u visitors", kgate_k(&c->gate));
		printf(" began with %s; within %lld days:\n", key_text(row, "from"),
		    (long long)json_integer_value(json_object_get(row, "within_days")));
		if (json_array_size(json_object_get(row, "paths")))
			print_ways(c, json_object_get(row, "paths"));
		else
			puts("nobody went on, or too few to tell");
	}
}

void reports_print(struct cli *c, enum report_kind kind, const json_t *j)
{
	static void (*const prints[REPORT_KINDS])(struct cli *, const json_t *) = {
	    [REPORT_SUMMARY] = print_summary,
	    [REPORT_DELIVERIES] = print_deliveries,
	    [REPORT_SEGMENT] = print_one_segment,
	    [REPORT_CATEGORIES] = print_categories,
	    [REPORT_JOURNEYS] = print_journeys,
	    [REPORT_HITS] = print_hits,
	    [REPORT_SEGMENTS] = print_segments};
	prints[kind](c, j);
}

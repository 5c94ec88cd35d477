/* report …: what the report of the day tells, and what is kept by day.
 *
 *     a server runs ──► GET /v1/report/…  ──┐            ┌─► --json   as it is
 *                                           ├─► JSON ────┼─► --csv    report_csv.c
 *     none ──► the same function, by rows ──┘            └─► tables   report_print.c
 *
 * The report of the day was gated when it was made, and is told alike to all; numbers by day pass
 * the gate of the command line, which remembers what was told (cli/cli.h). So asking here tells no
 * more than the API. */
#include "reports.h"

#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "crumb/report/dailies.h"
#include "crumb/report/deliveries_by_day.h"
#include "crumb/report/segments.h"
#include "crumb/report/summary.h"
#include "crumb/report/tally.h"
#include "crumb/store/store.h"

#include <jansson.h>
#include <stdio.h>

#define DAYS_MOST 90

/* --- without a server: the store is open */

/* The report of the day; NULL: the store has none. */
static struct daily *kept(struct cli *c)
{
	struct daily *d;
	return daily_open(c->store->path, kgate_k(&c->gate), &d) == OK ? d : NULL;
}

static enum err alone_segment(struct cli *c, struct str id, unsigned days, json_t **out)
{
	struct daily *d = kept(c);
	(void)days;
	enum err e = daily_segment_json(d, c->generation->rules, id, out);
	daily_unref(d);
	return e;
}

static enum err alone_categories(struct cli *c, struct str id, unsigned days, json_t **out)
{
	struct daily *d = kept(c);
	enum err e = daily_categories_json(d, c->generation->rules, id, days, out);
	daily_unref(d);
	return e;
}

static enum err alone_journeys(struct cli *c, struct str id, unsigned days, json_t **out)
{
	struct daily *d = kept(c);
	(void)days;
	enum err e = daily_journeys_json(d, c->generation->rules, id, out);
	daily_unref(d);
	return e;
}

static enum err alone_hits(struct cli *c, struct str id, unsigned days, json_t **out)
{
	struct tally *t;
	(void)id;
	enum err e = tally_read(c->store->path, clock_now(), &t);
	if (e)
		return e;
	e = tally_report(t, &c->gate, days, clock_now(), out);
	tally_close(t);
	return e;
}

static enum err alone_segments(struct cli *c, struct str id, unsigned days, json_t **out)
{
	(void)id;
	return segments_report(c->generation, &c->gate, clock_now(), days, out);
}

/* The configuration says where destinations are; without the file there are none. */
static enum err alone_deliveries(struct cli *c, struct str id, unsigned days, json_t **out)
{
	struct destinations *all;
	enum err e = destinations_load(c->config.destinations_path, NULL, &all);
	if (e)
		return e;
	e = deliveries_report(
	    c->store->path, all, id.n ? id.p : NULL, &c->gate, days, clock_now(), out);
	destinations_unref(all);
	return e;
}

/* Nobody records, so nothing lags, and what troubles a server is not known. */
static enum err alone_summary(struct cli *c, struct str id, unsigned days, json_t **out)
{
	struct summary_of of = {.g = c->generation, .gate = &c->gate, .now = clock_now()};
	struct destinations *all = NULL;
	(void)id, (void)days;
	enum err e = tally_read(c->store->path, of.now, &of.tally);
	if (!e)
		e = destinations_load(c->config.destinations_path, NULL, &all);
	of.all = all;
	if (!e) {
		memory_begin();
		of.coming = cli_coming_rules(c);
		e = summary_report(&of, out);
		rules_unref((struct rules *)of.coming);
	}
	destinations_unref(all);
	tally_close(of.tally);
	return e;
}

/* --- the reports */

/* Does a command take an id, and is it misuse to leave it out? */
enum takes { TAKES_NO_ID, MAY_TAKE_ID, MUST_TAKE_ID };
static const struct {
	const char *path, *of; /* of what an id is */
	enum takes takes;
	unsigned days; /* how many it tells unless --days came; 0: it has none */
	enum err (*alone)(struct cli *c, struct str id, unsigned days, json_t **out);
} reports[REPORT_KINDS] = {
    [REPORT_SUMMARY] = {"/v1/report/summary", NULL, TAKES_NO_ID, 0, alone_summary},
    [REPORT_SEGMENT] = {"/v1/report/segment", "a segment", MUST_TAKE_ID, 0, alone_segment},
    [REPORT_CATEGORIES] = {"/v1/report/categories", "a category", MAY_TAKE_ID, 30,
	alone_categories},
    [REPORT_JOURNEYS] = {"/v1/report/journeys", "a journey", MAY_TAKE_ID, 0, alone_journeys},
    [REPORT_HITS] = {"/v1/report/hits", NULL, TAKES_NO_ID, 30, alone_hits},
    [REPORT_SEGMENTS] = {"/v1/report/segments", NULL, TAKES_NO_ID, 30, alone_segments},
    [REPORT_DELIVERIES] = {"/v1/report/deliveries", "a destination", MAY_TAKE_ID, 30,
	alone_deliveries},
};

/* Bytes that mean something in a query as %XX. */
static void add_escaped(struct buf *path, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (chr_alpha(s.p[i]) || chr_digit(s.p[i]) || chr_one_of(s.p[i], "-._~"))
			buf_add(path, s.p + i, 1);
		else
			buf_addf(path, "%%%02X", (uint8_t)s.p[i]);
	}
}

/* The JSON of a report, from the server or from the store. NULL: there is none, such as where the
 * id is of nothing, and it was said why. */
static json_t *ask_report(struct cli *c, enum report_kind kind, struct str id, unsigned days)
{
	json_t *j = NULL;
	if (!client_available(c)) {
		if (cli_open(c) && reports[kind].alone(c, id, days, &j) != OK)
			cli_fail("%s", err_text());
		return j;
	}
	struct buf path = {0};
	struct reply r;
	buf_addf(&path, "%s?", reports[kind].path);
	if (id.n)
		buf_c(&path, kind == REPORT_DELIVERIES ? "destination=" : "id=");
	add_escaped(&path, id);
	if (days)
		buf_addf(&path, "&days=%u", days);
	buf_add(&path, "", 1);
	if (path.failed)
		cli_fail("no memory");
	else
		j = client_json(c, path.p, NULL, &r);
	buf_done(&path);
	return j;
}

/* --days N. False: it is no number of days, and it was said. */
static bool take_days(int argc, char **argv, unsigned *days)
{
	const char *text = cli_option(argc, argv, "--days");
	uint64_t n;
	if (!text)
		return true;
	if (!str_u64(str_c(text), &n) || n < 1 || n > DAYS_MOST) {
		cli_misuse("--days wants a number from 1 to %d", DAYS_MOST);
		return false;
	}
	*days = (unsigned)n;
	return true;
}

/* What all reports do: their words off the command line, the JSON, and how it is wanted. */
static int report(struct cli *c, int argc, char **argv, enum report_kind kind)
{
	unsigned days = reports[kind].days;
	bool csv = cli_flag(argc, argv, "--csv");
	if (!take_days(argc, argv, &days))
		return EXIT_MISUSE;
	const char *id = reports[kind].takes == TAKES_NO_ID ? NULL : cli_word(argc, argv);
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (!id && reports[kind].takes == MUST_TAKE_ID)
		return cli_misuse("say the id of %s", reports[kind].of);
	if (csv && c->json)
		return cli_misuse("--json or --csv, not both");
	json_t *j = ask_report(c, kind, str_c(id ? id : ""), days);
	if (!j)
		return EXIT_WRONG;
	if (c->json) {
		cli_print_json(j);
		return EXIT_FINE;
	}
	if (csv) {
		struct buf text = {0};
		reports_csv(kind, j, &text);
		if (!text.failed)
			fwrite(text.p, 1, text.n, stdout);
		buf_done(&text);
	} else {
		reports_print(c, kind, j);
	}
	json_decref(j);
	return EXIT_FINE;
}

static int report_of_today(struct cli *c, int argc, char **argv)
{
	return report(c, argc, argv, REPORT_SUMMARY);
}
static int report_of_deliveries(struct cli *c, int argc, char **argv)
{
	return report(c, argc, argv, REPORT_DELIVERIES);
}
static int report_of_segment(struct cli *c, int argc, char **argv)
{
	return report(c, argc, argv, REPORT_SEGMENT);
}
static int report_of_categories(struct cli *c, int argc, char **argv)
{
	return report(c, argc, argv, REPORT_CATEGORIES);
}
static int report_of_journeys(struct cli *c, int argc, char **argv)
{
	return report(c, argc, argv, REPORT_JOURNEYS);
}
static int report_of_hits(struct cli *c, int argc, char **argv)
{
	return report(c, argc, argv, REPORT_HITS);
}
static int report_of_segments(struct cli *c, int argc, char **argv)
{
	return report(c, argc, argv, REPORT_SEGMENTS);
}

/* Only a server makes it: two that make it at once would tell two reports of one day. */
static int report_make(struct cli *c, int argc, char **argv)
{
	struct reply r;
	struct str nothing = STR("");
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (!client_available(c))
		return cli_fail("the server makes the report, and none is running: start crumbd");
	json_t *j = client_json(c, "/v1/report", &nothing, &r);
	if (!j)
		return EXIT_WRONG;
	if (c->json) {
		cli_print_json(j);
		return EXIT_FINE;
	}
	const json_t *made = json_object_get(j, "made");
	char when[TIME_TEXT] = "";
	if (json_is_integer(made))
		time_text(json_integer_value(made), when);
	if (*when)
		printf("the report was made at %s\n", when);
	else
		puts("there is none yet: it wants as many visitors as privacy.k says");
	json_decref(j);
	return EXIT_FINE;
}

/* Said of each report whose numbers are by day. */
#define BY_DAY_HELP                                                                                \
	"Numbers about fewer visitors than privacy.k are withheld, and add nothing to a sum. "     \
	"--csv has a row for each day."
const struct command commands_report[] = {
    {.name = "report segment",
	.args = "ID [--json | --csv]",
	.summary = "who is in a segment, compared with everybody",
	.help =
	    "Which categories, devices and countries its members have, and how often compared "
	    "with all visitors: an index of 200 is twice as often. The segments that overlap "
	    "most, and how many visitors are left after each clause of the condition.\n\n"
	    "It is told from the report of the day, which is made once a day and after a change "
	    "of rules, and is the same for everybody. Groups of fewer visitors than privacy.k "
	    "are left out.",
	.run = report_of_segment},
    {.name = "report categories",
	.args = "[ID] [--days N] [--json | --csv]",
	.summary = "events and visitors of categories by day",
	.help = "The complete days up to the day before the report's, 30 unless --days says "
		"another number up to 90. With an ID the days of that category. " BY_DAY_HELP,
	.run = report_of_categories},
    {.name = "report journeys",
	.args = "[ID] [--json | --csv]",
	.summary = "how visitors went on from one category to others",
	.help = "The ways that the rules name under journeys: how many visitors began, how many "
		"went on to which steps, and after how many days half of them had come there. Who "
		"is not in a longer way has stopped. A line of CSV has up to three steps.",
	.run = report_of_journeys},
    {.name = "report hits",
	.args = "[--days N] [--json | --csv]",
	.summary = "hits, events and refusals by day",
	.help = "What was counted on the last 30 days, or as many as --days says up to 90: what "
		"came, what was refused and why, what was set aside or dropped. " BY_DAY_HELP,
	.run = report_of_hits},
    {.name = "report segments",
	.args = "[--days N] [--json | --csv]",
	.summary = "sizes of all segments by day, and who entered and left",
	.help = "The last 30 days, or as many as --days says up to 90. " BY_DAY_HELP,
	.run = report_of_segments},
    {.name = "report deliveries",
	.args = "[DESTINATION] [--days N] [--json | --csv]",
	.summary = "deliveries by day: members, rows, failures",
	.help =
	    "The last 30 days, or as many as --days says up to 90: how many visitors could go to "
	    "a destination, of how many the partner's id was known, which rows the partner took "
	    "and refused, which deliveries were given up. " BY_DAY_HELP,
	.run = report_of_deliveries},
    {.name = "report make",
	.args = "[--json]",
	.summary = "have the server make the report now",
	.help = "Makes the report of the day if it was not made today of the rules that serve. It "
		"is never made twice for the same day and rules.",
	.run = report_make},
    /* behind those that begin with the same word, of which it would take the second for its own */
    {.name = "report",
	.args = "[--json | --csv]",
	.summary = "today: visitors, hits, what needs attention, what moved",
	.help =
	    "How many visitors there are, what came today and what was refused and why, how far "
	    "the views are behind, what somebody should look at, and the segments whose sizes "
	    "have changed most in a day and in a week. Numbers about fewer visitors than "
	    "privacy.k are withheld.",
	.run = report_of_today},
    {0},
};

/* Commands that hand audiences out: export, deliveries.
 *
 *     export SEGMENT --out       one segment to a file (delivery/export.h), which is no delivery:
 *                                nobody remembers who is in it
 *     export --to DESTINATION    a delivery (delivery/deliver.h): the store remembers what the
 *                                partner has, and the next one says what has changed
 *
 * A delivery is made in this process, also beside a server: the store's folder of the destination
 * has a lock of its own. A server is only asked to settle first. */
#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"
#include "crumb/delivery/export.h"
#include "crumb/delivery/told.h"
#include "crumb/partners/format.h"
#include "table.h"

#include <jansson.h>
#include <stdio.h>

/* --- export */

static void export_progress(uint64_t rows)
{
	cli_progress("rows", rows, 0);
}

static int unknown_form(const char *name)
{
	struct buf known = {0};
	for (const struct export_form *f = export_forms; f->name; f++) {
		buf_c(&known, known.n ? " and " : "");
		buf_c(&known, f->name);
	}
	CHECK(!known.failed);
	int rc = cli_misuse("export knows --format %.*s, not %s", (int)known.n, known.p, name);
	buf_done(&known);
	return rc;
}

/* One segment to a file. The k gate is in export_segment(): too few members, and no row is
 * written. */
static int export_one(struct cli *c, int argc, char **argv)
{
	const char *format = cli_option(argc, argv, "--format"),
		   *out = cli_option(argc, argv, "--out"),
		   *partner = cli_option(argc, argv, "--partner");
	bool holdout = cli_flag(argc, argv, "--holdout");
	const char *id = cli_word(argc, argv);
	struct export_result result;
	if (!id || !out || !cli_all_used(argc, argv))
		return cli_misuse("export wants the id of a segment and --out FOLDER");
	const struct export_form *form = &export_forms[0];
	if (format)
		form = export_form_find(str_c(format));
	if (!form)
		return unknown_form(format);
	if (!cli_open(c))
		return EXIT_WRONG;
	uint16_t segment;
	if (rules_find_segment(c->generation->rules, str_c(id), &segment) != OK)
		return cli_fail("%s", err_text());
	if (holdout && c->generation->rules->segments[segment].target >= 100)
		return cli_fail("segment '%s' has no split: nobody is held out", id);
	if (!partner)
		partner = format_file.name;
	enum err e = export_segment(c->generation, &c->config, segment, form,
	    holdout ? EXPORT_HOLDOUT : EXPORT_TARGET, partner, out, clock_now(), export_progress,
	    &result);
	cli_progress_end();
	if (e)
		return cli_fail("%s", err_text());
	if (c->json)
		cli_print_json(json_pack("{s:s,s:s,s:o,s:o}", "segment", id, "file", result.file,
		    "rows", result.told ? json_integer((json_int_t)result.rows) : json_null(),
		    "below", result.told ? json_null() : json_integer(kgate_k(&c->gate))));
	if (!result.told)
		return cli_fail("segment '%s' has fewer than %u members: no rows were written", id,
		    kgate_k(&c->gate));
	if (!c->json)
		printf("%llu rows in %s\n", (unsigned long long)result.rows, result.file);
	return EXIT_FINE;
}

/* --- export --to */

static void delivery_progress(const char *what, uint64_t done)
{
	cli_progress(what, done, 0);
}

static bool load_destinations(struct cli *c, struct destinations **out)
{
	if (destinations_load(c->config.destinations_path, NULL, out) == OK)
		return true;
	cli_fail("%s", err_text());
	return false;
}

static const struct destination *find_destination(
    struct cli *c, const struct destinations *all, const char *id)
{
	const struct destination *d;
	const char *path = c->config.destinations_path;
	if (destinations_find_named(all, str_c(id), &d) == OK)
		return d;
	if (all->found)
		cli_fail("%s: %s", path, err_text());
	else
		cli_fail("the file %s is not there: %s", path, err_text());
	return NULL;
}

/* Waits until all that the server has answered is in the views. Without a server it is. */
static bool settle(struct cli *c)
{
	struct reply r;
	if (!client_available(c))
		return true;
	if (!client_post(c, "/v1/settle", STR(""), &r))
		return false;
	buf_done(&r.body);
	return true;
}

/* Segments of which nobody was sent go to stderr, the sums to stdout. */
static void print_result(struct cli *c, const struct destination *d, const struct delivery *r)
{
	json_t *list = delivery_segments(&r->plan, &c->gate), *row;
	size_t i;
	json_array_foreach(list, i, row)
	{
		const char *state = json_string_value(json_object_get(row, "state"));
		if (strcmp(state, "below_k") == 0)
			fprintf(stderr,
			    "crumb: segment '%s' has fewer than %u members that could be sent: "
			    "nobody is added\n",
			    json_string_value(json_object_get(row, "id")), kgate_k(&c->gate));
		else if (strcmp(state, "sent") != 0 && strcmp(state, "not_routed") != 0)
			fprintf(stderr, "crumb: segment '%s' is not sent: %s\n",
			    json_string_value(json_object_get(row, "id")), state);
	}
	json_decref(list);
	if (r->unusable)
		fprintf(stderr, "crumb: %llu %s left out: this format cannot write them\n",
		    (unsigned long long)r->unusable, cli_plural(r->unusable, "id was", "ids were"));
	if (r->state == DELIVERY_NOTHING)
		printf("%s: nothing to say, the partner has everything\n", d->id);
	else if (r->state == DELIVERY_DONE)
		printf("%s: %llu added, %llu removed, %llu refused by the partner, in %u %s\n",
		    r->id, (unsigned long long)r->adds, (unsigned long long)r->removes,
		    (unsigned long long)r->refused, r->files,
		    cli_plural(r->files, "file", "files"));
}

/* Numbers of rows are exact here, as they are in the files, which whoever runs a command can read;
 * the API tells them through the gate.
 *
 * Says how a delivery went, and what to do where it is not over. */
static int tell_result(struct cli *c, const struct destination *d, const struct delivery *r)
{
	if (c->json)
		cli_print_json(delivery_told(d, r, &c->gate, ROWS_EXACT));
	else
		print_result(c, d, r);
	if (r->state == DELIVERY_WAITS)
		cli_fail("%s: %u of %u files taken, then: %s; run it again to go on from there",
		    r->id, r->files_done, r->files, r->why);
	else if (r->state == DELIVERY_FAILED)
		cli_fail("%s: given up: %s; what was not taken is under exports/%s/dead, and the "
			 "next delivery says it again",
		    r->id, r->why, d->id);
	bool fine = r->state == DELIVERY_DONE || r->state == DELIVERY_NOTHING;
	return fine ? EXIT_FINE : EXIT_WRONG;
}

/* The audience is the one of this moment: a server settles before the views are opened. */
static int deliver_to(struct cli *c, const char *to, const char *out, enum deliver_mode mode)
{
	struct destinations *all;
	struct delivery r;
	int rc = EXIT_WRONG;
	if (!load_destinations(c, &all))
		return EXIT_WRONG;
	const struct destination *d = find_destination(c, all, to);
	if (d && settle(c) && cli_open(c)) {
		struct deliver_wish w = {.plan = {.g = c->generation,
					     .config = &c->config,
					     .all = all,
					     .d = d,
					     .now = clock_now(),
					     .progress = delivery_progress},
		    .mode = mode,
		    .folder = out};
		enum err e = deliver(&w, &r);
		cli_progress_end();
		if (!e) {
			rc = tell_result(c, d, &r);
			delivery_done(&r);
		} else {
			if (c->json)
				cli_print_json(
				    json_pack("{s:s,s:s,s:s,s:s}", "destination", d->id, "state",
					"not_possible", "why", err_text(), "error", err_text()));
			rc = cli_fail("%s", err_text());
		}
	}
	destinations_unref(all);
	return rc;
}

static int export(struct cli *c, int argc, char **argv)
{
	const char *to = cli_option(argc, argv, "--to"), *out;
	bool full, delta;
	if (!to)
		return export_one(c, argc, argv);
	out = cli_option(argc, argv, "--out");
	full = cli_flag(argc, argv, "--full");
	delta = cli_flag(argc, argv, "--delta");
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (full && delta)
		return cli_misuse("--full or --delta, not both");
	if (full)
		return deliver_to(c, to, out, DELIVER_FULL);
	return deliver_to(c, to, out, delta ? DELIVER_DELTA : DELIVER_AUTO);
}

/* --- deliveries */

/* A number of rows, through the k gate; NULL: there is none to tell. */
static void put_rows(struct table *t, const json_t *n, uint32_t k)
{
	if (n)
		table_number(t, n, k);
	else
		table_text(t, NULL);
}

/* When it ended, when it is tried next, or that it is made by hand or under way. */
static void put_when(struct table *t, const json_t *row)
{
	const char *ended = json_string_value(json_object_get(row, "ended"));
	const char *next = json_string_value(json_object_get(row, "next_try"));
	if (ended)
		table_text(t, ended);
	else if (next)
		table_cell(t, "next %s", next);
	else if (json_is_true(json_object_get(row, "by_hand")))
		table_text(t, "by hand");
	else
		table_text(t, "under way");
}

static void print_deliveries(struct cli *c, const json_t *list)
{
	static const char *const heads[] = {"when", "state", "destination", "delivery", "> added",
	    "> removed", "> files", "> to take back", "why", NULL};
	struct table t;
	size_t i;
	json_t *row;
	uint32_t k = kgate_k(&c->gate);
	table_begin(&t, heads);
	json_array_foreach(list, i, row)
	{
		put_when(&t, row);
		table_text(&t, json_string_value(json_object_get(row, "state")));
		table_text(&t, json_string_value(json_object_get(row, "destination")));
		table_text(&t, json_string_value(json_object_get(row, "delivery")));
		put_rows(&t, json_object_get(row, "added"), k);
		put_rows(&t, json_object_get(row, "removed"), k);
		table_cell(&t, "%lld/%lld",
		    (long long)json_integer_value(json_object_get(row, "files_done")),
		    (long long)json_integer_value(json_object_get(row, "files")));
		put_rows(&t, json_object_get(row, "owed"), k);
		table_text(&t, json_string_value(json_object_get(row, "why")));
	}
	table_print(&t);
	table_end(&t);
}

/* The table is made behind cli_open(), which sets the clock of a demo. Exit status 1: there are no
 * deliveries. */
static int deliveries(struct cli *c, int argc, char **argv)
{
	const char *to = cli_word(argc, argv);
	struct destinations *all;
	json_t *list = NULL;
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (!load_destinations(c, &all))
		return EXIT_WRONG;
	bool none = true;
	if (cli_open(c)) {
		if (deliveries_list(c->store->path, all, to, &c->gate, clock_now(), &list) != OK)
			cli_fail("%s", err_text());
		none = json_array_size(list) == 0;
		if (list && none && to && !find_destination(c, all, to)) {
			json_decref(list);
			list = NULL;
		}
	}
	if (list && c->json)
		cli_print_json(json_incref(list));
	else if (list && none)
		puts("nothing was delivered yet");
	else if (list)
		print_deliveries(c, list);
	json_decref(list);
	destinations_unref(all);
	return none ? EXIT_WRONG : EXIT_FINE;
}

const struct command commands_export[] = {
    {.name = "export",
	.args = "SEGMENT --out FOLDER [--format csv|ndjson] [--partner NAME] [--holdout] | --to "
		"DESTINATION [--full | --delta] [--out FOLDER] [--json]",
	.summary = "write a segment's members to a file, or deliver an audience to a destination",
	.help = "SEGMENT: writes FOLDER/SEGMENT.csv (header id,segment,expires; a row for each "
		"member) or .ndjson, and a manifest with the number of rows, SHA-256 and the "
		"hash of the rules. 'id' is the visitor's pseudonym for the partner: files of "
		"two partners cannot be joined. Of a segment with a split the members who are "
		"not held out are written; --holdout writes the others. Refused are a segment "
		"that is paused or over, and a sensitive or labelled segment that its partner "
		"may not have. With fewer than privacy.k members no rows are written, and the "
		"exit status is 1.\n\n"
		"--to: brings every segment that names the destination of etc/destinations.yaml "
		"to it. The first delivery, and one with --full, has all of it; other deliveries "
		"have what has changed since the last confirmed delivery, removals included. A "
		"delivery that was cut off goes on from the first file that nobody has "
		"acknowledged. --out writes the files to another folder than the destination's. "
		"Segments below privacy.k add nobody, but removals always go out. Exit status 1: "
		"the partner did not take all of it.",
	.run = export},
    {.name = "deliveries",
	.args = "[DESTINATION] [--json]",
	.summary = "what was delivered, what waits, what failed",
	.help = "Prints a line for each delivery of the last 90 days: destination by "
		"destination, the latest last. Numbers of rows are rounded to ten, and withheld "
		"below privacy.k. 'to take back' counts rows that the partner may have and "
		"should not have: the next delivery removes them, if the destination is still in "
		"the file.",
	.run = deliveries},
    {0},
};

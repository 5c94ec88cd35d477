/* Commands that look into the store: db stat, db verify, db journal. They read, and change nothing.
 *
 * `db verify` collects problems as sentences, from the pages, the journal and the views, and goes
 * on behind each; `db verify --replay` and `db journal` need a store that stands still. */
#include "crumb/ask/verify.h"
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/file.h"
#include "crumb/cli/cli.h"
#include "crumb/model/record.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* The oldest retained day that has a journal; 0: there is none. Names of days sort like days, but
 * folders are in no order. */
static uint16_t oldest_journal_day(const struct cli *c)
{
	char path[FILE_PATH_MAX];
	uint16_t oldest = 0, day,
		 least = oldest_day(day_of(clock_now()), (unsigned)c->config.retention_days);
	snprintf(path, sizeof path, "%s/journal", c->config.store_path);
	DIR *d = opendir(path);
	if (!d)
		return 0;
	for (struct dirent *f; (f = readdir(d));)
		if (day_parse(f->d_name, strlen(f->d_name), &day) && day >= least &&
		    (!oldest || day < oldest))
			oldest = day;
	closedir(d);
	return oldest;
}

/* Counts by the views and sizes by the files: the numbers need no gate, since they are of
 * everybody. */
static int db_stat(struct cli *c, int argc, char **argv)
{
	struct totals t;
	char day[DAY_TEXT];
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (!cli_open(c))
		return EXIT_WRONG;
	if (view_totals(c->generation, clock_now(), &t) != OK)
		return cli_fail("%s", err_text());
	uint16_t oldest = oldest_journal_day(c);
	day_text(oldest, day);
	/* Of the generation that serves. Others are there for a while: one that is built, one that
	 * is going. */
	char serving[32];
	snprintf(serving, sizeof serving, "state/%u", c->generation->number);
	uint64_t journal = store_bytes(c->store, "journal"), state = store_bytes(c->store, serving);
	if (c->json) {
		cli_print_json(json_pack("{s:I,s:I,s:I,s:I,s:o,s:I,s:I,s:i,s:i}", "visitors",
		    (json_int_t)t.visitors, "provisional", (json_int_t)t.provisional, "events",
		    (json_int_t)t.events, "segments", (json_int_t)c->generation->rules->segments_n,
		    "oldest_day", oldest ? json_string(day) : json_null(), "journal_bytes",
		    (json_int_t)journal, "state_bytes", (json_int_t)state, "shards",
		    (int)c->store->shards, "generation", (int)c->generation->number));
		return EXIT_FINE;
	}
	printf("visitors     %llu\nprovisional  %llu\nevents       %llu\nsegments     %zu\noldest "
	       "day   %s\njournal      %llu bytes\nstate        "
	       "%llu bytes\n",
	    (unsigned long long)t.visitors, (unsigned long long)t.provisional,
	    (unsigned long long)t.events, c->generation->rules->segments_n, oldest ? day : "none",
	    (unsigned long long)journal, (unsigned long long)state);
	return EXIT_FINE;
}

#define PROBLEMS_MOST 100 /* a file that is damaged has one for each record */

static void add_problem(void *arg, const char *text)
{
	json_t *list = arg;
	if (json_array_size(list) < PROBLEMS_MOST)
		json_array_append_new(list, json_string(text));
	else if (json_array_size(list) == PROBLEMS_MOST)
		json_array_append_new(list, json_string("and more"));
}

/* False: there is no temporary folder, and it was said. A replay that fails is a problem. */
static bool replay(struct cli *c, json_t *problems)
{
	char folder[CLI_TEMPORARY];
	if (!cli_temporary("verify", folder))
		return false;
	enum err e = verify_replay(
	    c->generation, c->store, &c->config, folder, clock_now(), add_problem, problems);
	if (e)
		add_problem(problems, err_text());
	cli_temporary_end(folder);
	return true;
}

/* From what is written first to what is made from it: pages, journal, views, replay. */
static int db_verify(struct cli *c, int argc, char **argv)
{
	bool with_replay = cli_flag(argc, argv, "--replay");
	size_t i;
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (with_replay && client_available(c))
		return cli_fail("--replay needs a store that stands still: stop the server first");
	if (!cli_open_journal(c))
		return EXIT_WRONG;
	json_t *problems = json_array(), *one;
	damage_each(c->store->damage, add_problem, problems);
	enum err e = journal_verify(c->store->journal, add_problem, problems);
	if (!e)
		e = verify_generation(c->generation, add_problem, problems);
	if (e)
		add_problem(problems, err_text());
	else if (with_replay && !replay(c, problems)) {
		json_decref(problems);
		return EXIT_WRONG;
	}
	bool ok = json_array_size(problems) == 0;
	if (c->json) {
		cli_print_json(json_pack("{s:b,s:o}", "ok", ok, "problems", problems));
	} else {
		json_array_foreach(problems, i, one) puts(json_string_value(one));
		if (ok)
			puts("all is well");
		else
			puts("what is damaged is named above; docs/damage.md says what to do");
		json_decref(problems);
	}
	return ok ? EXIT_FINE : EXIT_WRONG;
}

/* --- db journal: everything that is kept, for whoever holds the keys and wants to see it */

static void print_attrs(const struct event *e)
{
	for (unsigned i = 0; i < e->attrs_n; i++)
		printf(
		    " " STR_FMT "=" STR_FMT, STR_ARG(e->attrs[i].name), STR_ARG(e->attrs[i].value));
}

/* visitor, flags, name, host and path, country-region, device/system/browser, and what there is. */
static void print_event(const struct event *e)
{
	char key[33] = "";
	hex_encode(e->visitor.b, sizeof e->visitor.b, key);
	printf(" %.32s ", key);
	if (e->flags & EVENT_NEW)
		printf("new ");
	if (e->flags & EVENT_IMPORTED)
		printf("imported ");
	printf(STR_FMT " " STR_FMT STR_FMT " " STR_FMT "-" STR_FMT " %s/%s/%s", STR_ARG(e->name),
	    STR_ARG(e->host), STR_ARG(e->path), STR_ARG(place_country(&e->place)),
	    STR_ARG(place_region(&e->place)), device_names[e->agent.device], os_names[e->agent.os],
	    browser_names[e->agent.browser]);
	if (e->campaign.n)
		printf(" campaign=" STR_FMT, STR_ARG(e->campaign));
	printf(" from=%s", referrer_names[e->referrer]);
	if (e->aside != ASIDE_NOT)
		printf(" aside=%s:" STR_FMT, aside_names[e->aside], STR_ARG(e->pattern));
	print_attrs(e);
	for (unsigned i = 0; i < e->leaves_n; i++)
		printf(" leaf:%016llx", (unsigned long long)e->leaves[i]);
	if (e->has_v)
		printf(" v=%g", e->v);
}

static bool is_text(const struct record_part *part)
{
	return part->kind == PART_TEXT || part->kind == PART_ATTRS;
}

/* A part of a record, by its row (model/record.h): `at` is its place in struct record. */
static void print_part(const struct record *r, const struct record_part *part)
{
	const void *at = (const char *)r + part->at;
	char hex[33] = "", day[DAY_TEXT];
	if (part->kind == PART_ATTRS)
		print_attrs(&r->event);
	if (part->kind == PART_ATTRS || part->kind == PART_BYTES || part->kind == PART_TIME)
		return;
	putchar(' ');
	if (part->labelled)
		printf("%s=", part->name);
	switch (part->kind) {
	case PART_VISITOR:
	case PART_HASH:
		hex_encode(at, 16, hex);
		printf("%.32s", hex);
		break;
	case PART_DAY:
		day_text(*(const uint16_t *)at, day);
		printf("%s", day);
		break;
	case PART_U16:
		printf("%u", *(const uint16_t *)at);
		break;
	case PART_U64:
		printf("%llu", (unsigned long long)*(const uint64_t *)at);
		break;
	case PART_REASON:
		printf("%s", aside_names[*(const uint8_t *)at]);
		break;
	case PART_TEXT:
		printf(STR_FMT, STR_ARG(*(const struct str *)at));
		break;
	default:
		break;
	}
}

/* Time and kind, then the parts. Texts come last, because they may have blanks in them. */
static void print_record(const struct record *r)
{
	const struct record_row *row = record_row(r->kind);
	printf("%u %s", r->event.t, row->word);
	if (row->decode)
		print_event(&r->event);
	for (int texts = 0; texts < 2; texts++)
		for (const struct record_part *part = row->parts;
		     part < row->parts + RECORD_PARTS_MAX && part->kind != PART_END; part++)
			if (is_text(part) == (texts == 1))
				print_part(r, part);
	putchar('\n');
}

/* All records of a shard, oldest first; the shard behind the last is the control records'. */
static enum err print_shard(struct cli *c, unsigned shard)
{
	struct journal_reader *r;
	struct buf records = {0};
	static struct record record;
	struct journal_pos pos;
	uint32_t count;
	uint16_t day;
	enum err e = journal_read(c->store->journal, shard, JOURNAL_START, &r);
	while (!e && (e = journal_next(r, &records, &pos, &count, &day)) == OK) {
		struct mp m = mp_over(buf_view(&records));
		while (m.p < m.end && record_decode(&m, &record))
			print_record(&record);
		buf_clear(&records);
	}
	journal_read_end(r);
	buf_done(&records);
	return e == ERR_NOT_FOUND ? OK : e;
}

static int db_journal(struct cli *c, int argc, char **argv)
{
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (client_available(c))
		return cli_fail("a server has the journal open: stop it first");
	if (!cli_open_journal(c))
		return EXIT_WRONG;
	for (unsigned i = 0; i <= journal_control(c->store->journal); i++)
		if (print_shard(c, i) != OK)
			return cli_fail("%s", err_text());
	return EXIT_FINE;
}

const struct command commands_db[] = {
    {.name = "db stat",
	.args = "[--json]",
	.summary = "how much is stored",
	.help = "Counts visitors, provisional visitors, retained events and segments, and the "
		"disk blocks of journal and views. The numbers are exact, whether or not the "
		"sweep has come by.",
	.run = db_stat},
    {.name = "db verify",
	.args = "[--replay] [--json]",
	.summary = "check that journal and views hold together",
	.help = "Opens every block of every day of the journal and looks at every page. It knows "
		"which days there must be, and how many events are in them. Then it reads every "
		"record of the views and derives again what must hold: one due entry for each "
		"visitor, memberships equal to an evaluation from scratch, counters equal to a "
		"recount.\n\n"
		"--replay (the server must be stopped) makes a second set of views from the "
		"journal and compares. Exit status 1: something is wrong.",
	.run = db_verify},
    {.name = "db journal",
	.args = "",
	.summary = "print every record of the journal",
	.help = "Opens the sealed journal with the store's keys and prints it, a record a line: "
		"time, kind, visitor key, event, host and scrubbed path, place, device, "
		"attributes, rule leaves. Nothing else is in it. The server must be stopped.",
	.run = db_journal},
    {0},
};

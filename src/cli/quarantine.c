/* Commands about what was set aside: quarantine lists it, quarantine release counts it after all.
 * A server does both where one runs. Without one, a release starts a node, and its batch goes to
 * the journal whenever it is full (flush_aside()). */
#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"
#include "crumb/answers/answers.h"
#include "crumb/ingest/asides.h"
#include "crumb/ingest/quarantine.h"
#include "crumb/node/node.h"

#include <jansson.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *rows_alone(struct cli *c)
{
	struct aside_row *found;
	size_t n;
	if (!cli_open_journal(c))
		return NULL;
	if (asides_list(c->store, &found, &n) != OK) {
		cli_fail("%s", err_text());
		return NULL;
	}
	json_t *rows = aside_json(found, n, &c->gate);
	free(found);
	return rows;
}

static int quarantine_listed(struct cli *c, int argc, char **argv)
{
	json_t *row;
	size_t i;
	struct reply r;
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	json_t *rows = client_available(c)
			   ? client_json(c, "/v1/quarantine", &(struct str){"", 0}, &r)
			   : rows_alone(c);
	if (!rows)
		return EXIT_WRONG;
	if (c->json) {
		cli_print_json(rows);
		return EXIT_FINE;
	}
	if (json_array_size(rows) == 0)
		puts("nothing is set aside");
	json_array_foreach(rows, i, row) printf("%10lld  %-12s %s to %s  %s\n",
	    (long long)json_integer_value(json_object_get(row, "events")),
	    json_string_value(json_object_get(row, "reason")),
	    json_string_value(json_object_get(row, "first_day")),
	    json_string_value(json_object_get(row, "last_day")),
	    json_string_value(json_object_get(row, "pattern")));
	json_decref(rows);
	return EXIT_FINE;
}

/* --- release */

struct alone {
	struct node node;
	struct batch batch;
	sem_t done;
};

/* On the journal's thread. */
static void committed(struct batch *b)
{
	struct alone *a = b->owner;
	sem_post(&a->done);
}

static enum err flush_aside(void *arg)
{
	struct alone *a = arg;
	writer_submit(a->node.writer, &a->batch);
	while (sem_wait(&a->done) != 0)
		;
	enum err e = a->batch.result;
	batch_clear(&a->batch);
	return e;
}

/* Writes the events once more, as events that count, and waits until they are folded. */
static int release_alone(struct cli *c, enum aside why, const char *pattern, uint64_t *events)
{
	struct alone a;
	if (!cli_node(c, &a.node))
		return EXIT_WRONG;
	sem_init(&a.done, 0, 0);
	batch_init(&a.batch, a.node.store->shards, committed, &a);
	int rc = EXIT_FINE;
	if (quarantine_release(a.node.store, why, str_c(pattern), clock_now(), &a.batch,
		flush_aside, &a, events) != OK)
		rc = cli_fail("%s", err_text());
	if (!rc && !node_wait(&a.node, 3600, NODE_SERVES))
		rc = cli_fail("everything is journalled, but not folded yet: %s", err_text());
	batch_done(&a.batch);
	sem_destroy(&a.done);
	node_stop(&a.node);
	return rc;
}

static enum aside reason_of(const char *name)
{
	for (int i = 1; name && i < ASIDE_MAX; i++)
		if (strcmp(name, aside_names[i]) == 0)
			return (enum aside)i;
	return ASIDE_NOT;
}

static int quarantine_released(struct cli *c, int argc, char **argv)
{
	const char *reason = cli_option(argc, argv, "--reason"),
		   *pattern = cli_option(argc, argv, "--pattern");
	enum aside why = reason_of(reason);
	uint64_t events = 0;
	if (!why || !cli_all_used(argc, argv))
		return cli_misuse("quarantine release wants --reason crawler, network, rate or "
				  "foreign_site, and perhaps --pattern");
	if (client_available(c)) {
		char body[400];
		struct reply r;
		snprintf(body, sizeof body, "%s %s", reason, pattern ? pattern : "");
		struct str text = str_c(body);
		json_t *j = client_json(c, "/v1/quarantine/release", &text, &r);
		if (!j)
			return EXIT_WRONG;
		events = (uint64_t)json_integer_value(json_object_get(j, "released"));
		json_decref(j);
		if (!client_post(c, "/v1/settle", STR(""), &r))
			return EXIT_WRONG;
		buf_done(&r.body);
	} else {
		int rc = release_alone(c, why, pattern ? pattern : "", &events);
		if (rc)
			return rc;
	}
	if (c->json)
		cli_print_json(json_pack("{s:I}", "released", (json_int_t)events));
	else
		printf("%llu %s now\n", (unsigned long long)events,
		    cli_plural(events, "event counts", "events count"));
	return events ? EXIT_FINE : EXIT_WRONG;
}

const struct command commands_quarantine[] = {
    {.name = "quarantine release",
	.args = "--reason REASON [--pattern PATTERN] [--json]",
	.summary = "count events that were set aside after all",
	.help = "For use after a list was corrected. Events that were set aside for the reason "
		"(crawler, network, rate, foreign_site), and for the pattern if one is given, "
		"count with their own time, as if they always had. Returns when all is folded. "
		"Exit status 1: there was nothing to release.",
	.run = quarantine_released},
    {.name = "quarantine",
	.args = "[--json]",
	.summary = "hits that were set aside",
	.help = "Counts the events of the last 90 days that do not count, by reason and by the "
		"pattern that matched: agents that declare themselves crawlers, listed networks, "
		"more than a network's share, hosts that are not among `sites`. Hosts with fewer "
		"than privacy.k events stand together as \"(others)\". "
		"[{\"reason\",\"pattern\",\"events\",\"first_day\",\"last_day\"}]",
	.run = quarantine_listed},
    {0},
};

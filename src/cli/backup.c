/* Commands about the whole store: db compact, db backup, db restore. */
#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"
#include "crumb/node/keeper.h"
#include "crumb/store/backup.h"

#include <jansson.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* --- db compact */

static int compact_alone(struct cli *c)
{
	struct node node;
	struct keeper *keeper;
	if (!cli_node(c, &node))
		return EXIT_WRONG;
	int rc = EXIT_FINE;
	if (!node_wait(&node, 3600, NODE_SERVES)) {
		rc = cli_fail("the views do not catch up with the journal: %s", err_text());
	} else if (keeper_start(&node, &keeper) != OK) {
		rc = cli_fail("%s", err_text());
	} else {
		char why[400];
		uint64_t round = keeper_now(keeper), until = clock_mono_us() + 3600ull * 1000000;
		while (keeper_rounds(keeper) < round &&
		       keeper_failures(keeper, why, sizeof why) == 0 && clock_mono_us() < until)
			nanosleep(&(struct timespec){0, 5000000}, NULL);
		if (keeper_rounds(keeper) < round)
			rc = keeper_failures(keeper, why, sizeof why)
				 ? cli_fail("not possible now: %s", why)
				 : cli_fail("not finished within an hour");
		keeper_stop(keeper);
	}
	node_stop(&node);
	return rc;
}

static int compact(struct cli *c, int argc, char **argv)
{
	struct reply r;
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (!client_available(c))
		return compact_alone(c);
	if (!client_post(c, "/v1/compact", STR(""), &r))
		return EXIT_WRONG;
	int rc = r.status == 200
		     ? EXIT_FINE
		     : cli_fail("the server says: " STR_FMT, STR_ARG(str_trim(buf_view(&r.body))));
	buf_done(&r.body);
	return rc;
}

/* --- db backup */

static void show(uint64_t done, uint64_t of)
{
	cli_progress("days", done, of);
}

static int backup(struct cli *c, int argc, char **argv)
{
	const char *folder = cli_word(argc, argv);
	struct reply r;
	json_t *j = NULL;
	if (!folder || !cli_all_used(argc, argv))
		return cli_misuse("db backup wants a folder");
	if (client_available(c)) {
		char *absolute = *folder == '/' ? NULL : realpath(".", NULL), path[4096];
		int n = snprintf(path, sizeof path, "%s%s%s", absolute ? absolute : "",
		    absolute ? "/" : "", folder);
		free(absolute);
		if (n < 0 || n > STORE_PATH_MAX)
			return cli_fail("a path of more than %d bytes", STORE_PATH_MAX);
		struct str body = str_c(path);
		if (!(j = client_json(c, "/v1/backup", &body, &r)))
			return EXIT_WRONG;
	} else {
		struct backup_totals t;
		if (!cli_open(c, true))
			return EXIT_WRONG;
		enum err e = backup_write(c->store, folder, show, &t);
		cli_progress_end();
		if (e)
			return cli_fail("%s", err_text());
		j = json_pack(
		    "{s:I,s:I}", "days", (json_int_t)t.days, "bytes", (json_int_t)t.bytes);
	}
	if (c->json) {
		cli_print_json(j);
		return EXIT_FINE;
	}
	long long days = (long long)json_integer_value(json_object_get(j, "days"));
	printf("%lld %s, %lld bytes in %s; they open only with this store's keys\n", days,
	    cli_plural((uint64_t)days, "day", "days"),
	    (long long)json_integer_value(json_object_get(j, "bytes")), folder);
	json_decref(j);
	return EXIT_FINE;
}

/* --- db restore */

static void erased(struct batch *b)
{
	sem_post(b->owner);
}

/* Whoever was erased since the backup stays erased. */
static enum err erase_again(struct node *n, size_t *count)
{
	struct vkey *keys;
	struct batch b;
	sem_t done;
	*count = erased_all(n->store->erased, &keys);
	sem_init(&done, 0, 0);
	batch_init(&b, n->store->shards, erased, &done);
	for (size_t i = 0; i < *count; i++)
		batch_erase(&b, &keys[i], clock_now());
	enum err e = OK;
	if (*count) {
		writer_submit(n->writer, &b);
		while (sem_wait(&done) != 0)
			;
		e = b.result;
	}
	batch_done(&b);
	sem_destroy(&done);
	free(keys);
	return e;
}

static int restore(struct cli *c, int argc, char **argv)
{
	const char *folder = cli_word(argc, argv);
	struct backup_totals t;
	struct node node;
	struct totals totals = {0, 0, 0};
	size_t again = 0;
	if (!folder || !cli_all_used(argc, argv))
		return cli_misuse("db restore wants the folder of a backup");
	enum err e = backup_restore(&c->config, folder, show, &t);
	cli_progress_end();
	if (e)
		return cli_fail("%s", err_text());
	if (node_start(&node, &c->config, NODE_CLOCK_BELIEVED) !=
	    OK) /* what has expired since stays in the backup */
		return cli_fail("%s", err_text());
	e = erase_again(&node, &again);
	int rc =
	    e ? cli_fail("who was erased since could not be erased again: remove journal/ and "
			 "state/ and restore once more")
	    : !node_wait(&node, 24 * 3600, NODE_SERVES)
		? cli_fail("the journal is back, but not all of it is folded yet; crumbd goes on")
		: EXIT_FINE;
	if (!rc) {
		struct generation *g = engine_serving(node.engine);
		if (view_totals(g, clock_now(), &totals) != OK)
			rc = cli_fail("%s", err_text());
		generation_unref(g);
	}
	node_stop(&node);
	if (rc)
		return rc;
	if (c->json)
		cli_print_json(json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "days", (json_int_t)t.days,
		    "expired", (json_int_t)t.expired, "damaged", (json_int_t)t.damaged, "erased",
		    (json_int_t)again, "visitors", (json_int_t)totals.visitors, "events",
		    (json_int_t)totals.events));
	else
		printf("%u %s back, %u expired, %u damaged in the backup; %llu %s, %llu %s; %zu "
		       "erased %s erased\n",
		    t.days, cli_plural(t.days, "day is", "days are"), t.expired, t.damaged,
		    (unsigned long long)totals.visitors,
		    cli_plural(totals.visitors, "visitor", "visitors"),
		    (unsigned long long)totals.events, cli_plural(totals.events, "event", "events"),
		    again, cli_plural(again, "visitor stays", "visitors stay"));
	return EXIT_FINE;
}

const struct command commands_backup[] = {
    {.name = "db compact",
	.args = "",
	.summary = "do the nightly work now",
	.help = "  Takes the events of erased visitors out of the journal's days that are over, "
		"overwrites the write-ahead log, and copies the views\n"
		"  into a fresh generation, so that nothing deleted is left in the files' bytes. A "
		"server does this every night by itself.",
	.run = compact},
    {.name = "db backup",
	.args = "FOLDER [--json]",
	.summary = "copy the journal",
	.help = "  Writes compacted copies of the journal's days into an empty folder, still "
		"sealed, beside a running server or without one. Keys are never "
		"in\n"
		"  a backup: keep STORE/keys and STORE/erased on storage that keeps one version. "
		"{\"days\",\"bytes\"}",
	.run = backup},
    {.name = "db restore",
	.args = "FOLDER [--json]",
	.summary = "put a backup back",
	.help = "  Into a store that has its keys and no journal: puts the days back whose keys "
		"are left, makes the views again from them, and erases again\n"
		"  whoever was erased since. The server must be stopped. "
		"{\"days\",\"expired\",\"damaged\",\"erased\",\"visitors\",\"events\"}",
	.run = restore},
    {0},
};

/* Commands about the whole store: db compact, db backup, db restore.
 *
 * Compacting and backing up are the server's to do where one runs, and done here where none does.
 * Restoring needs a store that no server has open. Its order: the days whose keys are left, the
 * views from them, then the erasures that the store knows, so that a visitor who was erased since
 * the backup stays erased. */
#include "crumb/base/clock.h"
#include "crumb/base/file.h"
#include "crumb/cli/cli.h"
#include "crumb/node/keeper.h"
#include "crumb/store/backup.h"

#include <jansson.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* --- db compact */

#define PATIENCE_S 3600 /* for views and keeper, without a server */

/* A node is started for the one round of its keeper. */
static int compact_alone(struct cli *c)
{
	struct node node;
	struct keeper *keeper;
	if (!cli_node(c, &node))
		return EXIT_WRONG;
	int rc = EXIT_FINE;
	if (!node_wait(&node, PATIENCE_S, NODE_SERVES)) {
		rc = cli_fail("the views do not catch up with the journal: %s", err_text());
	} else if (keeper_start(&node, &keeper) != OK) {
		rc = cli_fail("%s", err_text());
	} else {
		char why[400];
		uint64_t round = keeper_now(keeper);
		uint64_t until = clock_mono_us() + PATIENCE_S * UINT64_C(1000000);
		while (keeper_rounds(keeper) < round &&
		       keeper_failures(keeper, why, sizeof why) == 0 && clock_mono_us() < until)
			nanosleep(&(struct timespec){0, 5000000}, NULL);
		bool over = keeper_rounds(keeper) >= round;
		if (!over && keeper_failures(keeper, why, sizeof why))
			rc = cli_fail("not possible now: %s", why);
		else if (!over)
			rc = cli_fail("not finished within an hour");
		keeper_stop(keeper);
	}
	node_stop(&node);
	return rc;
}

static int db_compact(struct cli *c, int argc, char **argv)
{
	struct reply r;
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (!client_available(c))
		return compact_alone(c);
	if (!client_post(c, "/v1/compact", STR(""), &r))
		return EXIT_WRONG;
	int rc = EXIT_FINE;
	if (r.status != 200)
		rc = cli_fail("the server says: " STR_FMT, STR_ARG(str_trim(buf_view(&r.body))));
	buf_done(&r.body);
	return rc;
}

/* --- db backup */

static void show_days(uint64_t done, uint64_t of)
{
	cli_progress("days", done, of);
}

/* The server writes the folder itself: it gets an absolute path, since it stands elsewhere. */
static int backup(struct cli *c, int argc, char **argv)
{
	const char *folder = cli_word(argc, argv);
	struct reply r;
	json_t *j = NULL;
	if (!folder || !cli_all_used(argc, argv))
		return cli_misuse("db backup wants a folder");
	if (client_available(c)) {
		char *absolute = *folder == '/' ? NULL : realpath(".", NULL), path[FILE_PATH_MAX];
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
		if (!cli_open_journal(c))
			return EXIT_WRONG;
		enum err e = backup_write(c->store, folder, show_days, &t);
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

/* On the journal's thread. */
static void restore_written(struct batch *b)
{
	sem_post(b->owner);
}

/* Writes an erasure for each visitor whom the store's file `erased` names. On the journal's thread
 * the batch is committed; this thread waits. */
static enum err erase_again(struct node *n, size_t *count)
{
	struct vkey *keys;
	struct batch b;
	sem_t done;
	*count = erased_all(n->store->erased, &keys);
	sem_init(&done, 0, 0);
	batch_init(&b, n->store->shards, restore_written, &done);
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
	enum err e = backup_restore(&c->config, folder, show_days, &t);
	cli_progress_end();
	if (e)
		return cli_fail("%s", err_text());
	/* The clock is believed: a backup may be old, and what has expired since stays in it. */
	if (node_start(&node, &c->config, NODE_CLOCK_BELIEVED) != OK)
		return cli_fail("%s", err_text());
	e = erase_again(&node, &again);
	int rc = EXIT_FINE;
	if (e)
		rc = cli_fail("visitors who were erased since could not be erased again: remove "
			      "journal/ and state/ and restore once more");
	else if (!node_wait(&node, DAY_S, NODE_SERVES))
		rc = cli_fail(
		    "the journal is back, but not all of it is folded yet; crumbd goes on");
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
	.summary = "do the work of the night now",
	.help = "Takes the events of erased visitors out of the days of the journal that are "
		"over, overwrites the write-ahead log, and copies the views into a fresh "
		"generation. So nothing that was deleted is left in the bytes of files. A server "
		"does this every night by itself.",
	.run = db_compact},
    {.name = "db backup",
	.args = "FOLDER [--json]",
	.summary = "copy the journal",
	.help = "Writes compacted copies of the days of the journal into an empty folder, still "
		"sealed. It works beside a running server and without one. Keys are never in a "
		"backup: keep STORE/keys and STORE/erased on storage that keeps one version. "
		"{\"days\",\"bytes\"}",
	.run = backup},
    {.name = "db restore",
	.args = "FOLDER [--json]",
	.summary = "put a backup back",
	.help = "Restores into a store that has its keys and no journal. It puts the days back "
		"whose keys are left, makes the views again from them, and erases visitors again "
		"who were erased since the backup. The server must be stopped. "
		"{\"days\",\"expired\",\"damaged\",\"erased\",\"visitors\",\"events\"}",
	.run = restore},
    {0},
};

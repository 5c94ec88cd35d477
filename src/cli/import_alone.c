/* An import without a server: a node is started, and pieces go to its journal.
 *
 *     this thread       fills batch 0 │ fills batch 1      │ waits for batch 0 │ fills it …
 *     journal's thread                │ writes batch 0 ──► │ writes batch 1 ──►│
 *
 * free_batches counts the batches that are free. A piece and its name are one batch, so a crash
 * leaves both or neither. When a batch cannot be written, no later piece is taken: pieces are
 * resumed from the front, and a gap would be forgotten. Views are folded rarely meanwhile
 * (IMPORT_PACE_MS), and wholly at the end. */
#include "importer.h"

#include "crumb/base/clock.h"
#include "crumb/base/file.h"
#include "crumb/node/declare.h"

/* Nobody looks at the views before the end, and a visitor who is folded once for many events costs
 * little more than for one. */
#define IMPORT_PACE_MS 10000
#define FOLD_PATIENCE_S 3600

/* On the journal's thread: the batch is on disk, or failed. */
static void batch_free(struct batch *b)
{
	struct importer *im = b->owner;
	if (b->result)
		atomic_store(&im->failed, true);
	batch_clear(b);
	sem_post(&im->free_batches);
}

static void show_refused(struct importer *im, const struct refused_lines *r)
{
	for (unsigned i = 0; i < r->n; i++)
		lines_refused(&im->lines, r->at[i].line, r->at[i].why, NULL);
}

/* The lines of a piece into a batch. Lines that are refused are counted. */
static void read_lines(struct importer *im, struct str lines, struct batch *b)
{
	if (im->partner) {
		struct declare_totals t = {0};
		struct generation *g = engine_serving(im->node.engine);
		declare_lines(g, im->node.rules, (unsigned)im->cli->config.retention_days,
		    str_c(im->partner), lines, clock_now(), b, &t);
		generation_unref(g);
		im->read += t.read;
		im->accepted += t.accepted;
		show_refused(im, &t.first);
		import_refused(im, "json", t.refused_json);
		import_refused(im, "id", t.refused_id);
		import_refused(im, "undeclared", t.refused_undeclared);
		import_refused(im, "value", t.refused_value);
		import_refused(im, "old", t.refused_old);
		return;
	}
	struct import_totals t = {0};
	import_lines(&im->ingest, lines, clock_now(), b, &t);
	im->read += t.read;
	im->accepted += t.accepted;
	im->aside += t.aside;
	show_refused(im, &t.first);
	import_refused(im, "json", t.refused_json);
	import_refused(im, "id", t.refused_id);
	import_refused(im, "old", t.refused_old);
	import_refused(im, "future", t.refused_future);
	import_refused(im, "site", t.refused_site);
	import_refused(im, "consent", t.refused_consent);
}

static int import_slices(struct importer *im)
{
	struct str lines, events;
	bool failed = false;
	int rc;
	while (!(rc = pieces_pass_over(im)) && !atomic_load(&im->failed) &&
	       pieces_next(im, &lines, &failed)) {
		struct slice_id id = pieces_name(im, lines);
		if (!lines_convert(&im->lines, lines, &events)) {
			rc = cli_fail("no memory for a piece of %zu bytes", lines.n);
			break;
		}
		sem_wait(&im->free_batches);
		struct batch *b = &im->batches[im->turn];
		im->turn = 1 - im->turn;
		read_lines(im, events, b);
		if (b->count && !im->dry) {
			batch_slice(b, clock_now(), &id);
			writer_submit(im->node.writer, b);
		} else {
			batch_clear(b);
			sem_post(&im->free_batches);
		}
		pieces_consumed(im, lines.n, id.lines);
	}
	/* both are free: everything is written */
	sem_wait(&im->free_batches);
	sem_wait(&im->free_batches);
	if (!rc && failed)
		return cli_fail("%s", err_text());
	if (!rc && atomic_load(&im->failed))
		return cli_fail("the store could not write everything; see the messages above, and "
				"run it again: what was taken is not taken twice");
	return rc;
}

/* Wall and rules are as a server would have them: places, crawlers and networks that are configured
 * are there, or nothing is imported. */
static enum err open_ingest(struct importer *im)
{
	const struct config *c = &im->cli->config;
	struct junk_lists *lists;
	struct place_db *places = NULL;
	char file[FILE_PATH_MAX];
	enum err e = place_db_file(c, file, sizeof file) ? place_db_open(file, &places) : OK;
	if (e)
		return err_wrap(e, "geo.database");
	anonymiser_places(&im->ingest.wall, places);
	if (!(e = junk_open(c, &lists)))
		anonymiser_lists(&im->ingest.wall, lists);
	return e ? e : ingest_rules(&im->ingest, rules_ref(im->node.rules));
}

int import_alone(struct importer *im)
{
	struct cli *c = im->cli;
	c->config.fold_pace_ms = IMPORT_PACE_MS;
	if (!cli_node(c, &im->node))
		return EXIT_WRONG;
	int rc = EXIT_FINE;
	const struct partner *partner;
	if (im->partner &&
	    destinations_find_partner(im->node.destinations, str_c(im->partner), &partner) != OK)
		rc = cli_fail("%s: %s", c->config.destinations_path, err_text());
	if (!rc && ingest_init(&im->ingest, &c->config, im->node.store, NULL) != OK)
		rc = cli_fail("%s", err_text());
	if (!rc && open_ingest(im) != OK) {
		rc = cli_fail("%s", err_text());
		ingest_done(&im->ingest);
	}
	if (!rc) {
		sem_init(&im->free_batches, 0, 2);
		for (int i = 0; i < 2; i++)
			batch_init(&im->batches[i], im->node.store->shards, batch_free, im);
		if (applied_open(im->node.store, &im->applied) == OK)
			rc = import_slices(im);
		else
			rc = cli_fail("%s", err_text());
		applied_close(im->applied);
		if (!rc && !node_wait(&im->node, FOLD_PATIENCE_S, NODE_SERVES))
			rc = cli_fail(
			    "everything is journalled, but not folded yet: %s", err_text());
		for (int i = 0; i < 2; i++)
			batch_done(&im->batches[i]);
		ingest_done(&im->ingest);
	}
	node_stop(&im->node);
	return rc;
}

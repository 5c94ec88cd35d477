/* import: events from files, access logs, and what partners say of visitors. */
#include "convert.h"
#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"
#include "crumb/ingest/ingest.h"
#include "crumb/node/declare.h"
#include "input.h"

#include <jansson.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

/* Nobody looks before the end, and a visitor who is folded once for many events costs little more than for one. */
#define IMPORT_PACE_MS 10000
#define SLICE (8u << 20) /* bytes of a file that are imported at once */

struct importer {
	struct cli *cli;
	struct input *input;
	struct buf slice, converted; /* whole lines, then the beginning of the next one */
	struct convert convert;	     /* line NULL: the lines are NDJSON already */
	const char *partner;	     /* whose segments or attributes they are; NULL: events */
	uint64_t accepted, aside, read;
	uint64_t too_long; /* lines */
	bool skipping;	   /* the rest of such a line */
	json_t *refused;   /* by reason */
	/* without a server */
	struct node node;
	struct ingest ingest;
	struct batch batches[2];
	sem_t free_batches;
	unsigned turn;
	_Atomic bool failed;
};

/* Of a line that does not fit into a slice nothing is kept: a small file can unpack to a large one. */
static void skip_line(struct importer *im)
{
	struct buf *b = &im->slice;
	size_t end = str_find(buf_view(b), '\n');
	im->skipping = end == b->n;
	b->n = im->skipping ? 0 : b->n - end - 1;
	memmove(b->p, b->p + (im->skipping ? 0 : end + 1), b->n);
}

/* Reads until the slice holds whole lines; *lines is what may be imported. False at the end of the file, or on *failed. */
static bool next_slice(struct importer *im, struct str *lines, size_t *used, bool *failed)
{
	if (!im->slice.cap && !buf_reserve(&im->slice, SLICE)) {
		*failed = err_set(ERR_NOMEM, "no memory") != OK;
		return false;
	}
	for (;;) {
		size_t n = 0;
		while (im->slice.n < im->slice.cap) {
			if (input_read(im->input, im->slice.p + im->slice.n, im->slice.cap - im->slice.n, &n) != OK) {
				*failed = true;
				return false;
			}
			if (n == 0)
				break;
			im->slice.n += n;
			if (im->skipping)
				skip_line(im);
		}
		size_t end = im->slice.n;
		while (end > 0 && im->slice.p[end - 1] != '\n')
			end--;
		if (n == 0)
			end = im->slice.n; /* the last line may lack its end */
		if (end > 0) {
			*lines = str_make(im->slice.p, end);
			*used = end;
			return true;
		}
		if (n == 0)
			return false;
		im->too_long++;
		im->skipping = true;
		im->slice.n = 0;
	}
}

static struct str converted(struct importer *im, struct str lines)
{
	struct str line;
	if (!im->convert.line)
		return lines;
	buf_clear(&im->converted);
	while (lines.n && str_cut(&lines, '\n', &line)) {
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (!line.n)
			continue;
		im->convert.read++;
		im->convert.malformed += !im->convert.line(&im->convert, line, &im->converted);
	}
	return im->converted.n ? buf_view(&im->converted) : STR("");
}

static void consumed(struct importer *im, size_t used)
{
	uint64_t read, size;
	memmove(im->slice.p, im->slice.p + used, im->slice.n - used);
	im->slice.n -= used;
	input_progress(im->input, &read, &size);
	cli_progress("importing", read, size);
}

static void refuse(struct importer *im, const char *why, uint64_t n)
{
	if (n)
		json_object_set_new(im->refused, why, json_integer(json_integer_value(json_object_get(im->refused, why)) + (json_int_t)n));
}

/* --- by the running server */

static void add_reply(struct importer *im, const json_t *root)
{
	const char *why;
	json_t *n;
	im->read += (uint64_t)json_integer_value(json_object_get(root, "read"));
	im->accepted += (uint64_t)json_integer_value(json_object_get(root, "accepted"));
	im->aside += (uint64_t)json_integer_value(json_object_get(root, "set_aside"));
	json_object_foreach(json_object_get(root, "refused"), why, n) refuse(im, why, (uint64_t)json_integer_value(n));
}

static int post_slice(struct importer *im, const char *path, struct str lines)
{
	struct reply r;
	if (!lines.n)
		return EXIT_FINE;
	if (!client_post(im->cli, path, lines, &r))
		return EXIT_WRONG;
	json_error_t error;
	json_t *root = r.status == 200 ? json_loadb(r.body.p, r.body.n, 0, &error) : NULL;
	int rc = root ? EXIT_FINE
		      : cli_fail("the server stopped the import after %llu lines: " STR_FMT, (unsigned long long)im->accepted,
			    STR_ARG(str_trim(buf_view(&r.body))));
	if (root)
		add_reply(im, root);
	json_decref(root);
	buf_done(&r.body);
	return rc;
}

static int import_by_server(struct importer *im)
{
	char path[128];
	struct str lines;
	size_t used;
	struct reply r;
	bool failed = false;
	snprintf(path, sizeof path, im->partner ? "/v1/import?partner=%s" : "/v1/import", im->partner);
	while (next_slice(im, &lines, &used, &failed)) {
		int rc = post_slice(im, path, converted(im, lines));
		if (rc)
			return rc;
		consumed(im, used);
	}
	if (failed)
		return cli_fail("%s", err_text());
	if (!client_post(im->cli, "/v1/settle", STR(""), &r))
		return EXIT_WRONG;
	long status = r.status;
	buf_done(&r.body);
	return status == 200 ? EXIT_FINE : cli_fail("everything is journalled, but the server has not folded it all yet");
}

/* --- without one */

static void batch_free(struct batch *b)
{
	struct importer *im = b->owner;
	if (b->result)
		atomic_store(&im->failed, true);
	batch_clear(b);
	sem_post(&im->free_batches);
}

static void read_lines(struct importer *im, struct str lines, struct batch *b)
{
	if (im->partner) {
		struct declare_totals t = {0};
		struct generation *g = engine_serving(im->node.engine);
		declare_lines(g, im->node.rules, (unsigned)im->cli->config.retention_days, str_c(im->partner), lines, clock_now(), b, &t);
		generation_unref(g);
		im->read += t.read;
		im->accepted += t.accepted;
		refuse(im, "json", t.refused_json);
		refuse(im, "id", t.refused_id);
		refuse(im, "undeclared", t.refused_undeclared);
		refuse(im, "value", t.refused_value);
		refuse(im, "old", t.refused_old);
		return;
	}
	struct import_totals t = {0};
	import_lines(&im->ingest, lines, clock_now(), b, &t);
	im->read += t.read;
	im->accepted += t.accepted;
	im->aside += t.aside;
	refuse(im, "json", t.refused_json);
	refuse(im, "id", t.refused_id);
	refuse(im, "old", t.refused_old);
	refuse(im, "future", t.refused_future);
	refuse(im, "site", t.refused_site);
	refuse(im, "consent", t.refused_consent);
}

static int import_slices(struct importer *im)
{
	struct str lines;
	size_t used;
	bool failed = false;
	while (next_slice(im, &lines, &used, &failed)) {
		sem_wait(&im->free_batches);
		struct batch *b = &im->batches[im->turn];
		im->turn = 1 - im->turn;
		read_lines(im, converted(im, lines), b);
		if (b->count)
			writer_submit(im->node.writer, b);
		else
			sem_post(&im->free_batches);
		consumed(im, used);
	}
	sem_wait(&im->free_batches);
	sem_wait(&im->free_batches);
	if (failed)
		return cli_fail("%s", err_text());
	return atomic_load(&im->failed) ? cli_fail("the store could not write everything; see the messages above") : EXIT_FINE;
}

/* Places, crawlers and networks: what is configured is there, or nothing is imported. */
static enum err wall(struct importer *im)
{
	const struct config *c = &im->cli->config;
	struct junk_lists *lists;
	struct place_db *places = NULL;
	char file[4096];
	enum err e = place_db_file(c, file, sizeof file) ? place_db_open(file, &places) : OK;
	if (e)
		return err_wrap(e, "geo.database");
	anonymiser_places(&im->ingest.wall, places);
	if (!(e = junk_open(c, &lists)))
		anonymiser_lists(&im->ingest.wall, lists);
	return e;
}

static int import_alone(struct importer *im)
{
	struct cli *c = im->cli;
	c->config.fold_pace_ms = IMPORT_PACE_MS;
	if (node_start(&im->node, &c->config) != OK)
		return cli_fail("%s", err_text());
	int rc = EXIT_FINE;
	if (im->partner && !destinations_partner(im->node.destinations, str_c(im->partner)))
		rc = cli_fail("there is no partner '%s' in %s", im->partner, c->config.destinations_path);
	if (!rc && ingest_init(&im->ingest, &c->config, im->node.store, NULL) != OK)
		rc = cli_fail("%s", err_text());
	if (!rc && wall(im) != OK) {
		rc = cli_fail("%s", err_text());
		ingest_done(&im->ingest);
	}
	if (!rc) {
		ingest_rules(&im->ingest, rules_ref(im->node.rules));
		sem_init(&im->free_batches, 0, 2);
		for (int i = 0; i < 2; i++)
			batch_init(&im->batches[i], im->node.store->shards, batch_free, im);
		rc = import_slices(im);
		if (!rc && !node_wait(&im->node, 3600, true))
			rc = cli_fail("everything is journalled, but not folded yet: %s", err_text());
		for (int i = 0; i < 2; i++)
			batch_done(&im->batches[i]);
		ingest_done(&im->ingest);
	}
	node_stop(&im->node);
	return rc;
}

/* --- the command */

static void print_import(const struct importer *im, double seconds)
{
	const struct convert *v = &im->convert;
	bool log = v->line && !im->partner;
	const char *why;
	json_t *n;
	uint64_t read = (v->line ? v->read : im->read) + im->too_long;
	if (im->cli->json) {
		json_t *j = json_pack(
		    "{s:I,s:I,s:O,s:f}", "read", (json_int_t)read, "accepted", (json_int_t)im->accepted, "refused", im->refused, "seconds", seconds);
		if (im->aside || log)
			json_object_set_new(j, "set_aside", json_integer((json_int_t)im->aside));
		if (log)
			json_object_set_new(j, "skipped",
			    json_pack("{s:I,s:I,s:I}", "static_files", (json_int_t)v->static_files, "method", (json_int_t)v->method, "status",
				(json_int_t)v->status));
		cli_print_json(j);
		return;
	}
	printf("%llu read, %llu accepted in %.1f s (%.0f a second)\n", (unsigned long long)read, (unsigned long long)im->accepted, seconds,
	    seconds > 0 ? (double)read / seconds : 0);
	if (im->aside)
		printf("%llu set aside: crawlers and the like; 'crumb quarantine' lists them\n", (unsigned long long)im->aside);
	if (log)
		printf("%llu static files, %llu other methods than GET and %llu errors and redirects were skipped\n",
		    (unsigned long long)v->static_files, (unsigned long long)v->method, (unsigned long long)v->status);
	json_object_foreach(im->refused, why, n) printf("%lld refused: %s\n", (long long)json_integer_value(n), why);
}

/* Nothing was taken: that is no success, and one sentence says why. */
static int nothing_taken(const struct importer *im)
{
	const struct convert *v = &im->convert;
	const char *why, *most = "";
	json_int_t n = 0;
	json_t *count;
	json_object_foreach(im->refused, why, count) if (json_integer_value(count) > n) n = json_integer_value(count), most = why;
	uint64_t read = (v->line ? v->read : im->read) + im->too_long, skipped = v->static_files + v->method + v->status;
	if (im->accepted || im->aside)
		return EXIT_FINE;
	if (!read)
		return cli_fail("nothing was taken: there are no lines in it");
	if (!n)
		return cli_fail("nothing was taken: %s", skipped ? "all lines are static files, other methods than GET, errors or redirects" : "no line says anything");
	return cli_fail("nothing was taken: of %llu lines %lld were refused as '%s'; 'crumb help import' says what a line looks like",
	    (unsigned long long)read, (long long)n, most);
}

static const char *default_host(const struct config *c, char out[254])
{
	struct str rest = str_c(c->sites), first;
	if (!*c->sites || !str_cut(&rest, ',', &first))
		return "log.invalid";
	size_t at = 0;
	first = str_trim(first);
	for (size_t i = 0; i + 3 <= first.n; i++)
		if (memcmp(first.p + i, "://", 3) == 0)
			at = i + 3;
	snprintf(out, 254, STR_FMT, STR_ARG(str_skip(first, at)));
	return out;
}

/* What the words ask for; EXIT_FINE: `im` is ready but for its file. */
static int understand(
    struct importer *im, const char *what, const char *format, const char *partner, const char *consent, const char *host, const char *path)
{
	char site[254];
	im->partner = partner;
	if (what) {
		bool csv = format ? strcmp(format, "csv") == 0 : strstr(path, ".csv") != NULL;
		if (!partner)
			return cli_misuse("import %s wants --partner and the id of a partner of etc/destinations.yaml", what);
		if (format && !csv && strcmp(format, "ndjson") != 0)
			return cli_misuse("import %s knows --format csv and ndjson", what);
		if (csv)
			convert_csv(&im->convert, strcmp(what, "attributes") == 0);
		return EXIT_FINE;
	}
	if (partner)
		return cli_misuse("--partner goes with import segments and import attributes");
	if (format && strcmp(format, "combined") == 0) {
		if (!consent || strcmp(consent, "asserted") != 0)
			return cli_misuse("an access log says nothing of consent: import it only where you may, and say --consent asserted");
		convert_combined(&im->convert, host ? host : default_host(&im->cli->config, site));
		return EXIT_FINE;
	}
	if (!format || strcmp(format, "ndjson") != 0)
		return cli_misuse("import knows --format ndjson and combined");
	return EXIT_FINE;
}

static int import(struct cli *c, int argc, char **argv)
{
	static struct importer im;
	const char *format = cli_option(argc, argv, "--format"), *partner = cli_option(argc, argv, "--partner"),
		   *consent = cli_option(argc, argv, "--consent"), *host = cli_option(argc, argv, "--host"), *what = cli_word(argc, argv),
		   *path = what;
	bool declared = what && (strcmp(what, "segments") == 0 || strcmp(what, "attributes") == 0);
	if (declared)
		path = cli_word(argc, argv);
	if (!path || !cli_all_used(argc, argv))
		return cli_misuse("import wants a FILE and --format ndjson");
	im.cli = c;
	int rc = understand(&im, declared ? what : NULL, format, partner, consent, host, path);
	if (rc)
		return rc;
	if (input_open(path, &im.input) != OK)
		return cli_fail("%s", err_text());
	im.refused = json_object();
	uint64_t from = clock_mono_us();
	rc = client_available(c) ? import_by_server(&im) : import_alone(&im);
	cli_progress_end();
	refuse(&im, "malformed", im.convert.malformed);
	refuse(&im, "too_long", im.too_long);
	if (!rc) {
		print_import(&im, (double)(clock_mono_us() - from) / 1e6);
		rc = nothing_taken(&im);
	}
	input_close(im.input);
	json_decref(im.refused);
	convert_done(&im.convert);
	buf_done(&im.slice);
	buf_done(&im.converted);
	return rc;
}

const struct command commands_import[] = {
    {"import",
	"FILE --format ndjson|combined [--consent asserted] [--host NAME] | segments|attributes FILE --partner P [--format csv|ndjson] [--json]",
	"take in events, access logs, or what partners say of visitors",
	"  FILE may be '-', and may be compressed with gzip or zstd. Works beside a running server and without one; returns when all is folded. A line may have\n"
	"  8 MB. Exit status 1 when nothing of it was taken.\n\n"
	"  --format ndjson: one event a line, {\"id\":\"any visitor id\" or \"cookie\":\"…\",\"t\":unix seconds or RFC 3339,\"e\":…,\"u\":…,…}; the\n"
	"  other keys are those of the pixel (PROTOCOL.md), but the page's title is \"title\", and \"ip\" and \"ua\" may say where from and with\n"
	"  what. Ids are hashed with a key of the store before anything is written. Events older than the retention, or more than five minutes\n"
	"  ahead, are refused and counted.\n\n"
	"  --format combined: a web server's access log. A visitor is a hash of address and agent under a key that ends with this command, labelled\n"
	"  'log', which no destination may get unless etc/destinations.yaml says so. Static files, other methods than GET, errors and redirects are\n"
	"  skipped; known crawlers are set aside. --host is the site's name. A log knows nothing of consent: --consent asserted says that you do.\n\n"
	"  segments, attributes: CSV with a header (id,segment[,expires][,action], or id and one column an attribute) or NDJSON, by the partner's\n"
	"  ids, which GET /sync has matched with visitors. Taken is what the rules declare under attributes: with that partner as its source.",
	import},
    {0},
};

/* Commands that take data in or away: import, visitor erase. */
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/cli/cli.h"
#include "crumb/ingest/ingest.h"
#include "crumb/node/node.h"

#include <errno.h>
#include <jansson.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Nobody looks before the end, and a visitor who is folded once for many events costs little more than for one. */
#define IMPORT_PACE_MS 10000

#define SLICE (8u << 20) /* bytes of a file that are imported at once */

/* --- import */

struct importer {
	struct cli *cli;
	FILE *file;
	uint64_t size, read;
	struct buf slice; /* whole lines, then the beginning of the next one */
	struct import_totals totals;
	/* without a server */
	struct node node;
	struct ingest ingest;
	struct batch batches[2];
	sem_t free_batches;
	unsigned turn;
	_Atomic bool failed;
};

/* Reads until the slice holds whole lines; *lines is what may be imported. False at the end of the file. */
static bool next_slice(struct importer *im, struct str *lines, size_t *used)
{
	buf_reserve(&im->slice, SLICE);
	for (;;) {
		size_t n = fread(im->slice.p + im->slice.n, 1, im->slice.cap - im->slice.n, im->file);
		im->slice.n += n;
		im->read += n;
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
		buf_reserve(&im->slice, im->slice.cap);
	}
}

static void consumed(struct importer *im, size_t used)
{
	memmove(im->slice.p, im->slice.p + used, im->slice.n - used);
	im->slice.n -= used;
	cli_progress("importing", im->read, im->size);
}

static void add_reply(struct importer *im, const json_t *root)
{
	const json_t *refused = json_object_get(root, "refused");
	struct import_totals *t = &im->totals;
	t->read += (uint64_t)json_integer_value(json_object_get(root, "read"));
	t->accepted += (uint64_t)json_integer_value(json_object_get(root, "accepted"));
	const struct {
		const char *name;
		uint64_t *n;
	} rows[] = {{"json", &t->refused_json}, {"id", &t->refused_id}, {"old", &t->refused_old}, {"future", &t->refused_future},
	    {"site", &t->refused_site}, {"consent", &t->refused_consent}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		*rows[i].n += (uint64_t)json_integer_value(json_object_get(refused, rows[i].name));
}

static int import_by_server(struct importer *im)
{
	struct str lines;
	size_t used;
	struct reply r;
	while (next_slice(im, &lines, &used)) {
		if (!client_post(im->cli, "/v1/import", lines, &r))
			return EXIT_WRONG;
		json_error_t error;
		json_t *root = r.status == 200 ? json_loadb(r.body.p, r.body.n, 0, &error) : NULL;
		if (!root)
			return cli_fail("the server stopped the import after %llu events: " STR_FMT, (unsigned long long)im->totals.accepted,
			    STR_ARG(buf_view(&r.body)));
		add_reply(im, root);
		json_decref(root);
		buf_done(&r.body);
		consumed(im, used);
	}
	if (!client_post(im->cli, "/v1/settle", STR(""), &r))
		return EXIT_WRONG;
	long status = r.status;
	buf_done(&r.body);
	return status == 200 ? EXIT_FINE : cli_fail("everything is journalled, but the server has not folded it all yet");
}

static void batch_free(struct batch *b)
{
	struct importer *im = b->owner;
	if (b->result)
		atomic_store(&im->failed, true);
	batch_clear(b);
	sem_post(&im->free_batches);
}

static int import_alone(struct importer *im)
{
	struct cli *c = im->cli;
	struct str lines;
	size_t used;
	c->config.fold_pace_ms = IMPORT_PACE_MS;
	if (node_start(&im->node, &c->config) != OK)
		return cli_fail("%s", err_text());
	int rc = EXIT_FINE;
	if (ingest_init(&im->ingest, &c->config, im->node.store, NULL) != OK)
		rc = cli_fail("%s", err_text());
	ingest_rules(&im->ingest, rules_ref(im->node.rules));
	sem_init(&im->free_batches, 0, 2);
	for (int i = 0; i < 2; i++)
		batch_init(&im->batches[i], im->node.store->shards, batch_free, im);
	while (!rc && next_slice(im, &lines, &used)) {
		sem_wait(&im->free_batches);
		struct batch *b = &im->batches[im->turn];
		im->turn = 1 - im->turn;
		import_lines(&im->ingest, lines, clock_now(), b, &im->totals);
		if (b->count)
			writer_submit(im->node.writer, b);
		else
			sem_post(&im->free_batches);
		consumed(im, used);
	}
	sem_wait(&im->free_batches);
	sem_wait(&im->free_batches);
	if (!rc && atomic_load(&im->failed))
		rc = cli_fail("the store could not write everything; see the messages above");
	if (!rc && !node_wait(&im->node, 3600, true))
		rc = cli_fail("everything is journalled, but not folded yet");
	for (int i = 0; i < 2; i++)
		batch_done(&im->batches[i]);
	ingest_done(&im->ingest);
	node_stop(&im->node);
	return rc;
}

static void print_import(const struct importer *im, double seconds)
{
	const struct import_totals *t = &im->totals;
	json_t *refused = json_object();
	const struct {
		const char *name;
		uint64_t n;
	} rows[] = {{"json", t->refused_json}, {"id", t->refused_id}, {"old", t->refused_old}, {"future", t->refused_future},
	    {"site", t->refused_site}, {"consent", t->refused_consent}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].n)
			json_object_set_new(refused, rows[i].name, json_integer((json_int_t)rows[i].n));
	if (im->cli->json) {
		cli_print_json(json_pack(
		    "{s:I,s:I,s:o,s:f}", "read", (json_int_t)t->read, "accepted", (json_int_t)t->accepted, "refused", refused, "seconds", seconds));
		return;
	}
	printf("%llu read, %llu accepted in %.1f s (%.0f a second)\n", (unsigned long long)t->read, (unsigned long long)t->accepted, seconds,
	    seconds > 0 ? (double)t->read / seconds : 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].n)
			printf("%llu refused: %s\n", (unsigned long long)rows[i].n, rows[i].name);
	json_decref(refused);
}

static int import(struct cli *c, int argc, char **argv)
{
	static struct importer im;
	const char *format = cli_option(argc, argv, "--format"), *path = cli_word(argc, argv);
	struct stat st;
	if (!path || !cli_all_used(argc, argv))
		return cli_misuse("import wants a FILE and --format ndjson");
	if (!format || strcmp(format, "ndjson") != 0)
		return cli_misuse("import knows --format ndjson");
	im.cli = c;
	im.file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	if (!im.file)
		return cli_fail("%s: %s", path, strerror(errno));
	im.size = fstat(fileno(im.file), &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	uint64_t from = clock_mono_us();
	int rc = client_available(c) ? import_by_server(&im) : import_alone(&im);
	cli_progress_end();
	if (!rc)
		print_import(&im, (double)(clock_mono_us() - from) / 1e6);
	if (im.file != stdin)
		fclose(im.file);
	buf_done(&im.slice);
	return rc;
}

/* --- visitor erase */

static int erase_by_server(struct cli *c, const char *hex)
{
	char path[80];
	struct reply r;
	snprintf(path, sizeof path, "/v1/visitors/erase?key=%s", hex);
	if (!client_post(c, path, STR(""), &r))
		return EXIT_WRONG;
	int rc = r.status == 200 ? EXIT_FINE : cli_fail("the server did not erase: " STR_FMT, STR_ARG(buf_view(&r.body)));
	buf_done(&r.body);
	return rc;
}

static void erased(struct batch *b)
{
	sem_post(b->owner);
}

static int erase_alone(struct cli *c, const struct vkey *visitor)
{
	struct node node;
	struct batch b;
	sem_t done;
	if (node_start(&node, &c->config) != OK)
		return cli_fail("%s", err_text());
	sem_init(&done, 0, 0);
	batch_init(&b, node.store->shards, erased, &done);
	batch_erase(&b, visitor, clock_now());
	writer_submit(node.writer, &b);
	while (sem_wait(&done) != 0)
		;
	int rc = b.result ? cli_fail("the store cannot write; nothing was erased") : EXIT_FINE;
	if (!rc && !node_wait(&node, 600, false))
		rc = cli_fail("the erasure is journalled, but not folded yet");
	batch_done(&b);
	sem_destroy(&done);
	node_stop(&node);
	return rc;
}

static int visitor_erase(struct cli *c, int argc, char **argv)
{
	struct vkey k;
	char hex[33];
	int rc;
	if (!cli_who(c, "visitor erase", argc, argv, &k, &rc))
		return rc;
	hex_encode(k.b, sizeof k.b, hex);
	hex[32] = 0;
	cli_close(c);
	rc = client_available(c) ? erase_by_server(c, hex) : erase_alone(c, &k);
	if (rc)
		return rc;
	if (c->json)
		cli_print_json(json_pack("{s:b,s:s}", "erased", true, "visitor", hex));
	else
		puts("erased: gone from the views, not taken up again, its sealed record is rewritten within a day");
	return EXIT_FINE;
}

const struct command commands_data[] = {
    {"import", "FILE --format ndjson [--json]", "take in events from a file",
	"  Reads one event a line: {\"id\":\"any visitor id\" or \"cookie\":\"…\",\"t\":unix seconds or RFC 3339,\"e\":…,\"u\":…,…};\n"
	"  the other keys are those of the pixel (PROTOCOL.md), but the page's title is \"title\". FILE may be '-'. Ids are hashed\n"
	"  with a key of the store before anything is written. Events older than the retention, or more than five minutes ahead,\n"
	"  are refused and counted. Works beside a running server and without one; returns when all is folded.",
	import},
    {"visitor erase", "--cookie VALUE | --id IMPORTED_ID | --key HEX [--json]", "forget one visitor",
	"  Erases everything that is known of one visitor, found as by 'visitor show'. The visitor is gone from every view when the command\n"
	"  returns, is not taken up again when the old cookie comes back, and is left out when the journal is replayed. Works beside a running\n"
	"  server and without one.",
	visitor_erase},
    {0},
};

/* import: events from files, access logs, and what partners say of visitors. */
#include "crumb/base/clock.h"
#include "crumb/base/code.h"
#include "crumb/base/host.h"
#include "crumb/cli/cli.h"
#include "crumb/ingest/applied.h"
#include "crumb/ingest/ingest.h"
#include "crumb/node/declare.h"
#include "input.h"
#include "lines.h"

#include <jansson.h>
#include <semaphore.h>
#include <stdio.h>

/* Nobody looks before the end, and a visitor who is folded once for many events costs little more
 * than for one. */
#define IMPORT_PACE_MS 10000
#define SLICE                                                                                      \
	(8u << 20) /* bytes of a file that are imported at once: a piece, which ends with a line   \
		    */
#define PIECES_MOST 64
#define PIECE_BYTES_MOST (256u << 20)

struct importer {
	struct cli *cli;
	struct input *input;
	struct buf slice; /* whole lines, then the beginning of the next one */
	struct lines lines;
	const char *partner; /* whose segments or attributes they are; NULL: events */
	const char *form;    /* of the lines */
	bool guessed;	     /* the form */
	uint64_t accepted, aside, read, already, unfinished;
	uint64_t too_long; /* lines */
	json_t *refused;   /* by reason */
	bool again, dry, end;
	crypto_generichash_state sum, after; /* of what the file is and of all that lies before the
						slice; and of the piece, too */
	struct applied *applied;	     /* without a server */
	/* without a server */
	struct node node;
	struct ingest ingest;
	struct batch batches[2];
	sem_t free_batches;
	unsigned turn;
	_Atomic bool failed;
};

/* Reads until the slice holds so many bytes, or all there are. */
static bool fill_to(struct importer *im, size_t want)
{
	if (im->slice.n < want && !buf_reserve(&im->slice, want - im->slice.n))
		return err_set(ERR_NOMEM, "no memory for a piece of %zu bytes", want) == OK;
	while (im->slice.n < want && !im->end) {
		size_t n;
		if (input_read(im->input, im->slice.p + im->slice.n, want - im->slice.n, &n) != OK)
			return false;
		im->end = n == 0;
		im->slice.n += n;
	}
	return true;
}

/* May a last line without its end be taken? A log may still be written to, and a part of its line
 * looks like one; an object in JSON is whole or none; CSV leaves the end of the last row out (RFC
 * 4180). */
static bool is_whole(const struct importer *im, struct str line)
{
	json_error_t error;
	if (lines_change(&im->lines))
		return !im->lines.log;
	json_t *j = json_loadb(line.p, line.n, 0, &error);
	json_decref(j);
	return j != NULL;
}

static void drop(struct importer *im, size_t n)
{
	memmove(im->slice.p, im->slice.p + n, im->slice.n - n);
	im->slice.n -= n;
}

/* Of a line that does not fit into a slice nothing is kept: a small file can unpack to a large one.
 */
static bool skip_line(struct importer *im)
{
	im->too_long++;
	lines_refused(&im->lines, 0, "too_long", "longer than a line can be");
	im->lines.before++;
	for (bool found = false; !found && (im->slice.n || !im->end);) {
		if (!fill_to(im, SLICE))
			return false;
		size_t n = str_find(buf_view(&im->slice), '\n');
		found = n < im->slice.n;
		n += found;
		crypto_generichash_update(&im->sum, (const uint8_t *)im->slice.p, n);
		drop(im, n);
	}
	return true;
}

/* Whole lines from the front of the slice, as many as fit a piece: where it ends depends on where
 * it begins and on the bytes alone. False at the end of the file, or on *failed. */
static bool next_slice(struct importer *im, struct str *lines, bool *failed)
{
	for (;;) {
		*failed = !fill_to(im, SLICE);
		size_t all = im->slice.n < SLICE ? im->slice.n : SLICE, end = all;
		while (!*failed && end > 0 && im->slice.p[end - 1] != '\n')
			end--;
		if (im->end && all == im->slice.n && end < all) {
			struct str tail = str_trim(str_make(im->slice.p + end, all - end));
			if (!tail.n || is_whole(im, tail))
				end = all;
			else if (end == 0)
				im->unfinished = 1;
		}
		if (*failed || end > 0 || im->end) {
			*lines = str_make(im->slice.p, end);
			return !*failed && end > 0;
		}
		if (!skip_line(im)) {
			*failed = true;
			return false;
		}
	}
}

static void consumed(struct importer *im, size_t used, uint64_t lines)
{
	uint64_t read, size;
	im->lines.before += lines;
	drop(im, used);
	im->sum = im->after;
	input_progress(im->input, &read, &size);
	cli_progress("importing", read, size);
}

static void refuse(struct importer *im, const char *why, uint64_t n)
{
	if (n)
		json_object_set_new(im->refused, why,
		    json_integer(
			json_integer_value(json_object_get(im->refused, why)) + (json_int_t)n));
}

/* --- what was imported before */

static void hash_of(const crypto_generichash_state *sum, uint8_t out[16])
{
	crypto_generichash_state copy = *sum;
	crypto_generichash_final(&copy, out, 16);
}

static void begin_sum(struct importer *im, const char *what, const char *format)
{
	uint16_t today =
	    im->partner ? day_of(clock_now())
			: 0; /* what a partner says is news each day: it is kept from then on */
	char text[400];
	int n = snprintf(text, sizeof text, "crumb 1 %s %s %s %u", what ? what : "events",
	    format ? format : "", im->partner ? im->partner : "", today);
	crypto_generichash_init(&im->sum, NULL, 0, 16);
	crypto_generichash_update(&im->sum, (const uint8_t *)text, (size_t)n + 1);
}

static struct slice_id id_of(struct importer *im, struct str lines)
{
	struct slice_id id = {.bytes = lines.n};
	im->after = im->sum;
	hash_of(&im->sum, id.from);
	crypto_generichash_update(&im->after, (const uint8_t *)lines.p, lines.n);
	hash_of(&im->after, id.to);
	for (const char *p = lines.p, *end = lines.p + lines.n, *nl; p < end;
	     p = nl ? nl + 1 : end) {
		nl = memchr(p, '\n', (size_t)(end - p));
		id.lines++;
	}
	return id;
}

/* The pieces that begin here, shortest first. */
static int known_pieces(struct importer *im, struct slice_id out[PIECES_MOST], unsigned *n)
{
	uint8_t from[16];
	char path[100] = "/v1/import/applied?from=";
	struct reply r;
	size_t at = strlen(path), i;
	hash_of(&im->sum, from);
	if (im->applied) {
		*n = applied_after(im->applied, from,
		    oldest_day(day_of(clock_now()), (unsigned)im->cli->config.retention_days), out,
		    PIECES_MOST);
		return EXIT_FINE;
	}
	hex_encode(from, sizeof from, path + at);
	path[at + 32] = 0;
	json_t *list = client_json(im->cli, path, NULL, &r), *row;
	if (!list)
		return EXIT_WRONG;
	*n = 0;
	json_array_foreach(list, i, row)
	{
		struct str to = str_c(json_string_value(json_object_get(row, "to"))
					  ? json_string_value(json_object_get(row, "to"))
					  : "");
		struct slice_id *id = &out[*n];
		id->bytes = (uint64_t)json_integer_value(json_object_get(row, "bytes"));
		id->lines = (uint64_t)json_integer_value(json_object_get(row, "lines"));
		if (*n < PIECES_MOST && hex_decode(to, id->to, sizeof id->to) && id->bytes)
			++*n;
	}
	json_decref(list);
	return EXIT_FINE;
}

/* Passes over what was imported before: each piece of it begins where the one before ended. */
static int pass_over(struct importer *im)
{
	while (!im->again) {
		struct slice_id found[PIECES_MOST], *best = NULL;
		crypto_generichash_state sum = im->sum;
		unsigned n;
		size_t done = 0;
		int rc = known_pieces(im, found, &n);
		if (rc)
			return rc;
		for (unsigned i = 0; i < n && found[i].bytes <= PIECE_BYTES_MOST; i++) {
			uint8_t hash[16];
			size_t bytes = (size_t)found[i].bytes;
			if (!fill_to(im, bytes))
				return cli_fail("%s", err_text());
			if (im->slice.n < bytes)
				break;
			crypto_generichash_update(
			    &sum, (const uint8_t *)im->slice.p + done, bytes - done);
			done = bytes;
			hash_of(&sum, hash);
			if (memcmp(hash, found[i].to, sizeof hash) == 0) {
				best = &found[i];
				im->after = sum;
			}
		}
		if (!best)
			break;
		lines_pass(&im->lines, str_make(im->slice.p, (size_t)best->bytes));
		im->already += best->lines;
		consumed(im, (size_t)best->bytes, best->lines);
	}
	return EXIT_FINE;
}

/* --- by the running server */

static void add_reply(struct importer *im, const json_t *root)
{
	const char *why;
	json_t *n;
	size_t i;
	json_array_foreach(json_object_get(root, "refused_lines"), i, n)
	    lines_refused(&im->lines, (uint64_t)json_integer_value(json_object_get(n, "line")),
		json_string_value(json_object_get(n, "reason")), NULL);
	im->read += (uint64_t)json_integer_value(json_object_get(root, "read"));
	im->accepted += (uint64_t)json_integer_value(json_object_get(root, "accepted"));
	im->aside += (uint64_t)json_integer_value(json_object_get(root, "set_aside"));
	im->already += (uint64_t)json_integer_value(json_object_get(root, "already"));
	json_object_foreach(json_object_get(root, "refused"), why, n)
	    refuse(im, why, (uint64_t)json_integer_value(n));
}

static int post_slice(struct importer *im, const struct slice_id *id, struct str lines)
{
	struct reply r;
	char path[400], from[33] = "", to[33] = "";
	if (!lines.n)
		return EXIT_FINE;
	hex_encode(id->from, sizeof id->from, from);
	hex_encode(id->to, sizeof id->to, to);
	snprintf(path, sizeof path, "/v1/import?from=%s&to=%s&bytes=%llu&lines=%llu%s%s%s%s", from,
	    to, (unsigned long long)id->bytes, (unsigned long long)id->lines,
	    im->again ? "&again=1" : "", im->dry ? "&dry=1" : "", im->partner ? "&partner=" : "",
	    im->partner ? im->partner : "");
	if (!client_post(im->cli, path, lines, &r))
		return EXIT_WRONG;
	json_error_t error;
	json_t *root = r.status == 200 ? json_loadb(r.body.p, r.body.n, 0, &error) : NULL;
	int rc = root ? EXIT_FINE
		      : cli_fail("the server stopped the import after %llu lines: " STR_FMT,
			    (unsigned long long)im->accepted, STR_ARG(str_trim(buf_view(&r.body))));
	if (root)
		add_reply(im, root);
	json_decref(root);
	buf_done(&r.body);
	return rc;
}

static int import_by_server(struct importer *im)
{
	struct str lines, events;
	struct reply r;
	bool failed = false;
	int rc;
	while (!(rc = pass_over(im)) && next_slice(im, &lines, &failed)) {
		struct slice_id id = id_of(im, lines);
		if (!lines_convert(&im->lines, lines, &events))
			return cli_fail("no memory for a piece of %zu bytes", lines.n);
		if ((rc = post_slice(im, &id, events)))
			return rc;
		consumed(im, lines.n, id.lines);
	}
	if (rc || failed)
		return rc ? rc : cli_fail("%s", err_text());
	if (im->dry)
		return EXIT_FINE;
	if (!client_post(im->cli, "/v1/settle", STR(""), &r))
		return EXIT_WRONG;
	long status = r.status;
	buf_done(&r.body);
	return status == 200
		   ? EXIT_FINE
		   : cli_fail("everything is journalled, but the server has not folded it all yet");
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

static void show_refused(struct importer *im, const struct refused_lines *r)
{
	for (unsigned i = 0; i < r->n; i++)
		lines_refused(&im->lines, r->at[i].line, r->at[i].why, NULL);
}

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
	show_refused(im, &t.first);
	refuse(im, "json", t.refused_json);
	refuse(im, "id", t.refused_id);
	refuse(im, "old", t.refused_old);
	refuse(im, "future", t.refused_future);
	refuse(im, "site", t.refused_site);
	refuse(im, "consent", t.refused_consent);
}

static int import_slices(struct importer *im)
{
	struct str lines, events;
	bool failed = false;
	int rc;
	/* what begins behind a piece that could not be written is not written either */
	while (
	    !(rc = pass_over(im)) && !atomic_load(&im->failed) && next_slice(im, &lines, &failed)) {
		struct slice_id id = id_of(im, lines);
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
		consumed(im, lines.n, id.lines);
	}
	sem_wait(&im->free_batches);
	sem_wait(&im->free_batches);
	if (rc || failed)
		return rc ? rc : cli_fail("%s", err_text());
	return atomic_load(&im->failed)
		   ? cli_fail("the store could not write everything; see the messages above, and "
			      "run it again: what was taken is not taken twice")
		   : EXIT_FINE;
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
	if (!cli_node(c, &im->node))
		return EXIT_WRONG;
	int rc = EXIT_FINE;
	const struct partner *partner;
	if (im->partner &&
	    destinations_find_partner(im->node.destinations, str_c(im->partner), &partner) != OK)
		rc = cli_fail("%s: %s", c->config.destinations_path, err_text());
	if (!rc && ingest_init(&im->ingest, &c->config, im->node.store, NULL) != OK)
		rc = cli_fail("%s", err_text());
	if (!rc && wall(im) != OK) {
		rc = cli_fail("%s", err_text());
		ingest_done(&im->ingest);
	}
	if (!rc) {
		CHECK(ingest_rules(&im->ingest, rules_ref(im->node.rules)) == OK);
		sem_init(&im->free_batches, 0, 2);
		for (int i = 0; i < 2; i++)
			batch_init(&im->batches[i], im->node.store->shards, batch_free, im);
		rc = applied_open(im->node.store, &im->applied) == OK ? import_slices(im)
								      : cli_fail("%s", err_text());
		applied_close(im->applied);
		if (!rc && !node_wait(&im->node, 3600, NODE_SERVES))
			rc = cli_fail(
			    "everything is journalled, but not folded yet: %s", err_text());
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
	const uint64_t *kinds = im->lines.kinds;
	bool log = im->lines.log;
	const char *why;
	json_t *n;
	uint64_t read = (lines_change(&im->lines) ? im->lines.read : im->read) + im->too_long;
	if (im->cli->json) {
		json_t *j = json_pack("{s:I,s:I,s:O,s:f}", "read", (json_int_t)read, "accepted",
		    (json_int_t)im->accepted, "refused", im->refused, "seconds", seconds);
		json_object_set_new(j, "already", json_integer((json_int_t)im->already));
		if (im->unfinished)
			json_object_set_new(
			    j, "unfinished", json_integer((json_int_t)im->unfinished));
		if (im->dry)
			json_object_set_new(j, "dry_run", json_true());
		if (im->aside || log)
			json_object_set_new(j, "set_aside", json_integer((json_int_t)im->aside));
		if (log)
			json_object_set_new(j, "skipped",
			    json_pack("{s:I,s:I,s:I,s:I}", "static_files",
				(json_int_t)kinds[ACCESS_STATIC], "method",
				(json_int_t)kinds[ACCESS_METHOD], "status",
				(json_int_t)kinds[ACCESS_STATUS], "request",
				(json_int_t)kinds[ACCESS_REQUEST]));
		if (im->lines.shown_n)
			json_object_set_new(j, "refused_lines", lines_json(&im->lines));
		json_object_set_new(j, "format", json_string(im->form));
		cli_print_json(j);
		return;
	}
	printf("%llu read, %llu accepted in %.1f s (%.0f a second)\n", (unsigned long long)read,
	    (unsigned long long)im->accepted, seconds, seconds > 0 ? (double)read / seconds : 0);
	if (im->guessed)
		printf("format: %s\n", im->form);
	if (im->dry)
		puts("this was --dry-run: nothing was taken in");
	if (im->already)
		printf("%llu %s imported before (--again counts %s anew)\n",
		    (unsigned long long)im->already,
		    cli_plural(im->already, "line was", "lines were"),
		    cli_plural(im->already, "it", "them"));
	if (im->unfinished)
		puts("the last line has no end yet and was left out; it counts when it is whole "
		     "and the file is imported again");
	if (im->aside)
		printf("%llu set aside: crawlers and the like; 'crumb quarantine' lists them\n",
		    (unsigned long long)im->aside);
	if (log)
		printf("skipped: static files %llu, other methods than GET %llu, errors and "
		       "redirects %llu, no request %llu\n",
		    (unsigned long long)kinds[ACCESS_STATIC],
		    (unsigned long long)kinds[ACCESS_METHOD],
		    (unsigned long long)kinds[ACCESS_STATUS],
		    (unsigned long long)kinds[ACCESS_REQUEST]);
	json_object_foreach(im->refused, why, n)
	{
		const char *words = lines_reason(why);
		printf("%lld refused: %s%s%s\n", (long long)json_integer_value(n), why,
		    words ? ", " : "", words ? words : "");
	}
	lines_print(&im->lines);
}

/* Nothing was taken: that is no success, and one sentence says why. */
static int nothing_taken(const struct importer *im)
{
	const struct lines *l = &im->lines;
	const char *why, *most = "";
	json_int_t n = 0;
	json_t *count;
	json_object_foreach(im->refused, why, count) if (json_integer_value(count) > n) n =
	    json_integer_value(count),
											most = why;
	uint64_t read = (lines_change(l) ? l->read : im->read) + im->too_long,
		 skipped = l->kinds[ACCESS_STATIC] + l->kinds[ACCESS_METHOD] +
			   l->kinds[ACCESS_STATUS] + l->kinds[ACCESS_REQUEST];
	if (im->accepted || im->aside ||
	    ((im->already || im->unfinished) && !n)) /* nothing new is no mistake */
		return EXIT_FINE;
	if (!read)
		return cli_fail("nothing was taken: there are no lines in it");
	if (!n)
		return cli_fail("nothing was taken: %s",
		    skipped
			? "all lines are static files, other methods than GET, errors or redirects"
			: "no line says anything");
	const char *first = l->shown_n && l->shown[0].why && strcmp(l->shown[0].reason, most) == 0
				? l->shown[0].why
				: NULL;
	return cli_fail("nothing was taken: of %llu lines %lld were refused as '%s'%s%s%s; 'crumb "
			"help import' says what a line looks like",
	    (unsigned long long)read, (long long)n, most, first ? " (" : "", first ? first : "",
	    first ? ")" : "");
}

/* The host of lines that name none: as --host says, the first of sites, or one that is nobody's.
 * False: that is no host. */
static bool default_host(const struct config *c, const char *said, char out[HOST_MOST])
{
	struct str rest = str_c(c->sites), first = STR("");
	if (!said && *c->sites)
		(void)str_cut(&rest, ',', &first);
	size_t n = host_read(said      ? host_around(str_c(said)).host
			     : first.n ? host_around(str_trim(first)).host
				       : STR("log.invalid"),
	    out);
	out[n] = 0;
	return n > 0;
}

/* What the words ask for, before the file is open; EXIT_FINE: fine. */
static int understand_declared(
    struct importer *im, const char *what, const char *format, const char *path)
{
	bool csv = format ? strcmp(format, "csv") == 0
			  : strcasestr(path, ".csv") || strcasestr(path, ".tsv");
	if (!im->partner)
		return cli_misuse("import %s wants --partner and the id of a partner of %s", what,
		    im->cli->config.destinations_path);
	if (format && !csv && strcmp(format, "ndjson") != 0)
		return cli_misuse("import %s knows --format csv and ndjson", what);
	if (csv)
		convert_csv(&im->lines.convert, strcmp(what, "attributes") == 0);
	im->form = csv ? "csv" : "ndjson";
	return EXIT_FINE;
}

static int understand_log(
    struct importer *im, const char *format, const char *notation, const char *host)
{
	char name[HOST_MOST];
	struct access *a = &im->lines.access;
	im->lines.log = true;
	if (!default_host(&im->cli->config, host, name))
		return cli_misuse("--host: '%s' is no host such as shop.example",
		    host ? host : im->cli->config.sites);
	if (access_init(a, &im->cli->config, name) != OK)
		return cli_misuse("%s", err_text());
	if (notation && access_set_notation(a, notation) != OK)
		return cli_misuse("%s", err_text());
	if (!notation && format && !access_set_form(a, format))
		return cli_misuse("import knows --format auto, ndjson, combined, w3c, alb, haproxy "
				  "and json, and --log-format");
	im->form = access_form_name(a->form);
	return EXIT_FINE;
}

static bool is_event(struct str line)
{
	json_error_t error;
	json_t *j = json_loadb(line.p, line.n, 0, &error);
	bool fits = json_object_get(j, "id") || json_object_get(j, "cookie");
	json_decref(j);
	return fits;
}

/* Looks at the first lines: events, or an access log of some form. */
static int guess(struct importer *im, const char *host)
{
	struct str all, line = STR("");
	im->guessed = true;
	if (!fill_to(im, SLICE))
		return cli_fail("%s", err_text());
	all = im->slice.n ? buf_view(&im->slice) : STR("");
	int rc = understand_log(im, NULL, NULL, host);
	bool found = !rc && access_detect(&im->lines.access, all);
	im->form = access_form_name(im->lines.access.form);
	while (!rc && !found && all.n && !str_trim(line).n)
		(void)str_cut(&all, '\n', &line);
	if (rc || found)
		return rc;
	im->lines.log = false;
	im->form = "ndjson";
	return is_event(str_trim(str_unmarked(line))) || !im->slice.n
		   ? EXIT_FINE
		   : cli_fail(
			 "nothing was taken: the first lines are neither events nor a log that is "
			 "known (as 'combined': %s); --format or --log-format tells what they are",
			 im->lines.access.why);
}

static int take_file(struct importer *im, const char *what, const char *format,
    const char *notation, const char *consent, const char *host)
{
	bool automatic = !what && !notation && (!format || strcmp(format, "auto") == 0);
	int rc = automatic ? guess(im, host) : EXIT_FINE;
	if (rc)
		return rc;
	if (im->lines.log && (!consent || strcmp(consent, "asserted") != 0))
		return cli_misuse("an access log says nothing of consent: import it only where you "
				  "may, and say --consent asserted");
	/* an access log is the same one, whatever it is called */
	begin_sum(im, what, im->lines.log ? "combined" : automatic ? "ndjson" : format);
	uint64_t from = clock_mono_us();
	rc = client_available(im->cli) ? import_by_server(im) : import_alone(im);
	cli_progress_end();
	refuse(im, "malformed", im->lines.malformed);
	refuse(im, "too_long", im->too_long);
	if (rc)
		return rc;
	print_import(im, (double)(clock_mono_us() - from) / 1e6);
	return nothing_taken(im);
}

static int import(struct cli *c, int argc, char **argv)
{
	static struct importer im;
	const char *format = cli_option(argc, argv, "--format"),
		   *notation = cli_option(argc, argv, "--log-format"),
		   *consent = cli_option(argc, argv, "--consent"),
		   *host = cli_option(argc, argv, "--host");
	im.partner = cli_option(argc, argv, "--partner");
	const char *what = cli_word(argc, argv), *path = what;
	im.again = cli_flag(argc, argv, "--again");
	im.dry = cli_flag(argc, argv, "--dry-run");
	bool declared = what && (strcmp(what, "segments") == 0 || strcmp(what, "attributes") == 0);
	if (declared)
		path = cli_word(argc, argv);
	if (!path || !cli_all_used(argc, argv))
		return cli_misuse("import wants a FILE");
	if (format && notation && strcmp(format, "auto") != 0)
		return cli_misuse("--log-format goes without --format");
	if (im.partner && !declared)
		return cli_misuse("--partner goes with import segments and import attributes");
	im.cli = c;
	im.form = "ndjson";
	int rc =
	    declared ? understand_declared(&im, what, format, path)
	    : notation || (format && strcmp(format, "ndjson") != 0 && strcmp(format, "auto") != 0)
		? understand_log(&im, format, notation, host)
		: EXIT_FINE;
	if (!rc && im.lines.log && (!consent || strcmp(consent, "asserted") != 0))
		rc = cli_misuse("an access log says nothing of consent: import it only where you "
				"may, and say --consent asserted");
	if (!rc && input_open(path, &im.input) != OK)
		rc = cli_fail("%s", err_text());
	im.refused = json_object();
	if (!rc)
		rc = take_file(&im, declared ? what : NULL, format, notation, consent, host);
	input_close(im.input);
	json_decref(im.refused);
	lines_done(&im.lines);
	buf_done(&im.slice);
	return rc;
}

const struct command commands_import[] = {
    {.name = "import",
	.args = "FILE [--format auto|ndjson|combined|w3c|alb|haproxy|json | --log-format NOTATION] "
		"[--consent asserted] [--host NAME] | segments|attributes FILE --partner P "
		"[--format csv|ndjson]; [--again] [--dry-run] [--json]",
	.summary = "take in events, access logs, or what partners say of visitors",
	.help = "  FILE may be '-', and may be compressed with gzip or zstd. Works beside a "
		"running server and without one; returns when all is folded. A line may have\n"
		"  8 MB. Exit status 1 when nothing of it was taken. Without --format the first "
		"lines say what it is, and the answer says what it was taken for. Of what\n"
		"  was refused all is counted, and the first ten lines are named with their "
		"numbers and reasons.\n\n"
		"  What was imported counts once: a file is known again by its content, also "
		"compressed, renamed, or grown, and only what is new of it is\n"
		"  taken; so an import that was cut off is simply run again. --again counts all of "
		"it anew. It is remembered for as long as events are; what\n"
		"  a partner says is news each day. A last line without its end is left out of a "
		"log and, if it is not whole, of NDJSON. --dry-run takes\n"
		"  nothing and says what would be taken.\n\n"
		"  --format ndjson: one event a line, {\"id\":\"any visitor id\" or "
		"\"cookie\":\"…\",\"t\":unix seconds or RFC 3339,\"e\":…,\"u\":…,…}; the\n"
		"  other keys are those of the pixel (docs/PROTOCOL.md), but the page's title is "
		"\"title\", and \"ip\" and \"ua\" may say where from and with\n"
		"  what. Ids are hashed with a key of the store before anything is written. Events "
		"older than the retention, or more than five minutes\n"
		"  ahead, are refused and counted; so are ids that many have who have none "
		"(undefined, null, a UUID of zeros).\n\n"
		"  Access logs: combined (httpd, nginx, Traefik; with a virtual host or the head "
		"of a syslog line before it), w3c (#Fields: IIS, CloudFront), alb (load\n"
		"  balancers of AWS), haproxy (httplog), json (Caddy, Traefik, nginx escape=json "
		"and others, by the usual names of fields), or --log-format and the\n"
		"  notation of nginx's log_format or httpd's LogFormat. What containers put around "
		"lines is taken off. A visitor is a hash of address and agent under a key that "
		"ends with this command, labelled\n"
		"  'log', which no destination may get unless etc/destinations.yaml says so. What "
		"is no address is no visitor: such a line is malformed. Of a list of\n"
		"  addresses the last one counts that trusted_proxies does not name and, where the "
		"list stands for the address, that is of no private network. Static\n"
		"  files, other methods than GET, errors, redirects and what is no request are "
		"skipped; known crawlers are set aside. The host is what the line\n"
		"  says, else --host, else the first of sites. A log knows nothing of consent: "
		"--consent asserted says that you do.\n\n"
		"  segments, attributes: CSV with a header (id,segment[,expires][,action], or id "
		"and one column an attribute) or NDJSON, by the partner's\n"
		"  ids, which GET /sync has matched with visitors. Taken is what the rules declare "
		"under attributes: with that partner as its source.",
	.run = import},
    {0},
};

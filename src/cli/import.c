/* import: events from files, access logs, and what partners say of visitors.
 *
 * The command understands what the file is (events, a log of some form, a partner's CSV), by its
 * options or by its first lines, gives it to import_by_server() or import_alone(), and says what
 * was taken. An access log knows nothing of consent: whoever imports it says that there is consent,
 * or nothing is read. */
#include "importer.h"

#include "crumb/base/clock.h"
#include "crumb/base/host.h"

#include <stdio.h>

/* --- what was taken */

/* Lines of the file. What an importer read of a log are only the lines that became events. */
static uint64_t lines_read(const struct importer *im)
{
	return (lines_change(&im->lines) ? im->lines.read : im->read) + im->too_long;
}

static void print_json(const struct importer *im, double seconds)
{
	const uint64_t *kinds = im->lines.kinds;
	bool log = im->lines.log;
	json_t *j = json_pack("{s:I,s:I,s:O,s:f}", "read", (json_int_t)lines_read(im), "accepted",
	    (json_int_t)im->accepted, "refused", im->refused, "seconds", seconds);
	json_object_set_new(j, "already", json_integer((json_int_t)im->already));
	if (im->unfinished)
		json_object_set_new(j, "unfinished", json_integer((json_int_t)im->unfinished));
	if (im->dry)
		json_object_set_new(j, "dry_run", json_true());
	if (im->aside || log)
		json_object_set_new(j, "set_aside", json_integer((json_int_t)im->aside));
	if (log)
		json_object_set_new(j, "skipped",
		    json_pack("{s:I,s:I,s:I,s:I}", "static_files", (json_int_t)kinds[ACCESS_STATIC],
			"method", (json_int_t)kinds[ACCESS_METHOD], "status",
			(json_int_t)kinds[ACCESS_STATUS], "request",
			(json_int_t)kinds[ACCESS_REQUEST]));
	if (im->lines.shown_n)
		json_object_set_new(j, "refused_lines", lines_json(&im->lines));
	json_object_set_new(j, "format", json_string(im->form));
	cli_print_json(j);
}

static void print_import(const struct importer *im, double seconds)
{
	const uint64_t *kinds = im->lines.kinds;
	const char *why;
	json_t *n;
	uint64_t read = lines_read(im);
	double rate = seconds > 0 ? (double)read / seconds : 0;
	printf("%llu read, %llu accepted in %.1f s (%.0f a second)\n", (unsigned long long)read,
	    (unsigned long long)im->accepted, seconds, rate);
	if (im->guessed)
		printf("format: %s\n", im->form);
	if (im->dry)
		puts("this was --dry-run: nothing was taken in");
	if (im->already)
		printf("%llu %s imported before (--again counts %s again)\n",
		    (unsigned long long)im->already,
		    cli_plural(im->already, "line was", "lines were"),
		    cli_plural(im->already, "it", "them"));
	if (im->unfinished)
		puts("the last line has no end yet and was left out; it counts when it is whole "
		     "and the file is imported again");
	if (im->aside)
		printf("%llu set aside: crawlers and the like; 'crumb quarantine' lists them\n",
		    (unsigned long long)im->aside);
	if (im->lines.log)
		printf("skipped: static files %llu, other methods than GET %llu, errors and "
		       "redirects %llu, no request %llu\n",
		    (unsigned long long)kinds[ACCESS_STATIC],
		    (unsigned long long)kinds[ACCESS_METHOD],
		    (unsigned long long)kinds[ACCESS_STATUS],
		    (unsigned long long)kinds[ACCESS_REQUEST]);
	json_object_foreach(im->refused, why, n)
	{
		const char *words = lines_reason(why);
		printf("%lld refused: %s", (long long)json_integer_value(n), why);
		if (words)
			printf(", %s", words);
		putchar('\n');
	}
	lines_print(&im->lines);
}

/* The reason that refused most lines, and how many. */
static json_int_t most_refused(const struct importer *im, const char **why)
{
	const char *reason;
	json_t *count;
	json_int_t n = 0;
	json_object_foreach(im->refused, reason, count)
	{
		if (json_integer_value(count) <= n)
			continue;
		n = json_integer_value(count);
		*why = reason;
	}
	return n;
}

/* Nothing was taken: that is no success, and one sentence says why. A file that was imported
 * before, or has only an unfinished line, is no failure. */
static int nothing_taken(const struct importer *im)
{
	const struct lines *l = &im->lines;
	const char *most = "";
	json_int_t n = most_refused(im, &most);
	uint64_t read = lines_read(im),
		 skipped = l->kinds[ACCESS_STATIC] + l->kinds[ACCESS_METHOD] +
			   l->kinds[ACCESS_STATUS] + l->kinds[ACCESS_REQUEST];
	if (im->accepted || im->aside || ((im->already || im->unfinished) && !n))
		return EXIT_FINE;
	if (!read)
		return cli_fail("nothing was taken: there are no lines in it");
	if (!n && skipped)
		return cli_fail("nothing was taken: all lines are static files, other methods than "
				"GET, errors or redirects");
	if (!n)
		return cli_fail("nothing was taken: no line says anything");
	const char *first = NULL;
	if (l->shown_n && strcmp(l->shown[0].reason, most) == 0)
		first = l->shown[0].why;
	if (first)
		return cli_fail("nothing was taken: of %llu lines %lld were refused as '%s' (%s); "
				"'crumb help import' says what a line looks like",
		    (unsigned long long)read, (long long)n, most, first);
	return cli_fail("nothing was taken: of %llu lines %lld were refused as '%s'; 'crumb help "
			"import' says what a line looks like",
	    (unsigned long long)read, (long long)n, most);
}

/* --- what the file is */

/* The host of lines that name none: that of --host, the first of sites, or one that is nobody's.
 * False: it is no host. */
static bool default_host(const struct config *c, const char *said, char out[HOST_MOST])
{
	struct str rest = str_c(c->sites), first = STR("");
	if (!said && *c->sites)
		(void)str_cut(&rest, ',', &first);
	struct str host = STR("log.invalid");
	if (said)
		host = host_around(str_c(said)).host;
	else if (first.n)
		host = host_around(str_trim(first)).host;
	size_t n = host_read(host, out);
	out[n] = 0;
	return n > 0;
}

/* --- before the file is open; an exit status, EXIT_FINE: understood */

static int understand_declared(
    struct importer *im, const char *what, const char *format, const char *path)
{
	bool csv = strcasestr(path, ".csv") || strcasestr(path, ".tsv");
	if (format)
		csv = strcmp(format, "csv") == 0;
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

/* The form may stay open: then access_detect() finds it in the lines. */
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

/* Does the line say who it is of, as an event must? */
static bool is_event(struct str line)
{
	json_error_t error;
	json_t *j = json_loadb(line.p, line.n, 0, &error);
	bool fits = json_object_get(j, "id") || json_object_get(j, "cookie");
	json_decref(j);
	return fits;
}

/* Looks at the first lines: are they events, or an access log of some form? */
static int guess(struct importer *im, const char *host)
{
	struct str all, line = STR("");
	im->guessed = true;
	if (!pieces_fill(im, PIECE_BYTES))
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
	if (is_event(str_trim(str_unmarked(line))) || !im->slice.n)
		return EXIT_FINE;
	return cli_fail("nothing was taken: the first lines are neither events nor a log that is "
			"known (as 'combined': %s); --format or --log-format tells what they are",
	    im->lines.access.why);
}

static bool consent_asserted(const struct importer *im, const char *consent)
{
	return !im->lines.log || (consent && strcmp(consent, "asserted") == 0);
}

static int fail_consent(void)
{
	return cli_misuse("an access log says nothing of consent: import it only where you may, "
			  "and say --consent asserted");
}

/* --- the command */

/* The file is open. Names of pieces say what the lines are, not how they were found to be so: a log
 * is the same log under every --format. */
static int take_file(struct importer *im, const char *what, const char *format,
    const char *notation, const char *consent, const char *host)
{
	bool automatic = !what && !notation && (!format || strcmp(format, "auto") == 0);
	int rc = automatic ? guess(im, host) : EXIT_FINE;
	if (rc)
		return rc;
	if (!consent_asserted(im, consent))
		return fail_consent();
	if (im->lines.log)
		format = "combined";
	else if (automatic)
		format = "ndjson";
	pieces_begin(im, what, format);
	uint64_t from = clock_mono_us();
	rc = client_available(im->cli) ? import_by_server(im) : import_alone(im);
	cli_progress_end();
	import_refused(im, "malformed", im->lines.malformed);
	import_refused(im, "too_long", im->too_long);
	if (rc)
		return rc;
	double seconds = (double)(clock_mono_us() - from) / 1e6;
	if (im->cli->json)
		print_json(im, seconds);
	else
		print_import(im, seconds);
	return nothing_taken(im);
}

/* Arguments, then the file. The first word is a FILE, or says what kind of file it is. */
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
	int rc = EXIT_FINE;
	if (declared)
		rc = understand_declared(&im, what, format, path);
	else if (notation ||
		 (format && strcmp(format, "ndjson") != 0 && strcmp(format, "auto") != 0))
		rc = understand_log(&im, format, notation, host);
	if (!rc && !consent_asserted(&im, consent))
		rc = fail_consent();
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
	.help = "FILE may be '-', and may be compressed with gzip or zstd. A line may have 8 MB. "
		"The command works beside a running server and without one, and returns when all "
		"is folded. Exit status 1: nothing was taken. Without --format the first lines "
		"tell what FILE is, and the answer says what it was taken for. Lines that are "
		"refused are counted by reason, and the first ten are named with their numbers.\n\n"
		"A file counts once. It is known again by its content, even compressed, renamed "
		"or grown, and only its new lines are taken. So an import that was cut off is "
		"simply run again. --again counts all of the file again. A file is remembered as "
		"long as its events are kept; what a partner says is new each day. A last line "
		"without its end is left out of a log, and out of NDJSON when it is not whole. "
		"--dry-run takes nothing and says what would be taken.\n\n"
		"--format ndjson: one event a line, {\"id\":\"any visitor id\" or "
		"\"cookie\":\"…\",\"t\":unix seconds or RFC 3339,\"e\":…,\"u\":…,…}. The other "
		"keys are those of the pixel (docs/PROTOCOL.md), but the title of the page is "
		"\"title\", and \"ip\" and \"ua\" may say address and agent. Ids are hashed with "
		"a key of the store before anything is written. Refused are events older than "
		"the retention, events more than five minutes ahead, and ids that mean nobody "
		"(undefined, null, a UUID of zeros).\n\n"
		"Access logs: combined (httpd, nginx, Traefik; a virtual host or the head of a "
		"syslog line may stand before it), w3c (#Fields: of IIS and CloudFront), alb "
		"(load balancers of AWS), haproxy (httplog), json (Caddy, Traefik, nginx with "
		"escape=json and others, by the usual names of fields), or --log-format with the "
		"notation of nginx's log_format or httpd's LogFormat. What containers put around "
		"lines is taken off.\n\n"
		"A visitor of a log is a hash of address and agent, under a key that ends with "
		"this command. Such visitors have the label 'log', and a destination gets them "
		"only if etc/destinations.yaml says so. A line without an address is malformed. "
		"In a list of addresses the last one counts that trusted_proxies does not name; "
		"where the list stands for the address, it must not be of a private network. "
		"Static files, other methods than GET, errors, redirects and lines that are no "
		"request are skipped. Known crawlers are set aside. The host is that of the "
		"line, else --host, else the first of sites. A log knows nothing of consent: "
		"with --consent asserted you say that you have it.\n\n"
		"segments, attributes: CSV with a header (id,segment[,expires][,action], or id "
		"and a column for each attribute) or NDJSON, by the partner's ids, which GET "
		"/sync has matched with visitors. Taken are the attributes that the rules "
		"declare with this partner as their source.",
	.run = import},
    {0},
};

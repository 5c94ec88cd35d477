/* rules test: marketers' own examples (check/example.h). Each says what a visitor did and in which
 * segments the visitor should be. The files are read as a bundle, so FILE may be a folder; a file
 * with mistakes is told, and the others are run. */
#include "crumb/check/example.h"
#include "crumb/load/load.h"

#include "crumb/base/clock.h"
#include "crumb/base/mp.h"
#include "crumb/cli/cli.h"
#include "crumb/ingest/deploy.h"
#include "findings.h"

#include <jansson.h>
#include <stdio.h>

struct running {
	bool json;
	unsigned passed, failed;
	json_t *list;
};

static json_t *names(const struct str *list, unsigned n)
{
	json_t *out = json_array();
	for (unsigned i = 0; i < n; i++)
		json_array_append_new(out, json_stringn(list[i].p, list[i].n));
	return out;
}

/* One example was run: counts it, and prints it or keeps it for the JSON. */
static void each(void *arg, const struct example_result *x)
{
	struct running *r = arg;
	r->passed += x->passed;
	r->failed += !x->passed;
	if (r->json) {
		json_array_append_new(
		    r->list, json_pack("{s:s,s:s,s:I,s:b,s:o,s:o}", "name", x->name, "file",
				 x->at.file, "line", (json_int_t)x->at.line, "passed", x->passed,
				 "missing", names(x->missing, x->missing_n), "unwanted",
				 names(x->unwanted, x->unwanted_n)));
		return;
	}
	printf("%s  %s\n", x->passed ? "ok    " : "FAILED", x->name);
	for (unsigned i = 0; i < x->missing_n; i++)
		printf("        %s:%zu: should be in " STR_FMT ", and is not\n", x->at.file,
		    x->at.line, STR_ARG(x->missing[i]));
	for (unsigned i = 0; i < x->unwanted_n; i++)
		printf("        %s:%zu: should not be in " STR_FMT ", and is\n", x->at.file,
		    x->at.line, STR_ARG(x->unwanted[i]));
}

static int test(struct cli *c, int argc, char **argv)
{
	const char *path = cli_word(argc, argv);
	struct buf bundle = {0}, out = {0};
	struct report report = {0};
	struct rules *r = NULL;
	if (!path || !cli_all_used(argc, argv))
		return cli_misuse("rules test wants a FILE of examples");
	if (deploy_rules(&c->config, c->config.rules_path, NULL, &r) != OK)
		return cli_fail("the rules do not load: %s", err_text());
	struct running run = {.json = c->json, .list = json_array()};
	struct mp m;
	enum err e = rules_read(path, NULL, &bundle);
	if (!e) {
		m = mp_over(buf_view(&bundle));
		for (uint32_t n = mp_array(&m); n >= 2 && (!e || e == ERR_SYNTAX); n -= 2) {
			struct str file = mp_str(&m), text = mp_str(&m);
			enum err one = examples_run(r, file, text, day_of(clock_now()),
			    (unsigned)c->config.retention_days, &report, each, &run);
			e = e ? e : one;
		}
	}
	if (e == ERR_SYNTAX) {
		for (size_t i = 0; i < report.n; i++)
			report_print(&report.list[i],
			    rules_file(buf_view(&bundle), str_c(report.list[i].file)), &out);
		if (!c->json && out.n)
			fwrite(out.p, 1, out.n, stderr);
	} else if (e) {
		cli_fail("%s", err_text());
	}
	if (c->json)
		cli_print_json(json_pack("{s:i,s:i,s:O,s:o}", "passed", (int)run.passed, "failed",
		    (int)run.failed, "tests", run.list, "problems", findings_json(&report)));
	else if (!e)
		printf("%u passed, %u failed\n", run.passed, run.failed);
	json_decref(run.list);
	report_done(&report);
	buf_done(&out);
	buf_done(&bundle);
	rules_unref(r);
	return e || run.failed ? EXIT_WRONG : EXIT_FINE;
}

const struct command commands_examples[] = {
    {.name = "rules test",
	.args = "FILE [--json]",
	.summary = "run marketers' own examples",
	.help = "Each example of FILE (or of every file of a folder) says what a visitor did, "
		"and in which segments the visitor should be; docs/RULES.md shows the form. The "
		"rules are those of rules.path. No server and no store is needed. Exit status 1: "
		"an example fails.",
	.run = test},
    {0},
};

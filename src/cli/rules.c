/* Commands about rules: rules check, rules status.
 *
 * `rules check` reads files as a server would and needs neither store nor server. `rules status`
 * asks the server, or the store where no server runs, and then reads the files that the server
 * reads: when they differ from the rules that serve, the state is not complete, whatever the server
 * thinks. */
#include "crumb/cli/cli.h"
#include "crumb/load/load.h"
#include "crumb/base/clock.h"
#include "crumb/answers/answers.h"
#include "crumb/delivery/lists.h"
#include "crumb/ingest/deploy.h"
#include "findings.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* The text of the file that a finding is about. The bundle is read at the first finding. */
static struct str finding_text(const char *path, const struct finding *f, struct buf *bundle)
{
	if (bundle->n == 0 && rules_read(path, NULL, bundle) != OK)
		return STR("");
	return rules_file(buf_view(bundle), str_c(f->file));
}

void rules_print_findings(const char *path, const struct report *r)
{
	struct buf bundle = {0}, out = {0};
	for (size_t i = 0; i < r->n; i++)
		report_print(&r->list[i], finding_text(path, &r->list[i], &bundle), &out);
	if (out.n)
		fwrite(out.p, 1, out.n, stderr);
	buf_done(&out);
	buf_done(&bundle);
}

static int rules_checked(struct cli *c, int argc, char **argv)
{
	bool strict = cli_flag(argc, argv, "--strict");
	const char *folder = cli_word(argc, argv), *path = folder ? folder : c->config.rules_path;
	struct report report = {0};
	struct rules *r = NULL;
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	enum err e = deploy_rules(&c->config, path, &report, &r);
	if (e && e != ERR_SYNTAX) {
		report_done(&report);
		return cli_fail("%s", err_text());
	}
	size_t warnings = report.n > report.errors ? report.n - report.errors : 0;
	if (c->json)
		cli_print_json(findings_json(&report));
	else
		rules_print_findings(path, &report);
	if (!c->json && e)
		fprintf(stderr, "%zu %s: these rules are refused\n", report.errors,
		    cli_plural(report.errors, "mistake", "mistakes"));
	if (!c->json && !e && r->categories_n <= 1 && r->segments_n == 0)
		printf("%s defines no category and no segment\n", path);
	else if (!c->json && !e)
		printf("%zu %s and %zu %s, no mistakes%s\n", r->categories_n - 1,
		    cli_plural(r->categories_n - 1, "category", "categories"), r->segments_n,
		    cli_plural(r->segments_n, "segment", "segments"),
		    warnings ? ", but warnings" : "");
	rules_unref(r);
	report_done(&report);
	return e || (strict && warnings) ? EXIT_WRONG : EXIT_FINE;
}

/* The state by the server, or by the store where no server runs. The store does not know since when
 * its views serve. */
static json_t *status_of(struct cli *c)
{
	struct reply r;
	json_t *partial;
	if (client_available(c))
		return client_json(c, "/v1/rules/status", NULL, &r);
	if (!cli_open(c))
		return NULL;
	if (list_partial(c->generation, clock_now(), &partial) != OK) {
		cli_fail("%s", err_text());
		return NULL;
	}
	bool building = store_building(c->store) != 0;
	return json_pack("{s:s,s:i,s:b,s:i,s:o,s:o}", "hash", c->generation->rules->hash_text,
	    "serving_since", 0, "complete", !building, "generation", (int)c->generation->number,
	    "partial", partial, "backfill", json_null());
}

static void print_status(const json_t *j)
{
	const json_t *backfill = json_object_get(j, "backfill"),
		     *refused = json_object_get(j, "refused");
	size_t i;
	json_t *row;
	printf("serving %s, generation %lld\n", json_string_value(json_object_get(j, "hash")),
	    (long long)json_integer_value(json_object_get(j, "generation")));
	if (json_is_object(backfill))
		printf("recomputing the history for %s from the %s: %.0f %%\n",
		    json_string_value(json_object_get(backfill, "hash")),
		    json_string_value(json_object_get(backfill, "from")),
		    100 * json_number_value(json_object_get(backfill, "done")));
	else if (!json_is_true(json_object_get(j, "complete")) && json_is_null(refused))
		puts("the files differ from what serves: 'crumb rules deploy' shows what they "
		     "change, and has the server take them");
	if (json_is_string(json_object_get(j, "trouble")))
		printf("it cannot be recomputed now, and is tried again: %s\n",
		    json_string_value(json_object_get(j, "trouble")));
	if (json_is_string(refused))
		printf("the files do not load: %s\n", json_string_value(refused));
	json_array_foreach(json_object_get(j, "partial"), i, row) printf(
	    "%s %s has history only from %s: %s\n", json_string_value(json_object_get(row, "what")),
	    json_string_value(json_object_get(row, "id")),
	    json_string_value(json_object_get(row, "from")),
	    json_string_value(json_object_get(row, "why")));
}

static int status(struct cli *c, int argc, char **argv)
{
	struct rules *here;
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	json_t *j = status_of(c);
	if (!j)
		return EXIT_WRONG;
	/* Files that differ from the rules that serve do not serve yet. Files that do not load
	 * never will. The path is the server's, since ours may be another. */
	json_t *refused = json_null();
	const char *path = json_string_value(json_object_get(j, "path"));
	if (deploy_rules(&c->config, path ? path : c->config.rules_path, NULL, &here) == OK) {
		if (strcmp(here->hash_text, json_string_value(json_object_get(j, "hash"))) != 0)
			json_object_set_new(j, "complete", json_false());
		rules_unref(here);
	} else {
		refused = json_string(err_text());
	}
	json_object_set_new(j, "refused", refused);
	if (c->json) {
		cli_print_json(j);
	} else {
		print_status(j);
		json_decref(j);
	}
	return EXIT_FINE;
}

const struct command commands_rules[] = {
    {.name = "rules check",
	.args = "[PATH] [--strict] [--json]",
	.summary = "read the rules and name every mistake",
	.help = "Loads the rules folder (rules.path, or PATH: a folder or a file) as a server "
		"would. For every mistake it prints the place (file:line:column), the line with "
		"a caret, and what may have been meant. Rules with mistakes are refused: exit "
		"status 1. Warnings are not mistakes, unless --strict is given.\n\n"
		"With --json: "
		"[{\"file\",\"line\",\"column\",\"severity\",\"code\",\"message\",\"hint\"}]. "
		"docs/RULES.md lists the codes.",
	.run = rules_checked},
    {.name = "rules status",
	.args = "[--json]",
	.summary = "which rules serve, and what is being recomputed",
	.help = "Says which rules serve, whether the history of newer rules is being recomputed "
		"and how far it is, and what has less history than the store.\n\n"
		"{\"hash\",\"serving_since\",\"generation\",\"complete\",\"backfill\":{\"hash\","
		"\"done\",\"from\"} or "
		"null,\"partial\":[{\"what\",\"id\",\"from\",\"why\"}],\"newest\",\"path\","
		"\"trouble\",\"refused\"}. 'complete' is true when the rules that serve are "
		"those of the folder, with their whole history. 'partial' lists what has history "
		"only from a day on, and why. 'refused' says why the files do not load; null: "
		"they load. A server adds 'newest', the hash of the rules that it read last; "
		"'path', which folder or file it reads; and 'trouble', why the history cannot be "
		"recomputed now.",
	.run = status},
    {0},
};

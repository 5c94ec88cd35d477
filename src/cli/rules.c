/* Commands about rules: rules check, rules status. */
#include "crumb/cli/cli.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static enum err load(const char *folder, struct rules **out)
{
	struct buf bundle = {0};
	enum err e = rules_read(folder, &bundle);
	if (!e)
		e = rules_load(buf_view(&bundle), out);
	buf_done(&bundle);
	return e;
}

/* "file:line:column: words" as an object. */
static json_t *mistake(const char *text)
{
	char file[256] = "";
	int line = 0, column = 0, at = 0;
	if (sscanf(text, "%255[^:]:%d:%d: %n", file, &line, &column, &at) != 3)
		at = 0;
	return json_pack("{s:s,s:i,s:i,s:s,s:s,s:s,s:s}", "file", at ? file : "", "line", at ? line : 0, "column", at ? column : 0, "severity",
	    "error", "code", "syntax", "message", text + at, "hint", "");
}

static int check(struct cli *c, int argc, char **argv)
{
	const char *folder = cli_word(argc, argv);
	struct rules *r;
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	enum err e = load(folder ? folder : c->config.rules_path, &r);
	if (c->json)
		cli_print_json(e ? json_pack("[o]", mistake(err_text())) : json_array());
	if (e)
		return c->json ? EXIT_WRONG : cli_fail("%s", err_text());
	if (!c->json)
		printf("%zu categories and %zu segments, no mistakes\n", r->categories_n - 1, r->segments_n);
	rules_unref(r);
	return EXIT_FINE;
}

static int status(struct cli *c, int argc, char **argv)
{
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	json_int_t since = 0;
	bool complete = true;
	char hash[RULES_HASH_TEXT];
	struct rules *here;
	if (client_available(c)) {
		struct reply r;
		json_error_t error;
		if (!client_get(c, "/v1/rules/status", &r))
			return EXIT_WRONG;
		json_t *root = json_loadb(r.body.p, r.body.n, 0, &error);
		const char *served = json_string_value(json_object_get(root, "hash"));
		snprintf(hash, sizeof hash, "%s", served ? served : "");
		since = json_integer_value(json_object_get(root, "serving_since"));
		complete = json_is_true(json_object_get(root, "complete"));
		json_decref(root);
		buf_done(&r.body);
	} else {
		if (!cli_open(c, false))
			return EXIT_WRONG;
		snprintf(hash, sizeof hash, "%s", c->generation->rules->hash_text);
	}
	/* files that differ from what is served are not served yet; a file that does not load never will be */
	json_t *refused = json_null();
	if (load(c->config.rules_path, &here) == OK) {
		complete = complete && strcmp(here->hash_text, hash) == 0;
		rules_unref(here);
	} else {
		refused = json_string(err_text());
	}
	if (c->json) {
		cli_print_json(json_pack("{s:s,s:I,s:b,s:o}", "hash", hash, "serving_since", since, "complete", complete, "refused", refused));
		return EXIT_FINE;
	}
	printf("serving %s, %s\n", hash, complete ? "complete" : "the files differ: they are on their way, or wait for SIGHUP");
	if (json_is_string(refused))
		printf("the files do not load: %s\n", json_string_value(refused));
	json_decref(refused);
	return EXIT_FINE;
}

const struct command commands_rules[] = {
    {"rules check", "[FOLDER] [--json]", "read the rules and name the first mistake",
	"  Loads the rules folder (rules.path, or FOLDER) as a server would. A mistake is named with file:line:column; exit\n"
	"  status 1.",
	check},
    {"rules status", "[--json]", "which rules the views are made by",
	"  Shows the hash of the rules that the serving views were made by, and whether they are those of the folder:\n"
	"  {\"hash\",\"serving_since\",\"complete\",\"refused\"}. 'refused' says why the files of the folder do not load, if they do not.",
	status},
    {0},
};

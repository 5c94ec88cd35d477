/* token add, list, remove: who else may ask the admin listener. They read and write the store's
 * file admin.tokens (admin/tokens.h), whether a server runs or not; a server looks at the file with
 * each request. dashboard asks the server for a link that signs a browser in. */
#include "crumb/admin/tokens.h"
#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"

#include "table.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>

/* Only the token is printed, so that a script can take it. */
static int token_added(struct cli *c, int argc, char **argv)
{
	const char *word = cli_option(argc, argv, "--role"), *name = cli_word(argc, argv);
	enum route_role role;
	char text[TOKEN_TEXT];
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (!name || !word)
		return cli_misuse("token add wants a name, and --role viewer, marketer or "
				  "operator");
	if (!role_read(str_c(word), &role))
		return cli_misuse("'%s' is no role: viewer, marketer and operator are", word);
	enum err e = tokens_add(c->config.store_path, str_c(name), role, day_of(clock_now()), text);
	if (e)
		return cli_fail("%s", err_text());
	if (c->json)
		cli_print_json(json_pack(
		    "{s:s,s:s,s:s}", "name", name, "role", role_name(role), "token", text));
	else
		puts(text);
	sodium_memzero(text, sizeof text);
	return EXIT_FINE;
}

static int token_listed(struct cli *c, int argc, char **argv)
{
	struct tokens t = {0};
	struct table table;
	char day[DAY_TEXT];
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (tokens_read(c->config.store_path, &t) != OK)
		return cli_fail("%s", err_text());
	json_t *rows = json_array();
	table_begin(&table, (const char *const[]){"name", "role", "added", NULL});
	for (size_t i = 0; i < t.n; i++) {
		day_text(t.v[i].day, day);
		json_array_append_new(rows, json_pack("{s:s,s:s,s:s}", "name", t.v[i].name, "role",
						role_name(t.v[i].role), "added", day));
		table_text(&table, t.v[i].name);
		table_text(&table, role_name(t.v[i].role));
		table_text(&table, day);
	}
	if (c->json)
		cli_print_json(json_incref(rows));
	else if (t.n)
		table_print(&table);
	else
		puts("there is no token but admin.token");
	table_end(&table);
	json_decref(rows);
	tokens_done(&t);
	return EXIT_FINE;
}

/* The file is rewritten; a server that runs sees it with the next request, and asks nobody. */
static int token_removed(struct cli *c, int argc, char **argv)
{
	const char *name = cli_word(argc, argv);
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (!name)
		return cli_misuse("token remove wants a name");
	if (tokens_remove(c->config.store_path, str_c(name)) != OK)
		return cli_fail("%s", err_text());
	if (c->json)
		cli_print_json(json_pack("{s:s}", "removed", name));
	else
		printf("%s is removed; its sessions are over\n", name);
	return EXIT_FINE;
}

/* An answer without an address is a refusal, such as of a wrong token. */
static int dashboard(struct cli *c, int argc, char **argv)
{
	const char *token = cli_option(argc, argv, "--token");
	struct reply r;
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (!client_available(c))
		return cli_fail("no crumbd runs on %s", c->config.store_path);
	client_token(token);
	json_t *link = client_json(c, "/v1/login/link", &(struct str){"", 0}, &r);
	if (!link)
		return EXIT_WRONG;
	const char *url = json_string_value(json_object_get(link, "url")),
		   *why = json_string_value(json_object_get(link, "error"));
	int rc = EXIT_FINE;
	if (!url)
		rc = cli_fail("%s", why ? why : "the server gave no link");
	else if (c->json)
		cli_print_json(json_incref(link));
	else
		printf("%s\n", url);
	json_decref(link);
	return rc;
}

const struct command commands_token[] = {
    {.name = "token add",
	.args = "NAME --role viewer|marketer|operator [--json]",
	.summary = "make a token for one who may ask the admin listener",
	.help = "Prints the token, once: the store keeps a hash of it. A viewer sees numbers and "
		"reports. A marketer also asks questions, proposes and publishes rules, trains and "
		"delivers. An operator may do everything. The name is 1 to 63 letters, digits and "
		". _ @ -, and stands in the history beside what was done. A running server takes "
		"the token with the next request.\n\nIts owner pastes it into the dashboard, or "
		"sends it as Authorization: Bearer TOKEN.",
	.run = token_added},
    {.name = "token list",
	.args = "[--json]",
	.summary = "list the tokens beside admin.token",
	.help = "Name, role and the day on which it was made. Tokens themselves cannot be told.",
	.run = token_listed},
    {.name = "token remove",
	.args = "NAME [--json]",
	.summary = "take a token back",
	.help = "It opens nothing from the next request on, and sessions that began with it are "
		"over.",
	.run = token_removed},
    {.name = "dashboard",
	.args = "[--token TOKEN] [--json]",
	.summary = "print a link that opens the dashboard",
	.help = "The link signs a browser in, once, within ten minutes: as the operator, or as "
		"the owner of TOKEN. The environment's CRUMB_TOKEN is taken where --token did not "
		"come; a command line can be seen by others on the machine. The address is the one "
		"at which the server listens; behind a proxy, or through a tunnel, put your own "
		"in its place.",
	.run = dashboard},
    {0},
};

/* rules signals: what is seen often and no rule uses, and rules that hardly anybody matches
 * (answers/signals.h), as JSON or as a table. */
#include "crumb/answers/signals.h"
#include "crumb/base/clock.h"
#include "crumb/base/memory.h"
#include "crumb/cli/cli.h"
#include "table.h"

#include <jansson.h>
#include <stdio.h>

/* A heading and the names below it, or that there are none. */
static void print_idle(const json_t *list, const char *what, const char *did, uint32_t k)
{
	size_t i;
	json_t *row;
	printf("\n%s that nobody, or fewer than %u visitors, %s:%s\n", what, k, did,
	    json_array_size(list) ? "" : " none");
	json_array_foreach(list, i, row) printf("  %s\n", json_string_value(row));
}

/* Three lists, one below the other: what may be missing from the rules comes first, for it is what
 * a marketer can do something about; then what the rules have and nobody matches. Numbers are those
 * of the JSON, so that both say the same. */
static void print_signals(const json_t *root, uint32_t k)
{
	size_t i;
	json_t *row;
	static const char *const heads[] = {"> visitors", "> events", "what", "", NULL};
	const json_t *unused = json_object_get(root, "unused");
	struct table t;
	table_begin(&t, heads);
	json_array_foreach(unused, i, row)
	{
		table_cell(
		    &t, "%lld", (long long)json_integer_value(json_object_get(row, "visitors")));
		table_cell(
		    &t, "%lld", (long long)json_integer_value(json_object_get(row, "events")));
		table_text(&t, json_string_value(json_object_get(row, "kind")));
		table_text(&t, json_string_value(json_object_get(row, "value")));
	}
	printf("seen often, used by no rule:%s\n", json_array_size(unused) ? "" : " nothing");
	if (json_array_size(unused))
		table_print(&t);
	table_end(&t);
	print_idle(json_object_get(root, "idle_categories"), "categories",
	    "matched in the last 30 days", k);
	print_idle(json_object_get(root, "idle_segments"), "segments", "are in", k);
}

/* Reads the journal by itself, beside a server, too: what the gate remembers is in the store's
 * file, which both have. NULL: it was said why. */
static json_t *signals_alone(struct cli *c)
{
	json_t *root = NULL;
	if (!cli_open_journal(c))
		return NULL;
	struct signals_of of = {.store = c->store,
	    .g = c->generation,
	    .gate = &c->gate,
	    .now = clock_now(),
	    .progress = cli_progress};
	memory_begin();
	enum err e = answer_signals(&of, &root);
	cli_progress_end();
	if (e)
		cli_fail("%s", err_text());
	return root;
}

static int signals(struct cli *c, int argc, char **argv)
{
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	json_t *root = signals_alone(c);
	if (!root)
		return EXIT_WRONG;
	if (c->json) {
		cli_print_json(root);
	} else {
		print_signals(root, kgate_k(&c->gate));
		json_decref(root);
	}
	return EXIT_FINE;
}

const struct command commands_signals[] = {
    {.name = "rules signals",
	.args = "[--json]",
	.summary = "what no rule uses, and rules that nobody matches",
	.help = "Reads the journal of the last 30 days. Lists events, paths and attributes that "
		"at least privacy.k visitors sent and no rule looks at, most frequent first. "
		"Then it lists categories that fewer than privacy.k visitors matched in that "
		"time, and segments that are as small. Like every number about a group these are "
		"withheld below privacy.k and rounded to ten.",
	.run = signals},
    {0},
};

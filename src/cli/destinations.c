/* destinations list, destinations head: where audiences go, which segments name each destination,
 * and how its latest delivery went. It is made from three things: the file of destinations, the
 * rules that serve, and the deliveries that the store remembers. Built-in destinations (`page`,
 * `file`) are listed when a segment names them. The server tells the same (delivery/told.h). */
#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"
#include "crumb/delivery/head.h"
#include "crumb/delivery/told.h"
#include "table.h"

#include <jansson.h>
#include <stdio.h>

static void print_rows(const json_t *list)
{
	static const char *const heads[] = {"destination", "partner", "format", "goes to", "when",
	    "segments", "> match rate", "latest delivery", NULL};
	struct table t;
	size_t i;
	json_t *row;
	table_begin(&t, heads);
	json_array_foreach(list, i, row)
	{
		const json_t *last = json_object_get(row, "last");
		const char *ended = json_string_value(json_object_get(last, "ended")),
			   *state = json_string_value(json_object_get(last, "state"));
		table_text(&t, json_string_value(json_object_get(row, "id")));
		table_text(&t, json_string_value(json_object_get(row, "partner")));
		table_text(&t, json_string_value(json_object_get(row, "format")));
		table_text(&t, json_string_value(json_object_get(row, "to")));
		table_text(&t, json_string_value(json_object_get(row, "every")));
		table_words(&t, json_object_get(row, "segments"));
		table_share(&t, json_object_get(row, "match_rate"));
		if (state && ended)
			table_cell(&t, "%s %s", state, ended);
		else
			table_text(&t, state ? state : ended);
	}
	table_print(&t);
	table_end(&t);
}

/* Opens the store and loads the destinations: what both commands are about. False: it was said why
 * not; else destinations_unref(*all), to which `of` points. */
static bool open_wish(struct cli *c, struct destinations **all, struct plan_wish *of)
{
	if (!cli_open(c))
		return false;
	if (destinations_load(c->config.destinations_path, NULL, all) != OK) {
		cli_fail("%s", err_text());
		return false;
	}
	*of = (struct plan_wish){
	    .g = c->generation, .config = &c->config, .all = *all, .now = clock_now()};
	return true;
}

static int destinations(struct cli *c, int argc, char **argv)
{
	struct destinations *all;
	struct plan_wish of;
	json_t *list;
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (!open_wish(c, &all, &of))
		return EXIT_WRONG;
	if (destinations_told(&of, &c->gate, &list) != OK) {
		destinations_unref(all);
		return cli_fail("%s", err_text());
	}
	if (c->json)
		cli_print_json(json_incref(list));
	else if (json_array_size(list))
		print_rows(list);
	else if (all->found)
		printf("there are no destinations: %s names none\n", c->config.destinations_path);
	else
		printf("there are no destinations: %s is not there\n", c->config.destinations_path);
	json_decref(list);
	destinations_unref(all);
	return EXIT_FINE;
}

/* --- head */

static void print_head(const json_t *told)
{
	const char *state = json_string_value(json_object_get(told, "state")),
		   *file = json_string_value(json_object_get(told, "file"));
	const json_t *lines = json_object_get(told, "lines"), *line;
	size_t i;
	if (strcmp(state, "push") == 0)
		puts("files are sent to an address: none stays here");
	else if (strcmp(state, "asked") == 0)
		puts("nothing is sent there: whoever wants it asks");
	else if (strcmp(state, "none") == 0)
		puts("nothing was delivered yet");
	else if (strcmp(state, "gone") == 0)
		puts("the file of the latest delivery was taken away");
	else if (strcmp(state, "changed") == 0)
		puts("the file of the latest delivery is not what was delivered any more");
	else if (strcmp(state, "older") == 0)
		puts("the latest delivery is an earlier version's: the next one can be shown");
	else
		printf("%s, without ids; lines that fewer than %d are like are left out\n\n", file,
		    (int)json_integer_value(json_object_get(told, "below")));
	json_array_foreach(lines, i, line)
	{
		puts(json_string_value(line));
	}
	if (json_is_true(json_object_get(told, "more")))
		puts("...");
	if (lines && !json_array_size(lines))
		puts("no line has enough others like it");
	if (json_is_true(json_object_get(told, "part")))
		puts("(the file is large: its beginning was looked at)");
}

static int head_of(struct cli *c, const struct plan_wish *of, unsigned lines)
{
	json_t *told;
	if (head_told(of, &c->gate, lines, &told) != OK)
		return cli_fail("%s", err_text());
	if (c->json)
		cli_print_json(json_incref(told));
	else
		print_head(told);
	json_decref(told);
	return EXIT_FINE;
}

static int head(struct cli *c, int argc, char **argv)
{
	const char *n = cli_option(argc, argv, "--lines"), *to = cli_word(argc, argv);
	struct destinations *all;
	struct plan_wish of;
	uint64_t lines = HEAD_USUAL;
	if (!cli_all_used(argc, argv))
		return EXIT_MISUSE;
	if (!to || (n && (!str_u64(str_c(n), &lines) || lines < 1 || lines > HEAD_MOST)))
		return cli_misuse("destinations head DESTINATION [--lines N], N from 1 to 100");
	if (!open_wish(c, &all, &of))
		return EXIT_WRONG;
	int rc;
	if (destinations_find_named(all, str_c(to), &of.d) == OK)
		rc = head_of(c, &of, (unsigned)lines);
	else
		rc = cli_fail("%s", err_text());
	destinations_unref(all);
	return rc;
}

const struct command commands_destinations[] = {
    {.name = "destinations list",
	.args = "[--json]",
	.summary = "where audiences go, which segments, and how the latest delivery went",
	.help = "Lists the destinations of etc/destinations.yaml (destinations.path), and 'page' "
		"and 'file' where segments name them: the partner, the format, where audiences "
		"go and when, the segments of the serving rules that name the destination, and "
		"the match rate, which is the share of members of whom the partner's id is known, "
		"and the latest delivery. Of a URL only scheme and host are shown.\n\n"
		"With --json: "
		"[{\"id\",\"partner\",\"format\",\"deliver\",\"to\",\"every\",\"segments\","
		"\"last\":as deliveries,\"members\",\"with_id\",\"match_rate\":of 1}].",
	.run = destinations},
    {.name = "destinations head",
	.args = "DESTINATION [--lines N] [--json]",
	.summary = "how the file of the latest delivery begins, without ids",
	.help = "Prints how the first file of the latest delivery begins: each different line "
		"once, with dots for the id, up to N (20, at most 100). Compressed files are "
		"unpacked, binary formats are shown as text. A line that fewer than privacy.k "
		"lines are like is left out, so nobody can be found in it. A destination that "
		"files are pushed to, or that asks by itself, has no file here, and that is "
		"said; and so is that somebody has changed the file: only what was delivered is "
		"shown.\n\n"
		"With --json: {\"destination\",\"format\",\"state\":file, push, asked, none, "
		"gone, changed or older; of a file "
		"\"delivery\",\"file\",\"lines\",\"more\",\"part\",\"below\"}.",
	.run = head},
    {0},
};

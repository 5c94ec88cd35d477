/* rules explain: why a visitor is in a segment or not. It is told as JSON
 * (answers/explain_answer.h), and printed from the JSON, so that both say the same. The API
 * has it, too; it is a look-up, so that the command needs no server's memory of what was told, and
 * reads the views itself even where a server has them open. */
#include "crumb/answers/explain_answer.h"
#include "crumb/base/clock.h"
#include "crumb/cli/cli.h"

#include <jansson.h>
#include <stdio.h>

/* --- for people */

static void print_days(const json_t *days)
{
	size_t i;
	json_t *day;
	json_array_foreach(days, i, day)
	{
		printf("%s%s×%lld", i ? ", " : "", json_string_value(json_object_get(day, "day")),
		    (long long)json_integer_value(json_object_get(day, "count")));
		if (json_object_get(day, "value"))
			printf(" (%.15g)", json_number_value(json_object_get(day, "value")));
	}
}

/* "yes  coats >= 2 in 14d   is 3   on 2026-12-01×3   ends on 2026-12-15" */
static void print_node(const json_t *n, int depth)
{
	size_t i;
	json_t *part;
	const json_t *flips = json_object_get(n, "flips"), *count = json_object_get(n, "count"),
		     *days = json_object_get(n, "days"), *value = json_object_get(n, "value"),
		     *first = json_object_get(n, "first");
	bool holds = json_is_true(json_object_get(n, "true"));
	printf("%*s%s  %s", 2 * depth + 2, "", holds ? "yes" : "no ",
	    json_string_value(json_object_get(n, "text")));
	if (count)
		printf("   is %.15g", json_number_value(count));
	if (json_is_string(value))
		printf("   is %s", json_string_value(value));
	else if (value && !count)
		printf("   is not known");
	if (days && json_array_size(days)) {
		printf("   on ");
		print_days(days);
	}
	if (first) {
		printf("   on ");
		print_days(first);
		printf("; then on ");
		print_days(json_object_get(n, "then"));
	}
	if (json_is_string(flips))
		printf("   %s on %s", holds ? "ends" : "comes true", json_string_value(flips));
	putchar('\n');
	json_array_foreach(json_object_get(n, "parts"), i, part) print_node(part, depth + 1);
}

/* The verdict, the tree, and for a visitor who is not in it what would lead into it: as steps that
 * are enough, or as steps without which nothing helps. */
static void print_explanation(const json_t *j)
{
	const json_t *change = json_object_get(j, "change");
	size_t i;
	json_t *step;
	bool in = json_is_true(json_object_get(j, "in"));
	printf("%s %s\n", in ? "in" : "not in", json_string_value(json_object_get(j, "segment")));
	if (json_is_string(json_object_get(j, "until")))
		printf("  until %s, if nothing more is seen\n",
		    json_string_value(json_object_get(j, "until")));
	if (json_is_string(json_object_get(j, "state")) &&
	    strcmp(json_string_value(json_object_get(j, "state")), "active") != 0)
		printf("  the segment is %s\n", json_string_value(json_object_get(j, "state")));
	print_node(json_object_get(j, "tree"), 0);
	if (in)
		return;
	if (!json_is_true(json_object_get(change, "possible"))) {
		puts("  nothing that the visitor does, and no waiting, leads into it");
		return;
	}
	bool sure = json_is_true(json_object_get(change, "sure"));
	puts(sure ? "  would be in after:" : "  at least this would be needed:");
	json_array_foreach(json_object_get(change, "steps"), i, step)
	    printf("    %s\n", json_string_value(json_object_get(step, "words")));
}

/* The segment stands before or behind the option that names the visitor. */
static int explain(struct cli *c, int argc, char **argv)
{
	struct vkey k;
	json_t *j;
	int rc = EXIT_MISUSE;
	const char *id = NULL;
	/* the segment is the word that is no option's value */
	for (int i = 0; i < argc; i++) {
		if (argv[i] && argv[i][0] == '-')
			i++;
		else if (argv[i] && !id)
			id = argv[i], argv[i] = NULL;
	}
	if (!id)
		return cli_misuse("rules explain wants the id of a segment, and one of --cookie "
				  "VALUE, --id IMPORTED_ID, --key HEX");
	if (!cli_who(c, "rules explain", argc, argv, &k, &rc))
		return rc;
	if (answer_explain(c->generation, (unsigned)c->config.retention_days, &k, str_c(id),
		clock_now(), &j) != OK)
		return cli_fail("%s", err_text());
	if (c->json) {
		cli_print_json(j);
	} else {
		print_explanation(j);
		json_decref(j);
	}
	return EXIT_FINE;
}

const struct command commands_explain[] = {
    {.name = "rules explain",
	.args = "SEGMENT --cookie VALUE | --id IMPORTED_ID | --key HEX [--json]",
	.summary = "why a visitor is in a segment or not",
	.help = "Shows the condition part by part: whether the part is true, what it counts and "
		"on which days, and the day on which time alone changes it. For a visitor who is "
		"not in the segment it shows the smallest change that would bring the visitor "
		"in. Exit status 1: nothing is known of the visitor.",
	.run = explain},
    {0},
};
